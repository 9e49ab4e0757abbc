//! Breakers tripped, reset, held, disabled and enabled.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ground, Switch, SwitchError, Switched, not_declared};
use crate::model::{
    Breaker, BreakerName, Cause, Limit, Operation, OverrideError, Overrides, Selector, SetName,
    Stamp, TripRequest, Tripped,
};

/// What is done to one breaker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BreakerChange {
    /// The set.
    pub set: SetName,
    /// The breaker.
    pub breaker: BreakerName,
    /// What is done.
    pub operation: BreakerOperation,
}

/// What can be done to a breaker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum BreakerOperation {
    /// It is opened.
    Trip {
        /// In which clusters; `None`: everywhere.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        clusters: Option<Selector>,
        /// For how long; `None`: as the breaker declares.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<Limit>,
    },
    /// It is closed, whoever opened it.
    Reset {
        /// What was opened for exactly these clusters; `None`: all of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        clusters: Option<Selector>,
    },
    /// It is opened, and stays so until a person resets it.
    Hold {
        /// In which clusters; `None`: everywhere.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        clusters: Option<Selector>,
    },
    /// It is closed, and trips are ignored.
    Disable,
    /// It can be tripped again.
    Enable,
}

impl BreakerOperation {
    /// What the history calls it.
    pub fn word(&self) -> Operation {
        match self {
            Self::Trip { .. } => Operation::Trip,
            Self::Reset { .. } => Operation::Reset,
            Self::Hold { .. } => Operation::Hold,
            Self::Disable => Operation::Disable,
            Self::Enable => Operation::Enable,
        }
    }
}

impl Switch for BreakerChange {
    fn set(&self) -> &SetName {
        &self.set
    }

    fn clusters(&self) -> Option<&Selector> {
        match &self.operation {
            BreakerOperation::Trip { clusters, .. } | BreakerOperation::Hold { clusters } => {
                clusters.as_ref()
            }
            BreakerOperation::Reset { .. }
            | BreakerOperation::Disable
            | BreakerOperation::Enable => None,
        }
    }

    /// Whoever opens a breaker at night has no time for words.
    fn needs_reason(&self) -> bool {
        false
    }

    fn switch(&self, ground: &Ground<'_>, stamp: Stamp) -> Result<Switched, SwitchError> {
        let declared = ground.set.breakers.get(&self.breaker).ok_or_else(|| {
            let names = ground.set.breakers.keys();
            not_declared(&self.set, "breaker", self.breaker.as_str(), names)
        })?;
        let mut switched = Switched {
            overrides: ground.overrides.clone(),
            cause: Cause::Breaker {
                breaker: self.breaker.clone(),
                operation: self.operation.word(),
            },
            note: None,
            until: None,
        };
        let (name, part) = (&self.breaker, self.part());
        let overrides = &mut switched.overrides;
        let note = match &self.operation {
            BreakerOperation::Trip { clusters, limit } => {
                let clusters = Self::separable(ground, declared, clusters.as_ref())?;
                let limit = ground.ahead(*limit)?;
                let request = TripRequest {
                    clusters,
                    stamp,
                    keeping: ground.clocks.keeping,
                    witness: ground.witness,
                    limit,
                };
                let (note, until) = self.trip(overrides, declared, request)?;
                switched.until = until;
                note
            }
            BreakerOperation::Reset { clusters } => {
                if overrides.openings.iter().any(|it| it.breaker == *name) {
                    let reset = overrides.reset(name, clusters.as_ref());
                    reset.map_err(|error| self.refused(error))?;
                    format!("{part} closes")
                } else {
                    format!("{part} is not open")
                }
            }
            BreakerOperation::Hold { clusters } => {
                let clusters = Self::separable(ground, declared, clusters.as_ref())?;
                let held = overrides.hold_open(name, clusters, stamp);
                held.map_err(|error| self.refused(error))?;
                format!("{part} stays open until a person resets it")
            }
            BreakerOperation::Disable => {
                let disabled = overrides.disable(name, stamp);
                disabled.map_err(|error| self.refused(error))?;
                format!("{part} is closed, and trips of it are ignored")
            }
            BreakerOperation::Enable => {
                overrides.enable(name);
                format!("{part} can be tripped")
            }
        };
        switched.note = Some(note);
        Ok(switched)
    }
}

impl BreakerChange {
    /// What a person should know about a trip, and until when it lasts.
    fn trip(
        &self,
        overrides: &mut Overrides,
        declared: &Breaker,
        request: TripRequest,
    ) -> Result<(String, Option<Timestamp>), SwitchError> {
        let (since, witness, limit) = (request.stamp.since, request.witness, request.limit);
        let clusters = request.clusters.clone();
        let tripped = overrides.trip(&self.breaker, declared, request);
        let tripped = tripped.map_err(|error| self.refused(error))?;
        let mut openings = overrides.openings.iter();
        let opening = openings.find(|it| it.breaker == self.breaker && it.clusters == clusters);
        let until = opening.and_then(|opening| opening.until);
        let mut note = tripped_note(tripped, &self.part(), declared);
        match tripped {
            Tripped::Extended if until.is_none() => note.push_str(", until a person resets it"),
            Tripped::AlreadyOpen | Tripped::Raised if limit.is_some() => {
                note.push_str("; it lasts for longer than that, and the limit changes nothing");
            }
            _ => {}
        }
        let ends = |least| limit.map(|limit: Limit| limit.ends(since, least, witness).0);
        let least = declared.min_open.unwrap_or_default();
        if ends(least) != ends(SignedDuration::ZERO) {
            _ = write!(note, "; it stays open for {least:#} at the least");
        }
        Ok((note, until))
    }

    /// The clusters that are asked for, which may be opened without the others.
    fn separable(
        ground: &Ground<'_>,
        declared: &Breaker,
        clusters: Option<&Selector>,
    ) -> Result<Selector, SwitchError> {
        let clusters = ground.chosen(clusters)?;
        if clusters.is_empty() || declared.separately.is_empty() {
            return Ok(clusters);
        }
        let here = ground.here().filter(|(_, cluster)| {
            clusters.matches(&cluster.labels) && !declared.separately.matches(&cluster.labels)
        });
        let together: Vec<String> = here.map(|(name, _)| name.to_string()).collect();
        if together.is_empty() {
            return Ok(clusters);
        }
        Err(SwitchError::NotSeparable {
            together,
            separately: declared.separately.clone(),
        })
    }

    fn part(&self) -> String {
        format!("{}/{}", self.set, self.breaker)
    }

    fn refused(&self, error: OverrideError) -> SwitchError {
        SwitchError::Override {
            error,
            part: self.part(),
            kind: "breaker",
        }
    }
}

fn tripped_note(tripped: Tripped, breaker: &str, declared: &Breaker) -> String {
    match tripped {
        Tripped::Opened => match &declared.description {
            Some(description) => format!("{breaker}: {description}"),
            None => format!("{breaker} opens"),
        },
        Tripped::Latched => format!(
            "{breaker} was tripped more than {} times within an hour: it stays open until a \
             person resets it",
            declared.max_trips_per_hour.unwrap_or_default()
        ),
        Tripped::Extended => format!("{breaker} is open already, and stays so for longer"),
        Tripped::Raised => {
            format!("{breaker} is open already, and lies on top of the others from now on")
        }
        Tripped::AlreadyOpen => format!("{breaker} is open already"),
        Tripped::Ignored => {
            format!("{breaker} is disabled: the trip is recorded, and changes nothing")
        }
    }
}
