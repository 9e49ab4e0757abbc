//! `cfgctl breaker show`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;

use super::history::{self, Event};
use super::list::{BreakerView, views};
use crate::cli::declared::clusters;
use crate::cli::failure::{Exit, Failure};
use crate::cli::names::{PartOf, around, known_part, living};
use crate::cli::runtime::Scene;
use crate::cli::session::Session;
use crate::cli::survey::{LookArgs, look};
use crate::cli::ui::{Look, Report};
use crate::cli::views::delivered::delivered;
use crate::cli::views::overrides::{EffectIn, effect_lines, effects, lasts};
use crate::cli::views::table::{moment, printable, table};
use crate::model::{
    BreakerName, BreakerState, Clocks, Grip, Opening, Overrides, Reset, ResourceId, Selector,
    Stamp, Witness,
};

/// How many events are shown; `breaker history` shows more.
const SHOWN: usize = 5;

/// Shows a breaker: its state, who brought it there, what it changes in every cluster
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// The breaker
    #[arg(value_name = "SET/BREAKER")]
    breaker: PartOf<BreakerName>,

    #[command(flatten)]
    look: LookArgs,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    breaker: String,
    description: Option<String>,
    alerts: BTreeMap<String, String>,
    reset: String,
    states: Vec<BreakerView>,
    /// What is different in every cluster while it is open.
    effects: Vec<EffectIn>,
    recent: Vec<Event>,
}

pub(super) async fn show(session: &Session, args: &ShowArgs) -> Result<Exit, Failure> {
    let store = session.store().await?;
    let PartOf { set, name } = &args.breaker;
    let heads = around(store.as_ref(), [set]).await?;
    known_part(&living(&heads, set)?.0.breakers, "breaker", set, name)?;
    let sets = BTreeSet::from([set.clone()]);
    let (survey, plan) = look(session, store.as_ref(), sets, &args.look).await?;
    let heads = survey.heads;
    let (content, head) = living(&heads, set)?;
    let declared = known_part(&content.breakers, "breaker", set, name)?;
    let mut recent = history::events(store.as_ref(), &ResourceId::Set(set.clone()), name).await?;
    recent.truncate(SHOWN);
    let scene = Scene {
        set: content,
        overrides: &head.overrides,
        clusters: &clusters(&heads),
        clocks: Clocks::of(session.environment.now, []),
        witness: Witness::Present,
    };
    let (closed, open) = both(&scene, name);
    session.ui.report(&Shown {
        breaker: format!("{set}/{name}"),
        description: declared.description.clone(),
        alerts: declared.alerts.clone(),
        reset: match declared.reset {
            Reset::Manual => "by a person".to_owned(),
            Reset::After(lasts) => format!("after {lasts:#}"),
            Reset::OnResolve => "when the alerts are resolved".to_owned(),
        },
        states: views(&heads, &plan, set, head, name),
        effects: effects(&scene, &closed, &open),
        recent,
    })?;
    Ok(Exit::Done)
}

/// Everything as it is, with this breaker closed everywhere, and with it open everywhere.
fn both(scene: &Scene<'_>, name: &BreakerName) -> (Overrides, Overrides) {
    let mut closed = scene.overrides.clone();
    closed.enable(name);
    closed.openings.retain(|it| it.breaker != *name);
    let mut open = closed.clone();
    open.openings.push(Opening {
        breaker: name.clone(),
        clusters: Selector::default(),
        grip: Grip::Loose,
        stamp: Stamp {
            actor: String::new(),
            since: scene.clocks.setting,
            reason: None,
        },
        until: None,
        counted: None,
    });
    (closed, open)
}

impl Report for Shown {
    const KIND: &'static str = "Breaker";

    fn table(&self, look: Look) -> String {
        let mut text = format!("{}\n", self.breaker);
        if let Some(description) = &self.description {
            _ = writeln!(text, "  {}", printable(description));
        }
        if !self.alerts.is_empty() {
            let alerts = self.alerts.iter();
            let alerts: Vec<_> = alerts
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            _ = writeln!(
                text,
                "  tripped by alerts with {}",
                printable(&alerts.join(","))
            );
        }
        _ = writeln!(text, "  reset {}", self.reset);
        for view in &self.states {
            _ = write!(text, "{}", view.state.as_str());
            if !view.clusters.is_empty() {
                _ = write!(text, " in {}", view.clusters.join(", "));
            }
            if let (Some(since), Some(actor)) = (view.since, &view.actor) {
                _ = write!(text, " since {} ({})", moment(since), printable(actor));
                if view.state != BreakerState::Disabled {
                    _ = write!(text, ", lasts {}", lasts(view.until, look.now));
                }
            }
            if let Some(reason) = &view.reason {
                _ = write!(text, ": {}", printable(reason));
            }
            if !view.clusters.is_empty() {
                let delivered = delivered(view.clusters.len(), &view.waiting);
                _ = write!(text, "\n  delivered in {delivered}");
            }
            text.push('\n');
        }
        text.push_str("\nwhile it is open,\n");
        effect_lines(&self.effects, look, &mut text);
        if !self.recent.is_empty() {
            text.push('\n');
            text.push_str(&table(
                look,
                history::HEADER,
                self.recent.iter().map(Event::row),
            ));
        }
        text
    }

    fn names(&self) -> Vec<String> {
        vec![self.breaker.clone()]
    }
}
