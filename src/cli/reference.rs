//! `cfgctl schema`, `completions`, `man`, `version`: what cfgctl says of itself.

use std::path::PathBuf;

use clap_complete::Shell;
use serde::Serialize;

use super::failure::{Exit, Failure};
use super::files::{self, Existing, Readers};
use super::session::Session;
use super::view::{Canvas, View};
use crate::manifest::json_schema;
use crate::model::API_VERSION;

/// Print the JSON Schema of the manifests, for editors
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct SchemaArgs {}

/// Print the completions for a shell
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Print the man page of a command, or write all of them
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ManArgs {
    /// The command, as in `cluster check`; left out: cfgctl itself
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,

    /// Write every page into this directory
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    all: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    version: &'static str,
    manifests: &'static str,
}

pub(crate) fn schema(session: &Session) -> Result<Exit, Failure> {
    session.ui.verbatim(json_schema())?;
    Ok(Exit::Done)
}

pub(crate) fn version(session: &Session) -> Result<Exit, Failure> {
    session.ui.report(&Version {
        version: env!("CARGO_PKG_VERSION"),
        manifests: API_VERSION,
    })?;
    Ok(Exit::Done)
}

/// `root` is the whole command line.
pub(crate) fn completions(
    session: &Session,
    args: &CompletionsArgs,
    mut root: clap::Command,
) -> Result<Exit, Failure> {
    // Into memory first: the generator panics when it writes to a closed pipe.
    let mut buffer = Vec::new();
    clap_complete::generate(args.shell, &mut root, "cfgctl", &mut buffer);
    session.ui.verbatim(&String::from_utf8_lossy(&buffer))?;
    Ok(Exit::Done)
}

/// `root` is the whole command line.
pub(crate) fn man(
    session: &Session,
    args: &ManArgs,
    mut root: clap::Command,
) -> Result<Exit, Failure> {
    root.build();
    if let Some(directory) = &args.all {
        for (name, page) in pages(&root)? {
            let path = directory.join(format!("{name}.1"));
            let (existing, readers) = (Existing::Replaced, Readers::AsUsual);
            files::write(&path, page.as_bytes(), existing, readers)
                .map_err(|error| files::failure(&path, error))?;
        }
        return Ok(Exit::Done);
    }
    let command = args.command.iter().try_fold(&root, |command, name| {
        command.find_subcommand(name).ok_or_else(|| {
            Failure::usage(format!("there is no command `{name}`"))
                .hint("`cfgctl help` lists the commands")
        })
    })?;
    session.ui.verbatim(&page(command)?)?;
    Ok(Exit::Done)
}

/// The man page of `command` and of every command below it, by name.
fn pages(command: &clap::Command) -> Result<Vec<(String, String)>, Failure> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let mut found = vec![(name.to_owned(), page(command)?)];
    for inner in command.get_subcommands() {
        if inner.get_name() != "help" {
            found.extend(pages(inner)?);
        }
    }
    Ok(found)
}

fn page(command: &clap::Command) -> Result<String, Failure> {
    let mut buffer = Vec::new();
    clap_mangen::Man::new(command.clone())
        .source(concat!("cfgctl ", env!("CARGO_PKG_VERSION")))
        .manual("cfgctl")
        .render(&mut buffer)
        .map_err(|error| Failure::new(Exit::Bug, error))?;
    Ok(String::from_utf8_lossy(&buffer).into_owned())
}

impl View for Version {
    const KIND: &'static str = "Version";

    fn table(&self, _: Canvas) -> String {
        format!("cfgctl {} (manifests {})\n", self.version, self.manifests)
    }

    fn names(&self) -> Vec<String> {
        vec![self.version.to_owned()]
    }
}
