//! A resource that gets a new revision, and why it does.

use crate::model::{ClusterName, Content, Overrides, ResourceId, SetName, Version};
use crate::render::RenderError;

/// A resource that gets a new revision.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceChange {
    /// The resource.
    pub id: ResourceId,
    /// The head that it is planned against.
    pub base: Option<Version>,
    /// The revision that it gets.
    pub version: Version,
    /// What the head says.
    pub before: Option<Content>,
    /// What the new revision says.
    pub after: Content,
    /// What is overridden now.
    pub overrides_before: Overrides,
    /// What the new revision overrides.
    pub overrides: Overrides,
    /// Why there is a new revision.
    pub why: Why,
}

/// Why a resource gets a new revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// What is declared changes.
    Content,
    /// What is overridden changes, and nothing else.
    Overrides,
    /// The labels of a cluster change or have changed, and with them what the set says there.
    Labels,
    /// It takes over from a history that this store does not know, with a higher number.
    Takeover,
}

/// Why no plan can be made.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The values of a set cannot be published; checking would have found it.
    #[error("`{set}` cannot be rendered for `{cluster}`: {}", .errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Render {
        /// The set.
        set: SetName,
        /// The cluster.
        cluster: ClusterName,
        /// Every reason.
        errors: Vec<RenderError>,
    },
}
