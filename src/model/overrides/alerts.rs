//! Alerts that open a breaker and close it again.
//!
//! What alerts open stands beside what a person opens, so that neither closes the other's. Which
//! alerts fire is handed in: an opening only knows whether any still does.

use jiff::{SignedDuration, Timestamp};

use super::parts::after;
use super::{
    AlertState, Breaker, BreakerName, Grip, Limit, Opening, OverrideError, Overrides, Reset,
    Selector, TripRequest, Tripped, Witness,
};

/// What becomes of a breaker for which an alert begins to fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fired {
    /// It is open now.
    Opened,
    /// It was tripped too often within an hour: open until a person resets it.
    Latched,
    /// Alerts opened it before.
    Open,
    /// It is disabled, and stays closed.
    Disabled,
}

/// What becomes of a breaker when the last alert that fired for it is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastGone {
    /// It closes.
    Closed,
    /// It closes by itself later.
    ClosesAt(Timestamp),
    /// A person has to reset it.
    Stays,
    /// It was not open for alerts any more.
    NotOpen,
}

impl Overrides {
    /// Opens what `declared` describes for an alert that was not told of before.
    pub fn alert_fires(
        &mut self,
        name: &BreakerName,
        declared: &Breaker,
        request: TripRequest,
    ) -> Result<Fired, OverrideError> {
        let TripRequest {
            clusters,
            stamp,
            keeping,
            witness,
            limit,
        } = request;
        if self.disabled.contains_key(name) {
            return Ok(Fired::Disabled);
        }
        let (until, counted) = declared.ends(limit, stamp.since, witness);
        if let Some(open) = self.opened_by_alerts(name, &clusters) {
            if open.alerts.replace(AlertState::Firing) == Some(AlertState::Resolved)
                && open.grip == Grip::Loose
            {
                // What was to end it begins anew.
                (open.until, open.counted) = (until, counted);
            }
            return Ok(Fired::Open);
        }
        let opening = Opening {
            breaker: name.clone(),
            clusters,
            grip: Grip::Loose,
            stamp,
            until,
            counted,
            alerts: Some(AlertState::Firing),
        };
        Ok(match self.open(opening, declared, keeping)? {
            Tripped::Latched => Fired::Latched,
            _ => Fired::Opened,
        })
    }

    /// Leaves it to a person to close what alerts opened: more fire than are counted.
    pub fn latch_alerts(&mut self, name: &BreakerName, clusters: &Selector) {
        if let Some(open) = self.opened_by_alerts(name, clusters) {
            open.latch();
        }
    }

    /// Lets a breaker go as it declares: the last alert that fired for it in these clusters is gone.
    pub fn last_alert_is_gone(
        &mut self,
        name: &BreakerName,
        declared: &Breaker,
        clusters: &Selector,
        now: Timestamp,
        witness: Witness,
    ) -> LastGone {
        let Some(open) = self.opened_by_alerts(name, clusters) else {
            return LastGone::NotOpen;
        };
        open.alerts = Some(AlertState::Resolved);
        if open.grip != Grip::Loose {
            return LastGone::Stays;
        }
        match declared.reset {
            Reset::Manual => return LastGone::Stays,
            Reset::After(_) => {}
            Reset::OnResolve => {
                let least = declared.min_open.unwrap_or_default();
                let rest = after(open.stamp.since, least).duration_since(now);
                // A clock that was ahead then makes it last no longer than from now on.
                let rest = rest.clamp(SignedDuration::ZERO, least);
                let (until, counted) = Limit::For(rest).ends(now, SignedDuration::ZERO, witness);
                (open.until, open.counted) = (Some(until), counted);
            }
        }
        match open.until {
            Some(until) if until > now => LastGone::ClosesAt(until),
            Some(_) => {
                let is_it = |it: &Opening| is_opened_by_alerts(it, name, clusters);
                self.openings.retain(|it| !is_it(it));
                LastGone::Closed
            }
            None => LastGone::Stays,
        }
    }

    fn opened_by_alerts(
        &mut self,
        name: &BreakerName,
        clusters: &Selector,
    ) -> Option<&mut Opening> {
        let mut openings = self.openings.iter_mut();
        openings.find(|it| is_opened_by_alerts(it, name, clusters))
    }
}

fn is_opened_by_alerts(opening: &Opening, name: &BreakerName, clusters: &Selector) -> bool {
    opening.breaker == *name && opening.clusters == *clusters && opening.alerts.is_some()
}
