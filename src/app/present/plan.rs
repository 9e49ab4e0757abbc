//! A plan as a report.

use similar::TextDiff;

use super::{excerpt, holds, leaving};
use crate::api::report::{
    ActionKind, AdoptedKey, DriftKind, KeyDrift, ObjectionItem, PlanReport, PlannedDelivery,
    PlannedResource, ResourceEdit, ResourceReason, State,
};
use crate::manifest::manifest_of;
use crate::model::{Content, Document, Key, ResourceId};
use crate::plan::{
    self, Condition, Delivery, ForeignEdit, ObjectionReason, Plan, ResourceChange, UnseenKind, Why,
};
use crate::yaml;

/// Lines of context around a change, as `diff -u` has them.
const CONTEXT: usize = 3;

/// All of a plan.
pub(crate) fn plan_report(plan: &Plan) -> PlanReport {
    PlanReport {
        differences: !plan.is_settled(),
        resources: plan.resources.iter().map(resource).collect(),
        clusters: plan.deliveries.iter().map(delivery).collect(),
        objections: plan.objections.iter().map(objection).collect(),
        overridden: holds::overridden(&plan.deliveries),
    }
}

fn resource(change: &ResourceChange) -> PlannedResource {
    let before = text(&change.id, change.before.as_ref());
    let after = text(&change.id, Some(&change.after));
    PlannedResource {
        name: change.id.clone(),
        change: match (&change.before, &change.after) {
            (_, Content::Deleted) => ResourceEdit::Deleted,
            (None | Some(Content::Deleted), _) => ResourceEdit::Created,
            _ => ResourceEdit::Changed,
        },
        reason: match change.why {
            Why::Content => ResourceReason::Content,
            Why::Overrides => ResourceReason::Overrides,
            Why::Labels => ResourceReason::Labels,
            Why::Takeover => ResourceReason::Takeover,
        },
        base: change.base,
        version: change.version,
        diff: unified(&change.id.to_string(), &before, &after),
    }
}

/// The manifest of some content; empty for a tombstone or for nothing.
fn text(id: &ResourceId, content: Option<&Content>) -> String {
    content
        .and_then(|content| manifest_of(id, content))
        .map_or(String::new(), |manifest| yaml::to_string(&manifest))
}

/// A unified diff of `before` and `after` under this name; empty when they are equal.
fn unified(name: &str, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    if before.is_empty() {
        return new_lines(name, after);
    }
    let diff = TextDiff::from_lines(before, after);
    let mut unified = diff.unified_diff();
    let unified = unified.context_radius(CONTEXT).missing_newline_hint(false);
    unified.header(name, name).to_string()
}

/// The same diff of a text that is new: there is nothing to compare.
fn new_lines(name: &str, text: &str) -> String {
    let count = text.lines().count();
    let lines = match count {
        1 => "1".to_owned(),
        count => format!("1,{count}"),
    };
    let mut diff = format!("--- {name}\n+++ {name}\n@@ -0,0 +{lines} @@\n");
    diff.reserve_exact(text.len() + count);
    for line in text.lines() {
        diff.push('+');
        diff.push_str(line);
        diff.push('\n');
    }
    diff
}

fn delivery(delivery: &Delivery) -> PlannedDelivery {
    PlannedDelivery {
        set: delivery.pair.set.clone(),
        cluster: delivery.pair.cluster.clone(),
        condition: state(&delivery.condition),
        reason: reason(delivery),
        holds: delivery.holds.as_ref().map(|(version, _)| *version),
        desired: delivery.desired.as_ref().map(Document::version),
        action: action(delivery.action),
        changes: delivery.changes.iter().map(excerpt::change).collect(),
        drift: delivery.drift.iter().map(key_drift).collect(),
        foreign: delivery.foreign.iter().map(ToString::to_string).collect(),
        adopts: delivery.adopted.iter().map(adopted).collect(),
    }
}

