//! A plan as people and programs see it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::super::view::{Canvas, Output, View};
use super::diff::{Highlight, colored};
use super::markdown::{Comment, Section, code};
use super::objection::place;
use super::overrides::hold_line;
use super::table::{count, printable, shortened, table};
use super::values::{drift_values, value_lines};
use crate::api::report::{
    ActionKind, PlanReport, PlannedDelivery, PlannedResource, Report, ResourceEdit, ResourceReason,
    State,
};
use crate::api::{Edit, ValueChange};
use crate::model::Version;

/// The most objections in a comment; the first of a kind says what to do about all.
const MAX_REFUSALS: usize = 20;

/// A plan, ready to be shown.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct PlanView<'a> {
    plan: &'a PlanReport,
    #[serde(skip)]
    detail: Detail,
}

/// How much of new and deleted resources is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// All of it: the diff is the answer.
    Full,
    /// That they are new or deleted: the diff goes before a question.
    Brief,
}

impl<'a> PlanView<'a> {
    pub(crate) fn new(plan: &'a PlanReport, detail: Detail) -> Self {
        Self { plan, detail }
    }

    /// One line that says it all.
    fn summary(&self) -> String {
        let pairs: Vec<_> = self
            .plan
            .clusters
            .iter()
            .filter(|it| it.condition != State::NotHere || it.action != ActionKind::None)
            .collect();
        let settled = pairs.iter().filter(|it| is_settled(it)).count();
        let clusters: BTreeSet<&str> = pairs.iter().map(|view| view.cluster.as_str()).collect();
        let looked = format!(
            "{} of {} in {} as they should be",
            settled,
            count(pairs.len(), "snapshot"),
            count(clusters.len(), "cluster")
        );
        if self.plan.differences {
            format!("{looked}\n")
        } else {
            format!("no differences: {looked}\n")
        }
    }
}

/// What happens to a resource, for a comment.
fn title(resource: &PlannedResource) -> String {
    let base = resource.base.map_or("new".to_owned(), |it| it.to_string());
    let name = code(&resource.name.to_string());
    let (change, version) = (resource.change.as_str(), resource.version);
    format!("{name} {change} ({base} → {version})")
}

fn show(resource: &PlannedResource, look: Canvas, detail: Detail) -> String {
    let base = resource.base.map_or("new".to_owned(), |it| it.to_string());
    let (change, version) = (resource.change.as_str(), resource.version);
    let mut text = heading(&format!("{} {change} ({base} → {version})", resource.name));
    match resource.reason {
        ResourceReason::Labels => {
            text.push_str("  the labels of a cluster change what it gets there\n");
        }
        ResourceReason::Takeover => {
            text.push_str("  a higher number, to take over from another history\n");
        }
        ResourceReason::Content | ResourceReason::Overrides => {}
    }
    // A person who is asked knows the file; all of it would bury what matters.
    if detail == Detail::Full || resource.change == ResourceEdit::Changed {
        text.push_str(&colored(&resource.diff, Highlight::of(look)));
    }
    text
}

/// Whether it holds what it should, and nothing will happen.
fn is_settled(delivery: &PlannedDelivery) -> bool {
    delivery.action == ActionKind::None
        && delivery.foreign.is_empty()
        && matches!(delivery.condition, State::InSync | State::NotHere)
}

/// Whether a person wants to see it: what is settled only where everything is asked for.
fn is_shown(delivery: &PlannedDelivery, look: Canvas) -> bool {
    !is_settled(delivery) || (look.wide && delivery.condition != State::NotHere)
}

fn row(delivery: &PlannedDelivery) -> [String; 5] {
    let version = |version: Option<Version>| version.map_or("-".to_owned(), |v| v.to_string());
    let versions = if delivery.holds == delivery.desired {
        version(delivery.holds)
    } else {
        format!(
            "{} → {}",
            version(delivery.holds),
            version(delivery.desired)
        )
    };
    [
        delivery.set.to_string(),
        delivery.cluster.to_string(),
        versions,
        planned(delivery),
        already(delivery),
    ]
}

