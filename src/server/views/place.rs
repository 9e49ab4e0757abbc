//! The place that is asked about: which set, in which cluster.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::HeaderMap;
use axum::http::request::Parts;

use super::super::answer::read;
use super::super::feed::What;
use super::super::refusal::Refusal;
use super::super::shared::Shared;
use super::super::snapshots::Reader;
use super::ready::Ready;
use crate::api::{
    Caller, Error, ErrorKind, Principal, ResourcesQuery, SnapshotsQuery, TokenHolder,
};
use crate::model::{ClusterName, ResourceId, Sequence, SetName};

/// flagd's own header for which flags are meant.
const SELECTOR: &str = "flagd-selector";
/// At most so many clusters are named to whoever does not say which.
const NAMED: usize = 2;

/// What a request says of which flags or values it means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) set: Option<SetName>,
    pub(super) cluster: Option<ClusterName>,
    /// The flag, where it is one.
    pub(super) key: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Said {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let path = RawPathParams::from_request_parts(parts, state).await;
        let path = path.map_err(|error| Refusal::unreadable(error.body_text()))?;
        let query = parts.uri.query().unwrap_or_default();
        Self::of(&path, &parts.headers, query)
    }
}

/// What is called so cannot be there where it is no name.
fn name_of<T: std::str::FromStr>(text: &str, what: &str) -> Result<T, Refusal> {
    let absent = |_| Refusal::absent(format!("there is no {what} `{}`", text.escape_debug()));
    text.parse().map_err(absent)
}

impl Said {
    fn of<'p>(
        path: impl IntoIterator<Item = (&'p str, &'p str)>,
        headers: &HeaderMap,
        query: &str,
    ) -> Result<Self, Refusal> {
        let mut said = Self::default();
        for (name, value) in path {
            match name {
                "set" => said.set = Some(name_of(value, "set")?),
                "cluster" => said.cluster = Some(name_of(value, "cluster")?),
                "key" => said.key = Some(value.to_owned()),
                _ => {}
            }
        }
        said.select(headers)?;
        // What else stands there is for the client's own use.
        let query: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
        for (_, cluster) in query.iter().filter(|(name, _)| name == "cluster") {
            said.in_cluster(&name_of(cluster, "cluster")?)?;
        }
        Ok(said)
    }

    /// What flagd's own header says: `flagSetId=checkout,cluster=eu`.
    fn select(&mut self, headers: &HeaderMap) -> Result<(), Refusal> {
        for value in headers.get_all(SELECTOR) {
            let text = value.to_str().unwrap_or_default();
            for part in text.split(',').filter(|part| !part.trim().is_empty()) {
                let (name, value) = part.split_once('=').unwrap_or_default();
                match name.trim() {
                    "flagSetId" => {
                        let set: SetName = name_of(value.trim(), "set")?;
                        if self.set.replace(set.clone()).is_some_and(|it| it != set) {
                            return Err(two("sets"));
                        }
                    }
                    "cluster" => self.in_cluster(&name_of(value.trim(), "cluster")?)?,
                    _ => {
                        return Err(Refusal::unreadable(
                            "`Flagd-Selector` is `flagSetId=SET` or `flagSetId=SET,cluster=CLUSTER`",
                        ));
                    }
                }
            }
        }
        Ok(())
    }

    pub(super) fn in_cluster(&mut self, cluster: &ClusterName) -> Result<(), Refusal> {
        let other = self.cluster.replace(cluster.clone());
        if other.is_some_and(|it| it != *cluster) {
            return Err(two("clusters"));
        }
        Ok(())
    }
}

fn two(what: &str) -> Refusal {
    Refusal::unreadable(format!(
        "the request names two {what}: path, query and `Flagd-Selector` must agree"
    ))
}

/// What was found: who reads it, and what it is.
pub(super) struct Found {
    pub(super) set: SetName,
    pub(super) cluster: ClusterName,
    pub(super) reader: Reader,
    pub(super) ready: Arc<Ready>,
}

/// What `by` means, if he may read it.
pub(super) async fn found(
    shared: &Shared,
    by: &Arc<Caller>,
    said: &Said,
) -> Result<Found, Refusal> {
    let (set, cluster) = meant(shared, by, said).await?;
    let query = SnapshotsQuery {
        cluster: cluster.clone(),
        sets: Some([set.clone()].into()),
    };
    let what = What::Document(set.clone());
    let mut reader = Reader::begin(shared.clone(), Arc::clone(by), query, what).await?;
    let ready = match reader.now()?.ready() {
        Ok(ready) => ready,
        Err(error) => return Err(reader.untold(error).await.into()),
    };
    Ok(Found {
        set,
        cluster,
        reader,
        ready,
    })
}

