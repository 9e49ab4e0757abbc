//! A plan in a file: shown now, carried out later exactly as it was shown, or not at all.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Plan;
use super::decide::desired::Desired;
use super::decide::reach::Reach;
use super::seen::{Observation, Pair};
use crate::model::value::{Map, canonical};
use crate::model::{
    API_VERSION, Consent, Digest, EntryWrite, ObservedSnapshot, Planned, Provenance, ResourceId,
    Selector, Version,
};

/// The `kind` of a saved plan.
const KIND: &str = "Plan";
/// The field of its digest.
const DIGEST: &str = "digest";

/// What a plan was made from, so that it can be made again and compared. Of what targets hold it
/// has digests only.
///
/// In its file it stands with a digest over all of it. That tells a plan that was edited or cut from
/// the one that was shown; it has no key, so it does not stop somebody who makes a new digest. What
/// is allowed therefore never follows from the file: it is planned anew, the gates judge it anew,
/// and author and time are those of whoever applies it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SavedPlan {
    api_version: String,
    kind: String,
    /// What was asked for.
    pub wish: Wish,
    heads: BTreeMap<ResourceId, Option<Version>>,
    targets: Vec<SeenTarget>,
    decisions: Digest,
}

/// What a person asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Wish {
    /// What should become of which resources.
    pub desired: Desired,
    /// Where that was written.
    pub provenances: BTreeMap<ResourceId, Provenance>,
    /// Which sets to look at beyond those.
    pub reach: Reach,
    /// The clusters that it is limited to.
    pub clusters: Selector,
    /// Who asked, and when. Whoever applies the plan is the author of what it makes.
    pub planned: Planned,
    /// What is consented to, as the plan was shown; whoever applies it consents to this.
    pub consents: BTreeSet<Consent>,
}

/// The state in which one set was seen in one cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SeenTarget {
    set: String,
    cluster: String,
    state: Digest,
}

/// Why a file is no plan that can be carried out.
#[derive(Debug, thiserror::Error)]
pub enum SavedPlanError {
    /// Not JSON, or not of this form.
    #[error("it is not a saved plan")]
    Malformed(#[from] serde_json::Error),
    /// Not what was saved.
    #[error("its digest does not match: it was changed after it was saved")]
    Changed,
    /// Saved by a cfgctl that put none beside it, or taken out.
    #[error("it has no digest: it was changed, or an older cfgctl saved it")]
    NoDigest,
    /// Written by another version of cfgctl.
    #[error(
        "it is a `{kind}` of format `{api_version}`, this cfgctl reads a `{KIND}` of `{API_VERSION}`"
    )]
    OtherFormat {
        /// The format found.
        api_version: String,
        /// The kind found.
        kind: String,
    },
}

/// The states in which every pair was seen.
pub type States = BTreeMap<Pair, Digest>;

/// The states of what was observed, without any of its content.
pub fn states(observed: &BTreeMap<Pair, Observation>) -> States {
    observed
        .iter()
        .map(|(pair, observation)| (pair.clone(), state(observation)))
        .collect()
}

fn state(observation: &Observation) -> Digest {
    match observation {
        // How exactly it failed may differ from one try to the next.
        Observation::Unseen(_) => Digest::of(b"unseen"),
        Observation::Seen(observed) => {
            let snapshot = match &observed.snapshot {
                ObservedSnapshot::Absent => None,
                ObservedSnapshot::Present { fence, .. } => Some(fence),
            };
            let entries: BTreeMap<_, _> = observed
                .entries
                .iter()
                .map(|(key, entry)| (key, (&entry.fence, Digest::of(&entry.value))))
                .collect();
            Digest::of(&canonical(&(snapshot, entries)))
        }
    }
}

