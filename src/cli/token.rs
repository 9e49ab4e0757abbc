//! The token of a server, where it is found: in a variable, in a file that one names, or in the keyring.

use std::io::Read as _;
use std::path::Path;

use super::environment::Environment;
use super::failure::{Exit, Failure};
use super::keyring::{ELSEWHERE_OF_SERVER, Keyring, KeyringError, Login, Whose};
use super::session::Session;

/// No token comes near this many bytes.
const MAX_BYTES: u64 = 64 * 1024;

/// What is shown to the server at `address`: `CFGCTL_TOKEN`, else what the file that `CFGCTL_TOKEN_FILE`
/// names holds, else what `cfgctl login` kept.
pub(crate) async fn for_server(
    environment: &Environment,
    address: &str,
) -> Result<Option<String>, Failure> {
    let set = |name: &str| {
        if environment.is_empty(name) {
            let error = format!("the variable `{name}` is set and empty");
            return Err(Failure::usage(error)
                .hint("unset it, or name a token; a secret that a pipeline lacks is empty"));
        }
        Ok(environment.variable(name))
    };
    if let Some(token) = set("CFGCTL_TOKEN")? {
        return Ok(Some(token.trim().to_owned()));
    }
    if let Some(path) = set("CFGCTL_TOKEN_FILE")? {
        return from_file(&environment.directory.join(path)).map(Some);
    }
    let login = Login {
        whose: Whose::Server,
        address: address.to_owned(),
    };
    let kept = Keyring::new(environment).kept(login).await;
    kept.map_err(|error| not_had(&error, address))
}

/// Whoever logged in is told when the token cannot be had, instead of going on without one.
fn not_had(error: &KeyringError, address: &str) -> Failure {
    let hint = error.hint(&format!("cfgctl login {address}"), ELSEWHERE_OF_SERVER);
    let what = format!("the token that `cfgctl login {address}` kept cannot be had");
    let error = anyhow::anyhow!("{error}").context(what);
    Failure::new(Exit::Unavailable, error)
        .hint(hint)
        .hint(format!("`cfgctl logout {address}` goes on without it"))
}

/// The token that is typed, or comes in standard input: `what` it is for, in a question.
pub(crate) async fn typed(session: &Session, stdin: bool, what: &str) -> Result<String, Failure> {
    if !stdin {
        return session
            .ui
            .secret(&format!("Token for {what}"), "--token-stdin")
            .await;
    }
    from_stdin()
}

/// What comes in standard input.
pub(crate) fn from_stdin() -> Result<String, Failure> {
    let mut text = String::new();
    let read = std::io::stdin()
        .lock()
        .take(MAX_BYTES)
        .read_to_string(&mut text);
    // The error may hold a part of the token.
    read.map_err(|_| Failure::usage("standard input is not text"))?;
    Ok(text)
}

/// The token in a file that holds nothing else.
pub(crate) fn from_file(path: &Path) -> Result<String, Failure> {
    let named = |what: String| format!("the token file `{}` {what}", path.display());
    let read = || {
        let mut text = String::new();
        let file = std::fs::File::open(path)?;
        file.take(MAX_BYTES).read_to_string(&mut text)?;
        Ok(text)
    };
    let text = read().map_err(|error: std::io::Error| {
        // An error of the text would hold a part of it.
        let error = anyhow::anyhow!("{}", named(format!("cannot be read: {}", error.kind())));
        Failure::new(Exit::Usage, error)
    })?;
    match text.trim() {
        "" => Err(Failure::usage(named("is empty".to_owned()))),
        token => Ok(token.to_owned()),
    }
}
