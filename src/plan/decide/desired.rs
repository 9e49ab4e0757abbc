//! What a plan is asked to bring about.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::{Content, Overrides, ResourceId, SetName};

/// What should become of which resources. What is not named stays as it is: what is declared
/// changes without what is overridden, and the other way round.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Desired {
    /// What should be declared.
    pub contents: BTreeMap<ResourceId, Content>,
    /// What should be overridden, by set: all of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub overrides: BTreeMap<SetName, Overrides>,
    /// The flags and breakers, as `SET/NAME`, whose overrides may go with what they belong to.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub dropped: BTreeSet<String>,
}

impl Desired {
    /// That everything stays as it is.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// That `set` is overridden like this.
    pub fn overridden(set: SetName, overrides: Overrides) -> Self {
        Self {
            overrides: BTreeMap::from([(set, overrides)]),
            ..Self::default()
        }
    }
}

/// That these are declared.
impl FromIterator<(ResourceId, Content)> for Desired {
    fn from_iter<I: IntoIterator<Item = (ResourceId, Content)>>(contents: I) -> Self {
        Self {
            contents: contents.into_iter().collect(),
            ..Self::default()
        }
    }
}

impl<const N: usize> From<[(ResourceId, Content); N]> for Desired {
    fn from(contents: [(ResourceId, Content); N]) -> Self {
        contents.into_iter().collect()
    }
}
