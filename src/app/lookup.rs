//! Resources, revisions and histories, as the store has them.

use super::names::{clusters, gone, known};
use super::present::gathered;
use crate::api::report::{
    History, HistoryEntry, HoldItem, ResourceItem, Resources, RevisionReport,
};
use crate::api::{Error, HistoryQuery, ResourcesQuery, RevisionQuery};
use crate::manifest::manifest_of;
use crate::model::{
    ClusterName, ConfigSet, Content, Document, Heads, ResourceId, Revision, SetName,
};
use crate::plan::{self, Edit, PlanError, value_changes};
use crate::render;
use crate::store::{Store, Which};

/// The names of all living resources.
pub(super) async fn names(store: &dyn Store) -> Result<Vec<ResourceId>, Error> {
    let heads = store.heads(&Which::All).await?.heads;
    let living = heads.into_iter().filter(|(_, head)| is_living(head));
    Ok(living.map(|(id, _)| id).collect())
}

/// Resources as they are.
pub(super) async fn resources(
    store: &dyn Store,
    query: &ResourcesQuery,
) -> Result<Resources, Error> {
    let heads = heads_of(store, &query.names).await?;
    let mut chosen: Vec<(&ResourceId, &Revision)> = Vec::new();
    for id in &query.names {
        let head = known(&heads, id)?;
        if !is_living(head) {
            return Err(gone(id));
        }
        chosen.push((id, head));
    }
    if query.names.is_empty() {
        let is_asked = |(id, head): &(&ResourceId, &Revision)| {
            let labels = || head.content.labels();
            is_living(head)
                && query.kind.is_none_or(|kind| kind == id.kind())
                && (query.labels.is_empty() || labels().is_some_and(|it| query.labels.matches(it)))
        };
        chosen.extend(heads.iter().filter(is_asked));
    }
    Ok(Resources {
        overridden: overridden(&heads, &chosen),
        items: chosen.iter().map(|(id, head)| item(id, head)).collect(),
    })
}

fn is_living(head: &Revision) -> bool {
    head.content != Content::Deleted
}

/// The heads of these resources and of every cluster; all that there are where none is named, and
/// where one of them is not, so that whoever looks it up can say which ones are like it.
pub(super) async fn heads_of(store: &dyn Store, names: &[ResourceId]) -> Result<Heads, Error> {
    if !names.is_empty() {
        let which = Which::Around(names.iter().cloned().collect());
        let heads = store.heads(&which).await?.heads;
        if names.iter().all(|id| heads.contains_key(id)) {
            return Ok(heads);
        }
    }
    Ok(store.heads(&Which::All).await?.heads)
}

/// What is switched by hand in these sets.
fn overridden(heads: &Heads, chosen: &[(&ResourceId, &Revision)]) -> Vec<HoldItem> {
    let clusters = clusters(heads);
    let sets = chosen
        .iter()
        .filter_map(|(id, head)| Some((id.set()?, head.content.set()?, &head.overrides)));
    gathered(sets.flat_map(|(name, set, overrides)| {
        let here = clusters.iter();
        let here = here.filter(|(_, cluster)| set.clusters.matches(&cluster.labels));
        here.flat_map(move |(cluster, place)| {
            let holds = plan::holds(set, overrides, &place.labels);
            holds.into_iter().map(move |hold| (name, *cluster, hold))
        })
    }))
}

fn item(id: &ResourceId, head: &Revision) -> ResourceItem {
    let labels = head.content.labels();
    let is_cluster = head.content.cluster().is_some();
    ResourceItem {
        name: id.clone(),
        version: head.version,
        changed: head.origin.at,
        actor: head.origin.actor.clone(),
        manifest: manifest_of(id, &head.content),
        labels: labels.filter(|it| is_cluster || !it.is_empty()).cloned(),
        clusters: head.content.set().map(|set| set.clusters.clone()),
    }
}

