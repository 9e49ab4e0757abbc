//! Requests to a server: bounded, timed, never redirected.

use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Identity, Method, Response, Url};
use serde::Serialize;

use super::address;
use super::error::RemoteError;
use crate::api::report::Report;
use crate::api::{Error, ErrorKind};
use crate::model::IdempotencyKey;
use crate::model::text::place;
use crate::traces;
use crate::wire::{
    self, EVENTS, HEARTBEAT_SECONDS, IDEMPOTENCY_KEY, JSON, PROBLEM, Paged, REQUEST_ID,
};

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest silence: a server that works says so more often.
const SILENCE: Duration = Duration::from_secs(4 * HEARTBEAT_SECONDS);
/// The longest answer: everything that a store holds.
const MAX_ANSWER: usize = 256 << 20;
/// The most pages of one list.
const MAX_PAGES: usize = 1000;
/// The longest error.
const MAX_PROBLEM: usize = 16 << 20;

/// A connection to one server.
pub(super) struct Http {
    pub(super) client: reqwest::Client,
    base: String,
    location: String,
}

/// What is to be sent.
#[derive(Debug)]
pub(super) struct Send {
    method: Method,
    path: String,
    query: String,
    body: Option<Vec<u8>>,
    key: Option<IdempotencyKey>,
}

/// Why there is no answer to go by.
#[derive(Debug)]
pub(super) enum Failed {
    /// The server says why, or nothing left this machine.
    Known(Error),
    /// What was sent may have been done.
    Lost(Error),
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Known(error) | Failed::Lost(error) => error,
        }
    }
}

impl Send {
    pub(super) fn get(path: &str) -> Self {
        Self {
            method: Method::GET,
            path: path.to_owned(),
            query: String::new(),
            body: None,
            key: None,
        }
    }

    pub(super) fn delete(path: &str) -> Self {
        Self {
            method: Method::DELETE,
            ..Self::get(path)
        }
    }

    pub(super) fn post(path: &str, body: &impl Serialize) -> Result<Self, Error> {
        let body = serde_json::to_vec(body).map_err(|error| Error::of(ErrorKind::Bug, &error))?;
        Ok(Self {
            method: Method::POST,
            body: Some(body),
            ..Self::get(path)
        })
    }

    /// With these parameters.
    pub(super) fn with(mut self, params: &impl Serialize) -> Result<Self, Error> {
        let encoded = serde_urlencoded::to_string(params);
        self.query = encoded.map_err(|error| Error::of(ErrorKind::Bug, &error))?;
        Ok(self)
    }

    /// With what the change is known by.
    pub(super) fn with_key(mut self, key: Option<&IdempotencyKey>) -> Self {
        self.key = key.cloned();
        self
    }
}

impl Http {
    pub(super) fn new(
        address: &str,
        token: Option<&str>,
        identity: Option<&[u8]>,
    ) -> Result<Self, RemoteError> {
        let url = address::read(address).map_err(|source| RemoteError::Address {
            address: place(address),
            source,
        })?;
        let mut headers = HeaderMap::new();
        if let Some(token) = token {
            let value = HeaderValue::from_str(&format!("Bearer {token}"));
            let mut value = value.map_err(|_| RemoteError::Token)?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        // What is wrong is not said: it might be a part of the key.
        let identity = identity.map(Identity::from_pem).transpose();
        let identity = identity.map_err(|_| RemoteError::Identity)?;
        let client = client(&url, headers, identity).map_err(RemoteError::Setup)?;
        let base = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self {
            client,
            location: base.clone(),
            base,
        })
    }

    /// Where the server is.
    pub(super) fn location(&self) -> &str {
        &self.location
    }

    /// The document that answers `send`.
    pub(super) async fn ask<R: Report>(&self, send: Send) -> Result<R, Error> {
        let response = self.send(send, JSON, None).await?;
        let body = self.read(response, MAX_ANSWER).await?;
        Ok(self.report(&body)?)
    }

    /// One page, and the cursor of the next one.
    pub(super) async fn ask_page<R: Paged>(
        &self,
        send: Send,
    ) -> Result<(R, Option<String>), Error> {
        let response = self.send(send, JSON, None).await?;
        let body = self.read(response, MAX_ANSWER).await?;
        Ok(wire::page(&body).map_err(|why| self.nonsense(&why))?)
    }

    /// All pages, each of which `ask` asks for with the cursor that the one before names.
    pub(super) async fn ask_all<R: Paged>(
        &self,
        ask: impl Fn(Option<String>) -> Result<Send, Error>,
    ) -> Result<R, Error> {
        let (mut all, mut next) = self.ask_page::<R>(ask(None)?).await?;
        let mut pages = 1;
        while let Some(cursor) = next {
            pages += 1;
            if pages > MAX_PAGES {
                return Err(self
                    .nonsense(&format!("it has more than {MAX_PAGES} pages"))
                    .into());
            }
            let (page, after) = self.ask_page(ask(Some(cursor))?).await?;
            all.join(page);
            next = after;
        }
        Ok(all)
    }

