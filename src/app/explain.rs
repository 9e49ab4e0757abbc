//! Explanations: where every value of a set comes from.

use std::collections::{BTreeMap, BTreeSet};

use super::names::{around, clusters, known, known_set};
use crate::api::report::{Explained, ExplainedValue};
use crate::api::{At, Error, ExplainQuery};
use crate::manifest::closest;
use crate::model::value::Path;
use crate::model::{ClusterName, Heads, Labels, ResourceId, Revision, SetName, Version};
use crate::plan::Origins;
use crate::store::Store;

/// How many revisions are read at once.
const PAGE: usize = 100;
/// How far back the origin of a value is looked for, in revisions.
const SEARCHED: usize = 10_000;

/// The search in each cluster.
type Searches<'a> = Vec<(&'a ClusterName, Origins<'a>)>;

/// Where the values of a set come from.
pub(super) async fn explain(store: &dyn Store, query: &ExplainQuery) -> Result<Explained, Error> {
    let ExplainQuery {
        set,
        key,
        cluster,
        at,
    } = query;
    let heads = around(store, [set]).await?;
    let id = known_set(&heads, set)?;
    let mut pages = Pages::new(store, &id, *at);
    let page = pages.first(set).await?;
    let (newest, mut older) = page
        .split_first()
        .ok_or_else(|| Error::absent(format!("{id} did not exist then")))?;

    let chosen = chosen(&heads, cluster.as_ref())?;
    let searches = chosen.into_iter();
    let mut searches: Searches<'_> = searches
        .map(|(name, labels)| (name, Origins::of(newest, labels)))
        .collect();
    if let Some(key) = key {
        narrow(&mut searches, key)?;
    }
    if searches
        .iter()
        .all(|(_, origins)| origins.paths().next().is_none())
    {
        let error = format!("{set}@{} goes to none of these clusters", newest.version);
        return Err(Error::invalid(error)
            .hint("`cfgctl cluster list` shows the clusters with their labels"));
    }

    let mut next_page;
    let mut looked_at = 1;
    loop {
        for revision in older {
            for (_, origins) in &mut searches {
                origins.go_back(revision);
            }
        }
        looked_at += older.len();
        let is_open = searches.iter().any(|(_, origins)| origins.is_open());
        if !is_open || looked_at >= SEARCHED {
            break;
        }
        next_page = pages.next().await?;
        if next_page.is_empty() {
            break;
        }
        older = &next_page;
    }
    Ok(Explained {
        set: set.clone(),
        version: newest.version,
        values: gathered(searches),
    })
}

/// The revisions of a set, newest first, as many at once as fit in memory.
struct Pages<'a> {
    store: &'a dyn Store,
    id: &'a ResourceId,
    at: Option<At>,
    before: Option<Version>,
    is_over: bool,
}

impl<'a> Pages<'a> {
    fn new(store: &'a dyn Store, id: &'a ResourceId, at: Option<At>) -> Self {
        let before = match at {
            Some(At::Version(version)) => Some(version.next()),
            Some(At::Time(_)) | None => None,
        };
        Self {
            store,
            id,
            at,
            before,
            is_over: false,
        }
    }

    /// The page that begins with the revision that is asked for; empty if there was none then.
    async fn first(&mut self, set: &SetName) -> Result<Vec<Revision>, Error> {
        let mut page = self.next().await?;
        match self.at {
            Some(At::Version(version))
                if page.first().is_some_and(|first| first.version != version) =>
            {
                return Err(Error::absent(format!("{set} has no revision {version}"))
                    .hint(format!("`cfgctl history {set}` lists them")));
            }
            None | Some(At::Version(_)) => {}
            Some(At::Time(time)) => loop {
                let newer = page.iter().take_while(|it| it.origin.at > time).count();
                page.drain(..newer);
                if !page.is_empty() || self.is_over {
                    break;
                }
                page = self.next().await?;
            },
        }
        Ok(page)
    }

    /// The next page; empty if there is none.
    async fn next(&mut self) -> Result<Vec<Revision>, Error> {
        if self.is_over {
            return Ok(Vec::new());
        }
        let page = self.store.history(self.id, self.before, PAGE).await?;
        self.is_over = page.len() < PAGE;
        self.before = page.last().map(|oldest| oldest.version);
        Ok(page)
    }
}

/// The cluster that is asked for, or every one, with its labels.
fn chosen<'a>(
    heads: &'a Heads,
    cluster: Option<&'a ClusterName>,
) -> Result<Vec<(&'a ClusterName, &'a Labels)>, Error> {
    let all = clusters(heads);
    let Some(name) = cluster else {
        let all = all.into_iter();
        return Ok(all.map(|(name, cluster)| (name, &cluster.labels)).collect());
    };
    let id = ResourceId::Cluster(name.clone());
    known(heads, &id)?;
    let cluster = all.get(name);
    let cluster = cluster.ok_or_else(|| Error::absent(format!("{id} was deleted")))?;
    Ok(vec![(name, &cluster.labels)])
}

/// Looks for nothing but the origin of what is at `key` or below it.
fn narrow(searches: &mut Searches<'_>, key: &str) -> Result<(), Error> {
    let paths: BTreeSet<&Path> = searches.iter().flat_map(|(_, it)| it.paths()).collect();
    let names: Vec<String> = paths.into_iter().map(ToString::to_string).collect();
    let below = format!("{key}.");
    let is_wanted = |name: &str| name == key || name.starts_with(&below);
    if !names.is_empty() && !names.iter().any(|name| is_wanted(name)) {
        let error = Error::absent(format!("there is no key `{key}`"));
        return Err(match near(key, &names) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("without a key, `cfgctl explain` shows all of them"),
        });
    }
    for (_, origins) in searches {
        origins.keep(|path| is_wanted(&path.to_string()));
    }
    Ok(())
}

