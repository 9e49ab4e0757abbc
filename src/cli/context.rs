//! `cfgctl context`: named stores, in a file that cfgctl owns.

use serde::Serialize;

use super::connect;
use super::contexts::{Contexts, NamedContext};
use super::environment::Environment;
use super::failure::{Exit, Failure};
use super::session::Session;
use super::view::{Canvas, View};
use super::views::table::{printable, table};
use crate::model::text::{place, scheme};

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

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ContextList {
    current_context: Option<String>,
    contexts: Vec<NamedContext>,
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
            connect::is_location(&store)?;
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

    fn table(&self, look: Canvas) -> String {
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