/// How a cluster compares with what it should hold.
pub(crate) fn state(condition: &Condition) -> State {
    match condition {
        Condition::None => State::NotHere,
        Condition::InSync => State::InSync,
        Condition::Missing => State::Missing,
        Condition::Behind => State::Behind,
        Condition::Unfinished(_) => State::Unfinished,
        Condition::Edited => State::ChangedByHand,
        Condition::Outdated => State::Outdated,
        Condition::Leftover => State::LeftOver,
        Condition::Alien(ObjectionReason::Ahead { .. }) => State::Ahead,
        Condition::Alien(ObjectionReason::OtherHistory { .. }) => State::OtherHistory,
        Condition::Alien(ObjectionReason::Unreadable { .. }) => State::Unreadable,
        Condition::Alien(_) => State::NotOurs,
        Condition::Unseen(unseen) => match unseen.kind {
            UnseenKind::Unreachable => State::Unreachable,
            UnseenKind::Denied => State::Denied,
            UnseenKind::Unusable => State::Unusable,
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

fn action(action: plan::Action) -> ActionKind {
    match action {
        plan::Action::Keep => ActionKind::None,
        plan::Action::Create => ActionKind::Create,
        plan::Action::Update => ActionKind::Update,
        plan::Action::Repair => ActionKind::Repair,
        plan::Action::Remove => ActionKind::Remove,
        plan::Action::Leave(_) => ActionKind::Leave,
        plan::Action::Refuse => ActionKind::Refused,
        plan::Action::Wait => ActionKind::Wait,
    }
}

/// Why a delivery is what it is, where the words do not say it all.
fn reason(delivery: &Delivery) -> Option<String> {
    match (delivery.action, &delivery.condition, &delivery.desired) {
        (plan::Action::Leave(keys), ..) => Some(leaving::reason(keys)),
        (_, Condition::Leftover, Some(_)) => Some(leaving::LEFT_OVER.to_owned()),
        (_, condition, _) => condition_reason(condition),
    }
}

fn adopted(adopted: &plan::Adopted) -> AdoptedKey {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let change = adopted.change.as_ref();
    AdoptedKey {
        key: adopted.key.to_string(),
        same_bytes: change.is_none(),
        from: change.map(|(from, _)| text(from)),
        to: change.map(|(_, to)| text(to)),
    }
}

/// What stands against a plan.
pub(crate) fn objection(objection: &plan::Objection) -> ObjectionItem {
    ObjectionItem {
        set: objection.set.clone(),
        cluster: objection.cluster.clone(),
        rule: objection.reason.rule(),
        reason: objection.reason.to_string(),
        answer: objection.reason.answer(),
    }
}

/// One of our keys that someone else changed.
pub(super) fn key_drift(drift: &ForeignEdit) -> KeyDrift {
    match drift {
        ForeignEdit::EditedSnapshot { values } => KeyDrift {
            key: None,
            what: DriftKind::Changed,
            found: None,
            expected: None,
            found_bytes: None,
            expected_bytes: None,
            values: values.iter().map(excerpt::change).collect(),
        },
        ForeignEdit::Edited {
            key,
            found,
            unread,
            expected,
        } => {
            let found = unread.is_none().then_some(found.as_slice());
            let drift = with_values(key, DriftKind::Changed, found, expected.as_deref());
            KeyDrift {
                found_bytes: unread.or(drift.found_bytes),
                ..drift
            }
        }
        ForeignEdit::Missing { key, expected } => {
            with_values(key, DriftKind::Deleted, None, expected.as_deref())
        }
    }
}

fn with_values(
    key: &Key,
    what: DriftKind,
    found: Option<&[u8]>,
    expected: Option<&[u8]>,
) -> KeyDrift {
    // Where both are too long to be shown, what they begin with alike is left out.
    let alike = match (found, expected) {
        (Some(found), Some(expected)) => excerpt::alike(found, expected),
        _ => 0,
    };
    let of = |bytes: Option<&[u8]>| {
        let (text, bytes) = excerpt::text(bytes?, alike);
        Some((text, bytes))
    };
    let (found, found_bytes) = of(found).unzip();
    let (expected, expected_bytes) = of(expected).unzip();
    KeyDrift {
        key: Some(key.to_string()),
        what,
        found,
        expected,
        found_bytes: found_bytes.flatten(),
        expected_bytes: expected_bytes.flatten(),
        values: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_diff_of_something_new_is_what_comparing_it_with_nothing_gives() {
        for text in ["a\n", "a\nb: |\n  c\n\n  d\n", "a", "a\n\n"] {
            let diff = TextDiff::from_lines("", text);
            let mut compared = diff.unified_diff();
            let compared = compared.context_radius(CONTEXT).missing_newline_hint(false);
            let compared = compared.header("set/a", "set/a").to_string();
            assert_eq!(unified("set/a", "", text), compared, "{text:?}");
        }
    }
}
