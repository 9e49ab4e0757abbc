//! Breakers: how they stand, what they change while they are open, and what was done to them.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::names::{around, clusters, known_part, known_set, living, living_or_all};
use super::run::Run;
use super::{diagnose, present};
use crate::api::report::{BreakerEvent, BreakerHistory, BreakerItem, BreakerReport, Breakers};
use crate::api::{BreakerHistoryQuery, BreakerQuery, BreakersQuery, Error};
use crate::engine::clusters_of;
use crate::model::{
    AlertState, BreakerName, BreakerStatus, Clocks, ClusterName, Grip, Heads, Labels, Opening,
    Overrides, Part, Reset, ResourceId, Revision, Selector, SetName, Stamp,
};
use crate::plan::{Ground, Plan, Reach};
use crate::store::{Store, Which};

/// How many of the last events one breaker is shown with; its history has more.
const RECENT: usize = 5;

/// Breakers, and where their state has arrived.
pub(super) async fn breakers(run: &Run<'_>, query: &BreakersQuery) -> Result<Breakers, Error> {
    let only = query.set.as_ref();
    let heads = match only {
        Some(set) => around(run.store(), [set]).await?,
        None => run.store().heads(&Which::All).await?.heads,
    };
    let sets = living_or_all(&heads, only)?.into_iter();
    let sets = sets.filter(|(_, content, _)| !content.breakers.is_empty());
    let sets = sets.map(|(name, ..)| name.clone()).collect();
    let (survey, plan) = diagnose::glance(run, Reach::Named(sets)).await?;
    let heads = &survey.heads;
    let mut breakers = Vec::new();
    for (set, content, head) in living_or_all(heads, only)? {
        for name in content.breakers.keys() {
            breakers.extend(items(heads, &plan, set, head, name));
        }
    }
    Ok(Breakers { breakers })
}

/// How a breaker stands, whether it closes with its alerts, and whether it was tripped too often.
type Standing = (BreakerStatus, [bool; 2]);

/// One breaker in every cluster that gets its set.
fn items(
    heads: &Heads,
    plan: &Plan,
    set: &SetName,
    head: &Revision,
    name: &BreakerName,
) -> Vec<BreakerItem> {
    let mut found: Vec<(Standing, Vec<ClusterName>)> = Vec::new();
    for (cluster, place) in clusters_of(set, heads) {
        let status = head.overrides.status(name, &place.labels);
        let while_firing = closes_with_alerts(head, name, &place.labels);
        let latched = is_latched(head, name, &place.labels);
        let status = (status, [while_firing, latched]);
        match found.iter_mut().find(|(known, _)| *known == status) {
            Some((_, clusters)) => clusters.push(cluster.clone()),
            None => found.push((status, vec![cluster.clone()])),
        }
    }
    if found.is_empty() {
        let nowhere = Labels::new();
        found.push((
            (head.overrides.status(name, &nowhere), [false; 2]),
            Vec::new(),
        ));
    }
    let part = Part::Breaker(name.clone());
    let item = |((status, [while_firing, latched]), clusters): (Standing, Vec<ClusterName>)| {
        let (delivered, waiting) = present::arrivals(plan, set, &part, &clusters);
        BreakerItem {
            set: set.clone(),
            breaker: name.clone(),
            clusters,
            delivered,
            waiting,
            state_number: status.state.number(),
            state: status.state,
            actor: status.actor,
            since: status.since,
            until: status.until,
            reason: status.reason,
            while_firing,
            latched,
        }
    };
    found.into_iter().map(item).collect()
}

/// Whether it was tripped too often there.
fn is_latched(head: &Revision, name: &BreakerName, labels: &Labels) -> bool {
    let mut open = head.overrides.open_in(labels);
    open.any(|it| it.breaker == *name && it.grip == Grip::Latched)
}

/// Whether nothing but alerts that fire holds a breaker open there, and it closes without them.
fn closes_with_alerts(head: &Revision, name: &BreakerName, labels: &Labels) -> bool {
    let declared = head.content.set().and_then(|set| set.breakers.get(name));
    let closes = declared.is_some_and(|declared| declared.reset != Reset::Manual);
    let mut open = head
        .overrides
        .open_in(labels)
        .filter(|it| it.breaker == *name)
        .peekable();
    let is_firing = |it: &Opening| it.alerts == Some(AlertState::Firing) && it.grip == Grip::Loose;
    closes && open.peek().is_some() && open.all(is_firing)
}

