//! What a set says in one cluster: defaults, layers, and what was switched at runtime.

use std::collections::BTreeMap;

use crate::model::value;
use crate::model::{BreakerName, ConfigSet, Contents, Flag, FlagName, Labels, Layer, Overrides};

/// What `set` says where `labels` are, while `overrides` are in force.
///
/// From below: the defaults, each layer that matches, and each open breaker in the order in which
/// they were tripped, so that of two breakers that set the same key the one tripped last wins. A
/// flag is what is declared, below what a person set it to, below what an open breaker holds it at:
/// a breaker is the emergency.
pub fn contents(set: &ConfigSet, overrides: &Overrides, labels: &Labels) -> Contents {
    let mut flags = set.flags.clone();
    for (name, flag) in &mut flags {
        if let Some(found) = overrides.of_flag(name, labels)
            && flag.variants.contains_key(&found.variant)
        {
            *flag = flag.held_at(&found.variant);
        }
    }
    let layers = set.layers.iter();
    let layers = layers.filter(|layer| layer.when.matches(labels));
    let open: Vec<&BreakerName> = (overrides.open_in(labels))
        .map(|opening| &opening.breaker)
        .collect();
    let breakers = set.breakers.keys();
    Contents {
        breakers: breakers
            .map(|name| (name.clone(), overrides.status(name, labels)))
            .collect(),
        ..laid_over(set, flags, layers, &open)
    }
}

/// What [`contents`] follows from in a cluster, beside the set and its overrides: where it is equal,
/// they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Variation {
    /// Of each layer, whether it matches.
    layers: Vec<bool>,
    /// What overrides may ask for; nothing where there are none.
    labels: Option<Labels>,
}

impl Variation {
    pub(crate) fn of(set: &ConfigSet, overrides: &Overrides, labels: &Labels) -> Self {
        let layers = set.layers.iter();
        Self {
            layers: layers.map(|layer| layer.when.matches(labels)).collect(),
            labels: (!overrides.is_empty()).then(|| labels.clone()),
        }
    }
}

/// The defaults with these layers and open breakers laid over them.
pub(crate) fn layered<'a>(
    set: &ConfigSet,
    layers: impl IntoIterator<Item = &'a Layer>,
    open: &[&BreakerName],
) -> Contents {
    laid_over(set, set.flags.clone(), layers, open)
}

fn laid_over<'a>(
    set: &ConfigSet,
    mut flags: BTreeMap<FlagName, Flag>,
    layers: impl IntoIterator<Item = &'a Layer>,
    open: &[&BreakerName],
) -> Contents {
    let mut values = set.values.clone();
    for layer in layers {
        value::merge(&mut values, &layer.values);
    }
    for trip in open
        .iter()
        .filter_map(|name| Some(&set.breakers.get(*name)?.trip))
    {
        value::merge(&mut values, &trip.values);
        for (name, choice) in &trip.flags {
            if let Some(flag) = flags.get_mut(name)
                && let Some(variant) = choice.of(flag)
            {
                *flag = flag.held_at(variant);
            }
        }
    }
    Contents {
        values,
        flags,
        breakers: BTreeMap::new(),
    }
}