/// The key that was probably meant: people leave out what stands before the last segment.
fn near<'a>(key: &str, names: &'a [String]) -> Option<&'a str> {
    let names = || names.iter().map(String::as_str);
    let below = format!(".{key}");
    if let Some(whole) = names().find(|name| name.ends_with(&below)) {
        return Some(whole);
    }
    closest(key, names()).or_else(|| {
        let last = |name: &'a str| name.rsplit('.').next().unwrap_or(name);
        let meant = closest(key, names().map(last))?;
        names().find(|name| last(name) == meant)
    })
}

/// What was found in every cluster; the same for several clusters once.
fn gathered(searches: Searches<'_>) -> Vec<ExplainedValue> {
    let mut found: BTreeMap<Path, Vec<ExplainedValue>> = BTreeMap::new();
    for (name, origins) in searches {
        for (path, explanation) in origins.found() {
            let key = path.to_string();
            let of_key = found.entry(path).or_default();
            match of_key
                .iter_mut()
                .find(|known| known.explanation == explanation)
            {
                Some(known) => known.clusters.push(name.clone()),
                None => of_key.push(ExplainedValue {
                    key,
                    clusters: vec![name.clone()],
                    explanation,
                }),
            }
        }
    }
    found.into_values().flatten().collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::super::testing::{asked, refused};
    use super::*;
    use crate::model::{Commit, Content};
    use crate::plan::testing::{World, layer, set, set_id, shop, version};

    fn query() -> ExplainQuery {
        ExplainQuery {
            set: "shop".parse().unwrap(),
            key: None,
            cluster: None,
            at: None,
        }
    }

    fn of(world: &World, query: &ExplainQuery) -> Result<Explained, Error> {
        world.runtime.block_on(explain(world.store.as_ref(), query))
    }

    fn lines(explained: &Explained) -> Vec<String> {
        let values = explained.values.iter();
        let line = |it: &ExplainedValue| {
            let clusters: Vec<&str> = it.clusters.iter().map(ClusterName::as_str).collect();
            let found = &it.explanation;
            let (value, version) = (&found.value, found.version);
            format!("{}={value} in {} @{version}", it.key, clusters.join(","))
        };
        values.map(line).collect()
    }

    #[test]
    fn values_are_told_once_for_all_clusters_that_have_them_from_the_same_place() {
        let world = World::new();
        world.apply(&shop(&crate::model::ConfigSet {
            layers: vec![layer("region=eu", json!({"payment": {"b": 3}}))],
            ..set(json!({"a": 1, "payment": {"b": 2}}))
        }));
        assert_eq!(
            lines(&asked(of(&world, &query()))),
            [
                "a=1 in eu,us @1",
                "payment.b=3 in eu @1",
                "payment.b=2 in us @1"
            ]
        );

        let only = ExplainQuery {
            key: Some("payment".to_owned()),
            cluster: Some("us".parse().unwrap()),
            ..query()
        };
        assert_eq!(lines(&asked(of(&world, &only))), ["payment.b=2 in us @1"]);

        let mistyped = ExplainQuery {
            key: Some("b".to_owned()),
            ..query()
        };
        let error = "there is no key `b`; did you mean `payment.b`?";
        assert_eq!(refused(of(&world, &mistyped)), error);
        let elsewhere = ExplainQuery {
            cluster: Some("mars".parse().unwrap()),
            ..query()
        };
        let error = "there is no cluster/mars; `cfgctl get` lists what there is";
        assert_eq!(refused(of(&world, &elsewhere)), error);
    }

    /// A history over several pages: `old` is as it was from the start, `new` is new in each.
    fn long(revisions: u64) -> World {
        let world = World::new();
        let id = set_id("shop");
        let mut base = None;
        for number in 1..=revisions {
            let revision = Revision {
                version: version(number),
                origin: world.origin(),
                content: Content::from(set(json!({"new": number, "old": 0}))),
                overrides: crate::model::Overrides::default(),
                provenance: None,
            };
            let commit = Commit {
                expected: [(id.clone(), base)].into(),
                revisions: [(id.clone(), revision)].into(),
                ..Commit::default()
            };
            world.runtime.block_on(world.store.commit(&commit)).unwrap();
            base = Some(version(number));
        }
        world
    }

    #[test]
    fn the_origin_of_a_value_is_found_however_many_pages_back_it_is() {
        let revisions = 2 * u64::try_from(PAGE).unwrap();
        let world = long(revisions);
        let all = asked(of(&world, &query()));
        assert_eq!(all.version, version(revisions));
        assert_eq!(
            lines(&all),
            [
                format!("new={revisions} in eu,us @{revisions}"),
                "old=0 in eu,us @1".to_owned()
            ]
        );
    }

    #[test]
    fn the_past_is_explained_as_it_was() {
        let world = long(150);
        let then = |at| {
            of(
                &world,
                &ExplainQuery {
                    at: Some(at),
                    ..query()
                },
            )
        };
        let lines = |at| lines(&asked(then(at)));
        let third = ["new=3 in eu,us @3", "old=0 in eu,us @1"];
        assert_eq!(lines(At::Version(version(3))), third);

        let id = set_id("shop");
        let second = world
            .runtime
            .block_on(world.store.revisions(&[(id, version(3))]));
        let at = second.unwrap().remove(0).1.origin.at;
        assert_eq!(lines(At::Time(at)), third);

        assert_eq!(
            refused(then(At::Version(version(151)))),
            "shop has no revision 151; `cfgctl history shop` lists them"
        );
        assert_eq!(
            refused(then(At::Time(Timestamp::MIN))),
            "set/shop did not exist then"
        );
    }
}
