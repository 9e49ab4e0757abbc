//! Authorisation: what a caller may do and see. It is decided here, on what a plan changes, and
//! nowhere else.
//!
//! - Grants only add; what none allows is denied. Whoever runs this process, whoever holds the token
//!   that a server was started with, and cfgctl itself may do everything: they can write the store.
//! - A set and a cluster are always taken together, by one and the same grant: to be editor of some
//!   sets in one stage and viewer of others elsewhere adds up to nothing else.
//! - What counts is what becomes of clusters: whose finished content of a set changes, which get it
//!   for the first time or no more. A layer or a default that many clusters share changes all of them.
//! - Labels decide who may do what, so to change them takes the right on both sides: before and
//!   after, and for a set wherever it goes.
//! - Where a cluster is found says where everything is written. To say that anew takes an admin of
//!   everything; to label a cluster otherwise, or to take it off the list, an admin of all sets there.
//! - Nobody gives or takes what he does not have: a grant lies within one whose admin he is.
//! - What is committed already may be brought to clusters by an operator: it is what somebody with
//!   more rights has made.
//! - To see what would change takes no more than to read it, wherever it changes. What would tell
//!   whether others have a name or a key already (a new set, other labels, other places) takes reading
//!   everything, or the right to do it.
//! - What may not be read is not there. Whoever may read a set may read its manifest and its history
//!   whole, what other clusters get of it included; what those hold, and their finished values, he
//!   may not.

use std::collections::{BTreeMap, BTreeSet};

use crate::api::report::Outcome;
use crate::api::{Change, Error, ErrorKind};
use crate::check::Finding;
use crate::engine::Overriding;
use crate::model::{
    Cluster, ClusterName, ConfigSet, Content, Grant, GrantName, Heads, Overrides, Recipient,
    ResourceId, Role, SetName, Version,
};
use crate::plan::{Ground, Permitted, Plan};

mod access;
mod demands;
mod sight;
mod view;

pub(super) use access::{Access, Decision, Need};
pub(super) use demands::Purpose;
pub(super) use sight::Sight;
pub(super) use view::View;

use access::{Granted, living};
use demands::Demand;

/// At most so many reasons are told; whoever lacks one lacks most.
const TOLD: usize = 20;

/// What may be carried out, and what is to be said of it although it may.
#[derive(Debug)]
pub(super) struct Allowed {
    pub(super) plan: Permitted<Plan>,
    pub(super) warnings: Vec<Finding>,
}

impl Access {
    /// Lets `plan` pass, which was made for `change` from these `heads`, if all that it demands is
    /// allowed. The grants that allow it must still hold when it is committed.
    pub(super) fn permit(
        &self,
        mut plan: Plan,
        change: &Change,
        heads: &Heads,
    ) -> Result<Allowed, Error> {
        let mut warnings = Vec::new();
        let Admins { lost, left } = Admins::after(&plan, heads);
        match self.limits() {
            None => warnings.extend(lost.first().filter(|_| !left).map(locked_out)),
            Some(granted) => {
                self.check_plan(granted, &plan, change, heads, Purpose::of(change))?;
                if let Some(id) = lost.first() {
                    return Err(keeps_an_admin(id));
                }
                plan.commit.expected.extend(granted.guards());
                if changes_grants(&plan) {
                    // Of two who each take away one of the last two, one must find out.
                    let all = living(heads).filter(|(_, grant)| grant.is_all());
                    let all: Vec<_> = all.map(|(name, _)| name).collect();
                    plan.commit.expected.extend(versions(all, heads));
                }
            }
        }
        Ok(Allowed {
            plan: Permitted(plan),
            warnings,
        })
    }

    /// Refuses to show `plan` to whoever may neither carry it out nor read what it touches; else says
    /// what for he may have it. It is not permitted by that.
    pub(super) fn check_look(
        &self,
        plan: &Plan,
        change: &Change,
        heads: &Heads,
    ) -> Result<Purpose, Error> {
        let purpose = Purpose::of(change);
        let Some(granted) = self.limits() else {
            return Ok(purpose);
        };
        let check = |purpose| {
            self.check_plan(granted, plan, change, heads, purpose)?;
            Ok(purpose)
        };
        match (check(purpose), change) {
            (Err(_), Change::Declare(_) | Change::Rollback { .. } | Change::Delete(_)) => {
                check(Purpose::Look)
            }
            (checked, _) => checked,
        }
    }