/// What a plan decides, without the moment at which it was made.
fn decisions(plan: &Plan) -> Digest {
    let resources: Vec<_> = plan
        .resources
        .iter()
        .map(|change| {
            let overrides = &change.overrides;
            (&change.id, change.version, &change.after, overrides)
        })
        .collect();
    let deliveries: Vec<_> = plan
        .deliveries
        .iter()
        .map(|delivery| {
            let entries = delivery.write.iter().flat_map(|write| &write.entries);
            let entries: BTreeMap<_, _> = entries
                .map(|(key, write)| match write {
                    EntryWrite::Put { value, .. } => (key, Some(Digest::of(value))),
                    EntryWrite::Keep { .. } | EntryWrite::Delete { .. } => (key, None),
                })
                .collect();
            let Pair { set, cluster } = &delivery.pair;
            (set, cluster, format!("{:?}", delivery.action), entries)
        })
        .collect();
    Digest::of(&canonical(&(resources, deliveries)))
}

impl SavedPlan {
    /// Puts down `plan`, which was made from these, for later.
    pub fn new(plan: &Plan, states: &States, wish: Wish) -> Self {
        Self {
            api_version: API_VERSION.to_owned(),
            kind: KIND.to_owned(),
            wish,
            heads: plan.commit.expected.clone(),
            targets: states
                .iter()
                .map(|(pair, state)| SeenTarget {
                    set: pair.set.to_string(),
                    cluster: pair.cluster.to_string(),
                    state: state.clone(),
                })
                .collect(),
            decisions: decisions(plan),
        }
    }

    /// The plan as it stands in a file.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut file = serde_json::to_value(self)?;
        file[DIGEST] = self.digest().to_string().into();
        let mut text = serde_json::to_vec_pretty(&file)?;
        text.push(b'\n');
        Ok(text)
    }

    /// Reads a plan that was put down.
    pub fn parse(text: &[u8]) -> Result<Self, SavedPlanError> {
        let mut file: Map = serde_json::from_slice(text)?;
        let field = |name: &str| file.get(name).and_then(|value| value.as_str());
        let (api_version, kind) = (field("apiVersion"), field("kind"));
        if let (Some(api_version), Some(kind)) = (api_version, kind)
            && (api_version != API_VERSION || kind != KIND)
        {
            return Err(SavedPlanError::OtherFormat {
                api_version: api_version.to_owned(),
                kind: kind.to_owned(),
            });
        }
        let digest = file.remove(DIGEST).ok_or(SavedPlanError::NoDigest)?;
        let saved: Self = serde_json::from_value(file.into())?;
        if digest.as_str() != Some(&saved.digest().to_string()) {
            return Err(SavedPlanError::Changed);
        }
        Ok(saved)
    }

    /// Over everything but the digest itself.
    fn digest(&self) -> Digest {
        Digest::of(&canonical(self))
    }

    /// What moved since: `plan` and `states` are the same plan made anew. Empty when carrying it
    /// out does exactly what was shown.
    pub fn moved(&self, plan: &Plan, states: &States) -> Vec<String> {
        let mut moved = Vec::new();
        // Which heads it follows from is a matter of what is written, which is compared below.
        for (id, then) in &self.heads {
            let Some(now) = plan.commit.expected.get(id) else {
                continue;
            };
            if then != now {
                let shown = |version: &Option<Version>| {
                    version.map_or("nothing".to_owned(), |version| version.to_string())
                };
                let (then, now) = (shown(then), shown(now));
                moved.push(format!("{id} was at {then}, now at {now}"));
            }
        }
        let then: BTreeMap<_, _> = self
            .targets
            .iter()
            .map(|seen| ((seen.set.as_str(), seen.cluster.as_str()), &seen.state))
            .collect();
        let now: BTreeMap<_, _> = states
            .iter()
            .map(|(pair, state)| ((pair.set.as_str(), pair.cluster.as_str()), state))
            .collect();
        for place in then.keys().chain(now.keys()).collect::<BTreeSet<_>>() {
            if then.get(place) != now.get(place) {
                let (set, cluster) = place;
                moved.push(format!("what {cluster} holds of {set} changed"));
            }
        }
        if moved.is_empty() && decisions(plan) != self.decisions {
            moved.push("this cfgctl would do something else than the one that planned".to_owned());
        }
        moved
    }
}
