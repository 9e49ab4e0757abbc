//! Runtime state of a set that is in no file: flags switched by hand, and breakers.
//!
//! Everything here is pure: what time it is, who acts and why is handed in. The order of the lists
//! is the order in which things happened, and what happened last lies on top, so that no clock
//! decides what a cluster gets.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::clocks::TOLERATED;
use super::{Breaker, BreakerName, BreakerStatus, ConfigSet, FlagName, Labels, Reset, Selector};

mod alerts;
mod parts;

pub use alerts::{Fired, LastGone};
pub use parts::{
    AlertState, BreakerState, Counted, FlagOverride, Grip, Limit, Opening, OverrideError, Part,
    Stamp, TripRequest, Tripped, Witness,
};

use parts::{MAX_OVERRIDES, after};

/// How far back trips are counted.
const TRIPS_ARE_COUNTED_FOR: SignedDuration = SignedDuration::from_hours(1);
/// The most trips that are remembered; no limit per hour is higher.
pub const MAX_TRIPS_PER_HOUR: u32 = 100;

/// Everything that was set at runtime and still is, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Overrides {
    /// Flags held at a variant; of several that match a cluster the last wins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<FlagOverride>,
    /// Open breakers; where several set the same key the last wins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub openings: Vec<Opening>,
    /// Breakers that are never open.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub disabled: BTreeMap<BreakerName, Stamp>,
    /// When each breaker was tripped within the last hour, ignored trips included.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub trips: BTreeMap<BreakerName, Vec<Timestamp>>,
}

/// The clusters of an override in words.
pub fn places(clusters: &Selector) -> String {
    if clusters.is_empty() {
        "all clusters".to_owned()
    } else {
        format!("`{clusters}`")
    }
}

impl Overrides {
    /// Whether there is nothing to remember.
    pub fn is_empty(&self) -> bool {
        let Self {
            flags,
            openings,
            disabled,
            trips,
        } = self;
        flags.is_empty() && openings.is_empty() && disabled.is_empty() && trips.is_empty()
    }

    /// The override that decides about `flag` where `labels` are.
    pub fn of_flag(&self, flag: &FlagName, labels: &Labels) -> Option<&FlagOverride> {
        self.flags
            .iter()
            .rfind(|it| it.flag == *flag && it.clusters.matches(labels))
    }

