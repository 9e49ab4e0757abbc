//! Everything that a plan follows from.

use std::collections::{BTreeMap, BTreeSet};

use super::decide::desired::Desired;
use super::decide::reach::Reach;
use super::seen::{Observation, Pair};
use crate::model::{ClusterName, Consent, Heads, Limits, Origin, Revision, SetName, Version};

/// The older revisions, as far as targets hold one.
pub type Past = BTreeMap<(SetName, Version), Revision>;

/// Everything that a plan follows from.
#[derive(Debug)]
pub struct Input<'a> {
    /// What should become of which resources.
    pub desired: &'a Desired,
    /// Which sets to look at beyond those that change.
    pub reach: &'a Reach,
    /// The heads, read after the targets were observed: a target that is ahead of them is a fault.
    pub heads: &'a Heads,
    /// The revisions that targets hold and that are no longer the head.
    pub past: &'a Past,
    /// What was seen. A pair that is not in here is not touched.
    pub observed: &'a BTreeMap<Pair, Observation>,
    /// What one write to each cluster can carry, where it is known.
    pub limits: &'a BTreeMap<ClusterName, Limits>,
    /// The origin of every revision that the plan makes; its consents are those below.
    pub origin: &'a Origin,
    /// What a person has consented to.
    pub consents: &'a BTreeSet<Consent>,
}