/// One revision of a resource, or what a cluster gets of that of a set.
pub(super) async fn revision(
    store: &dyn Store,
    query: &RevisionQuery,
) -> Result<RevisionReport, Error> {
    let id = query.name.clone();
    let heads = heads_of(store, std::slice::from_ref(&id)).await?;
    known(&heads, &id)?;
    let revision = match query.version {
        Some(version) => super::names::revision(store, &id, version).await?,
        None => known(&heads, &id)?.clone(),
    };
    let snapshot = match (&query.cluster, &id, revision.content.set()) {
        (Some(cluster), ResourceId::Set(name), Some(set)) => {
            Some(snapshot(&heads, name, set, &revision, cluster)?)
        }
        (Some(_), ResourceId::Cluster(_) | ResourceId::Grant(_), _) => {
            return Err(Error::invalid(format!(
                "{id} goes to no cluster: only a set does"
            )));
        }
        _ => None,
    };
    Ok(RevisionReport {
        version: revision.version,
        deleted: revision.content == Content::Deleted,
        manifest: manifest_of(&id, &revision.content).filter(|_| snapshot.is_none()),
        snapshot,
        origin: revision.origin,
        name: id,
    })
}

/// What `cluster` gets of a revision of a set.
fn snapshot(
    heads: &Heads,
    name: &SetName,
    set: &ConfigSet,
    revision: &Revision,
    cluster: &ClusterName,
) -> Result<Document, Error> {
    let id = ResourceId::Cluster(cluster.clone());
    let place = known(heads, &id)?.content.cluster();
    let place = place.ok_or_else(|| Error::absent(format!("{id} was deleted")))?;
    if !set.clusters.matches(&place.labels) {
        return Err(Error::absent(format!(
            "{name}@{} does not go to {cluster}: its clusters are `{}`",
            revision.version, set.clusters
        )));
    }
    let rendered = render::snapshot(
        name,
        set,
        &revision.overrides,
        revision.version,
        &revision.origin,
        cluster,
        &place.labels,
    );
    let snapshot = rendered.map_err(|errors| PlanError::Render {
        set: name.clone(),
        cluster: cluster.clone(),
        errors,
    })?;
    Ok(snapshot.document)
}

/// The revisions of a resource, newest first.
pub(super) async fn history(store: &dyn Store, query: &HistoryQuery) -> Result<History, Error> {
    let HistoryQuery {
        name,
        before,
        limit,
    } = query;
    // One more than is shown, to compare the last one with.
    let revisions = store
        .history(name, *before, limit.saturating_add(1))
        .await?;
    if revisions.is_empty() {
        known(&store.heads(&Which::All).await?.heads, name)?;
    }
    let olders = revisions.iter().skip(1).map(Some).chain([None]);
    let entries = revisions.iter().zip(olders).take(*limit);
    Ok(History {
        name: name.clone(),
        revisions: entries
            .map(|(revision, older)| entry(name, revision, older))
            .collect(),
    })
}

