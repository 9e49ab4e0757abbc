//! Requests to an issuer: bounded, timed, never redirected.

use std::time::Duration;

use reqwest::{Certificate, Client, RequestBuilder};
use serde_json::Value;

use super::spec::{IssuerUrl, endpoint};

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long for a whole answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The longest answer.
const MAX_ANSWER: usize = 512 * 1024;

/// Why an issuer cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The certificates to check its own by are none.
    #[error("the file of authorities holds no certificates in PEM")]
    Authorities,
    /// It did not answer, or not what it should.
    #[error("{0}")]
    Answer(String),
}

fn answer(error: impl std::fmt::Display) -> FetchError {
    FetchError::Answer(error.to_string())
}

/// A client that trusts these authorities, in PEM, or those of the system.
pub(super) fn client(authorities: Option<&[u8]>) -> Result<Client, FetchError> {
    // Fails if someone installed one already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT);
    if let Some(pem) = authorities {
        let trusted = Certificate::from_pem_bundle(pem).map_err(|_| FetchError::Authorities)?;
        if trusted.is_empty() {
            return Err(FetchError::Authorities);
        }
        builder = builder.tls_certs_only(trusted);
    }
    builder.build().map_err(|error| answer(chain(&error)))
}

/// What an issuer says of where everything is.
pub(super) async fn discovered(client: &Client, issuer: &IssuerUrl) -> Result<Value, FetchError> {
    let (_, document) = asked(client.get(issuer.discovery()), true).await?;
    let named = document.get("issuer").and_then(Value::as_str);
    if named == Some(issuer.as_str()) {
        Ok(document)
    } else {
        Err(answer("it calls itself otherwise than it is called here"))
    }
}

/// The address that a document of the issuer names.
pub(super) fn named(document: &Value, name: &str) -> Result<String, FetchError> {
    let text = document.get(name).and_then(Value::as_str);
    let text = text.ok_or_else(|| answer(format!("it does not say its `{name}`")))?;
    let url = endpoint(text).map_err(|error| answer(format!("its `{name}`: {error}")))?;
    Ok(url.into())
}

/// Status and document of an answer; a status that is none of success is an error if it `must`.
pub(super) async fn asked(request: RequestBuilder, must: bool) -> Result<(u16, Value), FetchError> {
    let failed = |error: reqwest::Error| answer(chain(&error.without_url()));
    let mut response = request.send().await.map_err(failed)?;
    let status = response.status();
    if must && !status.is_success() {
        return Err(answer(format!("it answers {}", status.as_u16())));
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(failed)? {
        if body.len() + piece.len() > MAX_ANSWER {
            return Err(answer(format!("it answers more than {MAX_ANSWER} bytes")));
        }
        body.extend_from_slice(&piece);
    }
    // What the answer says is not repeated: it may hold a secret.
    let document = serde_json::from_slice(&body).map_err(|_| answer("its answer is no JSON"))?;
    Ok((status.as_u16(), document))
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
