//! How clusters differ from what they should hold, as people and programs see it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;

use super::super::failure::Exit;
use super::super::session::StoreArgs;
use super::super::ui::{Look, Output, Report};
use super::markdown::{Comment, Section, code};
use super::mend;
use super::overrides::HoldView;
use super::plan::{condition_reason, condition_word};
use super::table::{count, moment, printable, table};
use super::values::DriftView;
use crate::model::{Heads, ResourceId, Selector, Version};
use crate::plan::{Action, Condition, Delivery, Objection, Plan};

/// What the commands that mend follow from.
#[derive(Debug)]
pub(crate) struct Mending<'a> {
    /// The clusters, for how they are reached.
    pub(crate) heads: &'a Heads,
    /// The store that was named on the command line.
    pub(crate) stores: &'a StoreArgs,
    /// The clusters that were named on the command line.
    pub(crate) clusters: &'a Selector,
}

/// How every set is in every cluster that has to do with it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DriftReport {
    /// When it was looked at.
    at: Timestamp,
    /// Whether everything could be looked at and is as it should be.
    in_sync: bool,
    /// How many pairs of a set and a cluster differ.
    drifted: usize,
    /// How many could not be looked at.
    unseen: usize,
    clusters: Vec<PairView>,
    /// What is switched by hand, which is no drift.
    overridden: Vec<HoldView>,
    /// Whether people are told when it was.
    #[serde(skip)]
    shows_time: bool,
}

/// One set in one cluster.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct PairView {
    set: String,
    cluster: String,
    state: &'static str,
    /// Why it is not in sync.
    cause: Option<String>,
    /// The command lines that bring it in sync, to be run one after another.
    mend: Vec<String>,
    head: Option<Version>,
    holds: Option<Version>,
    since: Option<Timestamp>,
    actor: Option<String>,
    /// Our keys that someone else changed, with both values.
    keys: Vec<DriftView>,
    /// Keys of others where the application reads.
    foreign: Vec<String>,
    #[serde(skip)]
    is_unseen: bool,
}

impl DriftReport {
    pub(crate) fn new(plan: &Plan, mending: &Mending<'_>, at: Timestamp) -> Self {
        let concerns = |delivery: &&Delivery| match delivery.condition {
            Condition::None => false,
            // Where the set should not be anyway, nothing is expected to be found.
            Condition::Unseen(_) => delivery.action != Action::Keep,
            _ => true,
        };
        let clusters: Vec<_> = (plan.deliveries.iter())
            .filter(concerns)
            .map(|delivery| {
                let against = plan.objections.iter();
                let against: Vec<_> = against.filter(|o| o.is_about(&delivery.pair)).collect();
                PairView::new(delivery, &against, mending)
            })
            .collect();
        let unseen = clusters.iter().filter(|pair| pair.is_unseen).count();
        let drifted = clusters.iter().filter(|pair| pair.has_drifted()).count();
        Self {
            at,
            in_sync: drifted + unseen == 0,
            drifted,
            unseen,
            clusters,
            overridden: HoldView::all(&plan.deliveries),
            shows_time: false,
        }
    }

    /// What the command ends with: a difference that was found outweighs one that was not.
    pub(crate) fn exit(&self) -> Exit {
        match (self.drifted, self.unseen) {
            (0, 0) => Exit::Done,
            (0, _) => Exit::Unavailable,
            _ => Exit::Differences,
        }
    }

