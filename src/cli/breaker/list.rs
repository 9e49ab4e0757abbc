//! `cfgctl breaker list`.

use jiff::Timestamp;
use serde::Serialize;

use crate::cli::declared::clusters;
use crate::cli::failure::{Exit, Failure};
use crate::cli::names::living_or_all;
use crate::cli::session::Session;
use crate::cli::ui::{Look, Report};
use crate::cli::views::overrides::lasts;
use crate::cli::views::table::{age, printable, table};
use crate::model::{
    BreakerName, BreakerState, BreakerStatus, ConfigSet, Heads, Labels, Revision, SetName,
};
use crate::store::Which;

/// Lists breakers with their state in every cluster
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// The set; left out: all
    #[arg(value_name = "SET")]
    set: Option<SetName>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Breakers {
    breakers: Vec<BreakerView>,
}

/// One breaker, as clusters with the same state have it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BreakerView {
    pub(super) set: String,
    pub(super) breaker: String,
    pub(super) clusters: Vec<String>,
    /// As resilience4j numbers its states.
    state_number: u8,
    pub(super) state: BreakerState,
    pub(super) actor: Option<String>,
    pub(super) since: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
    pub(super) reason: Option<String>,
}

pub(super) async fn list(session: &Session, args: &ListArgs) -> Result<Exit, Failure> {
    let store = session.store().await?;
    let heads = store.heads(&Which::All).await?.heads;
    let mut breakers = Vec::new();
    for (set, content, head) in living_or_all(&heads, args.set.as_ref())? {
        for name in content.breakers.keys() {
            breakers.extend(views(&heads, set, (content, head), name));
        }
    }
    if breakers.is_empty() {
        session.looked_in(store.as_ref());
    }
    session.ui.report(&Breakers { breakers })?;
    Ok(Exit::Done)
}

/// One breaker in every cluster that gets its set.
pub(super) fn views(
    heads: &Heads,
    set: &SetName,
    (content, head): (&ConfigSet, &Revision),
    name: &BreakerName,
) -> Vec<BreakerView> {
    let mut found: Vec<(BreakerStatus, Vec<String>)> = Vec::new();
    for (cluster, place) in clusters(heads) {
        if !content.clusters.matches(&place.labels) {
            continue;
        }
        let status = head.overrides.status(name, &place.labels);
        match found.iter_mut().find(|(known, _)| *known == status) {
            Some((_, clusters)) => clusters.push(cluster.to_string()),
            None => found.push((status, vec![cluster.to_string()])),
        }
    }
    if found.is_empty() {
        let nowhere = Labels::new();
        found.push((head.overrides.status(name, &nowhere), Vec::new()));
    }
    let view = |(status, clusters): (BreakerStatus, Vec<String>)| BreakerView {
        set: set.to_string(),
        breaker: name.to_string(),
        clusters,
        state_number: status.state.number(),
        state: status.state,
        actor: status.actor,
        since: status.since,
        until: status.until,
        reason: status.reason,
    };
    found.into_iter().map(view).collect()
}

impl Report for Breakers {
    const KIND: &'static str = "Breakers";

    fn table(&self, look: Look) -> String {
        let rows = self.breakers.iter().map(|view| {
            let dash = || "-".to_owned();
            [
                format!("{}/{}", view.set, view.breaker),
                view.state.as_str().to_owned(),
                view.clusters.join(","),
                view.since.map_or_else(dash, |at| age(at, look.now)),
                view.actor.as_deref().map_or_else(dash, printable),
                view.reason.as_deref().map_or_else(dash, printable),
                match view.since {
                    Some(_) => lasts(view.until, look.now),
                    None => dash(),
                },
            ]
        });
        let header = [
            "BREAKER", "STATE", "CLUSTERS", "SINCE", "BY", "REASON", "LASTS",
        ];
        let text = table(look, header, rows);
        if text.is_empty() {
            "no set declares a breaker\n".to_owned()
        } else {
            text
        }
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = (self.breakers.iter())
            .map(|view| format!("{}/{}", view.set, view.breaker))
            .collect();
        names.dedup();
        names
    }
}
