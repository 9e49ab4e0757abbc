//! `cfgctl cluster`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream;
use serde::Serialize;

use super::clocks::tell_of_clocks;
use super::declared::{self, FileArgs};
use super::environment::Environment;
use super::failure::{Exit, Failure};
use super::names::known;
use super::session::{ReachArgs, Session};
use super::ui::{Look, Report};
use super::views::table::{printable, table};
use crate::engine::Connect as _;
use crate::manifest::closest;
use crate::model::text::place;
use crate::model::{
    Clocks, Cluster, ClusterName, Connection, Content, Heads, Key, Limits, Overrides, ResourceId,
    SetName,
};
use crate::plan::chain;
use crate::render;
use crate::store::Which;
use crate::target::{Access, Health, Target, TargetError};

mod login;
mod policy;

/// Clusters: what there is, and whether they are fit for use
#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum ClusterCommand {
    /// List the clusters that the store knows
    List,
    /// Check that clusters answer, and say what one write can carry
    ///
    /// Ends with 6 where the token may not write every set that goes there, with 7 where one does
    /// not answer, and with 2 where the connection is described wrongly.
    Check(CheckArgs),
    /// Keep the token of a cluster in the keyring of the operating system
    ///
    /// The token is used when neither the manifest nor the environment names one: the manifest's
    /// `token` comes first, then `CONSUL_HTTP_TOKEN_FILE`, `CONSUL_HTTP_TOKEN`, and the keyring. It
    /// belongs to the name and the address of the cluster, whichever store says them, and is
    /// never sent to another address.
    Login(login::LoginArgs),
    /// Forget the token that `login` kept, whatever the address of the cluster was
    Logout(login::LogoutArgs),
    /// Print the least ACL policy with which a cluster can be used
    ///
    /// The rules follow from the sets: what is published, and where. Tokens with this policy can
    /// do all that cfgctl does in that cluster, and nothing else.
    Policy(policy::PolicyArgs),
}

/// Which clusters to check.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// The clusters; left out: all
    #[arg(value_name = "NAME")]
    names: Vec<ClusterName>,

    /// Check the clusters of files instead of those of the store
    #[command(flatten)]
    files: FileArgs,

    #[command(flatten)]
    reach: ReachArgs,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Clusters {
    items: Vec<ClusterItem>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ClusterItem {
    name: String,
    labels: std::collections::BTreeMap<String, String>,
    target: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Checks {
    healthy: bool,
    clusters: Vec<CheckItem>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CheckItem {
    name: String,
    target: String,
    healthy: bool,
    state: &'static str,
    server: Option<String>,
    limits: Option<Limits>,
    warnings: Vec<String>,
    error: Option<String>,
}

pub(crate) async fn cluster(session: &Session, command: &ClusterCommand) -> Result<Exit, Failure> {
    match command {
        ClusterCommand::List => list(session).await,
        ClusterCommand::Check(args) => check(session, args).await,
        ClusterCommand::Login(args) => login::login(session, args).await,
        ClusterCommand::Logout(args) => login::logout(session, args).await,
        ClusterCommand::Policy(args) => policy::policy(session, args).await,
    }
}

fn target_of(cluster: &Cluster) -> String {
    match &cluster.connection {
        Connection::Consul(consul) => match &consul.address {
            Some(address) => place(address),
            None => "Consul of the environment".to_owned(),
        },
        Connection::Directory(directory) => directory.path.display().to_string(),
    }
}

/// Every resource and what it says.
type World = BTreeMap<ResourceId, Content>;

/// What the files say; without files, what the store holds.
async fn world(session: &Session, files: &FileArgs) -> Result<World, Failure> {
    if !files.filenames.is_empty() {
        // Before the first apply there may be no store, and this makes none.
        let loaded = files.declared(session, &Heads::new())?;
        return Ok(declared::desired(loaded.manifests).contents);
    }
    Ok(stored(
        session.store().await?.heads(&Which::All).await?.heads,
    ))
}

fn stored(heads: Heads) -> World {
    let contents = heads.into_iter().map(|(id, head)| (id, head.content));
    contents.collect()
}

/// The cluster of this name, in the files or else in the store.
async fn described(
    session: &Session,
    files: &FileArgs,
    name: &ClusterName,
) -> Result<Cluster, Failure> {
    in_world(&world(session, files).await?, name).cloned()
}

fn in_world<'a>(world: &'a World, name: &ClusterName) -> Result<&'a Cluster, Failure> {
    let content = world.get(&ResourceId::Cluster(name.clone()));
    content.and_then(Content::cluster).ok_or_else(|| {
        let failure = Failure::usage(format!("there is no cluster `{name}`"));
        let clusters = world.keys().filter_map(|id| match id {
            ResourceId::Cluster(name) => Some(name.as_str()),
            ResourceId::Set(_) => None,
        });
        match closest(name.as_str(), clusters) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure
                .hint("`cfgctl cluster list` shows those of the store; `-f` takes them from files"),
        }
    })
}

