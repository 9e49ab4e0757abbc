//! `flags` and `breakers` of a set: what operators change at runtime.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use jiff::SignedDuration;
use serde_json::Value;

use super::super::node::{Entry, Kind};
use super::{Decoder, Fields};
use crate::model::value::Map;
use crate::model::{
    Breaker, BreakerName, Choice, Flag, FlagName, FlagState, MAX_TRIPS_PER_HOUR, Reset, Selector,
    Trip, check_label_key, parse_duration,
};

/// The fields of a flag in its long form, which are flagd's.
pub(super) const FLAG_FIELDS: &[&str] = &[
    "state",
    "variants",
    "defaultVariant",
    "targeting",
    "metadata",
];
/// The states of a flag.
const FLAG_STATES: &[&str] = &["ENABLED", "DISABLED"];
/// The fields of a breaker.
pub(super) const BREAKER_FIELDS: &[&str] = &[
    "description",
    "trip",
    "alerts",
    "cluster",
    "reset",
    "minOpen",
    "maxTripsPerHour",
    "separately",
];
/// The fields of `trip`.
pub(super) const TRIP_FIELDS: &[&str] = &["values", "flags"];
/// The fields of `reset` in its long form.
pub(super) const RESET_FIELDS: &[&str] = &["after"];
/// The words for `reset`.
const RESETS: &[&str] = &["manual", "on-resolve"];
/// The longest description and the longest label of an alert, in bytes.
const MAX_TEXT_BYTES: usize = 1000;

impl Decoder<'_, '_> {
    /// `flags` of a set.
    pub(super) fn flags(&mut self, entry: &Entry) -> Option<BTreeMap<FlagName, Flag>> {
        self.named(entry, Self::flag)
    }

    /// `breakers` of a set.
    pub(super) fn breakers(&mut self, entry: &Entry) -> Option<BTreeMap<BreakerName, Breaker>> {
        self.named(entry, Self::breaker)
    }

    /// A map from names to what they name.
    fn named<N: FromStr<Err: Display> + Ord, T>(
        &mut self,
        entry: &Entry,
        mut value: impl FnMut(&mut Self, &Entry) -> Option<T>,
    ) -> Option<BTreeMap<N, T>> {
        let fields = self.map(&entry.value, entry.at)?;
        let mut named = Some(BTreeMap::new());
        for entry in fields.entries {
            let name = entry.key.parse::<N>();
            if let Err(error) = &name {
                self.report("invalid-name", entry.at, error);
            }
            match (&mut named, name, value(self, entry)) {
                (Some(named), Ok(name), Some(value)) => _ = named.insert(name, value),
                _ => named = None,
            }
        }
        named
    }

    fn flag(&mut self, entry: &Entry) -> Option<Flag> {
        match &entry.value.kind {
            Kind::Scalar(Value::Bool(on)) => Some(Flag::boolean(*on)),
            Kind::Map(_) => {
                let fields = self.known_fields(&entry.value, entry.at, "a flag", FLAG_FIELDS)?;
                self.long_flag(fields)
            }
            _ => {
                let expected = "a boolean, or a flag of flagd";
                self.wrong_type(&entry.value, entry.at, expected);
                None
            }
        }
    }

    fn long_flag(&mut self, fields: Fields<'_>) -> Option<Flag> {
        let state = self.required(fields, "state");
        let state = state
            .and_then(|entry| self.one_of(entry, "state", FLAG_STATES))
            .map(|word| match word {
                "DISABLED" => FlagState::Disabled,
                _ => FlagState::Enabled,
            });
        let variants = self.required(fields, "variants");
        let variants = variants.and_then(|entry| self.values(entry));
        let default_variant = match fields.get("defaultVariant") {
            Some(entry) if !entry.value.is_null() => self.text(entry).map(|it| Some(it.to_owned())),
            _ => Some(None),
        };
        let targeting = match fields.get("targeting") {
            Some(entry) => self.values(entry).map(Some),
            None => Some(None),
        };
        let metadata = match fields.get("metadata") {
            Some(entry) => self.values(entry),
            None => Some(Map::new()),
        };
        Some(Flag {
            state: state?,
            variants: variants?.into_iter().collect(),
            default_variant: default_variant?,
            // An empty rule decides nothing, in flagd too.
            targeting: targeting?
                .filter(|rule| !rule.is_empty())
                .map(Value::Object),
            metadata: metadata?,
        })
    }

