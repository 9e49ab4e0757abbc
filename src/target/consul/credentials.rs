//! How we show a Consul who we are, and how it shows us.

use std::fs;
use std::path::Path;

use reqwest::header::HeaderValue;
use reqwest::{Certificate, ClientBuilder, Identity};

use super::super::Variables;
use crate::model::{Tls, TokenSource};

/// The ACL token, from the source that the manifest names, else from `CONSUL_HTTP_TOKEN_FILE`,
/// else from `CONSUL_HTTP_TOKEN`: the order of the consul command.
pub(super) fn token(
    manifest: Option<&TokenSource>,
    environment: &Variables,
) -> Result<Option<HeaderValue>, String> {
    let text = match manifest {
        Some(TokenSource::Env(name)) => {
            let token = environment.get(name);
            let missing = || format!("the token's variable {name} is not set");
            Some(token.ok_or_else(missing)?.trim().to_owned())
        }
        Some(TokenSource::File(path)) => Some(token_file(path)?),
        None => match environment.get("CONSUL_HTTP_TOKEN_FILE") {
            Some(path) => Some(token_file(Path::new(path))?),
            None => environment
                .get("CONSUL_HTTP_TOKEN")
                .map(|token| token.trim().to_owned()),
        },
    };
    text.map(|text| sensitive(&text, "the token")).transpose()
}

fn token_file(path: &Path) -> Result<String, String> {
    let text = fs::read_to_string(path)
        .map_err(|error| format!("the token file {}: {error}", path.display()))?;
    match text.trim() {
        "" => Err(format!("the token file {} is empty", path.display())),
        token => Ok(token.to_owned()),
    }
}

/// The value of `Authorization` for `CONSUL_HTTP_AUTH`, `user:password`.
pub(super) fn basic_auth(environment: &Variables) -> Result<Option<HeaderValue>, String> {
    use base64::Engine as _;
    let Some(auth) = environment.get("CONSUL_HTTP_AUTH") else {
        return Ok(None);
    };
    let with_password = match auth.split_once(':') {
        Some(_) => auth.to_owned(),
        None => format!("{auth}:"),
    };
    let encoded = base64::engine::general_purpose::STANDARD.encode(with_password);
    sensitive(&format!("Basic {encoded}"), "CONSUL_HTTP_AUTH").map(Some)
}

