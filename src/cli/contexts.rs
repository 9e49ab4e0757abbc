//! The file of contexts: named stores, which cfgctl owns.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::environment::Environment;
use super::failure::{Exit, Failure};
use super::files::{self, Existing, Readers};
use crate::model::API_VERSION;

/// The largest file of contexts that is read; one context takes a hundred bytes.
const MAX_FILE_BYTES: u64 = 1024 * 1024;
/// The `kind` of the file.
const KIND: &str = "Config";

/// The file: `config.yaml` in the XDG configuration directory.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ConfigFile {
    api_version: String,
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) current_context: Option<String>,
    #[serde(default)]
    pub(crate) contexts: Vec<NamedContext>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NamedContext {
    pub(crate) name: String,
    pub(crate) store: String,
}

/// The contexts of this user.
#[derive(Debug)]
pub(crate) struct Contexts {
    path: PathBuf,
    pub(crate) file: ConfigFile,
}

impl Contexts {
    /// Reads the file; without one there are no contexts.
    pub(crate) fn load(environment: &Environment) -> Result<Self, Failure> {
        let path = environment.config_directory()?.join("config.yaml");
        let text = match std::fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Ok(metadata) if metadata.len() > MAX_FILE_BYTES => {
                return Err(broken(&path, anyhow::anyhow!("it is larger than 1 MiB")));
            }
            Ok(_) | Err(_) => {
                Some(std::fs::read_to_string(&path).map_err(|error| broken(&path, error.into()))?)
            }
        };
        let file = match text {
            None => ConfigFile {
                api_version: API_VERSION.to_owned(),
                kind: KIND.to_owned(),
                current_context: None,
                contexts: Vec::new(),
            },
            Some(text) => {
                serde_yaml::from_str(&text).map_err(|error| broken(&path, error.into()))?
            }
        };
        if file.api_version != API_VERSION || file.kind != KIND {
            let wanted = format!("it must begin with `apiVersion: {API_VERSION}`, `kind: {KIND}`");
            return Err(broken(&path, anyhow::anyhow!(wanted)));
        }
        Ok(Self { path, file })
    }

    /// The name and the store of the named context, or of the current one; `None` where there is
    /// none.
    pub(crate) fn store(&self, named: Option<&str>) -> Result<Option<(String, String)>, Failure> {
        let Some(name) = named.or(self.file.current_context.as_deref()) else {
            return Ok(None);
        };
        let found = self.find(name)?;
        Ok(Some((found.name.clone(), found.store.clone())))
    }

    pub(crate) fn find(&self, name: &str) -> Result<&NamedContext, Failure> {
        let mut contexts = self.file.contexts.iter();
        contexts
            .find(|context| context.name == name)
            .ok_or_else(|| {
                Failure::usage(format!("there is no context `{name}`")).hint(
                    "`cfgctl context list` shows them; \
                     `cfgctl context set NAME --store LOCATION` adds one",
                )
            })
    }

    /// Replaces the file whole, so that a crash leaves the old one.
    pub(crate) fn save(&self) -> Result<(), Failure> {
        let text = serde_yaml::to_string(&self.file);
        let text = text.map_err(|error| Failure::new(Exit::Bug, error))?;
        let write = || {
            if let Some(directory) = self.path.parent() {
                std::fs::create_dir_all(directory)?;
            }
            let (existing, readers) = (Existing::Replaced, Readers::AsUsual);
            files::write(&self.path, text.as_bytes(), existing, readers)
        };
        write().map_err(|error| files::failure(&self.path, error))
    }
}

fn broken(path: &Path, error: anyhow::Error) -> Failure {
    let error = error.context(format!(
        "could not read the contexts in `{}`",
        path.display()
    ));
    let cannot_read = error.chain().any(|cause| {
        let io = cause.downcast_ref::<std::io::Error>();
        io.is_some_and(|io| io.kind() != std::io::ErrorKind::InvalidData)
    });
    let hint = if cannot_read {
        "make it readable, or name the store with `--store` or `CFGCTL_STORE`"
    } else {
        "mend the file, or remove it and set the contexts again"
    };
    Failure::new(Exit::Usage, error).hint(hint)
}