    fn breaker(&mut self, entry: &Entry) -> Option<Breaker> {
        let fields = self.known_fields(&entry.value, entry.at, "a breaker", BREAKER_FIELDS)?;
        let description = match fields.get("description") {
            Some(entry) => self.short_text(entry).map(Some),
            None => Some(None),
        };
        let trip = self.required(fields, "trip");
        let trip = trip.and_then(|entry| self.trip(entry));
        let alerts = match fields.get("alerts") {
            Some(entry) => self.alerts(entry),
            None => Some(BTreeMap::new()),
        };
        let cluster = match fields.get("cluster") {
            Some(entry) => self.label_of_cluster(entry, fields.get("alerts")).map(Some),
            None => Some(None),
        };
        let reset = match fields.get("reset") {
            Some(entry) => self.reset(entry),
            None => Some(Reset::default()),
        };
        let min_open = match fields.get("minOpen") {
            Some(entry) => self.lasting(entry).map(Some),
            None => Some(None),
        };
        let max_trips_per_hour = match fields.get("maxTripsPerHour") {
            Some(entry) => self.trips_per_hour(entry).map(Some),
            None => Some(None),
        };
        let separately = match fields.get("separately") {
            Some(entry) => self.selector(entry),
            None => Some(Selector::default()),
        };
        Some(Breaker {
            description: description?,
            trip: trip?,
            alerts: alerts?,
            cluster: cluster?,
            reset: reset?,
            min_open: min_open?,
            max_trips_per_hour: max_trips_per_hour?,
            separately: separately?,
        })
    }

    fn trip(&mut self, entry: &Entry) -> Option<Trip> {
        let fields = self.known_fields(&entry.value, entry.at, "`trip`", TRIP_FIELDS)?;
        let values = match fields.get("values") {
            Some(entry) => self.values(entry),
            None => Some(Map::new()),
        };
        let flags = match fields.get("flags") {
            Some(entry) => self.named(entry, Self::choice),
            None => Some(BTreeMap::new()),
        };
        Some(Trip {
            values: values?,
            flags: flags?,
        })
    }

    fn choice(&mut self, entry: &Entry) -> Option<Choice> {
        match &entry.value.kind {
            Kind::Scalar(Value::Bool(on)) => Some(Choice::Boolean(*on)),
            Kind::Scalar(Value::String(name)) => Some(Choice::Variant(name.clone())),
            _ => {
                let expected = "a boolean or the name of a variant";
                self.wrong_type(&entry.value, entry.at, expected);
                None
            }
        }
    }

    fn alerts(&mut self, entry: &Entry) -> Option<BTreeMap<String, String>> {
        let fields = self.map(&entry.value, entry.at)?;
        let mut alerts = Some(BTreeMap::new());
        for entry in fields.entries {
            let key = check_label_key(&entry.key);
            if let Err(error) = &key {
                self.report("invalid-label", entry.at, error);
            }
            match (&mut alerts, key, self.short_text(entry)) {
                (Some(alerts), Ok(()), Some(value)) => _ = alerts.insert(entry.key.clone(), value),
                _ => alerts = None,
            }
        }
        if fields.entries.is_empty() {
            let message = "alerts without a label would be every alert";
            self.report("invalid-alerts", entry.value.span, &message);
            return None;
        }
        alerts
    }

    /// The label of alerts that says where a breaker is tripped.
    fn label_of_cluster(&mut self, entry: &Entry, alerts: Option<&Entry>) -> Option<String> {
        let label = self.text(entry)?;
        if let Err(error) = check_label_key(label) {
            self.report("invalid-label", entry.value.span, &error);
            return None;
        }
        if alerts.is_none() {
            let message =
                "this is a label of the alerts that trip the breaker, and there are no `alerts`";
            self.report("invalid-alerts", entry.at, &message);
            return None;
        }
        Some(label.to_owned())
    }

    fn reset(&mut self, entry: &Entry) -> Option<Reset> {
        if let Kind::Map(_) = &entry.value.kind {
            let fields = self.known_fields(&entry.value, entry.at, "`reset`", RESET_FIELDS)?;
            let after = self.required(fields, "after")?;
            return self.lasting(after).map(Reset::After);
        }
        self.one_of(entry, "reset", RESETS).map(|word| match word {
            "on-resolve" => Reset::OnResolve,
            _ => Reset::Manual,
        })
    }

    /// A duration that is longer than nothing.
    fn lasting(&mut self, entry: &Entry) -> Option<SignedDuration> {
        let text = self.text(entry)?;
        let found = parse_duration(text);
        if found.is_none() {
            let message = "a duration is a number and a unit, such as `10m` or `2h`, up to a year";
            self.report("invalid-duration", entry.value.span, &message);
        }
        found
    }

    fn trips_per_hour(&mut self, entry: &Entry) -> Option<u32> {
        let Kind::Scalar(Value::Number(number)) = &entry.value.kind else {
            self.wrong_type(&entry.value, entry.at, "a number");
            return None;
        };
        let found = number
            .as_u64()
            .and_then(|number| u32::try_from(number).ok())
            .filter(|number| (1..=MAX_TRIPS_PER_HOUR).contains(number));
        if found.is_none() {
            let message = format!("this is a whole number from 1 to {MAX_TRIPS_PER_HOUR}");
            self.report("out-of-range", entry.value.span, &message);
        }
        found
    }

    fn short_text(&mut self, entry: &Entry) -> Option<String> {
        let text = self.text(entry)?;
        if text.len() > MAX_TEXT_BYTES {
            let message = format!("this text has more than {MAX_TEXT_BYTES} bytes");
            self.report("too-large", entry.value.span, &message);
            return None;
        }
        Some(text.to_owned())
    }
}
