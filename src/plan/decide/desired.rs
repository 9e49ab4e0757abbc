//! What a plan is asked to bring about.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Content, Overrides, Part, Provenance, ResourceId, SetName};

/// What should become of which resources. What is not named stays as it is: what is declared
/// changes without what is overridden, and the other way round.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Desired {
    /// What should be declared.
    pub contents: BTreeMap<ResourceId, Content>,
    /// Where that was written, as far as it was.
    pub provenances: BTreeMap<ResourceId, Provenance>,
    /// What should be overridden, by set: all of it.
    pub overrides: BTreeMap<SetName, Overrides>,
    /// The flags and breakers whose overrides may go with what they belong to.
    pub dropped: BTreeSet<(SetName, Part)>,
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
