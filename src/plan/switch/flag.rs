//! Flags switched by hand.

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Ground, Switch, SwitchError, Switched, not_declared};
use crate::model::{
    Cause, ConfigSet, Flag, FlagName, FlagOverride, Limit, OverrideError, Selector, SetName, Stamp,
};
use crate::plan::explain::{ValueSource, source_of_flag};

/// A change of one flag by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FlagChange {
    /// The set.
    pub set: SetName,
    /// The flag.
    pub flag: FlagName,
    /// What it should be.
    pub to: FlagPosition,
    /// In which clusters; `None`: everywhere, and when it is unset wherever it is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clusters: Option<Selector>,
}

/// What a flag is switched to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum FlagPosition {
    /// It is held at a variant, whatever its targeting says.
    Held {
        /// Which one.
        at: Wanted,
        /// For how long; `None`: until it is unset.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<Limit>,
    },
    /// What is declared holds again.
    Declared,
}

/// The variant that is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Wanted {
    /// That of a boolean flag with this value.
    Boolean(bool),
    /// The one with this name.
    Variant(String),
}

impl Switch for FlagChange {
    fn set(&self) -> &SetName {
        &self.set
    }

    fn clusters(&self) -> Option<&Selector> {
        match &self.to {
            FlagPosition::Held { .. } => self.clusters.as_ref(),
            FlagPosition::Declared => None,
        }
    }

    fn needs_reason(&self) -> bool {
        true
    }

    fn switch(&self, ground: &Ground<'_>, stamp: Stamp) -> Result<Switched, SwitchError> {
        let flag = self.declared(ground.set)?;
        match &self.to {
            FlagPosition::Held { at, limit } => {
                let variant = self.variant(flag, at)?;
                self.hold(ground, variant, *limit, stamp)
            }
            FlagPosition::Declared => self.unset(ground),
        }
    }
}

impl FlagChange {
    /// The flag, as it is declared.
    fn declared<'s>(&self, set: &'s ConfigSet) -> Result<&'s Flag, SwitchError> {
        let names = set.flags.keys();
        set.flags
            .get(&self.flag)
            .ok_or_else(|| not_declared(&self.set, "flag", self.flag.as_str(), names))
    }

    /// The name of the variant that is wanted.
    fn variant(&self, flag: &Flag, wanted: &Wanted) -> Result<String, SwitchError> {
        let variants = || flag.variants.keys().cloned().collect();
        match wanted {
            Wanted::Boolean(on) => {
                let found = flag.variant_of(&Value::Bool(*on));
                let found = found.ok_or_else(|| SwitchError::NotBoolean {
                    set: self.set.clone(),
                    flag: self.flag.clone(),
                    variants: variants(),
                })?;
                Ok(found.to_owned())
            }
            Wanted::Variant(name) if flag.variants.contains_key(name) => Ok(name.clone()),
            Wanted::Variant(name) => Err(SwitchError::NoVariant {
                flag: self.flag.clone(),
                wanted: name.clone(),
                variants: variants(),
            }),
        }
    }

    fn hold(
        &self,
        ground: &Ground<'_>,
        variant: String,
        limit: Option<Limit>,
        stamp: Stamp,
    ) -> Result<Switched, SwitchError> {
        let limit = ground.ahead(limit)?;
        let ends = limit.map(|limit| limit.ends(stamp.since, SignedDuration::ZERO, ground.witness));
        let (until, counted) = match ends {
            Some((until, counted)) => (Some(until), counted),
            None => (None, None),
        };
        let clusters = ground.chosen(self.clusters.as_ref())?;
        let mut switched = Switched {
            overrides: ground.overrides.clone(),
            cause: Cause::Flag {
                flag: self.flag.clone(),
                to: Some(variant.clone()),
            },
            note: None,
            until,
        };
        let last = ground.overrides.flags.iter();
        let same = last
            .rev()
            .find(|it| it.flag == self.flag)
            .is_some_and(|it| {
                (&it.variant, &it.clusters, it.until) == (&variant, &clusters, until)
            });
        if same {
            let part = self.part();
            switched.note = Some(format!("{part} is held at `{variant}` already"));
            return Ok(switched);
        }
        switched.note = self.beneath(ground, &clusters);
        let held = FlagOverride {
            flag: self.flag.clone(),
            variant,
            clusters,
            stamp,
            until,
            counted,
        };
        let done = switched.overrides.hold_flag(held);
        done.map_err(|error| self.refused(error))?;
        Ok(switched)
    }

    fn unset(&self, ground: &Ground<'_>) -> Result<Switched, SwitchError> {
        let mut switched = Switched {
            overrides: ground.overrides.clone(),
            cause: Cause::Flag {
                flag: self.flag.clone(),
                to: None,
            },
            note: None,
            until: None,
        };
        if !ground.overrides.flags.iter().any(|it| it.flag == self.flag) {
            switched.note = Some(format!("{} is not overridden", self.part()));
            return Ok(switched);
        }
        let clusters = self.clusters.as_ref();
        let done = switched.overrides.unset_flag(&self.flag, clusters);
        done.map_err(|error| self.refused(error))?;
        Ok(switched)
    }

    /// That an open breaker lies above what is set, if one does.
    fn beneath(&self, ground: &Ground<'_>, chosen: &Selector) -> Option<String> {
        let name = &self.flag;
        let mut here = (ground.here()).filter(|(_, cluster)| chosen.matches(&cluster.labels));
        here.find_map(|(_, cluster)| {
            match source_of_flag(ground.set, ground.overrides, &cluster.labels, name) {
                ValueSource::Breaker { breaker, .. } => Some(format!(
                    "breaker {breaker} is open and holds {name}; what is set here counts once it \
                     closes"
                )),
                _ => None,
            }
        })
    }

    fn part(&self) -> String {
        format!("{}/{}", self.set, self.flag)
    }

    fn refused(&self, error: OverrideError) -> SwitchError {
        SwitchError::Override {
            error,
            part: self.part(),
            kind: "flag",
        }
    }
}