fn entry(id: &ResourceId, revision: &Revision, older: Option<&Revision>) -> HistoryEntry {
    let leaves = |content: Option<&Content>| {
        let manifest = content.and_then(|content| manifest_of(id, content));
        manifest
            .and_then(|manifest| manifest.as_object().cloned())
            .unwrap_or_default()
    };
    let before = leaves(older.map(|older| &older.content));
    let changes = value_changes(&before, &leaves(Some(&revision.content)));
    let of = |wanted: fn(&Edit) -> bool| {
        let edits = changes.iter().map(|change| &change.edit);
        edits.filter(|edit| wanted(edit)).count()
    };
    HistoryEntry {
        version: revision.version,
        origin: revision.origin.clone(),
        deleted: revision.content == Content::Deleted,
        added: of(|edit| matches!(edit, Edit::Added { .. })),
        changed: of(|edit| matches!(edit, Edit::Changed { .. })),
        removed: of(|edit| matches!(edit, Edit::Removed { .. })),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{asked, refused};
    use super::*;
    use crate::plan::testing::*;

    fn resources_of(world: &World, names: &[ResourceId]) -> Result<Resources, Error> {
        let names = names.to_vec();
        let query = ResourcesQuery {
            names,
            ..ResourcesQuery::default()
        };
        world
            .runtime
            .block_on(resources(world.store.as_ref(), &query))
    }

    #[test]
    fn resources_are_those_that_live_and_say_where_they_go() {
        let (world, _) = delivered();
        world.apply(&sets(&[("cart", &set(json!({"c": 1})))]));
        world.apply(&deleted("cart"));

        let all = asked(resources_of(&world, &[]));
        let names: Vec<String> = all.items.iter().map(|item| item.name.to_string()).collect();
        assert_eq!(names, ["cluster/eu", "cluster/us", "set/shop"]);
        assert_eq!(
            all.items[0]
                .labels
                .as_ref()
                .map(|labels| &labels["region"][..]),
            Some("eu")
        );
        assert_eq!(all.items[2].clusters, Some(selector("")));
        assert_eq!(
            all.items[2].manifest.as_ref().unwrap()["spec"]["values"]["a"],
            1
        );
        let living = world
            .runtime
            .block_on(super::names(world.store.as_ref()))
            .unwrap();
        assert_eq!(living, [cluster_id("eu"), cluster_id("us"), set_id("shop")]);

        assert_eq!(
            asked(resources_of(&world, &[set_id("shop")])).items.len(),
            1
        );
        assert_eq!(
            refused(resources_of(&world, &[set_id("cart")])),
            "set/cart was deleted; `cfgctl history set/cart` shows what it was"
        );
        assert_eq!(
            refused(resources_of(&world, &[set_id("shoop")])),
            "there is no set/shoop; did you mean `shop`?"
        );
    }

    #[test]
    fn a_revision_is_its_manifest_or_what_a_cluster_gets() {
        let (world, _) = delivered();
        world.apply(&shop(&crate::model::ConfigSet {
            clusters: selector("region=eu"),
            ..set(json!({"a": 2}))
        }));
        let of = |version: Option<u64>, cluster: Option<&str>| {
            let query = RevisionQuery {
                name: set_id("shop"),
                version: version.map(crate::plan::testing::version),
                cluster: cluster.map(|name| name.parse().unwrap()),
            };
            world
                .runtime
                .block_on(revision(world.store.as_ref(), &query))
        };

        let newest = asked(of(None, None));
        assert_eq!((newest.version.get(), newest.deleted), (2, false));
        assert_eq!(newest.manifest.unwrap()["spec"]["values"], json!({"a": 2}));
        assert_eq!(newest.snapshot, None);

        let first = asked(of(Some(1), Some("us")));
        assert_eq!(first.manifest, None);
        let snapshot = first.snapshot.unwrap().to_json();
        assert_eq!(snapshot["values"], json!({"a": 1, "b": 2}));

        assert_eq!(
            refused(of(None, Some("us"))),
            "shop@2 does not go to us: its clusters are `region=eu`"
        );
        assert_eq!(
            refused(of(Some(3), None)),
            "set/shop has no revision 3; `cfgctl history shop` lists them"
        );
    }

    #[test]
    fn a_history_says_how_much_changed() {
        let (world, _) = delivered();
        world.apply(&shop(&set(json!({"a": 2, "c": 3, "d": 4}))));
        world.apply(&deleted("shop"));
        let of = |name: ResourceId, limit| {
            let before = None;
            let query = HistoryQuery {
                name,
                before,
                limit,
            };
            world
                .runtime
                .block_on(history(world.store.as_ref(), &query))
        };

        let entries = asked(of(set_id("shop"), 2)).revisions;
        assert_eq!(entries.len(), 2);
        assert!(entries[0].deleted);
        let second = &entries[1];
        assert_eq!((second.added, second.changed, second.removed), (2, 1, 1));
        assert_eq!(
            refused(of(set_id("cart"), 2)),
            "there is no set/cart; `cfgctl get` lists what there is"
        );
    }
}
