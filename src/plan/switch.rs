//! Switches: what becomes of the overrides of one set when a flag or a breaker is switched.
//!
//! Pure: what is declared, what is overridden, the clusters and the time are handed in, so the same
//! change can be made again on top of what others commit meanwhile.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::{
    Cause, Clocks, Cluster, ClusterName, ConfigSet, Connection, FlagName, Limit, OverrideError,
    Overrides, Selector, SetName, Stamp, Witness,
};

mod alert;
mod breaker;
mod flag;

pub use alert::{AlertEffect, AlertTold, Alerted, alerted};
pub use breaker::{BreakerChange, BreakerOperation};
pub use flag::{FlagChange, FlagPosition, Wanted};

/// What a switch starts from, each time that it is made.
#[derive(Debug)]
pub struct Ground<'a> {
    /// The set.
    pub name: &'a SetName,
    /// What is declared.
    pub set: &'a ConfigSet,
    /// What is overridden now.
    pub overrides: &'a Overrides,
    /// Every cluster.
    pub clusters: &'a BTreeMap<&'a ClusterName, &'a Cluster>,
    /// What time it is.
    pub clocks: Clocks,
    /// Who confirms it.
    pub witness: Witness,
}

impl<'a> Ground<'a> {
    /// The set as it is declared and overridden, at the time that `clocks` tell.
    pub fn new(
        name: &'a SetName,
        set: &'a ConfigSet,
        overrides: &'a Overrides,
        clusters: &'a BTreeMap<&'a ClusterName, &'a Cluster>,
        clocks: Clocks,
    ) -> Self {
        Self {
            name,
            set,
            overrides,
            clusters,
            witness: witness(Some(set), clusters, &clocks),
            clocks,
        }
    }

    /// The clusters that get the set.
    pub fn here(&self) -> impl Iterator<Item = (&'a ClusterName, &'a Cluster)> {
        let declared = &self.set.clusters;
        let all = self
            .clusters
            .iter()
            .map(|(name, cluster)| (*name, *cluster));
        all.filter(|(_, cluster)| declared.matches(&cluster.labels))
    }

    /// The clusters that are asked for, of which the set has at least one if any were named.
    fn chosen(&self, clusters: Option<&Selector>) -> Result<Selector, SwitchError> {
        let Some(chosen) = clusters else {
            return Ok(Selector::default());
        };
        if self.here().any(|(_, it)| chosen.matches(&it.labels)) {
            return Ok(chosen.clone());
        }
        Err(SwitchError::NoCluster(chosen.clone()))
    }

    /// A time that is over by any clock in doubt is not over yet.
    fn ahead(&self, limit: Option<Limit>) -> Result<Option<Limit>, SwitchError> {
        match limit {
            Some(Limit::Until(until)) if until <= self.clocks.keeping => Err(SwitchError::Over {
                until,
                now: self.clocks.keeping,
            }),
            limit => Ok(limit),
        }
    }
}

/// Who confirms what time it is where `set` goes: one of its Consuls, if it goes to any.
pub fn witness(
    set: Option<&ConfigSet>,
    clusters: &BTreeMap<&ClusterName, &Cluster>,
    clocks: &Clocks,
) -> Witness {
    let in_consuls = clusters.values().any(|cluster| {
        matches!(cluster.connection, Connection::Consul(_))
            && set.is_some_and(|set| set.clusters.matches(&cluster.labels))
    });
    if in_consuls && clocks.witnesses() == 0 {
        Witness::Missing
    } else {
        Witness::Present
    }
}

/// What should be overridden from now on.
#[derive(Clone, Debug, PartialEq)]
pub struct Switched {
    /// All of it.
    pub overrides: Overrides,
    /// How the history names it.
    pub cause: Cause,
    /// What a person should know about it.
    pub note: Option<String>,
    /// Until when it lasts by itself.
    pub until: Option<Timestamp>,
}

/// Why a switch cannot be made. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SwitchError {
    /// The set declares no such flag or breaker.
    #[error("{set} has no {kind} `{name}`")]
    NotDeclared {
        /// The set.
        set: SetName,
        /// `flag` or `breaker`.
        kind: &'static str,
        /// What was named.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The flag has no variant with this boolean value.
    #[error("`{flag}` is not a boolean flag")]
    NotBoolean {
        /// The set.
        set: SetName,
        /// The flag.
        flag: FlagName,
        /// Its variants.
        variants: Vec<String>,
    },
    /// The flag has no such variant.
    #[error("`{flag}` has no variant `{}`", wanted.escape_debug())]
    NoVariant {
        /// The flag.
        flag: FlagName,
        /// What was named.
        wanted: String,
        /// Its variants.
        variants: Vec<String>,
    },
    /// The clusters that were named do not get the set.
    #[error("`{0}` matches no cluster that gets the set")]
    NoCluster(Selector),
    /// The breaker has to be tripped in other clusters together with these.
    #[error("it may not be tripped alone in {}: only in clusters with `{separately}`", together.join(", "))]
    NotSeparable {
        /// The clusters that were named and may not stand alone.
        together: Vec<String>,
        /// Which may.
        separately: Selector,
    },
    /// The time is over already.
    #[error("{until} is over already")]
    Over {
        /// What was named.
        until: Timestamp,
        /// What time it is.
        now: Timestamp,
    },
    /// What is overridden does not allow it.
    #[error("{error}")]
    Override {
        /// Why not.
        error: OverrideError,
        /// The flag or breaker, as `SET/NAME`.
        part: String,
        /// `flag` or `breaker`.
        kind: &'static str,
    },
}

/// A change of what is overridden in one set.
pub trait Switch: Sync {
    /// The set.
    fn set(&self) -> &SetName;

    /// The clusters that are chosen for it; `None`: all, or those that it was done for before.
    fn clusters(&self) -> Option<&Selector>;

    /// Whether nobody may do it without saying why.
    fn needs_reason(&self) -> bool;

    /// What follows from it on `ground`, by whoever `stamp` names.
    fn switch(&self, ground: &Ground<'_>, stamp: Stamp) -> Result<Switched, SwitchError>;
}

fn not_declared<'n, N: ToString + 'n>(
    set: &SetName,
    kind: &'static str,
    name: &str,
    known: impl Iterator<Item = &'n N>,
) -> SwitchError {
    SwitchError::NotDeclared {
        set: set.clone(),
        kind,
        name: name.to_owned(),
        known: known.map(ToString::to_string).collect(),
    }
}
