//! `cfgctl context`: named stores, in a file that cfgctl owns.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::environment::Environment;
use super::failure::{Exit, Failure};
use super::files::{self, Existing, Readers};
use super::session::Session;
use super::ui::{Look, View};
use super::views::table::{printable, table};
use crate::model::API_VERSION;
use crate::model::text::{place, scheme};

/// The largest file of contexts that is read; one context takes a hundred bytes.
const MAX_FILE_BYTES: u64 = 1024 * 1024;
/// The `kind` of the file.
const KIND: &str = "Config";

/// Contexts: named stores to switch between
#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum ContextCommand {
    /// List the contexts
    List,
    /// Make a context the current one
    Use {
        /// The context
        name: String,
    },
    /// Add a context, or change the one of this name
    ///
    /// The store is what `--store` names.
    Set {
        /// The context
        name: String,
    },
}

/// The file: `config.yaml` in the XDG configuration directory.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ConfigFile {
    api_version: String,
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    current_context: Option<String>,
    #[serde(default)]
    contexts: Vec<NamedContext>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NamedContext {
    name: String,
    store: String,
}

/// The contexts of this user.
#[derive(Debug)]
pub(crate) struct Contexts {
    path: PathBuf,
    file: ConfigFile,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ContextList {
    current_context: Option<String>,
    contexts: Vec<NamedContext>,
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

    fn find(&self, name: &str) -> Result<&NamedContext, Failure> {
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
    fn save(&self) -> Result<(), Failure> {
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

pub(crate) fn context(session: &Session, command: &ContextCommand) -> Result<Exit, Failure> {
    let mut contexts = Contexts::load(&session.environment)?;
    match command {
        ContextCommand::List => {
            let shown = |context: NamedContext| NamedContext {
                store: place(&context.store),
                ..context
            };
            session.ui.report(&ContextList {
                current_context: contexts.file.current_context,
                contexts: contexts.file.contexts.into_iter().map(shown).collect(),
            })?;
        }
        ContextCommand::Use { name } => {
            contexts.find(name)?;
            contexts.file.current_context = Some(name.clone());
            contexts.save()?;
            session
                .ui
                .status(&format!("`{name}` is the current context"));
        }
        ContextCommand::Set { name } => {
            let named = session.stores.store.clone();
            let Some(store) = named.filter(|store| !store.is_empty()) else {
                return Err(Failure::usage("a context needs a store")
                    .hint(format!("`cfgctl context set {name} --store LOCATION`")));
            };
            let context = NamedContext {
                name: name.clone(),
                store: absolute(&store, &session.environment),
            };
            let file = &mut contexts.file;
            match file.contexts.iter_mut().find(|known| known.name == *name) {
                Some(known) => *known = context,
                None => file.contexts.push(context),
            }
            file.current_context.get_or_insert_with(|| name.clone());
            contexts.save()?;
            session.ui.status(&format!("context `{name}` is set"));
        }
    }
    Ok(Exit::Done)
}

/// A path that means the same from every directory; what has a scheme does already.
fn absolute(store: &str, environment: &Environment) -> String {
    let (scheme, path) = match store.strip_prefix("sqlite:") {
        Some(path) => ("sqlite:", path),
        None if scheme(store).is_some() => return store.to_owned(),
        None => ("", store),
    };
    format!("{scheme}{}", environment.directory.join(path).display())
}

impl View for ContextList {
    const KIND: &'static str = "Contexts";

    fn table(&self, look: Look) -> String {
        let rows = self.contexts.iter().map(|context| {
            let is_current = self.current_context.as_ref() == Some(&context.name);
            [
                if is_current { "*" } else { "" }.to_owned(),
                printable(&context.name),
                printable(&context.store),
            ]
        });
        let text = table(look, ["CURRENT", "NAME", "STORE"], rows);
        if text.is_empty() {
            "there are no contexts; `cfgctl context set NAME --store LOCATION` adds one\n"
                .to_owned()
        } else {
            text
        }
    }

    fn names(&self) -> Vec<String> {
        let names = self.contexts.iter().map(|context| context.name.clone());
        names.collect()
    }
}
