//! The token of a server, where it is found: in a variable, or in a file that one names.

use std::io::Read as _;
use std::path::Path;

use super::environment::Environment;
use super::failure::{Exit, Failure};

/// No token comes near this many bytes.
const MAX_BYTES: u64 = 64 * 1024;

/// What is shown to a server: the file that `CFGCTL_TOKEN_FILE` names, else `CFGCTL_TOKEN`.
pub(crate) fn for_server(environment: &Environment) -> Result<Option<String>, Failure> {
    let set = |name: &str| {
        if environment.is_empty(name) {
            let error = format!("the variable `{name}` is set and empty");
            return Err(Failure::usage(error)
                .hint("unset it, or name a token; a secret that a pipeline lacks is empty"));
        }
        Ok(environment.variable(name))
    };
    if let Some(path) = set("CFGCTL_TOKEN_FILE")? {
        return from_file(&environment.directory.join(path)).map(Some);
    }
    let token = set("CFGCTL_TOKEN")?;
    Ok(token.map(|token| token.trim().to_owned()))
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
