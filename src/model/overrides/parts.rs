//! The words of what is switched by hand.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{BreakerName, FlagName, Selector};

/// The most flags, and the most breakers, that may be switched by hand in one set; people have a
/// handful.
pub(super) const MAX_OVERRIDES: usize = 256;

/// Who did it, when and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Stamp {
    /// `user@host`, or what `CFGCTL_ACTOR` says.
    pub actor: String,
    /// Since when.
    pub since: Timestamp,
    /// Why, if it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A flag that is held at a variant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FlagOverride {
    /// The flag.
    pub flag: FlagName,
    /// The variant.
    pub variant: String,
    /// Where; empty: everywhere.
    #[serde(default, skip_serializing_if = "Selector::is_empty")]
    pub clusters: Selector,
    /// Who holds it.
    pub stamp: Stamp,
    /// Until when; `None`: until it is unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// How `until` was counted; `None`: a person named the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<Counted>,
}

/// A breaker that is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Opening {
    /// The breaker.
    pub breaker: BreakerName,
    /// Where; empty: everywhere.
    #[serde(default, skip_serializing_if = "Selector::is_empty")]
    pub clusters: Selector,
    /// What can close it.
    #[serde(default, skip_serializing_if = "Grip::is_loose")]
    pub grip: Grip,
    /// Who opened it.
    pub stamp: Stamp,
    /// When it closes by itself; `None`: it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// How `until` was counted; `None`: a person named the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<Counted>,
    /// Whether the alerts that opened it still fire; `None`: a person opened it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alerts: Option<AlertState>,
}

impl Opening {
    /// Lets only a person close it from now on.
    pub(super) fn latch(&mut self) {
        if self.grip == Grip::Loose {
            self.grip = Grip::Latched;
        }
        (self.until, self.counted) = (None, None);
    }

    /// When it is over, if a time is all that it waits for.
    pub fn ends(&self) -> Option<Timestamp> {
        match self.alerts {
            Some(AlertState::Firing) => None,
            Some(AlertState::Resolved) | None => self.until,
        }
    }
}

/// Whether any of the alerts that opened a breaker still fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum AlertState {
    /// One does: no time limit closes it.
    Firing,
    /// None does.
    Resolved,
}

/// How long something lasts from when it was set. A clock that was wrong then is found out by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Counted {
    /// From a time that was confirmed as far as anyone could.
    Confirmed(SignedDuration),
    /// From the time of one machine, while nobody answered who could have confirmed it.
    Alone(SignedDuration),
}

/// Who confirms what time it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Witness {
    /// A cluster that answers; or there is none that could, and one machine's clock is all there is.
    Present,
    /// No cluster that could tell the time answers.
    Missing,
}

/// For how long something is to be switched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Limit {
    /// So long from now on.
    For(SignedDuration),
    /// Until then.
    Until(Timestamp),
}

impl Limit {
    /// When it is over, at least `least` from `now` on, and how that was counted.
    pub fn ends(
        self,
        now: Timestamp,
        least: SignedDuration,
        witness: Witness,
    ) -> (Timestamp, Option<Counted>) {
        let from_now = |lasts: SignedDuration| {
            let counted = match witness {
                Witness::Present => Counted::Confirmed(lasts),
                Witness::Missing => Counted::Alone(lasts),
            };
            (after(now, lasts), Some(counted))
        };
        match self {
            Self::For(lasts) => from_now(lasts.max(least)),
            Self::Until(until) if least.is_positive() && until < after(now, least) => {
                from_now(least)
            }
            Self::Until(until) => (until, None),
        }
    }
}

/// So long after `now`; no clock is so wrong that this is no limit.
pub(super) fn after(now: Timestamp, lasts: SignedDuration) -> Timestamp {
    now.checked_add(lasts).unwrap_or(Timestamp::MAX)
}

/// What can close an open breaker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Grip {
    /// A person, its time limit, and the alerts that opened it.
    #[default]
    Loose,
    /// Only a person: it was tripped too often.
    Latched,
    /// Only a person: one holds it open.
    Forced,
}

impl Grip {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde calls it with a reference"
    )]
    fn is_loose(&self) -> bool {
        *self == Self::Loose
    }
}

/// The state of a breaker in one cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BreakerState {
    /// Nothing is changed.
    Closed,
    /// What it declares is in force.
    Open,
    /// The same, and a person holds it so.
    ForcedOpen,
    /// Nothing is changed, and trips are recorded and ignored.
    Disabled,
}

impl BreakerState {
    /// The number that resilience4j gives this state in its metrics; see
    /// <https://resilience4j.readme.io/docs/micrometer>.
    pub fn number(self) -> u8 {
        match self {
            Self::Closed => 0,
            Self::Open => 1,
            Self::Disabled => 3,
            Self::ForcedOpen => 4,
        }
    }

    /// The word for it, in tables and documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::ForcedOpen => "forced-open",
            Self::Disabled => "disabled",
        }
    }
}

/// A trip that somebody asks for.
#[derive(Clone, Debug)]
pub struct TripRequest {
    /// Where; empty: everywhere.
    pub clusters: Selector,
    /// Who trips it, when and why.
    pub stamp: Stamp,
    /// By which time earlier trips are forgotten, which is not later than that of the stamp.
    pub keeping: Timestamp,
    /// Who confirms these times.
    pub witness: Witness,
    /// For how long; `None`: as the breaker declares.
    pub limit: Option<Limit>,
}

/// What became of a trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tripped {
    /// The breaker is open now.
    Opened,
    /// It was tripped too often within an hour: open until a person resets it.
    Latched,
    /// It was open already, and now stays so for longer.
    Extended,
    /// It was open already for at least as long, and lies on top of others from now on.
    Raised,
    /// It was open already for at least as long.
    AlreadyOpen,
    /// It is disabled: the trip is recorded, and changes nothing.
    Ignored,
}

/// Why overrides cannot be changed as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverrideError {
    /// The set has as many as it may have.
    #[error("the set has {MAX_OVERRIDES} of them, which is the limit; reset or unset some")]
    TooMany,
    /// Nothing is overridden.
    #[error("`{0}` is not overridden")]
    NotOverridden(String),
    /// Something is overridden, but not in exactly these clusters.
    #[error("`{name}` is overridden, but for {}", .elsewhere.join(" and for "))]
    Elsewhere {
        /// What is overridden.
        name: String,
        /// Where, as selectors; each must be named as it is.
        elsewhere: Vec<String>,
    },
}

/// Something of a set that can be overridden.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// A flag.
    Flag(FlagName),
    /// A breaker.
    Breaker(BreakerName),
}

impl Part {
    /// The name without its kind.
    pub fn name(&self) -> &str {
        match self {
            Self::Flag(name) => name.as_str(),
            Self::Breaker(name) => name.as_str(),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "flag `{name}`"),
            Self::Breaker(name) => write!(f, "breaker `{name}`"),
        }
    }
}
