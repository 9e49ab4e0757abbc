//! What a change did, as a report.

use std::collections::BTreeMap;

use super::leaving::left;
use crate::api::report::{Delivered, DeliveryOutcome, NewRevision, Outcome};
use crate::engine::{self, Attempt, EngineError, Pass, Reconciled};
use crate::model::{Document, ResourceId, SetName, Version};
use crate::plan::{Pair, Plan, UnseenKind};

/// How it went with a plan that was carried out.
pub(crate) fn outcome(plan: &Plan, reports: &[Attempt]) -> Outcome {
    let mut against: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for objection in &plan.objections {
        if let Some(cluster) = &objection.cluster {
            let reasons = against.entry((objection.set.as_str(), cluster.as_str()));
            reasons.or_default().push(objection.reason.to_string());
        }
    }
    let item = |report: &Attempt| {
        let delivery = plan.delivery(&report.pair)?;
        let version = delivery.desired.as_ref().map(Document::version);
        // A set that does not belong to a cluster and is not there is no news.
        if version.is_none() && report.outcome == engine::Ending::Unchanged {
            return None;
        }
        let in_batches = (delivery.write.as_ref()).is_some_and(|write| !write.loose.is_empty());
        let stays = if in_batches {
            "not delivered"
        } else {
            "nothing written"
        };
        let Pair { set, cluster } = &report.pair;
        let reasons = against.get(&(set.as_str(), cluster.as_str()));
        Some(delivered(
            report,
            version,
            reasons.map_or(&[], Vec::as_slice),
            stays,
        ))
    };
    Outcome {
        complete: reports.iter().all(|report| report.outcome.is_settled()),
        committed: plan
            .resources
            .iter()
            .map(|resource| NewRevision {
                name: resource.id.clone(),
                version: resource.version,
            })
            .collect(),
        clusters: reports.iter().filter_map(item).collect(),
        note: None,
        until: None,
    }
}

/// How it went with one set after it was committed as `version`, if it was. Without passes the
/// clusters were not even looked at, and get it later.
pub(crate) fn reconciled(
    set: &SetName,
    version: Option<Version>,
    reconciled: Result<Reconciled, EngineError>,
) -> Outcome {
    let name = ResourceId::Set(set.clone());
    let committed = version.map(|version| NewRevision { name, version });
    let mut all = Outcome {
        complete: reconciled.is_ok(),
        committed: committed.into_iter().collect(),
        clusters: Vec::new(),
        note: None,
        until: None,
    };
    let passes = reconciled.map(|reconciled| reconciled.passes);
    for Pass { plan, reports } in passes.into_iter().flatten() {
        let pass = match &plan {
            Some(plan) => outcome(plan, &reports),
            None => Outcome {
                complete: false,
                committed: Vec::new(),
                clusters: reports
                    .iter()
                    .map(|report| delivered(report, version, &[], "nothing written"))
                    .collect(),
                note: None,
                until: None,
            },
        };
        all = all.and(Some(pass));
    }
    all
}

/// `against` is what stands against a write; `stays` says what became of one that came too late.
fn delivered(
    report: &Attempt,
    version: Option<Version>,
    against: &[String],
    stays: &str,
) -> DeliveryOutcome {
    let (outcome, reason) = match &report.outcome {
        engine::Ending::Unchanged => (Delivered::Unchanged, None),
        engine::Ending::Delivered => (Delivered::Delivered, None),
        engine::Ending::Removed => (Delivered::Removed, None),
        engine::Ending::Left(keys) => (Delivered::Left, Some(left(*keys))),
        engine::Ending::Superseded(newer) => (
            Delivered::Superseded,
            Some(format!("it holds version {newer} already")),
        ),
        engine::Ending::Conflict(what) => (
            Delivered::Conflict,
            Some(format!("changed after it was read, {stays}: {what}")),
        ),
        engine::Ending::Failed(unseen) => (
            match unseen.kind {
                UnseenKind::Unreachable => Delivered::Unreachable,
                UnseenKind::Denied => Delivered::Denied,
                UnseenKind::Unusable => Delivered::Failed,
            },
            Some(unseen.reason.clone()),
        ),
        engine::Ending::Unknown(reason) => (Delivered::Unknown, Some(reason.clone())),
        engine::Ending::Stopped { after, done, of } => {
            let reason = stopped(after.as_secs_f32(), *done, *of);
            (Delivered::Stopped, Some(reason))
        }
        engine::Ending::Refused => (Delivered::Refused, Some(against.join("; "))),
        engine::Ending::Interrupted => (Delivered::Interrupted, Some("not begun".to_owned())),
    };
    DeliveryOutcome {
        set: report.pair.set.clone(),
        cluster: report.pair.cluster.clone(),
        version,
        outcome,
        reason,
    }
}

/// How far a delivery came that took too long, and what to do next.
fn stopped(seconds: f32, done: usize, of: usize) -> String {
    let requests = if of == 1 {
        "1 request".to_owned()
    } else {
        format!("{of} requests")
    };
    if done == 0 {
        format!(
            "stopped after {seconds} s, before the first of {requests} was answered; \
             `cfgctl apply --resume` with a longer `--timeout` goes on"
        )
    } else {
        format!(
            "stopped after {seconds} s, {done} of {requests} carried out; \
             `cfgctl apply --resume` goes on from there"
        )
    }
}