/// What is planned, in a few words.
fn planned(delivery: &PlannedDelivery) -> String {
    let of = |wanted: fn(&Edit) -> bool| {
        let wanted = |change: &&ValueChange| wanted(&change.edit);
        delivery.changes.iter().filter(wanted).count()
    };
    let parts = [
        ("+", of(|edit| matches!(edit, Edit::Added { .. }))),
        ("~", of(|edit| matches!(edit, Edit::Changed { .. }))),
        ("-", of(|edit| matches!(edit, Edit::Removed { .. }))),
    ];
    let values: Vec<_> = parts
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(sign, count)| format!("{sign}{count}"))
        .collect();
    let action = delivery.action;
    if let Some(adopts) = adoption(delivery) {
        // To the application these are there already: what is created is no news to it.
        return match (action, values.as_slice()) {
            (ActionKind::Create, _) | (_, []) => adopts,
            (action, values) => format!("{} {}, {adopts}", action.as_str(), values.join(" ")),
        };
    }
    match (action, values.as_slice()) {
        (ActionKind::None, _) => "-".to_owned(),
        (action @ (ActionKind::Wait | ActionKind::Refused), _) | (action, []) => {
            action.as_str().to_owned()
        }
        (action, values) => format!("{} {}", action.as_str(), values.join(" ")),
    }
}

/// What is taken over, if anything.
fn adoption(delivery: &PlannedDelivery) -> Option<String> {
    let differ = delivery.adopts.iter().filter(|adopted| !adopted.same_bytes);
    let keys = count(delivery.adopts.len(), "key");
    match (delivery.adopts.len(), differ.count()) {
        (0, _) => None,
        (_, 0) => Some(format!("adopts {keys}, same bytes")),
        (all, differ) if all == differ => Some(format!("adopts {keys}, other bytes")),
        (_, differ) => Some(format!("adopts {keys}, {differ} with other bytes")),
    }
}

/// What differs already, whatever is planned.
fn already(delivery: &PlannedDelivery) -> String {
    let mut parts = Vec::new();
    if !matches!(delivery.condition, State::InSync | State::NotHere) {
        parts.push(delivery.condition.words().to_owned());
    }
    if !delivery.drift.is_empty() {
        parts.push(count(delivery.drift.len(), "key"));
    }
    if !delivery.foreign.is_empty() {
        parts.push(count(delivery.foreign.len(), "foreign key"));
    }
    if parts.is_empty() {
        "-".to_owned()
    } else {
        parts.join(", ")
    }
}

fn details(delivery: &PlannedDelivery, look: Canvas, text: &mut String) {
    let place = format!("{} in {}", delivery.set, delivery.cluster);
    for drift in &delivery.drift {
        let key = drift.key.as_deref().unwrap_or("the snapshot key");
        _ = writeln!(text, "! {place}: {} {}", printable(key), drift.what.words());
        drift_values(drift, "was", look, text);
    }
    for adopted in delivery.adopts.iter().filter(|adopted| !adopted.same_bytes) {
        let key = printable(&adopted.key);
        _ = writeln!(text, "! {place}: {key} is taken over and gets other bytes");
        for (word, value) in [("is", &adopted.from), ("becomes", &adopted.to)] {
            if let Some(value) = value {
                _ = writeln!(text, "    {word}: {}", shortened(value, look));
            }
        }
    }
    for key in &delivery.foreign {
        _ = writeln!(
            text,
            "! {place}: {} is not from cfgctl; it stays",
            printable(key)
        );
    }
}

fn heading(text: &str) -> String {
    let bold = Style::new().bold();
    format!("{bold}{text}{bold:#}\n")
}

