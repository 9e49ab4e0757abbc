//! Versions that stand in targets with content that the sets do not have.

use std::collections::BTreeMap;

use super::decide::after::{After, Claim};
use super::decide::change::Why;
use super::input::{Input, Past};
use super::reconcile::lineage::{Kinship, Lineage};
use crate::model::{Consent, Heads, ResourceId, SetName, Version};

/// What the store knows of the history of `set`.
pub(super) fn lineage<'a>(set: &SetName, heads: &'a Heads, past: &'a Past) -> Lineage<'a> {
    let Some(head) = heads.get(&ResourceId::Set(set.clone())) else {
        return Lineage::default();
    };
    let older = past.range((set.clone(), Version::FIRST)..);
    let older = older.take_while(|((of, _), _)| of == set);
    let older = older.map(|((_, version), revision)| (*version, &revision.origin));
    Lineage {
        newest: Some(head.version),
        origins: older.chain([(head.version, &head.origin)]).collect(),
    }
}

/// Those versions, by set. One number must never mean two things to a reader, and a greater one must
/// never be replaced by a smaller.
pub(super) fn claims(input: &Input<'_>, after: &After<'_>) -> BTreeMap<SetName, Claim> {
    let mut claims = BTreeMap::new();
    for (pair, observation) in input.observed {
        let cluster = after.clusters.get(&pair.cluster);
        let set = cluster.and_then(|cluster| after.set_in(&pair.set, cluster));
        let Some((set, cluster)) = set.zip(cluster) else {
            continue;
        };
        let lineage = lineage(&pair.set, input.heads, input.past);
        let claim = match lineage.standing(pair, observation) {
            Kinship::Alien {
                version: Some(version),
                ..
            } if input.consents.contains(&Consent::Adopt) => Claim {
                version,
                why: Why::Takeover,
            },
            // Rendered for labels that the cluster had before it was deleted and made again, or
            // before the set was taken from it and given back.
            Kinship::Ours {
                document,
                intact: true,
            } if *document.contents() != *after.contents(&pair.set, set, cluster) => Claim {
                version: document.version(),
                why: Why::Labels,
            },
            _ => continue,
        };
        let greatest = claims.entry(pair.set.clone()).or_insert(claim);
        if claim.version > greatest.version {
            *greatest = claim;
        }
    }
    claims
}