async fn list(session: &Session) -> Result<Exit, Failure> {
    let store = session.store().await?;
    let heads = store.heads(&Which::All).await?.heads;
    let item = |(name, cluster): (&ClusterName, &Cluster)| ClusterItem {
        name: name.to_string(),
        labels: cluster.labels.clone(),
        target: target_of(cluster),
    };
    let items: Vec<_> = declared::clusters(&heads).into_iter().map(item).collect();
    if items.is_empty() {
        session.looked_in(store.as_ref());
    }
    session.ui.report(&Clusters { items })?;
    Ok(Exit::Done)
}

async fn check(session: &Session, args: &CheckArgs) -> Result<Exit, Failure> {
    let world = if args.files.filenames.is_empty() {
        let heads = session.store().await?.heads(&Which::All).await?.heads;
        for name in &args.names {
            known(&heads, &ResourceId::Cluster(name.clone()))?;
        }
        stored(heads)
    } else {
        world(session, &args.files).await?
    };
    let chosen = chosen(&world, args)?;
    let connector = session.connector(args.reach.timeout);
    let checks = chosen.into_iter().map(|(name, cluster)| {
        let (connector, world) = (&connector, &world);
        async move {
            let target = connector.connect(name, cluster);
            let (health, clock) = match target {
                Ok(target) => {
                    let health = health(&target, &sets_in(world, cluster), args).await;
                    (health, target.clock())
                }
                Err(error) => (Err(error), None),
            };
            (name, cluster, health, clock)
        }
    });
    let mut checked: Vec<_> = stream::iter(checks)
        .buffer_unordered(args.reach.parallelism.into())
        .collect()
        .await;
    checked.sort_by_key(|(name, ..)| *name);
    let clocks =
        (checked.iter()).filter_map(|(name, _, _, clock)| Some(((*name).clone(), (*clock)?)));
    tell_of_clocks(&session.ui, &Clocks::of(Environment::time(), clocks));

    let clusters: Vec<_> = checked
        .iter()
        .map(|(name, cluster, health, _)| CheckItem::new(name, cluster, health))
        .collect();
    session.ui.report(&Checks {
        healthy: clusters.iter().all(|item| item.healthy),
        clusters,
    })?;
    let exits = checked
        .into_iter()
        .filter_map(|(_, _, health, _)| match health {
            Ok(health) if health.access == Access::Full => None,
            Ok(_) => Some(Exit::Denied),
            Err(error) => Some(Failure::from(error).exit),
        });
    // Which of several failures decides the exit code must not depend on who answered first.
    Ok(exits.max_by_key(|exit| *exit as u8).unwrap_or(Exit::Done))
}

/// The sets that go to `cluster`, with what they publish there.
fn sets_in(world: &World, cluster: &Cluster) -> BTreeMap<SetName, BTreeSet<Key>> {
    let sets = world.iter().filter_map(|(id, content)| {
        let (ResourceId::Set(name), Some(set)) = (id, content.set()) else {
            return None;
        };
        set.clusters.matches(&cluster.labels).then(|| {
            let contents = render::contents(set, &Overrides::default(), &cluster.labels);
            // What cannot be rendered is for `validate` to tell.
            let entries = render::entries(&set.publish, &contents).unwrap_or_default();
            (name.clone(), entries.into_keys().collect())
        })
    });
    sets.collect()
}

