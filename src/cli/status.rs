//! `cfgctl status`.

use jiff::Timestamp;
use serde::Serialize;

use super::clocks::tell_of_clocks;
use super::environment::Environment;
use super::failure::{Exit, Failure};
use super::interrupt::Interrupt;
use super::session::{ReachArgs, Session};
use super::survey::{Question, reach, survey};
use super::ui::{Look, Report};
use super::views::overrides::HoldView;
use super::views::plan::{condition_reason, condition_word};
use super::views::table::{age, printable, table};
use crate::model::{ResourceId, SetName, Version};
use crate::plan::{Action, Condition, Delivery};

/// Shows which version of every set each cluster holds, whether it is the head, since when and by
/// whom
///
/// Ends with 0 when every cluster could be looked at, whatever it holds, and with 7 when one could
/// not; `cfgctl drift` ends with 1 when something differs.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct StatusArgs {
    /// The sets; left out: all
    #[arg(value_name = "SET")]
    sets: Vec<SetName>,

    #[command(flatten)]
    reach: ReachArgs,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    in_sync: bool,
    clusters: Vec<StatusView>,
    /// What is switched by hand.
    overridden: Vec<HoldView>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct StatusView {
    set: String,
    cluster: String,
    head: Option<Version>,
    holds: Option<Version>,
    state: &'static str,
    reason: Option<String>,
    since: Option<Timestamp>,
    actor: Option<String>,
    drift: usize,
    foreign: usize,
}

pub(crate) async fn status(session: &Session, args: &StatusArgs) -> Result<Exit, Failure> {
    let store = session.store().await?;
    let question = Question::of(reach(store.as_ref(), &args.sets).await?);
    let interrupt = Interrupt::listen();
    let (survey, plan) =
        survey(session, store.as_ref(), &question, &args.reach, &interrupt).await?;
    tell_of_clocks(&session.ui, &survey.clocks(Environment::time()));
    session.ui.report(&Status {
        in_sync: plan.is_settled(),
        clusters: plan
            .deliveries
            .iter()
            .filter(|delivery| delivery.condition != Condition::None)
            .map(|delivery| {
                let id = ResourceId::Set(delivery.pair.set.clone());
                let head = survey.heads.get(&id).map(|head| head.version);
                StatusView::new(delivery, head)
            })
            .collect(),
        overridden: HoldView::all(&plan.deliveries),
    })?;
    // Where the set should not be anyway, nothing is expected to be found.
    let is_unseen = |delivery: &Delivery| {
        matches!(delivery.condition, Condition::Unseen(_)) && delivery.action != Action::Keep
    };
    Ok(if plan.deliveries.iter().any(is_unseen) {
        Exit::Unavailable
    } else {
        Exit::Done
    })
}

impl StatusView {
    fn new(delivery: &Delivery, head: Option<Version>) -> Self {
        let holds = delivery.holds.as_ref();
        Self {
            set: delivery.pair.set.to_string(),
            cluster: delivery.pair.cluster.to_string(),
            head,
            holds: holds.map(|(version, _)| *version),
            state: condition_word(&delivery.condition),
            reason: reason(&delivery.condition),
            since: holds.map(|(_, origin)| origin.at),
            actor: holds.map(|(_, origin)| origin.actor.clone()),
            drift: delivery.drift.len(),
            foreign: delivery.foreign.len(),
        }
    }
}

/// Why it is as it is, and for a delivery that stopped half-way what to do: nothing else goes on by
/// itself there.
fn reason(condition: &Condition) -> Option<String> {
    let reason = condition_reason(condition)?;
    Some(match condition {
        Condition::Unfinished(_) => format!("{reason}; `cfgctl apply --resume` finishes it"),
        _ => reason,
    })
}

impl Report for Status {
    const KIND: &'static str = "Status";

    fn table(&self, look: Look) -> String {
        let rows = self.clusters.iter().map(|view| {
            let version = match (view.holds, view.head) {
                (Some(holds), Some(head)) if holds != head => format!("{holds} of {head}"),
                (Some(holds), _) => holds.to_string(),
                (None, Some(head)) => format!("- of {head}"),
                (None, None) => "-".to_owned(),
            };
            [
                view.set.clone(),
                view.cluster.clone(),
                version,
                view.state.replace('-', " "),
                view.since.map_or("-".to_owned(), |at| age(at, look.now)),
                view.actor.as_deref().map_or("-".to_owned(), printable),
                view.reason.as_deref().map_or(String::new(), printable),
            ]
        });
        let header = [
            "SET", "CLUSTER", "VERSION", "STATE", "SINCE", "BY", "REASON",
        ];
        let text = table(look, header, rows);
        if text.is_empty() {
            return "nothing is delivered to any cluster\n".to_owned();
        }
        let overridden: String = self.overridden.iter().map(HoldView::line).collect();
        if overridden.is_empty() {
            text
        } else {
            format!("{text}\n{overridden}")
        }
    }

    fn names(&self) -> Vec<String> {
        self.clusters
            .iter()
            .map(|view| format!("{}/{}", view.cluster, view.set))
            .collect()
    }
}
