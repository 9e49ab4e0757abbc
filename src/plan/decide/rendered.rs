//! Rendered sets: each once for all clusters in which it says the same.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::model::{ConfigSet, Contents, Key, Labels, Overrides, SetName};
use crate::render::{self, RenderError, Variation};

/// The keys that are published, or why they cannot be.
type Entries = Result<Arc<BTreeMap<Key, Vec<u8>>>, Vec<RenderError>>;

/// What one set says, by what that follows from.
type OfSet = Vec<(Variation, Rc<Rendering>)>;

/// What has been rendered so far. It is one plan's, whose sets and overrides do not change.
#[derive(Debug, Default)]
pub(super) struct Renderings(RefCell<BTreeMap<SetName, OfSet>>);

/// What a set says in some clusters.
#[derive(Debug)]
pub(super) struct Rendering {
    pub(super) contents: Arc<Contents>,
    entries: OnceCell<Entries>,
}

impl Renderings {
    /// What `set`, which is called `name`, says where `labels` are.
    pub(super) fn of(
        &self,
        name: &SetName,
        set: &ConfigSet,
        overrides: &Overrides,
        labels: &Labels,
    ) -> Rc<Rendering> {
        let variation = Variation::of(set, overrides, labels);
        let mut all = self.0.borrow_mut();
        let known = all.get(name).into_iter().flatten();
        if let Some((_, known)) = known.into_iter().find(|(other, _)| *other == variation) {
            return Rc::clone(known);
        }
        let rendering = Rc::new(Rendering {
            contents: Arc::new(render::contents(set, overrides, labels)),
            entries: OnceCell::new(),
        });
        let of_set = all.entry(name.clone()).or_default();
        of_set.push((variation, Rc::clone(&rendering)));
        rendering
    }
}

impl Rendering {
    /// The keys that `set`, which it is of, publishes.
    pub(super) fn entries(&self, set: &ConfigSet) -> &Entries {
        self.entries
            .get_or_init(|| render::entries(&set.publish, &self.contents).map(Arc::new))
    }
}