/// Which set in which cluster is meant: what the request says, else what the token is for, else the only
/// cluster that there is.
async fn meant(
    shared: &Shared,
    by: &Arc<Caller>,
    said: &Said,
) -> Result<(SetName, ClusterName), Refusal> {
    let holder = holder(by);
    let set = said.set.as_ref().or(holder.and_then(|it| it.set.as_ref()));
    let set = set.ok_or_else(|| {
        let error = Error::invalid("nothing says which set is meant")
            .hint("name it as `Flagd-Selector: flagSetId=SET`")
            .hint("or ask below `/v1/sets/SET`")
            .hint("or with a token that is for one set: `cfgctl token create NAME --kind app --set SET`");
        Refusal::from(error)
    })?;
    let own = holder.and_then(|it| it.cluster.as_ref());
    if let Some(cluster) = said.cluster.as_ref().or(own) {
        return Ok((set.clone(), cluster.clone()));
    }
    let mut clusters = Vec::new();
    for cluster in places(shared, set).await?.iter() {
        if clusters.len() < NAMED && may_read(shared, by, set, cluster).await? {
            clusters.push(cluster.clone());
        }
    }
    match &clusters[..] {
        [] => Err(Refusal::absent(format!(
            "there is no set {set} that goes to any cluster"
        ))),
        [only] => Ok((set.clone(), only.clone())),
        [one, other, ..] => {
            let error = format!(
                "{set} goes to several clusters, such as {one} and {other}, and nothing says which is meant"
            );
            let error = Error::invalid(error)
                .hint(format!("add `?cluster={one}` to the address"))
                .hint(format!("or ask below `/v1/clusters/{one}/sets/{set}`"))
                .hint(format!(
                    "or with a token for it: `--kind app --set {set} --cluster {one}`"
                ));
            Err(error.into())
        }
    }
}

fn holder(by: &Caller) -> Option<&TokenHolder> {
    match &by.principal {
        Principal::Token(holder) => Some(holder),
        _ => None,
    }
}

/// The clusters that a set goes to, whoever asks; none where it is not there.
pub(super) async fn places(shared: &Shared, set: &SetName) -> Result<Arc<[ClusterName]>, Refusal> {
    let newest = shared.feed.newest(Sequence::START, Duration::ZERO).await;
    if let Some(known) = shared.places.known(set, newest) {
        return Ok(known);
    }
    // What of it whoever asks may know is asked for each.
    let by = Caller::system();
    let query = ResourcesQuery {
        names: vec![ResourceId::Set(set.clone())],
        ..ResourcesQuery::default()
    };
    let found = match read(shared.service.resources(&by, &query)).await {
        Ok(found) => found.items.into_iter().next(),
        Err(refusal) if is_absent(refusal.error()) => None,
        Err(refusal) => return Err(refusal),
    };
    let Some(selector) = found.and_then(|item| item.clusters) else {
        return Ok([].into());
    };
    let clusters = read(shared.service.clusters(&by)).await?.items.into_iter();
    let clusters = clusters.filter(|item| selector.matches(&item.labels));
    let clusters: Arc<[ClusterName]> = clusters.map(|item| item.name).collect();
    shared.places.keep(set, newest, &clusters);
    Ok(clusters)
}

/// Whether `by` may read what `cluster` gets of `set`.
async fn may_read(
    shared: &Shared,
    by: &Caller,
    set: &SetName,
    cluster: &ClusterName,
) -> Result<bool, Refusal> {
    let query = SnapshotsQuery {
        cluster: cluster.clone(),
        sets: Some([set.clone()].into()),
    };
    match read(shared.service.readable(by, &query)).await {
        Ok(readable) => Ok(readable.has(set)),
        Err(refusal) if is_absent(refusal.error()) => Ok(false),
        Err(refusal) => Err(refusal),
    }
}

fn is_absent(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::Absent | ErrorKind::Invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(query: &str, selector: &str) -> Result<Said, String> {
        let mut headers = HeaderMap::new();
        headers.insert(SELECTOR, selector.parse().unwrap());
        let said = Said::of([], &headers, query);
        said.map_err(|refusal| refusal.error().error.clone())
    }

    #[test]
    fn set_and_cluster_are_said_in_several_ways() {
        let found = said("x=1&cluster=eu", " flagSetId = shop ");
        let expected = Said {
            set: Some("shop".parse().unwrap()),
            cluster: Some("eu".parse().unwrap()),
            key: None,
        };
        assert_eq!(found, Ok(expected.clone()));
        let found = said("cluster=eu", "flagSetId=shop,cluster=eu");
        assert_eq!(found, Ok(expected));
        for (uri, selector, error) in [
            (
                "cluster=us",
                "flagSetId=shop,cluster=eu",
                "names two clusters",
            ),
            ("", "flagSetId=shop,flagSetId=cart", "names two sets"),
            ("", "shop", "`Flagd-Selector` is"),
            ("", "source=shop", "`Flagd-Selector` is"),
            ("cluster=%20", "flagSetId=shop", "there is no cluster"),
        ] {
            let found = said(uri, selector).unwrap_err();
            assert!(found.contains(error), "{uri} {selector}: {found}");
        }
    }
}
