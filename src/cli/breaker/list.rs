//! `cfgctl breaker list`.

use serde::Serialize;

use crate::cli::declared::clusters;
use crate::cli::failure::{Exit, Failure};
use crate::cli::names::known_set;
use crate::cli::session::Session;
use crate::cli::ui::{Look, Report};
use crate::cli::views::overrides::lasts;
use crate::cli::views::table::{age, printable, table};
use crate::model::{BreakerName, BreakerStatus, Heads, ResourceId, Revision, SetName};

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
    #[serde(flatten)]
    pub(super) status: BreakerStatus,
}

pub(super) async fn list(session: &Session, args: &ListArgs) -> Result<Exit, Failure> {
    let heads = session.store().await?.heads().await?;
    if let Some(set) = &args.set {
        known_set(&heads, set)?;
    }
    let sets = heads.iter().filter_map(|(id, head)| match id {
        ResourceId::Set(name) if args.set.as_ref().is_none_or(|set| set == name) => {
            Some((name, head))
        }
        _ => None,
    });
    let mut breakers = Vec::new();
    for (set, head) in sets {
        if let Some(content) = head.content.set() {
            for name in content.breakers.keys() {
                breakers.extend(views(&heads, set, head, name));
            }
        }
    }
    session.ui.report(&Breakers { breakers })?;
    Ok(Exit::Done)
}

/// One breaker in every cluster that gets its set.
pub(super) fn views(
    heads: &Heads,
    set: &SetName,
    head: &Revision,
    name: &BreakerName,
) -> Vec<BreakerView> {
    let Some(content) = head.content.set() else {
        return Vec::new();
    };
    let mut views: Vec<BreakerView> = Vec::new();
    let view = |status: BreakerStatus, clusters| BreakerView {
        set: set.to_string(),
        breaker: name.to_string(),
        clusters,
        state_number: status.state.number(),
        status,
    };
    for (cluster, place) in clusters(heads) {
        if !content.clusters.matches(&place.labels) {
            continue;
        }
        let status = head.overrides.status(name, &place.labels);
        match views.iter_mut().find(|known| known.status == status) {
            Some(known) => known.clusters.push(cluster.to_string()),
            None => views.push(view(status, vec![cluster.to_string()])),
        }
    }
    if views.is_empty() {
        let nowhere = crate::model::Labels::new();
        views.push(view(head.overrides.status(name, &nowhere), Vec::new()));
    }
    views
}

impl Report for Breakers {
    const KIND: &'static str = "Breakers";

    fn table(&self, look: Look) -> String {
        let rows = self.breakers.iter().map(|view| {
            let status = &view.status;
            let dash = || "-".to_owned();
            [
                format!("{}/{}", view.set, view.breaker),
                status.state.as_str().to_owned(),
                view.clusters.join(","),
                status.since.map_or_else(dash, |at| age(at, look.now)),
                status.actor.as_deref().map_or_else(dash, printable),
                status.reason.as_deref().map_or_else(dash, printable),
                match status.since {
                    Some(_) => lasts(status.until, look.now),
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
