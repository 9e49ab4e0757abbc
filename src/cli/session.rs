//! What every command starts from: where the store is, and how clusters are reached.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::context::Contexts;
use super::environment::Environment;
use super::failure::Failure;
use super::keyring::Keyring;
use super::ui::Ui;
use crate::engine::{Connect, Pace};
use crate::model::{self, Cluster, ClusterName, Connection, Heads, Origin, Selector};
use crate::plan::{Desired, Plan};
use crate::store::{self, Missing, Store, StoreError};
use crate::target::consul::{Consul, Patience};
use crate::target::directory::Directory;
use crate::target::{self, Target, TargetError};

/// How long to wait for a connection: a cluster on the other side of the world answers within
/// half of it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How many clusters are worked on at once.
const CLUSTERS_AT_ONCE: u16 = 32;
/// How often a request is tried in all.
const ATTEMPTS: u32 = 3;

/// The argument that names a context, under whatever option a command has it.
pub(crate) const STORE_CONTEXT: &str = "store-context";

/// Where the store is.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct StoreArgs {
    /// Where the store is: a path, or `sqlite:PATH`
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

    /// Refuses a selector that matches none of the clusters that there are or will be, and names
    /// of overrides that there are not: whoever mistypes one must not be told that all is well.
    pub(crate) fn check(&self, heads: &Heads, desired: &Desired) -> Result<(), Failure> {
        for dropped in &desired.dropped {
            let is_known = heads.iter().any(|(id, head)| {
                let parts = head.overrides.parts().into_iter();
                let mut names = parts.map(|part| format!("{}/{}", id.name(), part.name()));
                names.any(|name| name == *dropped)
            });
            if !is_known {
                let message = format!("nothing named `{dropped}` is switched by hand");
                return Err(Failure::usage(message)
                    .hint("`cfgctl flag list` and `cfgctl breaker list` show what is"));
            }
        }
        let contents = heads.iter().map(|(id, head)| (id, &head.content));
        let mut clusters = contents
            .chain(&desired.contents)
            .filter_map(|(_, content)| content.cluster());
        let matches = |cluster: &Cluster| self.clusters.matches(&cluster.labels);
        if self.clusters.is_empty() || clusters.any(matches) {
            return Ok(());
        }
        Err(
            Failure::usage(format!("`{}` matches no cluster", self.clusters))
                .hint("`cfgctl cluster list` shows the clusters with their labels"),
        )
    }

    pub(crate) fn pace(&self) -> Pace {
        Pace {
            clusters_at_once: self.parallelism.into(),
            timeout: self.timeout,
        }
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
    pub(crate) ui: Ui,
    pub(crate) stores: StoreArgs,
}

impl Session {
    /// The store that this run uses: the flag, the named context, `CFGCTL_STORE`, the current
    /// context, else one file in the data directory. There must be one.
    pub(crate) async fn store(&self) -> Result<Arc<dyn Store>, Failure> {
        self.open_store(Missing::Refuse).await
    }

    /// The same for what may be the first commit: where there is no store, an empty one that the
    /// commit makes.
    pub(crate) async fn store_to_be(&self) -> Result<Arc<dyn Store>, Failure> {
        self.open_store(Missing::Create).await
    }

    async fn open_store(&self, missing: Missing) -> Result<Arc<dyn Store>, Failure> {
        let (location, why) = self.store_location()?;
        let opened = store::open(&location, missing).await;
        opened.map_err(|error| {
            let is_absent = matches!(error, StoreError::Absent { .. });
            let failure = Failure::from(error);
            if !is_absent {
                return failure;
            }
            Failure {
                hints: vec![format!(
                    "{why}; name another one, or make one there with `cfgctl apply -f`"
                )],
                ..failure
            }
        })
    }

    /// Says which store was looked at, where nothing else is to be said.
    pub(crate) fn looked_in(&self, store: &dyn Store) {
        self.ui
            .status(&format!("looked in the store at `{}`", store.location()));
    }

    /// The same where `plan` has nothing to show of what lies in it.
    pub(crate) fn tell_of_nothing(&self, store: &dyn Store, plan: &Plan) {
        if plan.deliveries.is_empty() && !plan.has_changes() && store.exists() {
            self.looked_in(store);
        }
    }

    /// Where the store is, and why there.
    fn store_location(&self) -> Result<(String, String), Failure> {
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

    /// How the clusters of this run are reached.
    pub(crate) fn connector(&self, timeout: Duration) -> Connector {
        Connector {
            environment: self.environment.variables().clone(),
            patience: Self::patience(timeout),
            keyring: Arc::new(Keyring::new(&self.environment)),
            known: Mutex::default(),
        }
    }

    /// How long a cluster is waited for that has this long for one thing.
    pub(crate) fn patience(timeout: Duration) -> Patience {
        Patience {
            connect: CONNECT_TIMEOUT.min(timeout),
            request: timeout,
            attempts: ATTEMPTS,
        }
    }

    /// The origin of what this run commits.
    pub(crate) fn origin(&self, cause: crate::model::Cause, message: Option<String>) -> Origin {
        Origin {
            actor: self.environment.actor(),
            at: self.environment.now,
            cause,
            message,
            consents: BTreeSet::new(),
            planned: None,
        }
    }
}

/// Each cluster as it was described, and its target.
type Targets = BTreeMap<ClusterName, (Cluster, Arc<dyn Target>)>;

/// Makes targets from how clusters are described, with what the environment adds.
#[derive(Debug)]
pub(crate) struct Connector {
    environment: target::Environment,
    patience: Patience,
    keyring: Arc<Keyring>,
    /// The targets that there are already, so that connections and what is known of a server serve
    /// every look at it.
    known: Mutex<Targets>,
}

impl Connector {
    /// A Consul that is no cluster of the store.
    pub(crate) fn consul(&self, spec: &model::Consul) -> Result<Consul, TargetError> {
        Consul::connect_as("the Consul", spec, &self.environment, &self.patience)
    }
}

impl Connect for Connector {
    fn connect(
        &self,
        name: &ClusterName,
        cluster: &Cluster,
    ) -> Result<Arc<dyn Target>, TargetError> {
        // A thread that panicked meanwhile left nothing half done in it.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((described, target)) = known.get(name)
            && described == cluster
        {
            return Ok(Arc::clone(target));
        }
        let target: Arc<dyn Target> = match &cluster.connection {
            Connection::Consul(consul) => {
                let consul = Consul::connect(name, consul, &self.environment, &self.patience)?;
                Arc::new(consul.or_token_from(Arc::clone(&self.keyring) as _, name))
            }
            Connection::Directory(directory) => Arc::new(Directory::new(directory)?),
        };
        known.insert(name.clone(), (cluster.clone(), Arc::clone(&target)));
        Ok(target)
    }
}
