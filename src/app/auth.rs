//! Questions about what somebody may do, and what decides about it.

use super::authorise::{Access, Decision, Need, View};
use super::lookup::heads_of;
use super::names::{clusters, known};
use crate::api::report::{AccessItem, AccessReport, GrantItem};
use crate::api::{AccessQuery, AccessVerb, Caller, Error};
use crate::model::{ClusterName, Content, ResourceId, Role};
use crate::store::{Store, Which};

/// Answers `query`: what is named is looked up as `view` shows it to whoever asks.
pub(super) async fn access(
    view: &View<'_>,
    store: &dyn Store,
    by: &Caller,
    query: &AccessQuery,
) -> Result<AccessReport, Error> {
    let (subject, access) = match &query.subject {
        None => (by.actor().to_owned(), view.access().clone()),
        Some(subject) => {
            let what = "to ask what somebody else may do";
            view.access().require(&Need::All(Role::Admin), what)?;
            let heads = store.heads(&Which::Grants).await?.heads;
            let who = subject.to_string();
            let access = Access::granted(heads, &who, &subject.identified());
            (who, access)
        }
    };
    let (mut items, mut elsewhere) = (Vec::new(), false);
    if let Some(name) = &query.name {
        let places = places(view, name, query.cluster.as_ref()).await?;
        // To read something is no less allowed because others have it too.
        if query.cluster.is_none() && query.verb != Some(AccessVerb::Read) {
            elsewhere = goes_elsewhere(store, name, &places).await?;
        }
        let places = places.into_iter();
        items.extend(places.map(|place| place.answer(&access, query.verb)));
    }
    let owner = access.is_everything();
    let grants: Vec<GrantItem> = access
        .grants()
        .iter()
        .map(|(name, grant)| GrantItem {
            name: name.clone(),
            role: grant.role,
            sets: grant.sets.clone(),
            clusters: grant.clusters.clone(),
        })
        .collect();
    Ok(AccessReport {
        subject,
        owner,
        allowed: if items.is_empty() {
            owner || !grants.is_empty()
        } else {
            !elsewhere && items.iter().all(|item| item.allowed)
        },
        elsewhere,
        items,
        grants,
    })
}

/// One thing in one place.
struct Place {
    name: ResourceId,
    content: Content,
    cluster: Option<(ClusterName, Content)>,
}

/// What was asked about, in every cluster that it is about.
async fn places(
    view: &View<'_>,
    name: &ResourceId,
    only: Option<&ClusterName>,
) -> Result<Vec<Place>, Error> {
    let view = match name {
        ResourceId::Set(set) => view.clone().about(set),
        ResourceId::Cluster(_) | ResourceId::Grant(_) => view.clone(),
    };
    let heads = heads_of(&view, std::slice::from_ref(name)).await?;
    let content = known(&heads, name)?.content.clone();
    if content == Content::Deleted {
        return Err(Error::absent(format!("{name} was deleted")));
    }
    let place = |cluster: Option<(ClusterName, Content)>| Place {
        name: name.clone(),
        content: content.clone(),
        cluster,
    };
    if let (Some(cluster), ResourceId::Cluster(_) | ResourceId::Grant(_)) = (only, name) {
        return Err(
            Error::invalid(format!("{name} is in no cluster: only a set is"))
                .hint(format!("leave out `--cluster {cluster}`")),
        );
    }
    let Some(set) = content.set() else {
        return Ok(vec![place(None)]);
    };
    let here = clusters(&heads).into_iter();
    let places: Vec<Place> = match only {
        Some(only) => {
            let id = ResourceId::Cluster(only.clone());
            known(&heads, &id)?;
            here.filter(|(name, _)| *name == only)
                .map(|(name, it)| place(Some((name.clone(), Content::Cluster(it.clone())))))
                .collect()
        }
        None => here
            .filter(|(_, it)| set.clusters.matches(&it.labels))
            .map(|(name, it)| place(Some((name.clone(), Content::Cluster(it.clone())))))
            .collect(),
    };
    Ok(if places.is_empty() {
        vec![place(None)]
    } else {
        places
    })
}

/// Whether a set goes to clusters that are not among `places`.
async fn goes_elsewhere(
    store: &dyn Store,
    name: &ResourceId,
    places: &[Place],
) -> Result<bool, Error> {
    let heads = store.heads(&Which::Around([name.clone()].into())).await?;
    let Some(set) = heads.heads.get(name).and_then(|head| head.content.set()) else {
        return Ok(false);
    };
    let is_place = |cluster: &ClusterName| {
        let mut there = places.iter().filter_map(|place| place.cluster.as_ref());
        there.any(|(name, _)| name == cluster)
    };
    let mut all = clusters(&heads.heads).into_iter();
    Ok(all.any(|(name, it)| set.clusters.matches(&it.labels) && !is_place(name)))
}

impl Place {
    fn answer(self, access: &Access, verb: Option<AccessVerb>) -> AccessItem {
        let roles = match verb {
            Some(verb) => vec![self.role(verb)],
            // The highest that is held.
            None => Role::ALL.into_iter().rev().collect(),
        };
        let least = roles.last().copied();
        let mut decided = roles.into_iter().map(|role| {
            let decision = access.decide(&self.need(role));
            (role, decision)
        });
        let (role, decision) = match decided.find(|(_, it)| *it != Decision::Denied) {
            Some((role, decision)) => (Some(role), decision),
            None => (least.filter(|_| verb.is_some()), Decision::Denied),
        };
        AccessItem {
            name: self.name,
            cluster: self.cluster.map(|(name, _)| name),
            role,
            allowed: decision != Decision::Denied,
            grant: match decision {
                Decision::By(grant) => Some(grant),
                Decision::Owner | Decision::Denied => None,
            },
        }
    }

    /// The role that `verb` takes here.
    fn role(&self, verb: AccessVerb) -> Role {
        match (verb, &self.name) {
            (AccessVerb::Read, _) => Role::Viewer,
            (AccessVerb::Switch | AccessVerb::Resume, ResourceId::Set(_)) => Role::Operator,
            (_, ResourceId::Set(_)) => Role::Editor,
            (_, ResourceId::Cluster(_) | ResourceId::Grant(_)) => Role::Admin,
        }
    }

    /// What `role` means here.
    fn need(&self, role: Role) -> Need {
        let labels = |content: &Content| content.labels().cloned().unwrap_or_default();
        match (&self.name, &self.content) {
            (ResourceId::Grant(name), Content::Grant(grant)) if role == Role::Viewer => {
                Need::Know(name.clone(), grant.clone())
            }
            (_, Content::Grant(grant)) => Need::Give(grant.clone()),
            (_, Content::Cluster(_)) if role == Role::Admin => {
                Need::Over(role, labels(&self.content))
            }
            (_, Content::Cluster(_)) => Need::Cluster(role, labels(&self.content)),
            _ => match &self.cluster {
                Some((_, cluster)) => Need::Pair(role, labels(&self.content), labels(cluster)),
                None => Need::Set(role, labels(&self.content)),
            },
        }
    }
}
