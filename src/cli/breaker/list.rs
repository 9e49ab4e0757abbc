//! `cfgctl breaker list`.

use jiff::Timestamp;
use serde::Serialize;

use crate::cli::failure::{Exit, Failure};
use crate::cli::names::living_or_all;
use crate::cli::session::Session;
use crate::cli::survey::{LookArgs, look};
use crate::cli::ui::{Look, Report};
use crate::cli::views::delivered::{Waiting, arrivals, delivered};
use crate::cli::views::overrides::lasts;
use crate::cli::views::table::{age, printable, table};
use crate::engine::clusters_of;
use crate::model::{
    BreakerName, BreakerState, BreakerStatus, ClusterName, Heads, Labels, Part, Revision, SetName,
};
use crate::plan::Plan;
use crate::store::Which;

/// Lists breakers: their state in every cluster, and which clusters it was delivered to
///
/// The state is that of the store. Every cluster is looked at as well, all at once: one that does
/// not answer within `--timeout` is told, and holds up the answer for no longer.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// The set; left out: all
    #[arg(value_name = "SET")]
    set: Option<SetName>,

    #[command(flatten)]
    look: LookArgs,
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
    /// The clusters that hold this state.
    pub(super) delivered: Vec<String>,
    /// The others, and how it is there.
    pub(super) waiting: Vec<Waiting>,
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
    let sets = living_or_all(&heads, args.set.as_ref())?.into_iter();
    let sets = sets.filter(|(_, content, _)| !content.breakers.is_empty());
    let sets = sets.map(|(name, ..)| name.clone()).collect();
    let (survey, plan) = look(session, store.as_ref(), sets, &args.look).await?;
    let heads = &survey.heads;
    let mut breakers = Vec::new();
    for (set, content, head) in living_or_all(heads, args.set.as_ref())? {
        for name in content.breakers.keys() {
            breakers.extend(views(heads, &plan, set, head, name));
        }
    }
    session.ui.report(&Breakers { breakers })?;
    Ok(Exit::Done)
}

/// One breaker in every cluster that gets its set.
pub(super) fn views(
    heads: &Heads,
    plan: &Plan,
    set: &SetName,
    head: &Revision,
    name: &BreakerName,
) -> Vec<BreakerView> {
    let mut found: Vec<(BreakerStatus, Vec<ClusterName>)> = Vec::new();
    for (cluster, place) in clusters_of(set, heads) {
        let status = head.overrides.status(name, &place.labels);
        match found.iter_mut().find(|(known, _)| *known == status) {
            Some((_, clusters)) => clusters.push(cluster.clone()),
            None => found.push((status, vec![cluster.clone()])),
        }
    }
    if found.is_empty() {
        let nowhere = Labels::new();
        found.push((head.overrides.status(name, &nowhere), Vec::new()));
    }
    let part = Part::Breaker(name.clone());
    let view = |(status, clusters): (BreakerStatus, Vec<ClusterName>)| {
        let (delivered, waiting) = arrivals(plan, set, &part, &clusters);
        BreakerView {
            set: set.to_string(),
            breaker: name.to_string(),
            clusters: clusters.iter().map(ToString::to_string).collect(),
            delivered,
            waiting,
            state_number: status.state.number(),
            state: status.state,
            actor: status.actor,
            since: status.since,
            until: status.until,
            reason: status.reason,
        }
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
                delivered(view.clusters.len(), &view.waiting),
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
            "BREAKER",
            "STATE",
            "CLUSTERS",
            "DELIVERED",
            "SINCE",
            "BY",
            "REASON",
            "LASTS",
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
