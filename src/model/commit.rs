//! The one point where a change becomes real.

use std::collections::BTreeMap;

use super::{ResourceId, Revision, Version};

/// The newest revision of every resource that ever was, tombstones included.
pub type Heads = BTreeMap<ResourceId, Revision>;

/// New revisions of several resources, made together or not at all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Commit {
    /// The heads that it was planned against, also of resources it does not change; `None`: the
    /// resource must never have existed. Every key of `revisions` is in here.
    pub expected: BTreeMap<ResourceId, Option<Version>>,
    /// What becomes the new heads. Each version is greater than the expected one.
    pub revisions: BTreeMap<ResourceId, Revision>,
}
