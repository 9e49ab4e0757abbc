//! What the grants to one caller allow, as they were at one moment.

use crate::api::{Caller, Principal};
use crate::model::{Grant, GrantName, Heads, Identified, Labels, ResourceId, Role, TokenKind};
use crate::store::{Store, StoreError, Which};

/// What one caller may do.
#[derive(Clone, Debug)]
pub(in crate::app) enum Access {
    /// Everything: whoever can write the file of the store could do it anyway.
    Everything,
    /// What grants say.
    Granted(Granted),
}

/// What grants say to one subject.
#[derive(Clone, Debug)]
pub(in crate::app) struct Granted {
    /// What the history calls it.
    pub(super) who: String,
    /// Its grants, which only add.
    pub(super) grants: Vec<(GrantName, Grant)>,
    /// The heads of all grants, tombstones included.
    pub(super) heads: Heads,
}

/// What has to be allowed for one thing to be done.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::app) enum Need {
    /// A role over such a set, in some clusters at least.
    Set(Role, Labels),
    /// A role in such a cluster, over some sets at least.
    Cluster(Role, Labels),
    /// A role over such a set in such a cluster, by one and the same grant.
    Pair(Role, Labels, Labels),
    /// A role over every set in such a cluster.
    Over(Role, Labels),
    /// A role over every set in every cluster.
    All(Role),
    /// To give or to take what this grant gives.
    Give(Grant),
    /// To know of this grant.
    Know(GrantName, Grant),
}

/// What decides about a need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::app) enum Decision {
    /// Whoever asks may do everything.
    Owner,
    /// This grant allows it.
    By(GrantName),
    /// Nothing allows it.
    Denied,
}

impl Access {
    /// What `by` may do now. Reads the grants, and nothing of a caller to whom they mean nothing.
    pub(in crate::app) async fn of(store: &dyn Store, by: &Caller) -> Result<Self, StoreError> {
        match &by.principal {
            Principal::Local(_) | Principal::Owner(_) | Principal::System => Ok(Self::Everything),
            // Those of other kinds have routes of their own, and grants mean nothing to them.
            Principal::Token(holder) if holder.kind != TokenKind::Api => Ok(Self::granted(
                Heads::new(),
                &holder.subject,
                &Identified::default(),
            )),
            Principal::Token(holder) => {
                let heads = store.heads(&Which::Grants).await?.heads;
                Ok(Self::granted(heads, &holder.subject, &holder.identified()))
            }
        }
    }

    /// What the grants among `heads` allow `who`, of whom this is known.
    pub(in crate::app) fn granted(heads: Heads, who: &str, identified: &Identified) -> Self {
        let grants = living(&heads)
            .filter(|(_, grant)| grant.is_to(identified))
            .map(|(name, grant)| (name.clone(), grant.clone()))
            .collect();
        Self::Granted(Granted {
            who: who.to_owned(),
            grants,
            heads,
        })
    }

    /// What decides about `need`: of several grants the first by name.
    pub(in crate::app) fn decide(&self, need: &Need) -> Decision {
        let granted = match self {
            Self::Everything => return Decision::Owner,
            Self::Granted(granted) => granted,
        };
        let mut grants = granted.grants.iter();
        let found = grants.find(|(name, grant)| allows(name, grant, need));
        found.map_or(Decision::Denied, |(name, _)| Decision::By(name.clone()))
    }

    /// Whether it is allowed.
    pub(in crate::app) fn allows(&self, need: &Need) -> bool {
        self.decide(need) != Decision::Denied
    }

    /// Whether some role of this weight is held anywhere.
    pub(in crate::app) fn has(&self, role: Role) -> bool {
        match self {
            Self::Everything => true,
            Self::Granted(granted) => granted.grants.iter().any(|(_, it)| it.role >= role),
        }
    }

    /// The grants that apply; none to whom everything is allowed.
    pub(in crate::app) fn grants(&self) -> &[(GrantName, Grant)] {
        self.limits().map_or(&[], |granted| &granted.grants)
    }

    /// Whether nothing is refused, whatever grants say.
    pub(in crate::app) fn is_everything(&self) -> bool {
        matches!(self, Self::Everything)
    }

    /// What grants say, unless everything is allowed.
    pub(super) fn limits(&self) -> Option<&Granted> {
        match self {
            Self::Everything => None,
            Self::Granted(granted) => Some(granted),
        }
    }
}

/// Whether one grant allows it.
fn allows(name: &GrantName, grant: &Grant, need: &Need) -> bool {
    match need {
        Need::Set(role, set) => grant.covers_set(*role, set),
        Need::Cluster(role, cluster) => grant.covers_cluster(*role, cluster),
        Need::Pair(role, set, cluster) => grant.covers(*role, set, cluster),
        Need::Over(role, cluster) => grant.sets.is_empty() && grant.covers_cluster(*role, cluster),
        Need::All(role) => {
            grant.role >= *role && grant.sets.is_empty() && grant.clusters.is_empty()
        }
        Need::Give(given) => gives(grant, given),
        // A grant is known to whom it is to: `allows` is asked of those alone.
        Need::Know(known, given) => name == known || gives(grant, given),
    }
}

/// Whether whoever has `grant` has all that `given` gives. That a selector lies within another one
/// has to be plain to see.
fn gives(grant: &Grant, given: &Grant) -> bool {
    grant.role == Role::Admin
        && grant.sets.covers(&given.sets)
        && grant.clusters.covers(&given.clusters)
}

/// The grants among `heads` that there are.
pub(super) fn living(heads: &Heads) -> impl Iterator<Item = (&GrantName, &Grant)> {
    heads.iter().filter_map(|(id, head)| match id {
        ResourceId::Grant(name) => Some((name, head.content.grant()?)),
        ResourceId::Cluster(_) | ResourceId::Set(_) => None,
    })
}
