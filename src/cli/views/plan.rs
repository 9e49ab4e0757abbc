//! A plan as people and programs see it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::super::ui::{Look, Output, Report};
use super::diff::{Highlight, unified};
use super::excerpt;
use super::leaving;
use super::markdown::{Comment, Section, code};
use super::objection::ObjectionView;
use super::overrides::HoldView;
use super::table::{count, printable, shortened, table};
use super::values::{DriftView, value_lines};
use crate::manifest::manifest_of;
use crate::model::{Content, Document, ResourceId, Version};
use crate::plan::{
    Action, Adopted, Condition, Delivery, Edit, Plan, Reason, ResourceChange, UnseenKind,
    ValueChange, Why,
};
use crate::yaml;

/// The most objections in a comment; the first of a kind says what to do about all.
const MAX_REFUSALS: usize = 20;

/// A plan, ready to be shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlanView {
    /// Whether anything differs: what is planned, or what clusters hold already.
    pub(crate) differences: bool,
    resources: Vec<ResourceView>,
    clusters: Vec<DeliveryView>,
    objections: Vec<ObjectionView>,
    /// What is switched by hand, and stays so.
    overridden: Vec<HoldView>,
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

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceView {
    name: String,
    change: &'static str,
    reason: &'static str,
    base: Option<Version>,
    version: Version,
    diff: Texts,
}

/// A manifest as it was and as it will be; for programs, a unified diff of the two. That takes as
/// long as planning does, so it is made only for whoever gets to see it.
#[derive(Debug)]
struct Texts {
    name: String,
    before: String,
    after: String,
}

impl Serialize for Texts {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.plain())
    }
}

impl Texts {
    /// The unified diff without colours.
    fn plain(&self) -> String {
        let diff = unified(&self.name, &self.before, &self.after, Highlight::Lines);
        anstream::adapter::strip_str(&diff).to_string()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DeliveryView {
    set: String,
    cluster: String,
    condition: &'static str,
    reason: Option<String>,
    holds: Option<Version>,
    desired: Option<Version>,
    action: &'static str,
    changes: Vec<ValueChange>,
    drift: Vec<DriftView>,
    foreign: Vec<String>,
    /// Keys of others that are taken over.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    adopts: Vec<AdoptedView>,
}

/// A key of someone else that is taken over; what it holds and gets, where these differ.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AdoptedView {
    key: String,
    same_bytes: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
}

impl AdoptedView {
    fn new(adopted: &Adopted) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let change = adopted.change.as_ref();
        Self {
            key: adopted.key.to_string(),
            same_bytes: change.is_none(),
            from: change.map(|(from, _)| text(from)),
            to: change.map(|(_, to)| text(to)),
        }
    }
}

/// The word for a condition, in tables and JSON.
pub(crate) fn condition_word(condition: &Condition) -> &'static str {
    match condition {
        Condition::None => "not-here",
        Condition::InSync => "in-sync",
        Condition::Missing => "missing",
        Condition::Behind => "behind",
        Condition::Unfinished(_) => "unfinished",
        Condition::Edited => "changed-by-hand",
        Condition::Outdated => "outdated",
        Condition::Leftover => "left-over",
        Condition::Alien(Reason::Ahead { .. }) => "ahead",
        Condition::Alien(Reason::OtherHistory { .. }) => "other-history",
        Condition::Alien(Reason::Unreadable { .. }) => "unreadable",
        Condition::Alien(_) => "not-ours",
        Condition::Unseen(unseen) => match unseen.kind {
            UnseenKind::Unreachable => "unreachable",
            UnseenKind::Denied => "denied",
            UnseenKind::Unusable => "unusable",
        },
    }
}

/// Why a condition is what it is, where the word does not say it all.
pub(crate) fn condition_reason(condition: &Condition) -> Option<String> {
    match condition {
        Condition::Alien(reason) => Some(reason.to_string()),
        Condition::Unseen(unseen) => Some(unseen.reason.clone()),
        Condition::Unfinished(version) => Some(format!(
            "the delivery of version {version} in batches is under way, or was stopped: until it is \
             finished, applications read keys of two versions"
        )),
        Condition::None
        | Condition::InSync
        | Condition::Missing
        | Condition::Behind
        | Condition::Edited
        | Condition::Outdated
        | Condition::Leftover => None,
    }
}

