//! What is switched by hand in one cluster.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::explain::Held;
use crate::model::{BreakerName, BreakerState, ConfigSet, FlagName, Labels, Overrides};

/// One thing that is not as it is declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", untagged)]
pub enum Hold {
    /// A flag is held at a variant.
    Flag {
        /// The flag.
        flag: FlagName,
        /// The variant.
        variant: String,
        /// Who holds it.
        held: Held,
    },
    /// A breaker is open, or disabled.
    Breaker {
        /// The breaker.
        breaker: BreakerName,
        /// Its state.
        state: BreakerState,
        /// Who brought it there.
        held: Held,
    },
}

/// Everything that is switched by hand in a set where `labels` are: breakers first, by name.
pub fn holds(set: &ConfigSet, overrides: &Overrides, labels: &Labels) -> Vec<Hold> {
    let breakers = set.breakers.keys().filter_map(|name| {
        let status = overrides.status(name, labels);
        Some(Hold::Breaker {
            breaker: name.clone(),
            state: status.state,
            held: Held {
                actor: status.actor?,
                since: status.since?,
                until: status.until,
                reason: status.reason,
            },
        })
    });
    let flags = set.flags.keys().filter_map(|name| {
        let found = overrides.of_flag(name, labels)?;
        Some(Hold::Flag {
            flag: name.clone(),
            variant: found.variant.clone(),
            held: Held::new(&found.stamp, found.until),
        })
    });
    breakers.chain(flags).collect()
}