    /// The breakers that are open where `labels` are, in the order in which they were tripped: what
    /// a later one says lies on top.
    pub fn open_in<'a>(
        &'a self,
        labels: &'a Labels,
    ) -> impl DoubleEndedIterator<Item = &'a Opening> {
        self.openings
            .iter()
            .filter(|opening| opening.clusters.matches(labels))
    }

    /// How `breaker` stands where `labels` are. Of several openings there the one counts that lasts
    /// longest, or that a person holds.
    pub fn status(&self, breaker: &BreakerName, labels: &Labels) -> BreakerStatus {
        let status = |state, stamp: Option<&Stamp>, until| BreakerStatus {
            state,
            actor: stamp.map(|stamp| stamp.actor.clone()),
            since: stamp.map(|stamp| stamp.since),
            until,
            reason: stamp.and_then(|stamp| stamp.reason.clone()),
        };
        if let Some(stamp) = self.disabled.get(breaker) {
            return status(BreakerState::Disabled, Some(stamp), None);
        }
        let openings = self.open_in(labels).filter(|it| it.breaker == *breaker);
        let counts = |it: &&Opening| {
            let lasts = it.ends().unwrap_or(Timestamp::MAX);
            (it.grip == Grip::Forced, lasts)
        };
        match openings.max_by_key(counts) {
            None => status(BreakerState::Closed, None, None),
            Some(open) => {
                let state = match open.grip {
                    Grip::Forced => BreakerState::ForcedOpen,
                    Grip::Loose | Grip::Latched => BreakerState::Open,
                };
                status(state, Some(&open.stamp), open.ends())
            }
        }
    }

    /// Holds a flag at a variant, in place of an override for the same clusters.
    pub fn hold_flag(&mut self, wanted: FlagOverride) -> Result<(), OverrideError> {
        let same = |it: &FlagOverride| it.flag == wanted.flag && it.clusters == wanted.clusters;
        self.flags.retain(|it| !same(it));
        self.flags.push(wanted);
        self.bounded()
    }

    /// Takes back the overrides of a flag: all, or the one for exactly these clusters.
    pub fn unset_flag(
        &mut self,
        flag: &FlagName,
        clusters: Option<&Selector>,
    ) -> Result<(), OverrideError> {
        take_back(
            &mut self.flags,
            flag.as_str(),
            clusters,
            |it| it.flag == *flag,
            |it| &it.clusters,
        )
    }

    /// Trips the breaker that `declared` describes.
    pub fn trip(
        &mut self,
        name: &BreakerName,
        declared: &Breaker,
        request: TripRequest,
    ) -> Result<Tripped, OverrideError> {
        let TripRequest {
            clusters,
            stamp,
            keeping,
            witness,
            limit,
        } = request;
        let now = stamp.since;
        if self.disabled.contains_key(name) {
            self.count_trip(name, now, keeping);
            return Ok(Tripped::Ignored);
        }
        let (until, counted) = declared.ends(limit, now, witness);
        let is_there = |it: &Opening| it.breaker == *name && it.clusters == clusters;
        let same = |it: &&mut Opening| is_there(it) && it.alerts.is_none();
        if let Some(open) = self.openings.iter_mut().find(same) {
            let longer = open.grip == Grip::Loose
                && open
                    .until
                    .is_some_and(|old| until.is_none_or(|until| until > old));
            if longer {
                // It is open since then, and until a time for which someone else answers.
                let since = open.stamp.since;
                open.stamp = Stamp { since, ..stamp };
                open.until = until;
                open.counted = counted;
            }
            let raised = self.raise(name, &clusters);
            return Ok(match (longer, raised) {
                (true, _) => Tripped::Extended,
                (false, true) => Tripped::Raised,
                (false, false) => Tripped::AlreadyOpen,
            });
        }
        let opening = Opening {
            breaker: name.clone(),
            clusters,
            grip: Grip::Loose,
            stamp,
            until,
            counted,
            alerts: None,
        };
        // What alerts opened is open already; beside it stands from now on what a person wants.
        let is_open = self
            .openings
            .iter()
            .any(|it| it.breaker == opening.breaker && it.clusters == opening.clusters);
        if is_open {
            self.openings.push(opening);
            self.bounded()?;
            return Ok(Tripped::Extended);
        }
        self.open(opening, declared, keeping)
    }

    /// Adds a breaker that was closed there and opens, unless it does so too often: then only a person
    /// closes it again.
    fn open(
        &mut self,
        mut opening: Opening,
        declared: &Breaker,
        keeping: Timestamp,
    ) -> Result<Tripped, OverrideError> {
        let trips = self.count_trip(&opening.breaker, opening.stamp.since, keeping);
        let latches = declared
            .max_trips_per_hour
            .is_some_and(|most| trips > usize::try_from(most).unwrap_or(usize::MAX));
        if latches {
            opening.latch();
        }
        self.openings.push(opening);
        if let Err(error) = self.bounded() {
            self.openings.pop();
            return Err(error);
        }
        Ok(if latches {
            Tripped::Latched
        } else {
            Tripped::Opened
        })
    }

    /// Holds a breaker open until a person resets it. A disabled one is enabled by it.
    pub fn hold_open(
        &mut self,
        name: &BreakerName,
        clusters: Selector,
        stamp: Stamp,
    ) -> Result<(), OverrideError> {
        self.disabled.remove(name);
        let same = |it: &&mut Opening| it.breaker == *name && it.clusters == clusters;
        if let Some(open) = self.openings.iter_mut().find(same) {
            if open.grip != Grip::Forced {
                open.grip = Grip::Forced;
                open.stamp = stamp;
                open.until = None;
                open.counted = None;
            }
            self.raise(name, &clusters);
            return Ok(());
        }
        self.openings.push(Opening {
            breaker: name.clone(),
            clusters,
            grip: Grip::Forced,
            stamp,
            until: None,
            counted: None,
            alerts: None,
        });
        self.bounded()
    }

    /// Lays an open breaker on top of the others, as the one tripped last; whether it was not there.
    fn raise(&mut self, name: &BreakerName, clusters: &Selector) -> bool {
        let is_it = |it: &Opening| it.breaker == *name && it.clusters == *clusters;
        if self.openings.last().is_some_and(is_it) {
            return false;
        }
        let (it, mut others): (Vec<_>, Vec<_>) = self.openings.drain(..).partition(is_it);
        others.extend(it);
        self.openings = others;
        true
    }

    /// Closes a breaker, whoever opened it: everywhere, or what is open for exactly these clusters.
    pub fn reset(
        &mut self,
        name: &BreakerName,
        clusters: Option<&Selector>,
    ) -> Result<(), OverrideError> {
        take_back(
            &mut self.openings,
            name.as_str(),
            clusters,
            |it| it.breaker == *name,
            |it| &it.clusters,
        )
    }

    /// Closes a breaker and keeps it closed: trips are recorded and ignored.
    pub fn disable(&mut self, name: &BreakerName, stamp: Stamp) -> Result<(), OverrideError> {
        self.openings.retain(|it| it.breaker != *name);
        self.disabled.entry(name.clone()).or_insert(stamp);
        self.bounded()
    }

    /// Lets a disabled breaker be tripped again.
    pub fn enable(&mut self, name: &BreakerName) {
        self.disabled.remove(name);
    }

    /// Takes away everything whose time is over at `now`, and says what that was.
    pub fn expire(&mut self, now: Timestamp) -> BTreeSet<Part> {
        let over = |until: Option<Timestamp>| until.is_some_and(|until| until <= now);
        let flags = self.flags.extract_if(.., |it| over(it.until));
        let mut expired: BTreeSet<Part> = flags.map(|it| Part::Flag(it.flag)).collect();
        let openings = self.openings.extract_if(.., |it| over(it.ends()));
        expired.extend(openings.map(|it| Part::Breaker(it.breaker)));
        expired
    }

    /// Counts anew from `now` on what was counted from a time that nobody confirmed, or that is not
    /// come yet: the clock that said it was ahead. It says what that was, and until when it lasts.
    ///
    /// What is counted anew began before `now`, so it lasts no shorter than it was meant to; and a
    /// clock that was fast once stretches nothing beyond the next time that someone looks.
    pub fn recount(&mut self, now: Timestamp) -> Vec<(Part, Timestamp)> {
        let mut recounted = Vec::new();
        let flags = (self.flags.iter_mut())
            .map(|it| (Part::Flag(it.flag.clone()), &mut it.until, &mut it.counted));
        let openings = (self.openings.iter_mut()).map(|it| {
            let part = Part::Breaker(it.breaker.clone());
            (part, &mut it.until, &mut it.counted)
        });
        for (part, until, counted) in flags.chain(openings) {
            if let Some(lasts) = miscounted(*until, *counted, now) {
                let anew = after(now, lasts);
                (*until, *counted) = (Some(anew), Some(Counted::Confirmed(lasts)));
                recounted.push((part, anew));
            }
        }
        recounted
    }

    /// Whether there is anything for [`Overrides::recount`] to do at `now`.
    pub fn is_miscounted(&self, now: Timestamp) -> bool {
        let flags = self.flags.iter().map(|it| (it.until, it.counted));
        let openings = self.openings.iter().map(|it| (it.until, it.counted));
        (flags.chain(openings)).any(|(until, counted)| miscounted(until, counted, now).is_some())
    }

    /// When the first of them is over.
    pub fn next_expiry(&self) -> Option<Timestamp> {
        let flags = self.flags.iter().filter_map(|it| it.until);
        let openings = self.openings.iter().filter_map(Opening::ends);
        flags.chain(openings).min()
    }

    /// What is overridden and is no longer declared as it would have to be: flags and breakers that
    /// `set` does not have, and flags held at a variant that is gone.
    pub fn dangling(&self, set: Option<&ConfigSet>) -> BTreeSet<Part> {
        let flags = self.flags.iter().filter(|it| {
            let flag = set.and_then(|set| set.flags.get(&it.flag));
            flag.is_none_or(|flag| !flag.variants.contains_key(&it.variant))
        });
        let has = |name: &BreakerName| set.is_some_and(|set| set.breakers.contains_key(name));
        let openings = self.openings.iter().map(|it| &it.breaker);
        let breakers = openings.chain(self.disabled.keys());
        flags
            .map(|it| Part::Flag(it.flag.clone()))
            .chain(
                breakers
                    .filter(|name| !has(name))
                    .map(|name| Part::Breaker(name.clone())),
            )
            .collect()
    }

    /// Everything that is switched by hand.
    pub fn parts(&self) -> BTreeSet<Part> {
        let flags = self.flags.iter().map(|it| Part::Flag(it.flag.clone()));
        let openings = self.openings.iter().map(|it| &it.breaker);
        let breakers = openings.chain(self.disabled.keys());
        flags
            .chain(breakers.map(|name| Part::Breaker(name.clone())))
            .collect()
    }

    /// What is switched by hand only in places that are gone: where it `was` somewhere, and `is`
    /// nowhere any more.
    pub fn stranded(
        &self,
        was: impl Fn(&Selector) -> bool,
        is: impl Fn(&Selector) -> bool,
    ) -> BTreeSet<Part> {
        let gone = |clusters: &Selector| was(clusters) && !is(clusters);
        let flags = self.flags.iter().filter(|it| gone(&it.clusters));
        let openings = self.openings.iter().filter(|it| gone(&it.clusters));
        flags
            .map(|it| Part::Flag(it.flag.clone()))
            .chain(openings.map(|it| Part::Breaker(it.breaker.clone())))
            .collect()
    }

    /// Forgets everything about these.
    pub fn forget(&mut self, parts: &BTreeSet<Part>) {
        let has_flag = |flag: &FlagName| parts.contains(&Part::Flag(flag.clone()));
        let has_breaker = |name: &BreakerName| parts.contains(&Part::Breaker(name.clone()));
        self.flags.retain(|it| !has_flag(&it.flag));
        self.openings.retain(|it| !has_breaker(&it.breaker));
        self.disabled.retain(|name, _| !has_breaker(name));
        self.trips.retain(|name, _| !has_breaker(name));
    }

    /// Counts a trip at `now`, and says how many there were within the hour before `keeping`, with
    /// it.
    fn count_trip(&mut self, name: &BreakerName, now: Timestamp, keeping: Timestamp) -> usize {
        let counted = |at: &Timestamp| keeping.duration_since(*at) < TRIPS_ARE_COUNTED_FOR;
        for trips in self.trips.values_mut() {
            trips.retain(counted);
        }
        let trips = self.trips.entry(name.clone()).or_default();
        // A clock that was ahead does not make a trip count for longer than from now on.
        for at in trips.iter_mut() {
            *at = now.min(*at);
        }
        trips.push(now);
        let most = usize::try_from(MAX_TRIPS_PER_HOUR).unwrap_or(usize::MAX);
        let surplus = trips.len().saturating_sub(most.saturating_add(1));
        trips.drain(..surplus);
        let count = trips.len();
        self.trips.retain(|_, trips| !trips.is_empty());
        count
    }

    /// Flags and breakers are counted apart: no number of flags must keep a breaker from opening.
    fn bounded(&self) -> Result<(), OverrideError> {
        let breakers = self.openings.len() + self.disabled.len();
        if self.flags.len().max(breakers) > MAX_OVERRIDES {
            return Err(OverrideError::TooMany);
        }
        Ok(())
    }
}

