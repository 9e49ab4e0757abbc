//! Immutable versions of resources, and how they came to be.

use std::collections::BTreeSet;
use std::fmt;
use std::num::NonZeroU64;
use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    BreakerName, Cluster, ConfigSet, Consent, FlagName, Grant, Labels, Overrides, Provenance,
    ResourceKind,
};

/// The number of a revision: 1, 2, 3 … per resource; it only grows.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Version(NonZeroU64);

impl Version {
    /// The first revision of anything.
    pub const FIRST: Self = Self(NonZeroU64::MIN);

    /// The version with this number; zero is none.
    pub fn new(number: u64) -> Option<Self> {
        NonZeroU64::new(number).map(Self)
    }

    /// The number.
    pub fn get(self) -> u64 {
        self.0.get()
    }

    /// The version after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// One immutable version of a resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Revision {
    /// Its number.
    pub version: Version,
    /// Who made it, when and why.
    pub origin: Origin,
    /// What is declared.
    pub content: Content,
    /// What was changed at runtime on top of it; only sets have any.
    #[serde(default, skip_serializing_if = "Overrides::is_empty")]
    pub overrides: Overrides,
    /// Where it was written, if it came from files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Provenance>,
}

/// What a revision says. The tombstone keeps versions growing when a name is used again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Content {
    /// A cluster.
    Cluster(Cluster),
    /// A grant.
    Grant(Grant),
    /// A set. It is shared: what is declared becomes what is planned, committed and shown.
    Set(Arc<ConfigSet>),
    /// The resource was deleted.
    Deleted,
}

impl From<ConfigSet> for Content {
    fn from(set: ConfigSet) -> Self {
        Self::Set(Arc::new(set))
    }
}

impl Content {
    /// The kind of resource that can have it; none: any.
    pub fn kind(&self) -> Option<ResourceKind> {
        match self {
            Self::Cluster(_) => Some(ResourceKind::Cluster),
            Self::Grant(_) => Some(ResourceKind::Grant),
            Self::Set(_) => Some(ResourceKind::Set),
            Self::Deleted => None,
        }
    }

    /// The set, if this is one that exists.
    pub fn set(&self) -> Option<&ConfigSet> {
        match self {
            Self::Set(set) => Some(set),
            Self::Cluster(_) | Self::Grant(_) | Self::Deleted => None,
        }
    }

    /// The cluster, if this is one that exists.
    pub fn cluster(&self) -> Option<&Cluster> {
        match self {
            Self::Cluster(cluster) => Some(cluster),
            Self::Set(_) | Self::Grant(_) | Self::Deleted => None,
        }
    }

    /// The grant, if this is one that exists.
    pub fn grant(&self) -> Option<&Grant> {
        match self {
            Self::Grant(grant) => Some(grant),
            Self::Set(_) | Self::Cluster(_) | Self::Deleted => None,
        }
    }

    /// The labels of a set or a cluster that exists.
    pub fn labels(&self) -> Option<&Labels> {
        match self {
            Self::Set(set) => Some(&set.labels),
            Self::Cluster(cluster) => Some(&cluster.labels),
            Self::Grant(_) | Self::Deleted => None,
        }
    }
}

/// Who, when, why and by what cause a revision came to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Origin {
    /// `user@host`, or what `CFGCTL_ACTOR` says.
    pub actor: String,
    /// When it was planned, by the clock of the machine that planned it.
    pub at: Timestamp,
    /// What made it.
    pub cause: Cause,
    /// The reason that a person gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What a person consented to, so that the gates let it pass.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub consents: BTreeSet<Consent>,
    /// Who planned it, where a saved plan was applied. It stays in the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned: Option<Planned>,
}

/// Who put down a plan that was applied later. As the file of the plan says it: whoever can write
/// the file can write this, so nothing is allowed or refused for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Planned {
    /// The actor then.
    pub by: String,
    /// When, by the clock of that machine.
    pub at: Timestamp,
}

impl Origin {
    /// What of it is delivered. Every cfgctl that meets a snapshot refuses fields that it does not
    /// know, so what came later than the format stays in the store.
    #[must_use]
    pub fn delivered(&self) -> Self {
        Self {
            planned: None,
            ..self.clone()
        }
    }
}

/// What made a revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Cause {
    /// Files were applied.
    Apply,
    /// The content of an older revision was taken again.
    Rollback {
        /// The revision whose content it is.
        to: Version,
    },
    /// A person deleted the resource.
    Delete,
    /// A flag was switched by hand.
    Flag {
        /// The flag.
        flag: FlagName,
        /// The variant that it is held at; `None`: what is declared holds again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<String>,
    },
    /// A breaker was operated.
    Breaker {
        /// The breaker.
        breaker: BreakerName,
        /// What was done to it.
        operation: Operation,
    },
    /// Alerts began to fire, or were resolved.
    Alert {
        /// The breakers that were tripped.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        tripped: BTreeSet<BreakerName>,
        /// The breakers that were closed.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        closed: BTreeSet<BreakerName>,
    },
    /// The time of overrides was over.
    Expiry,
}

/// What a person does to a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// It is opened.
    Trip,
    /// It is closed.
    Reset,
    /// It is opened, and stays so until a person resets it.
    Hold,
    /// It is closed, and trips are ignored.
    Disable,
    /// It can be tripped again.
    Enable,
}

impl Operation {
    /// The word for it, which is the command's too.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trip => "trip",
            Self::Reset => "reset",
            Self::Hold => "hold",
            Self::Disable => "disable",
            Self::Enable => "enable",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Apply => f.write_str("apply"),
            Self::Rollback { to } => write!(f, "rollback to {to}"),
            Self::Delete => f.write_str("delete"),
            Self::Flag {
                flag,
                to: Some(variant),
            } => write!(f, "flag {flag} set to {variant}"),
            Self::Flag { flag, to: None } => write!(f, "flag {flag} unset"),
            Self::Breaker { breaker, operation } => {
                write!(f, "breaker {breaker} {}", operation.as_str())
            }
            Self::Alert { tripped, closed } => {
                f.write_str("alert")?;
                let tripped = tripped.iter().map(|breaker| (breaker, Operation::Trip));
                let closed = closed.iter().map(|breaker| (breaker, Operation::Reset));
                for (index, (breaker, operation)) in tripped.chain(closed).enumerate() {
                    let before = if index == 0 { ":" } else { "," };
                    write!(f, "{before} breaker {breaker} {}", operation.as_str())?;
                }
                Ok(())
            }
            Self::Expiry => f.write_str("expiry"),
        }
    }
}
