//! What every command starts from: where the store is, and how clusters are reached.

use std::sync::Arc;
use std::time::Duration;

use super::contexts::Contexts;
use super::environment::Environment;
use super::failure::Failure;
use super::ui::Ui;
use crate::api::{LookQuery, Pace, Reach};
use crate::model::{Selector, SetName};

/// How many clusters are worked on at once.
const CLUSTERS_AT_ONCE: u16 = 32;

/// The argument that names a context, under whatever option a command has it.
pub(crate) const STORE_CONTEXT: &str = "store-context";

/// Where the store is.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct StoreArgs {
    /// Where the store is: a path, `sqlite:PATH`, or a server's `https://HOST:PORT`
    #[arg(
        long,
        global = true,
        value_name = "LOCATION",
        help_heading = "Global options"
    )]
    pub(crate) store: Option<String>,

    /// The context to use instead of the current one
    #[arg(
        id = STORE_CONTEXT,
        long = "context",
        global = true,
        value_name = "NAME",
        help_heading = "Global options"
    )]
    pub(crate) context: Option<String>,
}

/// Which clusters, and how hard to try.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ReachArgs {
    /// Only clusters whose labels match, as in `stage=prod,region!=eu`
    #[arg(
        short = 'l',
        long,
        value_name = "SELECTOR",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) clusters: Selector,

    /// The longest wait for one set in one cluster, repeats included, as in `30s` or `2m`
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = duration)]
    pub(crate) timeout: Duration,

    /// How many clusters to work on at once
    #[arg(long, value_name = "N", default_value_t = CLUSTERS_AT_ONCE, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) parallelism: u16,
}

impl ReachArgs {
    /// Every cluster, each for so long.
    pub(crate) fn everywhere(timeout: Duration) -> Self {
        Self {
            clusters: Selector::default(),
            timeout,
            parallelism: CLUSTERS_AT_ONCE,
        }
    }

    /// The question how things stand with these sets; all where none is named.
    pub(crate) fn look(&self, sets: &[SetName]) -> LookQuery {
        LookQuery {
            sets: if sets.is_empty() {
                Reach::All
            } else {
                Reach::Named(sets.iter().cloned().collect())
            },
            clusters: self.clusters.clone(),
            pace: self.pace(),
        }
    }

    pub(crate) fn pace(&self) -> Pace {
        Pace {
            clusters_at_once: self.parallelism.into(),
            timeout: self.timeout,
        }
    }
}

/// How long a list looks at clusters.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct LookArgs {
    /// The longest wait for one cluster, as in `2s`; the others do not wait longer than that
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = duration)]
    timeout: Duration,
}

impl LookArgs {
    pub(crate) fn pace(&self) -> Pace {
        ReachArgs::everywhere(self.timeout).pace()
    }
}

/// Reads `30s`, `2m30s`, `PT5S`.
pub(crate) fn duration(input: &str) -> Result<Duration, String> {
    let parsed: jiff::SignedDuration = input
        .parse()
        .map_err(|_| "a duration is a number and a unit, such as `30s` or `2m`".to_owned())?;
    Duration::try_from(parsed)
        .ok()
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "the duration must be longer than nothing".to_owned())
}

/// One run of one command.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) environment: Environment,
    pub(crate) ui: Arc<Ui>,
    pub(crate) stores: StoreArgs,
}

impl Session {
    /// Says which store was looked at, where nothing else is to be said.
    pub(crate) fn looked_in(&self, location: &str) {
        self.ui
            .status(&format!("looked in the store at `{location}`"));
    }

    /// Where the store is, and why there: the flag, the named context, `CFGCTL_STORE`, the current
    /// context, else one file in the data directory.
    pub(crate) fn store_location(&self) -> Result<(String, String), Failure> {
        let set =
            |name: &str, given: Option<&str>| match given {
                Some("") => Err(Failure::usage(format!("`{name}` is empty"))
                    .hint("name a store, or leave it out")),
                given => Ok(given.map(str::to_owned)),
            };
        let variable = |name: &str| {
            if self.environment.is_empty(name) {
                return Err(
                    Failure::usage(format!("the variable `{name}` is set and empty")).hint(
                        "unset it, or say which store; a secret that a pipeline lacks is empty",
                    ),
                );
            }
            Ok(self.environment.variable(name).map(str::to_owned))
        };
        if let Some(location) = set("--store", self.stores.store.as_deref())? {
            return Ok((location, "`--store` says so".to_owned()));
        }
        let mut context = set("--context", self.stores.context.as_deref())?;
        if context.is_none() {
            if let Some(location) = variable("CFGCTL_STORE")? {
                return Ok((location, "`CFGCTL_STORE` says so".to_owned()));
            }
            context = variable("CFGCTL_CONTEXT")?;
        }
        let contexts = Contexts::load(&self.environment)?;
        if let Some((name, location)) = contexts.store(context.as_deref())? {
            return Ok((location, format!("the context `{name}` says so")));
        }
        let path = self.environment.data_directory()?.join("store.db");
        let path = path.into_os_string().into_string().map_err(|path| {
            Failure::usage(format!("`{}` is not UTF-8", path.to_string_lossy()))
                .hint("name the store with `--store`")
        })?;
        let why = "this is the default, as nothing else is named";
        Ok((path, why.to_owned()))
    }
}