impl View for PlanView<'_> {
    const KIND: &'static str = <PlanReport as Report>::KIND;

    fn table(&self, look: Canvas) -> String {
        let mut sections: Vec<String> = Vec::new();
        let resources = self.plan.resources.iter();
        sections.push(
            resources
                .map(|resource| show(resource, look, self.detail))
                .collect(),
        );

        let shown = || self.plan.clusters.iter().filter(|it| is_shown(it, look));
        sections.push(table(
            look,
            ["SET", "CLUSTER", "VERSION", "CHANGE", "ALREADY DIFFERENT"],
            shown().map(row),
        ));
        if look.wide {
            let mut text = String::new();
            for view in shown().filter(|view| !view.changes.is_empty()) {
                text.push_str(&heading(&format!("{} in {}", view.set, view.cluster)));
                value_lines(&view.changes, look, &mut text);
            }
            sections.push(text);
        }
        let said: BTreeSet<_> = (self.plan.objections.iter())
            .filter_map(|it| Some((&it.set, it.cluster.as_ref()?, &it.reason)))
            .collect();
        let mut details = String::new();
        for view in shown() {
            if let Some(reason) = &view.reason
                && !said.contains(&(&view.set, &view.cluster, reason))
            {
                let place = format!("{} in {}", view.set, view.cluster);
                _ = writeln!(details, "! {place}: {}", printable(reason));
            }
            self::details(view, look, &mut details);
        }
        sections.push(details);
        sections.push(self.plan.overridden.iter().map(hold_line).collect());

        let mut against = String::new();
        for objection in &self.plan.objections {
            let red = AnsiColor::Red.on_default().bold();
            _ = writeln!(
                against,
                "{red}refused{red:#}: {}: {}",
                place(objection),
                printable(&objection.reason)
            );
        }
        sections.push(against);
        sections.retain(|section| !section.is_empty());
        sections.push(self.summary());
        sections.join("\n")
    }

    fn names(&self) -> Vec<String> {
        self.plan
            .resources
            .iter()
            .map(|resource| resource.name.to_string())
            .collect()
    }

    fn special(&self, output: Output) -> Option<String> {
        (output == Output::Markdown).then(|| self.markdown())
    }

    fn shows_objections(&self) -> bool {
        true
    }
}

impl PlanView<'_> {
    fn markdown(&self) -> String {
        let look = Canvas::plain(jiff::Timestamp::UNIX_EPOCH);
        let shown = || {
            let clusters = self.plan.clusters.iter();
            clusters.filter(|it| !is_settled(it))
        };
        let rows = shown().map(|view| {
            let [set, cluster, version, change, already] = row(view);
            vec![
                code(&set),
                code(&cluster),
                version,
                code(&change),
                code(&already),
            ]
        });
        let sets = shown().map(|view| format!("set/{}", view.set));
        let resources = self
            .plan
            .resources
            .iter()
            .map(|resource| resource.name.to_string());
        let names: BTreeSet<String> = sets.chain(resources).collect();
        let by_name: BTreeMap<String, &PlannedResource> = (self.plan.resources.iter())
            .map(|resource| (resource.name.to_string(), resource))
            .collect();
        let sections = names.into_iter().map(|name| {
            let resource = by_name.get(&name).copied();
            let mut text = resource.map_or(String::new(), |resource| resource.diff.clone());
            for view in shown().filter(|view| format!("set/{}", view.set) == name) {
                _ = writeln!(text, "@@ {} @@", view.cluster);
                value_lines(&view.changes, look, &mut text);
                details(view, look, &mut text);
            }
            Section {
                title: resource.map_or_else(|| code(&name), title),
                language: "diff",
                text: anstream::adapter::strip_str(&text).to_string(),
            }
        });
        let refused = self.plan.objections.iter().map(|objection| {
            let place = place(objection);
            format!(
                "\n\n**refused**: {}: {}",
                code(&place),
                code(&objection.reason)
            )
        });
        let refused: String = refused.take(MAX_REFUSALS).collect();
        let overridden: String = (self.plan.overridden.iter())
            .map(|hold| {
                format!(
                    "\n\n{}",
                    code(hold_line(hold).trim_start_matches("* ").trim_end())
                )
            })
            .take(MAX_REFUSALS)
            .collect();
        let comment = Comment {
            command: "diff",
            summary: format!(
                "**cfgctl diff**: {}{overridden}{refused}",
                self.summary().trim_end()
            ),
            header: &["Set", "Cluster", "Version", "Change", "Already different"],
            rows: rows.collect(),
            sections: sections.collect(),
            about: "resource",
            everything: "cfgctl diff -o wide",
        };
        comment.write()
    }
}
