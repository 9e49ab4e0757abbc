//! What stands against a plan, as people see it.

use super::table::printable;
use crate::api::report::ObjectionItem;
use crate::model::Consent;

/// The set, and the cluster if it is about one.
pub(super) fn place(objection: &ObjectionItem) -> String {
    match &objection.cluster {
        Some(cluster) => format!("{} in {cluster}", objection.set),
        None => objection.set.to_string(),
    }
}

/// All of it on one line.
pub(crate) fn line(objection: &ObjectionItem) -> String {
    let answer = objection.answer.map(Consent::flag);
    let answer = answer.map_or(String::new(), |flag| format!(" ({flag})"));
    let reason = printable(&objection.reason);
    let rule = objection.rule.as_str();
    format!("{}: {rule}: {reason}{answer}", place(objection))
}
