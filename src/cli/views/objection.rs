//! What stands against a plan, as people and programs see it.

use serde::Serialize;

use super::table::printable;
use crate::model::Consent;
use crate::plan::Objection;

/// One reason why a plan is refused.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ObjectionView {
    set: String,
    /// The cluster; none where it is about the set itself.
    cluster: Option<String>,
    /// A stable word for the rule that refuses.
    rule: &'static str,
    pub(super) reason: String,
    /// The flag that lets it pass, if one does.
    answer: Option<&'static str>,
}

impl ObjectionView {
    pub(crate) fn new(objection: &Objection) -> Self {
        Self {
            set: objection.set.to_string(),
            cluster: objection.cluster.as_ref().map(ToString::to_string),
            rule: objection.reason.rule(),
            reason: objection.reason.to_string(),
            answer: objection.reason.answer().map(Consent::flag),
        }
    }

    /// The set, and the cluster if it is about one.
    pub(super) fn place(&self) -> String {
        match &self.cluster {
            Some(cluster) => format!("{} in {cluster}", self.set),
            None => self.set.clone(),
        }
    }

    pub(super) fn is_about(&self, set: &str, cluster: &str) -> bool {
        self.set == set && self.cluster.as_deref() == Some(cluster)
    }

    /// All of it on one line.
    pub(crate) fn line(&self) -> String {
        let answer = self
            .answer
            .map_or(String::new(), |flag| format!(" ({flag})"));
        let reason = printable(&self.reason);
        format!("{}: {}: {reason}{answer}", self.place(), self.rule)
    }
}