    /// Refuses what `plan` demands for this purpose, if that is not allowed.
    fn check_plan(
        &self,
        granted: &Granted,
        plan: &Plan,
        change: &Change,
        heads: &Heads,
        purpose: Purpose,
    ) -> Result<(), Error> {
        let nothing = BTreeMap::new();
        let named = match change {
            Change::Declare(declared) => &declared.contents,
            _ => &nothing,
        };
        let mut told: BTreeSet<_> = named.keys().collect();
        match change {
            Change::Delete(ids) => told.extend(ids),
            Change::Rollback { name, .. } => _ = told.insert(name),
            _ => {}
        }
        // To delete what is not there changes nothing, and what may not be read is not there.
        let kept = || {
            let kept = named.iter();
            let kept = kept.filter(|(_, content)| **content != Content::Deleted);
            kept.map(|(id, _)| id)
        };
        let demands = demands::of_plan(plan, heads, kept(), purpose, &BTreeSet::new());
        let Err(error) = self.check(granted, &demands, &told) else {
            return Ok(());
        };
        // Why not would tell of a name whether somebody has it, and where: it is what it would be if
        // nobody had, or else the name alone.
        let unread = named.iter().filter(|(id, _)| !self.reads(id, heads));
        self.check(granted, &demands::of_contents(unread.clone()), &told)?;
        let unread: BTreeSet<&ResourceId> = unread.map(|(id, _)| id).collect();
        let demands = demands::of_plan(plan, heads, kept(), purpose, &unread);
        self.check(granted, &demands, &told)?;
        let taken = unread.iter();
        let taken = taken.filter_map(|id| Some((*id, &heads.get(*id)?.content)));
        self.check(granted, &demands::of_contents(taken), &told)?;
        Err(error)
    }

    /// Whether the head of this resource may be read, if there is one.
    fn reads(&self, id: &ResourceId, heads: &Heads) -> bool {
        let head = heads.get(id);
        let need = head.and_then(|head| demands::known(id, &head.content));
        need.is_some_and(|need| self.allows(&need))
    }

    /// Refuses names that may not be read or are not there, as far as it is clear without a plan that
    /// `contents` may be neither declared under them nor, unless it is `asked`, looked at.
    pub(super) fn check_names(
        &self,
        contents: &BTreeMap<ResourceId, Content>,
        heads: &Heads,
        asked: bool,
    ) -> Result<(), Error> {
        let Some(granted) = self.limits() else {
            return Ok(());
        };
        if !asked && self.allows(&Need::All(Role::Viewer)) {
            return Ok(());
        }
        let unread = contents.iter().filter(|(id, _)| !self.reads(id, heads));
        let demands = demands::of_contents(unread);
        self.check(granted, &demands, &contents.keys().collect())
    }

    /// Refuses to look for clusters where `contents` say that they are, if nobody who may say so said
    /// it: to look there is to write to whoever listens, and may show him a token.
    pub(super) fn check_places(
        &self,
        contents: &BTreeMap<ResourceId, Content>,
        heads: &Heads,
    ) -> Result<(), Error> {
        let Some(granted) = self.limits() else {
            return Ok(());
        };
        let place = |content: &Content| Some(content.cluster()?.connection.clone());
        let moved = contents.iter().filter(|(id, content)| {
            let head = heads.get(id).filter(|_| self.reads(id, heads));
            let known = head.and_then(|head| place(&head.content));
            place(content).is_some_and(|place| known != Some(place))
        });
        let demands: Vec<Demand> = moved.map(|(id, _)| demands::of_place(id)).collect();
        self.check(granted, &demands, &contents.keys().collect())
    }

    /// Refuses a switch after which these overrides would hold, if whoever asks has not this role
    /// wherever it says anything else.
    pub(super) fn check_switch(
        &self,
        role: Role,
        ground: &Ground<'_>,
        after: &Overrides,
    ) -> Result<(), Error> {
        let Some(granted) = self.limits() else {
            return Ok(());
        };
        let states = [ground.overrides, after];
        let demands = demands::of_switch(role, ground.name, ground.set, states, ground.clusters);
        self.check(granted, &demands, &BTreeSet::new())
    }

    /// Refuses a switch of this set in all of `clusters`, if whoever asks has not this role there.
    pub(super) fn check_pairs(
        &self,
        role: Role,
        (name, set): (&SetName, &ConfigSet),
        clusters: &BTreeMap<&ClusterName, &Cluster>,
    ) -> Result<(), Error> {
        let Some(granted) = self.limits() else {
            return Ok(());
        };
        let demands = demands::of_pairs(role, name, set, clusters.iter());
        let demands: Vec<Demand> = demands.collect();
        self.check(granted, &demands, &BTreeSet::new())
    }

