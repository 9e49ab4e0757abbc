//! Where the content of a new revision was written, and whether that is another place than before.

use std::collections::{BTreeMap, BTreeSet};

use super::super::objection::{Objection, ObjectionReason};
use super::after::After;
use super::change::{ResourceChange, Why};
use crate::model::{Cause, Consent, Origin, Provenance, ResourceId};

/// Where the content of the new revision that `change` makes was written.
pub(super) fn provenance(
    after: &After<'_>,
    change: &ResourceChange,
    origin: &Origin,
) -> Option<Provenance> {
    let before = before(after, change);
    match (after.desired.provenances.get(&change.id), change.why) {
        (Some(given), _) if is_another_place(given, change, origin) => Some(given.clone()),
        (Some(given), _) => Some(given.clone().staying_with(before)),
        (None, Why::Content) => None,
        // The same content still stands where it stood.
        (None, Why::Overrides | Why::Labels | Why::Takeover) => before.cloned(),
    }
}

/// What stands against sets that are declared elsewhere than before: two sources would take each
/// other back for ever.
pub(super) fn judge(
    after: &After<'_>,
    changes: &BTreeMap<ResourceId, ResourceChange>,
    origin: &Origin,
    consents: &BTreeSet<Consent>,
) -> Vec<Objection> {
    if consents.contains(&Consent::MoveSource) {
        return Vec::new();
    }
    let moved = |change: &ResourceChange| {
        let ResourceId::Set(set) = &change.id else {
            return None;
        };
        let given = after.desired.provenances.get(&change.id)?;
        let given = Some(given).filter(|given| is_another_place(given, change, origin))?;
        let (from, to) = given.moved_from(before(after, change)?)?;
        Some(Objection {
            reason: ObjectionReason::Moved { from, to },
            set: set.clone(),
            cluster: None,
        })
    };
    changes.values().filter_map(moved).collect()
}

fn before<'h>(after: &After<'h>, change: &ResourceChange) -> Option<&'h Provenance> {
    after.heads.get(&change.id)?.provenance.as_ref()
}

/// Whether `given` says where `change` is declared from now on. A rollback, and what came through a
/// pipe, is no other place to declare it.
fn is_another_place(given: &Provenance, change: &ResourceChange, origin: &Origin) -> bool {
    origin.cause == Cause::Apply && change.why == Why::Content && given.has_source()
}