async fn health(
    target: &Arc<dyn Target>,
    sets: &BTreeMap<SetName, BTreeSet<Key>>,
    args: &CheckArgs,
) -> Result<Health, TargetError> {
    let health = tokio::time::timeout(args.reach.timeout, target.health(sets)).await;
    health.unwrap_or_else(|elapsed| {
        Err(TargetError::Unreachable {
            location: target.location(),
            source: Box::new(elapsed),
        })
    })
}

/// The clusters that are asked for, by name.
fn chosen<'w>(
    world: &'w World,
    args: &CheckArgs,
) -> Result<BTreeMap<&'w ClusterName, &'w Cluster>, Failure> {
    let found = world.iter().filter_map(|(id, content)| match id {
        ResourceId::Cluster(name) => Some((name, content.cluster()?)),
        ResourceId::Set(_) => None,
    });
    let found: BTreeMap<_, _> = found
        .filter(|(name, cluster)| {
            (args.names.is_empty() || args.names.contains(name))
                && args.reach.clusters.matches(&cluster.labels)
        })
        .collect();
    if found.is_empty() {
        return Err(Failure::usage("there is no cluster to check")
            .hint("`cfgctl cluster list` shows those of the store; `-f` takes them from files"));
    }
    Ok(found)
}

impl CheckItem {
    fn new(name: &ClusterName, cluster: &Cluster, health: &Result<Health, TargetError>) -> Self {
        let fit = health.as_ref().ok();
        let state = match health {
            Ok(health) => match health.access {
                Access::Full => "ok",
                Access::Partial => "partial",
                Access::ReadOnly => "read-only",
                Access::None => "denied",
            },
            Err(TargetError::Denied { .. }) => "denied",
            Err(_) => "failed",
        };
        Self {
            name: name.to_string(),
            target: target_of(cluster),
            healthy: state == "ok",
            state,
            server: fit.map(|health| health.server.clone()),
            limits: fit.map(|health| health.limits),
            warnings: fit.map_or(Vec::new(), |health| health.warnings.clone()),
            error: health.as_ref().err().map(|error| chain(error)),
        }
    }
}

impl Report for Clusters {
    const KIND: &'static str = "Clusters";

    fn table(&self, look: Look) -> String {
        let rows = self.items.iter().map(|item| {
            let labels = item.labels.iter();
            let labels: Vec<_> = labels
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            [item.name.clone(), printable(&item.target), labels.join(",")]
        });
        let text = table(look, ["NAME", "TARGET", "LABELS"], rows);
        if text.is_empty() {
            "the store knows no cluster; `cfgctl apply -f` brings them\n".to_owned()
        } else {
            text
        }
    }

    fn names(&self) -> Vec<String> {
        self.items.iter().map(|item| item.name.clone()).collect()
    }
}

impl Report for Checks {
    const KIND: &'static str = "ClusterCheck";

    fn table(&self, look: Look) -> String {
        let unlimited = |limit: usize| {
            if limit == usize::MAX {
                "any".to_owned()
            } else {
                limit.to_string()
            }
        };
        let rows = self.clusters.iter().map(|item| {
            let limits = item.limits.map(|limits| {
                format!(
                    "{} keys, {} bytes",
                    unlimited(limits.operations),
                    unlimited(limits.request_bytes)
                )
            });
            let mut notes = item.warnings.clone();
            notes.extend(item.error.clone());
            [
                item.name.clone(),
                printable(&item.target),
                item.state.replace('-', " "),
                item.server.as_deref().map_or("-".to_owned(), printable),
                limits.unwrap_or("-".to_owned()),
                printable(&notes.join("; ")),
            ]
        });
        table(
            look,
            ["NAME", "TARGET", "STATE", "SERVER", "ONE WRITE", "NOTES"],
            rows,
        )
    }

    fn names(&self) -> Vec<String> {
        self.clusters.iter().map(|item| item.name.clone()).collect()
    }
}