/// A header that is never shown.
pub(super) fn sensitive(text: &str, name: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| format!("{name} has characters that a header cannot carry"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Sets up TLS: whom to trust, and our own certificate. What the manifest says wins, each part on
/// its own.
pub(super) fn tls(
    mut builder: ClientBuilder,
    manifest: &Tls,
    environment: &Variables,
) -> Result<ClientBuilder, String> {
    let verify = flag(environment, "CONSUL_HTTP_SSL_VERIFY")?;
    let trusted = match &manifest.ca_file {
        Some(path) => certificates(path)?,
        None => authorities(environment)?,
    };
    // Whoever names an authority in a manifest wants it to be asked.
    if verify == Some(false) && manifest.ca_file.is_none() {
        builder = builder.tls_danger_accept_invalid_certs(true);
    }
    if !trusted.is_empty() {
        builder = builder.tls_certs_only(trusted);
    }
    let named = ["CONSUL_CLIENT_CERT", "CONSUL_CLIENT_KEY"].map(|name| environment.get(name));
    let (certificate, key) = match (&manifest.client, named) {
        (Some(client), _) => (client.cert_file.as_path(), client.key_file.as_path()),
        (None, [None, None]) => return Ok(builder),
        (None, [Some(certificate), Some(key)]) => (Path::new(certificate), Path::new(key)),
        (None, _) => return Err("CONSUL_CLIENT_CERT and CONSUL_CLIENT_KEY go together".to_owned()),
    };
    let mut pem = read(certificate)?;
    pem.push(b'\n');
    pem.extend(read(key)?);
    let identity = Identity::from_pem(&pem).map_err(|_| {
        let (certificate, key) = (certificate.display(), key.display());
        format!("{certificate} and {key} are not a certificate and its key")
    })?;
    Ok(builder.identity(identity))
}

/// What a server may have against the certificate that [`tls`] finds for us.
pub(super) fn suspicion(manifest: &Tls, environment: &Variables) -> &'static str {
    if manifest.client.is_some() || environment.get("CONSUL_CLIENT_CERT").is_some() {
        "it may not trust our certificate"
    } else {
        "it may ask for a client certificate, and none is named"
    }
}

/// The authorities that the environment names.
fn authorities(environment: &Variables) -> Result<Vec<Certificate>, String> {
    let mut trusted = Vec::new();
    if let Some(path) = environment.get("CONSUL_CACERT") {
        trusted.extend(certificates(Path::new(path))?);
    }
    if let Some(path) = environment.get("CONSUL_CAPATH") {
        let unreadable = |error| format!("CONSUL_CAPATH {path}: {error}");
        for file in fs::read_dir(path).map_err(unreadable)? {
            trusted.extend(certificates(&file.map_err(unreadable)?.path())?);
        }
        if trusted.is_empty() {
            return Err(format!("CONSUL_CAPATH {path} holds no certificate"));
        }
    }
    Ok(trusted)
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, String> {
    let found = Certificate::from_pem_bundle(&read(path)?);
    let invalid = || format!("{} holds no PEM certificate", path.display());
    found
        .ok()
        .filter(|certificates| !certificates.is_empty())
        .ok_or_else(invalid)
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// A variable that is true or false, in any of Go's spellings.
pub(super) fn flag(environment: &Variables, name: &str) -> Result<Option<bool>, String> {
    match environment.get(name) {
        None => Ok(None),
        Some("1" | "t" | "T" | "true" | "TRUE" | "True") => Ok(Some(true)),
        Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Ok(Some(false)),
        Some(_) => Err(format!("{name} must be true or false")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(variables: &[(&str, &str)]) -> Variables {
        variables.iter().copied().collect()
    }

    #[test]
    fn the_manifest_then_the_file_then_the_variable_give_the_token() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("token");
        fs::write(&file, " from-file\n").unwrap();
        let all = env(&[
            ("CONSUL_HTTP_TOKEN", "from-variable"),
            ("CONSUL_HTTP_TOKEN_FILE", file.to_str().unwrap()),
            ("EU_TOKEN", "from-manifest"),
        ]);
        let found = |manifest: Option<TokenSource>, environment: &Variables| {
            let token = token(manifest.as_ref(), environment).unwrap();
            token.map(|token| token.to_str().unwrap().to_owned())
        };
        let named = TokenSource::Env("EU_TOKEN".to_owned());
        assert_eq!(found(Some(named), &all).as_deref(), Some("from-manifest"));
        assert_eq!(found(None, &all).as_deref(), Some("from-file"));
        let variable = env(&[("CONSUL_HTTP_TOKEN", "from-variable")]);
        assert_eq!(found(None, &variable).as_deref(), Some("from-variable"));
        assert_eq!(found(None, &env(&[])), None);
    }

    #[test]
    fn a_token_that_is_named_and_missing_is_an_error_and_never_shown() {
        let named = TokenSource::Env("EU_TOKEN".to_owned());
        assert!(token(Some(&named), &env(&[])).is_err());
        let file = TokenSource::File("/nowhere/token".into());
        assert!(token(Some(&file), &env(&[])).is_err());
        let broken = env(&[("CONSUL_HTTP_TOKEN", "se\ncret")]);
        assert!(!token(None, &broken).unwrap_err().contains("cret"));
        let valid = env(&[("CONSUL_HTTP_TOKEN", "secret")]);
        assert!(!format!("{:?} {valid:?}", token(None, &valid)).contains("secret"));
    }

    #[test]
    fn half_a_client_certificate_and_odd_flags_are_errors() {
        let tls =
            |environment: &Variables| tls(reqwest::Client::builder(), &Tls::default(), environment);
        assert!(tls(&env(&[("CONSUL_CLIENT_KEY", "k")])).is_err());
        assert!(tls(&env(&[("CONSUL_HTTP_SSL_VERIFY", "maybe")])).is_err());
        assert!(tls(&env(&[("CONSUL_CACERT", "/nowhere")])).is_err());
    }
}