fn action_word(action: Action) -> &'static str {
    match action {
        Action::Keep => "none",
        Action::Create => "create",
        Action::Update => "update",
        Action::Repair => "repair",
        Action::Remove => "remove",
        Action::Leave(_) => "leave",
        Action::Refuse => "refused",
        Action::Wait => "wait",
    }
}

/// Why a delivery is what it is, where the words do not say it all.
fn reason(delivery: &Delivery) -> Option<String> {
    match (delivery.action, &delivery.condition, &delivery.desired) {
        (Action::Leave(keys), ..) => Some(leaving::reason(keys)),
        (_, Condition::Leftover, Some(_)) => Some(leaving::LEFT_OVER.to_owned()),
        (_, condition, _) => condition_reason(condition),
    }
}

impl PlanView {
    pub(crate) fn new(plan: &Plan, detail: Detail) -> Self {
        Self {
            detail,
            differences: !plan.is_settled(),
            resources: plan.resources.iter().map(ResourceView::new).collect(),
            clusters: plan.deliveries.iter().map(DeliveryView::new).collect(),
            objections: plan.objections.iter().map(ObjectionView::new).collect(),
            overridden: HoldView::all(&plan.deliveries),
        }
    }
}

impl PlanView {
    /// One line that says it all.
    fn summary(&self) -> String {
        let pairs: Vec<_> = self
            .clusters
            .iter()
            .filter(|view| view.condition != "not-here" || view.action != "none")
            .collect();
        let settled = pairs.iter().filter(|view| view.is_settled()).count();
        let clusters: BTreeSet<&str> = pairs.iter().map(|view| view.cluster.as_str()).collect();
        let looked = format!(
            "{} of {} in {} as they should be",
            settled,
            count(pairs.len(), "snapshot"),
            count(clusters.len(), "cluster")
        );
        if self.differences {
            format!("{looked}\n")
        } else {
            format!("no differences: {looked}\n")
        }
    }

    /// Which clusters could not be looked at, if any; without them a difference cannot be ruled
    /// out.
    pub(crate) fn unseen(&self) -> Option<String> {
        let unseen: BTreeSet<&str> = self
            .clusters
            .iter()
            .filter(|view| view.action == "wait")
            .map(|view| view.cluster.as_str())
            .collect();
        if unseen.is_empty() {
            return None;
        }
        let names: Vec<&str> = unseen.into_iter().collect();
        Some(format!("could not look at {}", names.join(", ")))
    }
}

/// The manifest of some content; empty for a tombstone or for nothing.
fn text(id: &ResourceId, content: Option<&Content>) -> String {
    content
        .and_then(|content| manifest_of(id, content))
        .map_or(String::new(), |manifest| yaml::to_string(&manifest))
}

impl ResourceView {
    /// What happens to it, for a comment.
    fn title(&self) -> String {
        let base = self.base.map_or("new".to_owned(), |base| base.to_string());
        let name = code(&self.name);
        format!("{name} {} ({base} → {})", self.change, self.version)
    }

    fn new(change: &ResourceChange) -> Self {
        Self {
            name: change.id.to_string(),
            change: match (&change.before, &change.after) {
                (_, Content::Deleted) => "deleted",
                (None | Some(Content::Deleted), _) => "created",
                _ => "changed",
            },
            reason: match change.why {
                Why::Content => "content",
                Why::Overrides => "overrides",
                Why::Labels => "labels",
                Why::Takeover => "takeover",
            },
            base: change.base,
            version: change.version,
            diff: Texts {
                name: change.id.to_string(),
                before: text(&change.id, change.before.as_ref()),
                after: text(&change.id, Some(&change.after)),
            },
        }
    }

    fn show(&self, look: Look, detail: Detail) -> String {
        let base = self.base.map_or("new".to_owned(), |base| base.to_string());
        let mut text = heading(&format!(
            "{} {} ({base} → {})",
            self.name, self.change, self.version
        ));
        match self.reason {
            "labels" => text.push_str("  the labels of a cluster change what it gets there\n"),
            "takeover" => text.push_str("  a higher number, to take over from another history\n"),
            _ => {}
        }
        // A person who is asked knows the file; all of it would bury what matters.
        if detail == Detail::Brief && self.change != "changed" {
            return text;
        }
        let highlight = Highlight::of(look);
        let Texts {
            name,
            before,
            after,
        } = &self.diff;
        text.push_str(&unified(name, before, after, highlight));
        text
    }
}