    /// Lets pass that a set is overridden otherwise, if that is allowed in all of `clusters` in which
    /// it says anything else.
    pub(super) fn permit_switch<'a>(
        &self,
        mut overriding: Overriding<'a>,
        clusters: &BTreeMap<&ClusterName, &Cluster>,
    ) -> Result<Permitted<Overriding<'a>>, Error> {
        if let Some(granted) = self.limits() {
            let head = overriding.head;
            let Some(set) = head.content.set() else {
                return Err(denied(&[overriding.set.to_string()]));
            };
            let states = [&head.overrides, &overriding.overrides];
            let demands = demands::of_switch(Role::Operator, overriding.set, set, states, clusters);
            self.check(granted, &demands, &BTreeSet::new())?;
            overriding.guards.extend(granted.guards());
        }
        Ok(Permitted(overriding))
    }

    /// Refuses what takes more than is held: `what`, as the end of "you may not …".
    pub(super) fn require(&self, need: &Need, what: &str) -> Result<(), Error> {
        if self.allows(need) {
            return Ok(());
        }
        Err(lacks(need, what))
    }

    /// The pairs of `plan` that the caller may bring to what is committed; others stay as they are.
    pub(super) fn leave_to_others(&self, plan: &mut Plan, heads: &Heads) {
        if self.limits().is_none() {
            return;
        }
        let labels = |id: ResourceId| heads.get(&id)?.content.labels().cloned();
        plan.deliveries.retain(|delivery| {
            let set = labels(ResourceId::Set(delivery.pair.set.clone()));
            let cluster = labels(ResourceId::Cluster(delivery.pair.cluster.clone()));
            set.zip(cluster).is_some_and(|(set, cluster)| {
                self.allows(&Need::Pair(Role::Operator, set, cluster))
            })
        });
    }

    /// Refuses `contents` that may not be declared in every cluster that they are for, whatever there
    /// is already.
    pub(super) fn check_wherever(
        &self,
        contents: &BTreeMap<ResourceId, Content>,
        heads: &Heads,
    ) -> Result<(), Error> {
        let Some(granted) = self.limits() else {
            return Ok(());
        };
        let demands = demands::wherever(contents, heads);
        self.check(granted, &demands, &contents.keys().collect())
    }

    /// Refuses `demands` that are not allowed, of which the caller has `named` some himself.
    fn check(
        &self,
        granted: &Granted,
        demands: &[Demand],
        named: &BTreeSet<&ResourceId>,
    ) -> Result<(), Error> {
        let refused: BTreeSet<String> = demands
            .iter()
            .filter(|demand| !self.allows(&demand.need))
            .map(|demand| self.sentence(demand, named))
            .collect();
        if refused.is_empty() {
            return Ok(());
        }
        let refused: Vec<String> = refused.into_iter().collect();
        let who = &granted.who;
        Err(denied(&refused).hint(format!(
            "`cfgctl auth explain` shows what {who} may do and by which grant"
        )))
    }
}

impl Granted {
    /// The grants that allow what is done must still be what they are.
    fn guards(&self) -> BTreeMap<ResourceId, Option<Version>> {
        versions(self.grants.iter().map(|(name, _)| name), &self.heads)
    }
}

fn versions<'a>(
    names: impl IntoIterator<Item = &'a GrantName>,
    heads: &Heads,
) -> BTreeMap<ResourceId, Option<Version>> {
    let ids = names.into_iter().cloned().map(ResourceId::Grant);
    ids.map(|id| {
        let version = heads.get(&id).map(|head| head.version);
        (id, version)
    })
    .collect()
}

/// That this is not allowed.
pub(super) fn lacks(need: &Need, what: &str) -> Error {
    denied(&[format!("{what} takes {}", needed(need))])
}

