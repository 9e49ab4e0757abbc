//! Clusters: what there is, and whether they are fit for use.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;

use futures_util::future::{Either, pending, select};
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;

use super::names::{self, known};
use super::run::Run;
use crate::api::report::{ClusterCheck, ClusterItem, ClusterState, Clusters, Fitness};
use crate::api::{CheckQuery, ClusterQuery, Described, Error, ErrorKind};
use crate::engine::EngineError;
use crate::manifest::closest;
use crate::model::text::place;
use crate::model::{
    Clocks, Cluster, ClusterName, Connection, Content, Heads, Key, Overrides, ResourceId, SetName,
};
use crate::render;
use crate::store::{Store, Which};
use crate::target::{Access, Health, Target, TargetError};

/// The clusters that there are.
pub(super) async fn list(store: &dyn Store) -> Result<Clusters, Error> {
    let heads = store.heads(&Which::Clusters).await?.heads;
    let items = names::clusters(&heads).into_iter();
    Ok(Clusters {
        items: items
            .map(|(name, cluster)| ClusterItem {
                name: name.clone(),
                labels: cluster.labels.clone(),
                target: target_of(cluster),
            })
            .collect(),
    })
}

/// One cluster as it is described.
pub(super) async fn one(store: &dyn Store, query: &ClusterQuery) -> Result<Cluster, Error> {
    let ClusterQuery { name, described } = query;
    let stored;
    let described = if let Some(described) = described {
        described
    } else {
        stored = contents(store.heads(&Which::Clusters).await?.heads);
        &stored
    };
    described_as(described, name).cloned()
}

/// Whether clusters are fit for use.
pub(super) async fn check(run: &Run<'_>, query: &CheckQuery) -> Result<ClusterCheck, Error> {
    let stored;
    let described = if let Some(described) = &query.described {
        described
    } else {
        let heads = run.store().heads(&Which::All).await?.heads;
        for name in &query.names {
            known(&heads, &ResourceId::Cluster(name.clone()))?;
        }
        stored = contents(heads);
        &stored
    };
    let chosen = chosen(described, query)?;
    let checks = chosen.into_iter().map(|(name, cluster)| async move {
        let (health, clock) = health(run, described, name, cluster).await;
        (name, cluster, health, clock)
    });
    let checks: Vec<_> = checks.collect();
    let at_once = run.pace().clusters_at_once;
    let checks = stream::iter(checks).buffer_unordered(at_once).collect();
    let mut checked: Vec<_> = until_stopped(run, checks).await?;
    // What is said must not depend on who answered first.
    checked.sort_by_key(|(name, ..)| *name);
    let clocks =
        (checked.iter()).filter_map(|(name, _, _, clock)| Some(((*name).clone(), (*clock)?)));
    run.tell_clocks(&Clocks::of(run.now(), clocks));

    let clusters = checked.into_iter();
    let clusters: Vec<_> = clusters
        .map(|(name, cluster, health, _)| state(name, cluster, health))
        .collect();
    Ok(ClusterCheck {
        healthy: clusters.iter().all(|cluster| cluster.healthy),
        clusters,
    })
}

/// The cluster of this name, or an error that says which one may be meant.
pub(super) fn described_as<'a>(
    described: &'a Described,
    name: &ClusterName,
) -> Result<&'a Cluster, Error> {
    let content = described.get(&ResourceId::Cluster(name.clone()));
    content.and_then(Content::cluster).ok_or_else(|| {
        let error = Error::absent(format!("there is no cluster `{name}`"));
        let clusters = described.keys().filter_map(|id| match id {
            ResourceId::Cluster(name) => Some(name.as_str()),
            ResourceId::Grant(_) | ResourceId::Set(_) => None,
        });
        match closest(name.as_str(), clusters) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error
                .hint("`cfgctl cluster list` shows those of the store; `-f` takes them from files"),
        }
    })
}

/// What the heads say.
pub(super) fn contents(heads: Heads) -> Described {
    let contents = heads.into_iter().map(|(id, head)| (id, head.content));
    contents.collect()
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

/// The clusters that are asked for, by name.
fn chosen<'a>(
    described: &'a Described,
    query: &CheckQuery,
) -> Result<BTreeMap<&'a ClusterName, &'a Cluster>, Error> {
    let found = described.iter().filter_map(|(id, content)| match id {
        ResourceId::Cluster(name) => Some((name, content.cluster()?)),
        ResourceId::Grant(_) | ResourceId::Set(_) => None,
    });
    let found: BTreeMap<_, _> = found
        .filter(|(name, cluster)| {
            (query.names.is_empty() || query.names.contains(name))
                && query.clusters.matches(&cluster.labels)
        })
        .collect();
    if found.is_empty() {
        let kind = if query.names.is_empty() {
            ErrorKind::Invalid
        } else {
            ErrorKind::Absent
        };
        return Err(Error::new(kind, "there is no cluster to check")
            .hint("`cfgctl cluster list` shows those of the store; `-f` takes them from files"));
    }
    Ok(found)
}