/// How long something lasts that has to be counted anew at `now`.
fn miscounted(
    until: Option<Timestamp>,
    counted: Option<Counted>,
    now: Timestamp,
) -> Option<SignedDuration> {
    match counted? {
        Counted::Alone(lasts) => Some(lasts),
        Counted::Confirmed(lasts) => {
            let ahead = until?.duration_since(now).saturating_sub(lasts);
            (ahead > TOLERATED).then_some(lasts)
        }
    }
}

/// Removes from `list` what is `wanted`, all of it or what is for exactly `clusters`.
fn take_back<T>(
    list: &mut Vec<T>,
    name: &str,
    clusters: Option<&Selector>,
    wanted: impl Fn(&T) -> bool,
    place: impl Fn(&T) -> &Selector,
) -> Result<(), OverrideError> {
    let mut found: Vec<String> = (list.iter())
        .filter(|it| wanted(it))
        .map(|it| places(place(it)))
        .collect();
    if found.is_empty() {
        return Err(OverrideError::NotOverridden(name.to_owned()));
    }
    let before = list.len();
    list.retain(|it| !(wanted(it) && clusters.is_none_or(|clusters| place(it) == clusters)));
    if list.len() == before {
        found.dedup();
        return Err(OverrideError::Elsewhere {
            name: name.to_owned(),
            elsewhere: found,
        });
    }
    Ok(())
}

#[cfg(test)]
#[path = "overrides_tests.rs"]
mod tests;