impl DeliveryView {
    fn new(delivery: &Delivery) -> Self {
        Self {
            set: delivery.pair.set.to_string(),
            cluster: delivery.pair.cluster.to_string(),
            condition: condition_word(&delivery.condition),
            reason: reason(delivery),
            holds: delivery.holds.as_ref().map(|(version, _)| *version),
            desired: delivery.desired.as_ref().map(Document::version),
            action: action_word(delivery.action),
            changes: delivery.changes.iter().map(excerpt::change).collect(),
            drift: delivery.drift.iter().map(DriftView::new).collect(),
            foreign: delivery.foreign.iter().map(ToString::to_string).collect(),
            adopts: delivery.adopted.iter().map(AdoptedView::new).collect(),
        }
    }

    /// Whether it holds what it should, and nothing will happen.
    fn is_settled(&self) -> bool {
        self.action == "none"
            && self.foreign.is_empty()
            && matches!(self.condition, "in-sync" | "not-here")
    }

    /// Whether a person wants to see it: what is settled only where everything is asked for.
    fn is_shown(&self, look: Look) -> bool {
        !self.is_settled() || (look.wide && self.condition != "not-here")
    }

    fn row(&self) -> [String; 5] {
        let version = |version: Option<Version>| version.map_or("-".to_owned(), |v| v.to_string());
        let versions = if self.holds == self.desired {
            version(self.holds)
        } else {
            format!("{} → {}", version(self.holds), version(self.desired))
        };
        [
            self.set.clone(),
            self.cluster.clone(),
            versions,
            self.summary(),
            self.already(),
        ]
    }

    /// What is planned, in a few words.
    fn summary(&self) -> String {
        let of = |wanted: fn(&Edit) -> bool| {
            let wanted = |change: &&ValueChange| wanted(&change.edit);
            self.changes.iter().filter(wanted).count()
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
        if let Some(adopts) = self.adoption() {
            // To the application these are there already: what is created is no news to it.
            return match (self.action, values.as_slice()) {
                ("create", _) | (_, []) => adopts,
                (action, values) => format!("{action} {}, {adopts}", values.join(" ")),
            };
        }
        match (self.action, values.as_slice()) {
            ("none", _) => "-".to_owned(),
            (action @ ("wait" | "refused"), _) | (action, []) => action.to_owned(),
            (action, values) => format!("{action} {}", values.join(" ")),
        }
    }

    /// What is taken over, if anything.
    fn adoption(&self) -> Option<String> {
        let differ = self.adopts.iter().filter(|adopted| !adopted.same_bytes);
        let keys = count(self.adopts.len(), "key");
        match (self.adopts.len(), differ.count()) {
            (0, _) => None,
            (_, 0) => Some(format!("adopts {keys}, same bytes")),
            (all, differ) if all == differ => Some(format!("adopts {keys}, other bytes")),
            (_, differ) => Some(format!("adopts {keys}, {differ} with other bytes")),
        }
    }

    /// What differs already, whatever is planned.
    fn already(&self) -> String {
        let mut parts = Vec::new();
        if !matches!(self.condition, "in-sync" | "not-here") {
            parts.push(self.condition.replace('-', " "));
        }
        if !self.drift.is_empty() {
            parts.push(count(self.drift.len(), "key"));
        }
        if !self.foreign.is_empty() {
            parts.push(count(self.foreign.len(), "foreign key"));
        }
        if parts.is_empty() {
            "-".to_owned()
        } else {
            parts.join(", ")
        }
    }

    fn details(&self, look: Look, text: &mut String) {
        let place = format!("{} in {}", self.set, self.cluster);
        for drift in &self.drift {
            let key = drift.key.as_deref().unwrap_or("the snapshot key");
            _ = writeln!(text, "! {place}: {} {}", printable(key), drift.what);
            drift.values("was", look, text);
        }
        for adopted in self.adopts.iter().filter(|adopted| !adopted.same_bytes) {
            let key = printable(&adopted.key);
            _ = writeln!(text, "! {place}: {key} is taken over and gets other bytes");
            for (word, value) in [("is", &adopted.from), ("becomes", &adopted.to)] {
                if let Some(value) = value {
                    _ = writeln!(text, "    {word}: {}", shortened(value, look));
                }
            }
        }
        for key in &self.foreign {
            _ = writeln!(
                text,
                "! {place}: {} is not from cfgctl; it stays",
                printable(key)
            );
        }
    }
}

fn heading(text: &str) -> String {
    let bold = Style::new().bold();
    format!("{bold}{text}{bold:#}\n")
}

impl Report for PlanView {
    const KIND: &'static str = "Diff";

