//! The side of the store: from what is wanted and the heads follows what is committed, and what each
//! cluster should hold then.
//!
//! It knows nothing of what targets hold, but for the versions that they have taken already.

use std::collections::{BTreeMap, BTreeSet};

use super::objection::Objection;
use super::seen::Pair;
use crate::model::{Cluster, Commit, Consent, Heads, Origin, ResourceId, SetName, Snapshot};

pub(super) mod after;
pub(super) mod change;
pub(super) mod commit;
pub(super) mod desired;
mod gates;
pub(super) mod places;
mod provenance;
pub(super) mod reach;
mod rendered;

use after::{After, Claim};
use change::{PlanError, ResourceChange};
use commit::Written;
use reach::Reach;

/// What is decided on the side of the store.
#[derive(Debug)]
pub(super) struct Decided<'a> {
    /// The resources as they would be.
    pub(super) after: After<'a>,
    /// Those that get a new revision.
    pub(super) resources: BTreeMap<ResourceId, ResourceChange>,
    /// The sets that are looked at.
    pub(super) reached: BTreeSet<SetName>,
    /// What stands against that.
    pub(super) objections: Vec<Objection>,
    origin: &'a Origin,
}

/// Decides which resources get a new revision, of this origin. `claims` names the versions that are
/// taken already.
pub(super) fn decide<'a>(
    after: After<'a>,
    claims: &BTreeMap<SetName, Claim>,
    reach: &Reach,
    heads: &Heads,
    origin: &'a Origin,
    consents: &BTreeSet<Consent>,
) -> Result<Decided<'a>, PlanError> {
    let resources = after.revisions(claims);
    let mut objections = gates::judge(heads, &after, &resources, origin, consents)?;
    objections.extend(provenance::judge(&after, &resources, origin, consents));
    objections.extend(after.dangling());
    Ok(Decided {
        reached: after.reached(reach),
        after,
        resources,
        objections,
        origin,
    })
}

impl Decided<'_> {
    /// What `pair` should hold; `None` when nothing of the set should be there.
    pub(super) fn snapshot(
        &self,
        pair: &Pair,
        cluster: &Cluster,
    ) -> Result<Option<Snapshot>, PlanError> {
        let (resources, origin) = (&self.resources, self.origin);
        self.after.snapshot(pair, cluster, resources, origin)
    }

    /// The commit that makes it real, where this is what is written then.
    pub(super) fn commit(&self, written: &Written) -> Commit {
        let (resources, reached) = (&self.resources, &self.reached);
        commit::commit(&self.after, resources, reached, written, self.origin)
    }
}