    /// Whether nothing but the time differs.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        self.clusters == other.clusters
    }

    /// The same, and people are told when it was.
    pub(crate) fn with_time(self) -> Self {
        Self {
            shows_time: true,
            ..self
        }
    }

    /// One line that says it all.
    fn summary(&self) -> String {
        let clusters: BTreeSet<_> = self.clusters.iter().map(|pair| &pair.cluster).collect();
        let looked = format!(
            "{} in {}",
            count(self.clusters.len(), "snapshot"),
            count(clusters.len(), "cluster")
        );
        let mut parts = Vec::new();
        if self.drifted > 0 {
            parts.push(format!("{} not as it should be", self.drifted));
        }
        if self.unseen > 0 {
            parts.push(format!("{} could not be looked at", self.unseen));
        }
        if parts.is_empty() {
            format!("in sync: {looked}")
        } else {
            format!("of {looked}, {}", parts.join(", "))
        }
    }
}

/// The word for a state, in tables and JSON.
fn state(delivery: &Delivery) -> &'static str {
    match delivery.condition {
        Condition::InSync if !delivery.foreign.is_empty() => "foreign-keys",
        _ => condition_word(&delivery.condition),
    }
}

/// Why it is as it is; nothing where all is well.
fn cause(delivery: &Delivery, head: Option<Version>, against: &[&Objection]) -> Option<String> {
    let by_hand = count(delivery.drift.len(), "key");
    let holds = delivery.holds.as_ref().map(|(version, _)| *version);
    let cause = match &delivery.condition {
        Condition::None => return None,
        Condition::InSync if delivery.foreign.is_empty() => return None,
        Condition::InSync => {
            "keys that cfgctl did not write lie where the application reads".into()
        }
        Condition::Missing => "nothing is there: it was never delivered, or deleted".into(),
        Condition::Behind => {
            let version = |version: Option<Version>| version.map_or(0, Version::get);
            let (holds, head) = (version(holds), version(head));
            let more = if delivery.drift.is_empty() {
                String::new()
            } else {
                format!(", and {by_hand} changed by hand")
            };
            format!("it holds version {holds}, the head is {head}{more}")
        }
        Condition::Edited => format!("{by_hand} changed by someone else since the last write"),
        Condition::Outdated => "it was written for other labels, or by another cfgctl".into(),
        Condition::Leftover => "the set does not belong there any more".into(),
        condition @ (Condition::Alien(_) | Condition::Unseen(_) | Condition::Unfinished(_)) => {
            let mut reason = condition_reason(condition).unwrap_or_default();
            if matches!(condition, Condition::Alien(_)) && delivery.desired.is_none() {
                reason.push_str("; it does not belong there, and only who wrote it can remove it");
            }
            reason
        }
    };
    let more = against.iter().map(|objection| objection.reason.to_string());
    // The first of them may be the condition itself.
    let more = more.filter(|reason| *reason != cause);
    let parts: Vec<_> = [cause.clone()].into_iter().chain(more).collect();
    Some(parts.join("; "))
}

impl PairView {
    fn new(delivery: &Delivery, against: &[&Objection], mending: &Mending<'_>) -> Self {
        let id = ResourceId::Set(delivery.pair.set.clone());
        let head = mending.heads.get(&id).map(|head| head.version);
        let holds = delivery.holds.as_ref();
        Self {
            set: delivery.pair.set.to_string(),
            cluster: delivery.pair.cluster.to_string(),
            state: state(delivery),
            cause: cause(delivery, head, against),
            mend: mend::commands(delivery, against, mending),
            head,
            holds: holds.map(|(version, _)| *version),
            since: holds.map(|(_, origin)| origin.at),
            actor: holds.map(|(_, origin)| origin.actor.clone()),
            keys: delivery.drift.iter().map(DriftView::new).collect(),
            foreign: delivery.foreign.iter().map(ToString::to_string).collect(),
            is_unseen: matches!(delivery.condition, Condition::Unseen(_)),
        }
    }

    fn has_drifted(&self) -> bool {
        !self.is_unseen && self.cause.is_some()
    }

    fn version(&self) -> String {
        match (self.holds, self.head) {
            (Some(holds), Some(head)) if holds != head => format!("{holds} of {head}"),
            (Some(holds), _) => holds.to_string(),
            (None, Some(head)) => format!("- of {head}"),
            (None, None) => "-".to_owned(),
        }
    }

