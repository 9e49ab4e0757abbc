//! What a change did, as people and programs see it.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;

use super::super::failure::{Exit, Failure};
use super::super::ui::{Look, Report};
use super::leaving::left;
use super::table::{count, printable, table};
use crate::engine::{self, Outcome, Pass, Reconciled};
use crate::model::{Document, ResourceId, SetName, Version};
use crate::plan::{Plan, UnseenKind};

/// What was committed, and how it went in every cluster.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Outcomes {
    /// Whether every cluster holds what it should.
    complete: bool,
    committed: Vec<Committed>,
    clusters: Vec<OutcomeView>,
    /// What a person should know about a change of flags or breakers.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// Until when such a change lasts by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Committed {
    name: String,
    version: Version,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OutcomeView {
    set: String,
    cluster: String,
    version: Option<Version>,
    outcome: &'static str,
    reason: Option<String>,
}

impl Outcomes {
    pub(crate) fn new(plan: &Plan, reports: &[engine::Report]) -> Self {
        let view = |report: &engine::Report| {
            let delivery = plan.delivery(&report.pair)?;
            let version = delivery.desired.as_ref().map(Document::version);
            // A set that does not belong to a cluster and is not there is no news.
            if version.is_none() && report.outcome == Outcome::Unchanged {
                return None;
            }
            let in_batches = (delivery.write.as_ref()).is_some_and(|write| !write.loose.is_empty());
            let stays = if in_batches {
                "not delivered"
            } else {
                "nothing written"
            };
            let against = plan.objections.iter();
            let against = against.filter(|objection| objection.is_about(&report.pair));
            let reasons: Vec<_> = against
                .map(|objection| objection.reason.to_string())
                .collect();
            Some(OutcomeView::new(report, version, &reasons, stays))
        };
        Self {
            complete: reports.iter().all(|report| report.outcome.is_settled()),
            committed: plan
                .resources
                .iter()
                .map(|resource| Committed {
                    name: resource.id.to_string(),
                    version: resource.version,
                })
                .collect(),
            clusters: reports.iter().filter_map(view).collect(),
            note: None,
            until: None,
        }
    }

    /// How it went with one set after it was committed as `version`, if it was. Without passes the
    /// clusters were not even looked at, and get it later.
    pub(crate) fn reconciled(
        set: &SetName,
        version: Option<Version>,
        reconciled: Result<Reconciled, Failure>,
    ) -> Self {
        let name = ResourceId::Set(set.clone()).to_string();
        let committed = version.map(|version| Committed { name, version });
        let mut outcomes = Self {
            complete: reconciled.is_ok(),
            committed: committed.into_iter().collect(),
            clusters: Vec::new(),
            note: None,
            until: None,
        };
        let passes = reconciled.map(|reconciled| reconciled.passes);
        for Pass { plan, reports } in passes.into_iter().flatten() {
            let pass = match &plan {
                Some(plan) => Self::new(plan, &reports),
                None => Self {
                    complete: false,
                    committed: Vec::new(),
                    clusters: reports
                        .iter()
                        .map(|report| OutcomeView::new(report, version, &[], "nothing written"))
                        .collect(),
                    note: None,
                    until: None,
                },
            };
            outcomes = outcomes.and(Some(pass));
        }
        outcomes
    }

    /// Whether nothing is left but what the token may not write.
    pub(crate) fn is_denied(&self) -> bool {
        let is_left = |view: &&OutcomeView| {
            !matches!(
                view.outcome,
                "unchanged" | "delivered" | "removed" | "superseded" | "left"
            )
        };
        let mut left = self.clusters.iter().filter(is_left).peekable();
        left.peek().is_some() && left.all(|view| view.outcome == "denied")
    }

    /// With what a person should know.
    pub(crate) fn with_note(self, note: Option<String>) -> Self {
        Self { note, ..self }
    }

    /// With when it is over.
    pub(crate) fn until(self, until: Option<Timestamp>) -> Self {
        Self { until, ..self }
    }

    /// With what was done beside it.
    pub(crate) fn and(mut self, other: Option<Self>) -> Self {
        if let Some(other) = other {
            self.complete &= other.complete;
            self.committed.extend(other.committed);
            self.clusters.extend(other.clusters);
        }
        self
    }

    /// What the command ends with.
    pub(crate) fn exit(&self) -> Exit {
        if self.complete {
            Exit::Done
        } else {
            Exit::Incomplete
        }
    }
}

impl OutcomeView {
    /// `against` is what stands against a write; `stays` says what became of one that came too late.
    fn new(
        report: &engine::Report,
        version: Option<Version>,
        against: &[String],
        stays: &str,
    ) -> Self {
        let (outcome, reason) = match &report.outcome {
            Outcome::Unchanged => ("unchanged", None),
            Outcome::Delivered => ("delivered", None),
            Outcome::Removed => ("removed", None),
            Outcome::Left(keys) => ("left", Some(left(*keys))),
            Outcome::Superseded(newer) => (
                "superseded",
                Some(format!("it holds version {newer} already")),
            ),
            Outcome::Conflict(what) => (
                "conflict",
                Some(format!("changed after it was read, {stays}: {what}")),
            ),
            Outcome::Failed(unseen) => (
                match unseen.kind {
                    UnseenKind::Unreachable => "unreachable",
                    UnseenKind::Denied => "denied",
                    UnseenKind::Unusable => "failed",
                },
                Some(unseen.reason.clone()),
            ),
            Outcome::Unknown(reason) => ("unknown", Some(reason.clone())),
            Outcome::Stopped { after, done, of } => {
                let reason = stopped(after.as_secs_f32(), *done, *of);
                ("stopped", Some(reason))
            }
            Outcome::Refused => ("refused", Some(against.join("; "))),
            Outcome::Interrupted => ("interrupted", Some("not begun".to_owned())),
        };
        Self {
            set: report.pair.set.to_string(),
            cluster: report.pair.cluster.to_string(),
            version,
            outcome,
            reason,
        }
    }
}

/// How far a delivery came that took too long, and what to do next.
fn stopped(seconds: f32, done: usize, of: usize) -> String {
    let requests = count(of, "request");
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

impl Report for Outcomes {
    const KIND: &'static str = "Outcome";

    fn table(&self, look: Look) -> String {
        let rows = self.clusters.iter().map(|view| {
            [
                view.set.clone(),
                view.cluster.clone(),
                view.version.map_or("-".to_owned(), |v| v.to_string()),
                view.outcome.to_owned(),
                view.reason.as_deref().map_or(String::new(), printable),
            ]
        });
        let text = table(
            look,
            ["SET", "CLUSTER", "VERSION", "OUTCOME", "REASON"],
            rows,
        );
        if !text.is_empty() {
            return text;
        }
        let mut text = String::new();
        for Committed { name, version } in &self.committed {
            _ = writeln!(text, "{name} is committed as version {version}");
        }
        if text.is_empty() {
            text.push_str("nothing to do\n");
        }
        text
    }

    fn names(&self) -> Vec<String> {
        self.committed
            .iter()
            .map(|committed| format!("{}@{}", committed.name, committed.version))
            .collect()
    }
}