/// The sets that go to `cluster`, with what they publish there.
fn sets_in(described: &Described, cluster: &Cluster) -> BTreeMap<SetName, BTreeSet<Key>> {
    let sets = described.iter().filter_map(|(id, content)| {
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

/// What a cluster says of itself, and what time it is there.
async fn health(
    run: &Run<'_>,
    described: &Described,
    name: &ClusterName,
    cluster: &Cluster,
) -> (Result<Health, TargetError>, Option<Timestamp>) {
    let timeout = run.pace().timeout;
    let target: Arc<dyn Target> = match run.connect().connect(name, cluster, timeout) {
        Ok(target) => target,
        Err(error) => return (Err(error), None),
    };
    let sets = sets_in(described, cluster);
    let health = tokio::time::timeout(timeout, target.health(&sets)).await;
    let health = health.unwrap_or_else(|elapsed| {
        Err(TargetError::Unreachable {
            location: target.location(),
            source: Box::new(elapsed),
        })
    });
    (health, target.clock())
}

/// What `work` comes to, unless whoever asked wants it to stop.
async fn until_stopped<T>(run: &Run<'_>, work: impl Future<Output = T>) -> Result<T, Error> {
    let mut stop = run.seen.stop();
    let stopped = async {
        if stop.wait_for(|stop| *stop).await.is_err() {
            // Nobody is left who could.
            pending::<()>().await;
        }
    };
    match select(pin!(stopped), pin!(work)).await {
        Either::Left(_) => Err(EngineError::Interrupted.into()),
        Either::Right((found, _)) => Ok(found),
    }
}

fn state(
    name: &ClusterName,
    cluster: &Cluster,
    health: Result<Health, TargetError>,
) -> ClusterState {
    let unknown = ClusterState {
        name: name.clone(),
        target: target_of(cluster),
        healthy: false,
        state: Fitness::Failed,
        server: None,
        limits: None,
        warnings: Vec::new(),
        error: None,
        error_kind: None,
    };
    match health {
        Ok(health) => ClusterState {
            healthy: health.access == Access::Full,
            state: match health.access {
                Access::Full => Fitness::Ok,
                Access::Partial => Fitness::Partial,
                Access::ReadOnly => Fitness::ReadOnly,
                Access::None => Fitness::Denied,
            },
            server: Some(health.server),
            limits: Some(health.limits),
            warnings: health.warnings,
            ..unknown
        },
        Err(error) => {
            let is_denied = matches!(error, TargetError::Denied { .. });
            let error = Error::from(error);
            ClusterState {
                state: if is_denied {
                    Fitness::Denied
                } else {
                    Fitness::Failed
                },
                error: Some(error.chain()),
                error_kind: Some(error.kind),
                ..unknown
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{asked, local, pace, refused};
    use super::*;
    use crate::api::{Caller, ErrorKind, Observer, Service as _};
    use crate::plan::testing::*;

    fn described() -> Described {
        let elsewhere = |address| Content::Cluster(cluster(address, "eu"));
        Described::from([
            (cluster_id("eu"), elsewhere("memory")),
            (cluster_id("dead"), elsewhere("nowhere")),
            (set_id("shop"), Content::from(set(json!({"a": 1})))),
        ])
    }

    fn checked(names: &[&str], seen: &Observer) -> Result<ClusterCheck, Error> {
        let query = CheckQuery {
            names: names.iter().map(|name| name.parse().unwrap()).collect(),
            clusters: selector(""),
            described: Some(described()),
            pace: pace(),
        };
        let world = World::new();
        let local = local(world.store.clone());
        let by = Caller::local("ops@laptop".to_owned());
        world
            .runtime
            .block_on(local.check_clusters(&by, &query, seen))
    }

    #[test]
    fn a_check_says_of_each_cluster_what_may_be_done_there_or_why_not() {
        let found = asked(checked(&[], &Observer::nobody()));
        assert!(!found.healthy);
        let [dead, eu] = &found.clusters[..] else {
            panic!("{found:?}");
        };
        assert_eq!((dead.state, dead.healthy), (Fitness::Failed, false));
        assert_eq!(dead.error_kind, Some(ErrorKind::Invalid));
        assert_eq!(
            dead.error.as_deref(),
            Some("dead cannot be connected to: the test has no target there")
        );
        assert_eq!((eu.state, eu.healthy), (Fitness::Ok, true));
        assert_eq!(eu.server.as_deref(), Some("memory"));
        assert_eq!(eu.error_kind, None);

        assert!(asked(checked(&["eu"], &Observer::nobody())).healthy);
        assert_eq!(
            refused(checked(&["mars"], &Observer::nobody())),
            "there is no cluster to check; `cfgctl cluster list` shows those of the store; \
             `-f` takes them from files"
        );
    }

    #[test]
    fn whoever_stops_a_check_gets_no_answer() {
        let (_sender, stop) = tokio::sync::watch::channel(true);
        let seen = Observer::new(Arc::new(|_| ()), stop);
        let error = checked(&["eu"], &seen).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Interrupted);
    }

    #[test]
    fn clusters_are_those_of_the_store_or_those_that_are_described() {
        let world = World::new();
        let listed = asked(world.runtime.block_on(list(world.store.as_ref())));
        let names: Vec<&str> = listed.items.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["eu", "us"]);
        assert_eq!(listed.items[0].target, "eu");

        let of = |name: &str, described| {
            let name = name.parse().unwrap();
            let query = ClusterQuery { name, described };
            world.runtime.block_on(one(world.store.as_ref(), &query))
        };
        assert_eq!(of("us", None).unwrap(), cluster("us", "us"));
        assert_eq!(
            of("dead", Some(described())).unwrap(),
            cluster("nowhere", "eu")
        );
        assert_eq!(
            refused(of("dead", None)),
            "there is no cluster `dead`; `cfgctl cluster list` shows those of the store; \
             `-f` takes them from files"
        );
        assert_eq!(
            refused(of("ded", Some(described()))),
            "there is no cluster `ded`; did you mean `dead`?"
        );
    }
}