/// One breaker, and what it changes while it is open.
pub(super) async fn breaker(run: &Run<'_>, query: &BreakerQuery) -> Result<BreakerReport, Error> {
    let BreakerQuery {
        set,
        breaker: name,
        pace: _,
    } = query;
    let heads = around(run.store(), [set]).await?;
    known_part(&living(&heads, set)?.0.breakers, "breaker", set, name)?;
    let sets = BTreeSet::from([set.clone()]);
    let (survey, plan) = diagnose::glance(run, Reach::Named(sets)).await?;
    let heads = &survey.heads;
    let (content, head) = living(heads, set)?;
    let declared = known_part(&content.breakers, "breaker", set, name)?;
    let id = ResourceId::Set(set.clone());
    let recent = events(run.store(), &id, name, RECENT).await?;
    let clusters = clusters(heads);
    let clocks = Clocks::of(run.now(), []);
    let ground = Ground::new(set, content, &head.overrides, &clusters, clocks);
    let (closed, open) = both(&head.overrides, name, run.now());
    Ok(BreakerReport {
        breaker: format!("{set}/{name}"),
        description: declared.description.clone(),
        alerts: declared.alerts.clone(),
        cluster: declared.cluster.clone(),
        reset: match declared.reset {
            Reset::Manual => "by a person".to_owned(),
            Reset::After(lasts) => format!("after {lasts:#}"),
            Reset::OnResolve => "when the alerts are resolved".to_owned(),
        },
        states: items(heads, &plan, set, head, name),
        effects: present::differences(&ground, &closed, &open),
        recent,
    })
}

/// Everything as it is, with this breaker closed everywhere, and with it open everywhere.
fn both(overrides: &Overrides, name: &BreakerName, now: Timestamp) -> (Overrides, Overrides) {
    let mut closed = overrides.clone();
    closed.enable(name);
    closed.openings.retain(|it| it.breaker != *name);
    let mut open = closed.clone();
    open.openings.push(Opening {
        breaker: name.clone(),
        clusters: Selector::default(),
        grip: Grip::Loose,
        stamp: Stamp {
            actor: String::new(),
            since: now,
            reason: None,
        },
        until: None,
        counted: None,
        alerts: None,
    });
    (closed, open)
}

/// What was done to a breaker, newest first.
pub(super) async fn history(
    store: &dyn Store,
    query: &BreakerHistoryQuery,
) -> Result<BreakerHistory, Error> {
    let BreakerHistoryQuery {
        set,
        breaker: name,
        limit,
    } = query;
    let heads = around(store, [set]).await?;
    let id = known_set(&heads, set)?;
    let events = events(store, &id, name, *limit).await?;
    let declared = heads.get(&id).and_then(|head| head.content.set());
    if let (true, Some(declared)) = (events.is_empty(), declared) {
        known_part(&declared.breakers, "breaker", set, name)?;
    }
    Ok(BreakerHistory {
        breaker: format!("{set}/{name}"),
        events,
    })
}

/// How many revisions are read at once.
const PAGE: usize = 50;
/// How many are searched in all.
const SEARCHED: usize = 1000;

/// The newest `limit` revisions in which a breaker changed.
async fn events(
    store: &dyn Store,
    id: &ResourceId,
    name: &BreakerName,
    limit: usize,
) -> Result<Vec<BreakerEvent>, Error> {
    let mut events = Vec::new();
    let mut newer: Option<Revision> = None;
    for _ in 0..SEARCHED / PAGE {
        let before = newer.as_ref().map(|revision| revision.version);
        let page = store.history(id, before, PAGE).await?;
        let is_last = page.len() < PAGE;
        for older in page {
            if let Some(revision) = newer.replace(older) {
                events.extend(event(&revision, newer.as_ref(), name));
            }
            if events.len() >= limit {
                events.truncate(limit);
                return Ok(events);
            }
        }
        if is_last {
            // What comes before the first revision is nothing.
            events.extend(newer.and_then(|first| event(&first, None, name)));
            break;
        }
    }
    events.truncate(limit);
    Ok(events)
}

/// What `revision` did to a breaker, against the one before it; `None`: nothing.
fn event(
    revision: &Revision,
    older: Option<&Revision>,
    name: &BreakerName,
) -> Option<BreakerEvent> {
    let said = said(revision, name);
    let before = older.map_or((Vec::new(), None, None), |older| self::said(older, name));
    // A trip that is forgotten in time is no event.
    let is_event =
        (&said.0, said.1) != (&before.0, before.1) || (said.2 != before.2 && said.2.is_some());
    is_event.then(|| BreakerEvent {
        version: revision.version,
        origin: revision.origin.clone(),
        open: !said.0.is_empty(),
    })
}

/// Everything that a revision says about a breaker at runtime.
type Said<'a> = (Vec<&'a Opening>, Option<&'a Stamp>, Option<&'a Timestamp>);

fn said<'a>(revision: &'a Revision, name: &BreakerName) -> Said<'a> {
    let overrides = &revision.overrides;
    let openings = overrides.openings.iter().filter(|it| it.breaker == *name);
    // The last trip tells one ignored trip from the next; older ones are forgotten in time.
    let last = overrides.trips.get(name).and_then(|trips| trips.last());
    (openings.collect(), overrides.disabled.get(name), last)
}