    /// Everything about it, on several lines; nothing where all is well.
    fn details(&self, look: Look, text: &mut String) {
        let Some(cause) = &self.cause else { return };
        let place = format!("{} in {}", self.set, self.cluster);
        let state = self.state.replace('-', " ");
        _ = writeln!(text, "! {place}: {state}: {}", printable(cause));
        // What an older version said is not what it should say now.
        let rightly = if self.holds == self.head {
            "should be"
        } else {
            "was"
        };
        for key in &self.keys {
            key.details(rightly, look, text);
        }
        for key in &self.foreign {
            _ = writeln!(text, "  {} is not from cfgctl; it stays", printable(key));
        }
        for command in &self.mend {
            _ = writeln!(text, "  mend: {}", printable(command));
        }
    }
}

impl Report for DriftReport {
    const KIND: &'static str = "Drift";

    fn table(&self, look: Look) -> String {
        let rows = self.clusters.iter().map(|pair| {
            let about = match (pair.keys.len(), pair.foreign.len()) {
                (0, 0) => String::new(),
                (0, foreign) => count(foreign, "foreign key"),
                (keys, 0) => count(keys, "key"),
                (keys, foreign) => {
                    format!("{}, {}", count(keys, "key"), count(foreign, "foreign key"))
                }
            };
            [
                pair.set.clone(),
                pair.cluster.clone(),
                pair.version(),
                pair.state.replace('-', " "),
                about,
            ]
        });
        let mut sections = Vec::new();
        if self.shows_time {
            sections.push(format!("at {}\n", moment(self.at)));
        }
        sections.push(table(
            look,
            ["SET", "CLUSTER", "VERSION", "STATE", ""],
            rows,
        ));
        let mut details = String::new();
        for pair in &self.clusters {
            pair.details(look, &mut details);
        }
        sections.push(details);
        sections.push(self.overridden.iter().map(HoldView::line).collect());
        sections.retain(|section| !section.is_empty());
        sections.push(format!("{}\n", self.summary()));
        sections.join("\n")
    }

    fn names(&self) -> Vec<String> {
        let differing = self.clusters.iter().filter(|pair| pair.cause.is_some());
        differing
            .map(|pair| format!("{}/{}", pair.cluster, pair.set))
            .collect()
    }

    fn special(&self, output: Output) -> Option<String> {
        (output == Output::Markdown).then(|| self.markdown())
    }
}

impl DriftReport {
    fn markdown(&self) -> String {
        let differing = || self.clusters.iter().filter(|pair| pair.cause.is_some());
        let rows = differing().map(|pair| {
            let mend: Vec<_> = pair.mend.iter().map(|command| code(command)).collect();
            vec![
                code(&pair.set),
                code(&pair.cluster),
                pair.state.replace('-', " "),
                pair.version(),
                code(pair.cause.as_deref().unwrap_or_default()),
                mend.join("<br>"),
            ]
        });
        let look = Look::plain(self.at);
        let sets: BTreeSet<&String> = differing().map(|pair| &pair.set).collect();
        let sections = sets.into_iter().map(|set| {
            let mut text = String::new();
            for pair in differing().filter(|pair| pair.set == *set) {
                pair.details(look, &mut text);
            }
            let clusters = differing().filter(|pair| pair.set == *set).count();
            Section {
                title: format!("{} in {}", code(set), count(clusters, "cluster")),
                language: "diff",
                text: anstream::adapter::strip_str(&text).to_string(),
            }
        });
        let comment = Comment {
            command: "drift",
            summary: format!("**cfgctl drift**: {}", self.summary()),
            header: &["Set", "Cluster", "State", "Version", "Cause", "Mend"],
            rows: rows.collect(),
            sections: sections.collect(),
            about: "set",
            everything: "cfgctl drift",
        };
        comment.write()
    }
}