    /// What the server begins to answer, if it is no error. `accept` is the form that is wanted.
    pub(super) async fn send(
        &self,
        send: Send,
        accept: &str,
        id: Option<&str>,
    ) -> Result<Response, Failed> {
        let mut url = format!("{}{}", self.base, send.path);
        if !send.query.is_empty() {
            url = format!("{url}?{}", send.query);
        }
        let mut request = self.client.request(send.method, url).header(ACCEPT, accept);
        if let Some(id) = id {
            request = request.header(REQUEST_ID, id);
        }
        if let Some(traceparent) = traces::header() {
            request = request.header(traces::TRACEPARENT, traceparent);
        }
        if let Some(key) = &send.key {
            request = request.header(IDEMPOTENCY_KEY, key.as_str());
        }
        if let Some(body) = send.body {
            request = request.header(CONTENT_TYPE, JSON).body(body);
        }
        let response = request.send().await.map_err(|error| self.failed(error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(Failed::Known(self.problem(response).await))
    }

    /// The error that the server answers with.
    async fn problem(&self, response: Response) -> Error {
        let status = response.status();
        let is_ours = kind_of(&response) == PROBLEM;
        if is_ours
            && let Ok(body) = self.read(response, MAX_PROBLEM).await
            && let Some(error) = wire::error_of(&body)
        {
            return error;
        }
        let error = format!(
            "`{}` answered {status}, and does not say why",
            self.location
        );
        Error::new(ErrorKind::Unavailable, error)
            .hint("is it a cfgctl server? something else may stand before it")
    }

    /// Whether the answer comes as events.
    pub(super) fn is_stream(response: &Response) -> bool {
        kind_of(response) == EVENTS
    }

    /// The rest of an answer, of at most `limit` bytes.
    pub(super) async fn read(
        &self,
        mut response: Response,
        limit: usize,
    ) -> Result<Vec<u8>, Failed> {
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| self.failed(error))? {
            if body.len() + piece.len() > limit {
                return Err(self.nonsense(&format!("it has more than {limit} bytes")));
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    /// The report in a document of the server.
    pub(super) fn report<R: Report>(&self, body: &[u8]) -> Result<R, Failed> {
        wire::report(body).map_err(|why| self.nonsense(&why))
    }

    /// The error of an answer that cannot be understood.
    pub(super) fn nonsense(&self, why: &str) -> Failed {
        let error = format!("the answer of `{}` cannot be understood", self.location);
        let error = Error::new(ErrorKind::Unavailable, why).context(error);
        Failed::Lost(error.hint("are cfgctl and its server of one version?"))
    }

    /// The error of a request that was not answered, or not to its end.
    pub(super) fn failed(&self, error: reqwest::Error) -> Failed {
        let (is_unsent, location) = (error.is_builder() || error.is_connect(), &self.location);
        let hint = "clusters keep what they hold; whoever can reach its store works without it, \
                    with `--store PATH` on that machine";
        let is_silent = error.is_timeout();
        // The address says nothing that the location does not.
        let error = Error::of(ErrorKind::Unavailable, &error.without_url());
        if is_unsent {
            let what = format!("the server at `{location}` cannot be reached");
            Failed::Known(error.context(what).hint(hint))
        } else {
            let what = format!("the server at `{location}` did not answer to the end");
            let error = error.context(what);
            Failed::Lost(if is_silent { error.hint(hint) } else { error })
        }
    }
}

fn client(
    url: &Url,
    headers: HeaderMap,
    identity: Option<Identity>,
) -> Result<reqwest::Client, String> {
    // Fails if someone installed one already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(SILENCE)
        .default_headers(headers);
    if let Some(identity) = identity {
        builder = builder.identity(identity);
    }
    if url.scheme() == "http" {
        // Saves reading the system's certificates, which nobody will ask for.
        builder = builder.tls_certs_only([]);
    }
    builder
        .build()
        .map_err(|error| Error::of(ErrorKind::Bug, &error).chain())
}

/// The media type of an answer, without its parameters.
fn kind_of(response: &Response) -> &str {
    let kind = response.headers().get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_that_is_silent_gets_the_hint_of_one_that_is_not_there() {
        // It accepts, by its backlog, and answers nothing.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", silent.local_addr().unwrap());
        let http = Http::new(&address, None, None).unwrap();
        let asked = http.client.get(&address).timeout(Duration::from_millis(1));
        let said = Error::from(http.failed(asked.send().await.unwrap_err()));
        assert_eq!(said.kind, ErrorKind::Unavailable);
        assert!(said.error.contains(&address), "{said:?}");
        assert_eq!(said.hints.len(), 1, "{said:?}");
        assert!(said.hints[0].starts_with("clusters keep"), "{said:?}");
    }
}