impl Access {
    /// What is not allowed, in one sentence: what and where, and never what stands there. What the
    /// caller did not name and may not read is not named to him.
    fn sentence(&self, demand: &Demand, named: &BTreeSet<&ResourceId>) -> String {
        let Demand { id, cluster, need } = demand;
        let (set, place) = match need {
            Need::Pair(_, set, place) => (Some(set), Some(place)),
            Need::Set(_, set) => (Some(set), None),
            Need::Cluster(_, place) | Need::Over(_, place) => (None, Some(place)),
            Need::All(_) | Need::Give(_) | Need::Know(..) => (None, None),
        };
        let reads = |need: Need| self.allows(&need);
        let reads_set = || set.is_some_and(|it| reads(Need::Set(Role::Viewer, it.clone())));
        let reads_place = || place.is_some_and(|it| reads(Need::Cluster(Role::Viewer, it.clone())));
        let is_told = named.contains(id)
            || match id {
                ResourceId::Set(_) => reads_set(),
                ResourceId::Cluster(_) => reads_place(),
                ResourceId::Grant(_) => false,
            };
        let what = if is_told {
            id.to_string()
        } else {
            format!("a {} that you may not read", id.kind().as_str())
        };
        let needed = needed(need);
        match cluster {
            Some(cluster) if reads_place() => format!("{what} in {cluster} takes {needed}"),
            Some(_) => format!("{what} in a cluster that you may not read takes {needed}"),
            None => format!("{what} takes {needed}"),
        }
    }
}

/// The grant that would be enough.
fn needed(need: &Need) -> String {
    match need {
        Need::Set(role, _) => format!("the role {role} over this set"),
        Need::Cluster(role, _) => format!("the role {role} in this cluster"),
        Need::Pair(role, ..) => format!("the role {role} over this set in this cluster"),
        Need::Over(role, _) => format!("the role {role} over all sets in this cluster"),
        Need::All(role) => format!("the role {role} over all sets in all clusters"),
        Need::Give(_) => {
            "the role admin in a grant that includes all it gives, before and after".to_owned()
        }
        Need::Know(..) => "the right to read it".to_owned(),
    }
}

fn denied(refused: &[String]) -> Error {
    let mut error = Error::new(
        ErrorKind::Denied,
        "this is not allowed; nothing was changed",
    );
    error.causes = refused.iter().take(TOLD).cloned().collect();
    if refused.len() > TOLD {
        let more = refused.len() - TOLD;
        error.causes.push(format!("and {more} more"));
    }
    error
}

/// Everything that an outcome names.
pub(super) fn named(outcome: &Outcome) -> BTreeSet<ResourceId> {
    let committed = outcome.committed.iter().map(|it| it.name.clone());
    let clusters = outcome.clusters.iter();
    let sets = clusters.map(|it| ResourceId::Set(it.set.clone()));
    committed.chain(sets).collect()
}

fn changes_grants(plan: &Plan) -> bool {
    let mut changed = plan.resources.iter();
    changed.any(|change| matches!(change.id, ResourceId::Grant(_)))
}

/// What a plan leaves of those who are admins of everything.
struct Admins {
    /// The grants that make them so before, if nobody who is one stays one: to make somebody else
    /// admin in the same step may be a slip of the pen.
    lost: Vec<ResourceId>,
    /// Whether somebody is one afterwards.
    left: bool,
}

impl Admins {
    fn after(plan: &Plan, heads: &Heads) -> Self {
        let changed = plan.resources.iter();
        let changed: BTreeMap<_, _> = changed
            .map(|change| (&change.id, change.after.grant()))
            .collect();
        let id = |name: &GrantName| ResourceId::Grant(name.clone());
        let before: Vec<(ResourceId, &Grant)> = living(heads)
            .filter(|(_, grant)| grant.is_all())
            .map(|(name, grant)| (id(name), grant))
            .collect();
        let kept = before.iter().filter(|(id, _)| !changed.contains_key(id));
        let made = changed.values().flatten().filter(|grant| grant.is_all());
        let after: BTreeSet<&Recipient> = kept
            .map(|(_, grant)| *grant)
            .chain(made.copied())
            .flat_map(|grant| &grant.to)
            .collect();
        let stays =
            |(_, grant): &(ResourceId, &Grant)| grant.to.iter().any(|it| after.contains(it));
        let is_kept = before.iter().any(stays);
        Self {
            left: !after.is_empty(),
            lost: if is_kept {
                Vec::new()
            } else {
                before.into_iter().map(|(id, _)| id).collect()
            },
        }
    }
}

fn locked_out(id: &ResourceId) -> Finding {
    let message = "no grant is left that makes an admin of everything: only whoever can write the \
                   store itself may change grants then";
    Finding::of_resource("last-admin", id, message)
}

fn keeps_an_admin(id: &ResourceId) -> Error {
    denied(&[format!(
        "nobody who is admin of everything by {id} would still be one"
    )])
    .hint("grant that to somebody else first, and take it away in a step of its own")
}