    fn table(&self, look: Look) -> String {
        let mut sections: Vec<String> = Vec::new();
        let resources = self.resources.iter();
        sections.push(
            resources
                .map(|resource| resource.show(look, self.detail))
                .collect(),
        );

        let shown = || self.clusters.iter().filter(|view| view.is_shown(look));
        sections.push(table(
            look,
            ["SET", "CLUSTER", "VERSION", "CHANGE", "ALREADY DIFFERENT"],
            shown().map(DeliveryView::row),
        ));
        if look.wide {
            let mut text = String::new();
            for view in shown().filter(|view| !view.changes.is_empty()) {
                text.push_str(&heading(&format!("{} in {}", view.set, view.cluster)));
                value_lines(&view.changes, look, &mut text);
            }
            sections.push(text);
        }
        let mut details = String::new();
        for view in shown() {
            let objections = || {
                self.objections
                    .iter()
                    .filter(|against| against.is_about(&view.set, &view.cluster))
            };
            if let Some(reason) = &view.reason
                && !objections().any(|against| against.reason == *reason)
            {
                let place = format!("{} in {}", view.set, view.cluster);
                _ = writeln!(details, "! {place}: {}", printable(reason));
            }
            view.details(look, &mut details);
        }
        sections.push(details);
        sections.push(self.overridden.iter().map(HoldView::line).collect());

        let mut against = String::new();
        for objection in &self.objections {
            let red = AnsiColor::Red.on_default().bold();
            _ = writeln!(
                against,
                "{red}refused{red:#}: {}: {}",
                objection.place(),
                printable(&objection.reason)
            );
        }
        sections.push(against);
        sections.retain(|section| !section.is_empty());
        sections.push(self.summary());
        sections.join("\n")
    }

    fn names(&self) -> Vec<String> {
        self.resources
            .iter()
            .map(|resource| resource.name.clone())
            .collect()
    }

    fn special(&self, output: Output) -> Option<String> {
        (output == Output::Markdown).then(|| self.markdown())
    }

    fn shows_objections(&self) -> bool {
        true
    }
}

impl PlanView {
    fn markdown(&self) -> String {
        let look = Look::plain(jiff::Timestamp::UNIX_EPOCH);
        let shown = || {
            let clusters = self.clusters.iter();
            clusters.filter(|view| !view.is_settled())
        };
        let rows = shown().map(|view| {
            let [set, cluster, version, change, already] = view.row();
            vec![
                code(&set),
                code(&cluster),
                version,
                code(&change),
                code(&already),
            ]
        });
        let sets = shown().map(|view| format!("set/{}", view.set));
        let resources = self.resources.iter().map(|resource| resource.name.clone());
        let names: BTreeSet<String> = sets.chain(resources).collect();
        let sections = names.into_iter().map(|name| {
            let resource = self.resources.iter().find(|resource| resource.name == name);
            let mut text = resource.map_or(String::new(), |resource| resource.diff.plain());
            for view in shown().filter(|view| format!("set/{}", view.set) == name) {
                _ = writeln!(text, "@@ {} @@", view.cluster);
                value_lines(&view.changes, look, &mut text);
                view.details(look, &mut text);
            }
            Section {
                title: resource.map_or_else(|| code(&name), ResourceView::title),
                language: "diff",
                text: anstream::adapter::strip_str(&text).to_string(),
            }
        });
        let refused = self.objections.iter().map(|objection| {
            let place = objection.place();
            format!(
                "\n\n**refused**: {}: {}",
                code(&place),
                code(&objection.reason)
            )
        });
        let refused: String = refused.take(MAX_REFUSALS).collect();
        let overridden: String = (self.overridden.iter())
            .map(|hold| {
                format!(
                    "\n\n{}",
                    code(hold.line().trim_start_matches("* ").trim_end())
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
