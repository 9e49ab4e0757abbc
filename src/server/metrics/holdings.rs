//! What the store holds of sets, as text: the same at every server over one store.

use std::collections::BTreeMap;
use std::fmt::Error;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, prometheus_text};

use super::family::{Family, registry};
use crate::api::SetFigures;
use crate::model::SetName;

/// Sets, as they are written.
#[derive(Debug)]
struct Held(Arc<BTreeMap<SetName, SetFigures>>);

/// What there is to tell of these sets.
pub(super) fn held(sets: &Arc<BTreeMap<SetName, SetFigures>>) -> Result<String, Error> {
    let mut text = String::new();
    prometheus_text::encode(&mut text, &registry(Held(Arc::clone(sets))))?;
    Ok(text)
}

impl Collector for Held {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = "The version of a set that a cluster should hold.";
        let mut versions = Family::gauge(&mut encoder, "set_version", help)?;
        for (set, figures) in self.0.iter() {
            #[expect(clippy::cast_precision_loss, reason = "a sample is a float")]
            let version = figures.version.get() as f64;
            for cluster in &figures.clusters {
                let labels = [("set", set.as_str()), ("cluster", cluster.as_str())];
                versions.value(labels, version)?;
            }
        }
        let help = "How a breaker stands in a cluster, in the numbers of resilience4j: \
            0 closed, 1 open, 3 disabled, 4 forced open.";
        let mut breakers = Family::gauge(&mut encoder, "breaker_state", help)?;
        for (set, figures) in self.0.iter() {
            for (breaker, states) in &figures.breakers {
                for (cluster, state) in figures.clusters.iter().zip(states) {
                    let labels = [
                        ("set", set.as_str()),
                        ("breaker", breaker.as_str()),
                        ("cluster", cluster.as_str()),
                    ];
                    breakers.value(labels, state.number().into())?;
                }
            }
        }
        Ok(())
    }
}
