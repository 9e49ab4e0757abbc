//! `cfgctl drift`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::change::{Change, ConsentArgs, carry_through};
use super::clocks::tell_of_clocks;
use super::environment::Environment;
use super::failure::{Exit, Failure};
use super::interrupt::Interrupt;
use super::session::{ReachArgs, Session, duration};
use super::survey::{Question, reach, survey};
use super::views::drift::{DriftReport, Mending};
use crate::model::{Cause, Clocks, SetName};
use crate::plan::Desired;
use crate::store::Store;

/// Compares every cluster with what it should hold, and says what differs, why, and what mends it
///
/// Ends with 0 when everything is in sync, 1 when something differs, and 7 when nothing does as
/// far as it could be looked at. Keys of others where the application reads count as a difference,
/// and are never removed.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DriftArgs {
    /// The sets; left out: all
    #[arg(value_name = "SET")]
    sets: Vec<SetName>,

    /// Write again what clusters should hold, after showing the plan
    #[arg(long, conflicts_with = "watch")]
    repair: bool,

    /// Look again and again until Ctrl-C, and tell what changes
    #[arg(
        long,
        value_name = "INTERVAL",
        value_parser = duration,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "30s"
    )]
    watch: Option<Duration>,

    #[command(flatten)]
    reach: ReachArgs,

    #[command(flatten)]
    consent: ConsentArgs,
}

impl DriftArgs {
    /// Whether it writes.
    pub(crate) fn repairs(&self) -> bool {
        self.repair
    }
}

pub(crate) async fn drift(session: &Session, args: &DriftArgs) -> Result<Exit, Failure> {
    if !args.repair && args.consent.is_given() {
        return Err(Failure::usage("nothing is written without `--repair`")
            .hint("leave the other flags out, or add `--repair`"));
    }
    let store = session.store().await?;
    let sets = reach(store.as_ref(), &args.sets).await?;
    if args.repair {
        let change = Change {
            desired: Desired::nothing(),
            reach: sets,
            cause: Cause::Apply,
            provenances: BTreeMap::new(),
            consents: BTreeSet::new(),
            saved: None,
        };
        return carry_through(session, store.as_ref(), &change, &args.reach, &args.consent).await;
    }
    let question = Question::of(sets);
    let interrupt = Interrupt::listen();
    if let Some(interval) = args.watch {
        return watch(
            session,
            store.as_ref(),
            &question,
            args,
            &interrupt,
            interval,
        )
        .await;
    }
    let (report, clocks) = look(session, store.as_ref(), &question, args, &interrupt).await?;
    tell_of_clocks(&session.ui, &clocks);
    session.ui.report(&report)?;
    Ok(report.exit())
}

async fn look(
    session: &Session,
    store: &dyn Store,
    question: &Question,
    args: &DriftArgs,
    interrupt: &Interrupt,
) -> Result<(DriftReport, Clocks), Failure> {
    let (survey, plan) = survey(session, store, question, &args.reach, interrupt).await?;
    let mending = Mending {
        heads: &survey.heads,
        stores: &session.stores,
        clusters: &args.reach.clusters,
    };
    let now = Environment::time();
    let report = DriftReport::new(&plan, &mending, now);
    Ok((report, survey.clocks(now)))
}

/// Looks every `interval` until someone stops it. For people it tells what changed, for programs
/// what it saw each time.
async fn watch(
    session: &Session,
    store: &dyn Store,
    question: &Question,
    args: &DriftArgs,
    interrupt: &Interrupt,
    interval: Duration,
) -> Result<Exit, Failure> {
    let mut stop = interrupt.receiver();
    let mut last: Option<DriftReport> = None;
    let mut last_failure = Vec::new();
    loop {
        match look(session, store, question, args, interrupt).await {
            Ok((report, _)) => {
                let is_news = last
                    .as_ref()
                    .is_none_or(|last| !last.says_the_same(&report));
                if is_news || session.ui.is_for_programs() {
                    session.ui.report(&report.clone().with_time())?;
                }
                last_failure.clear();
                last = Some(report);
            }
            Err(_) if interrupt.exit().is_some() => {}
            // What cannot be read now may be readable the next time.
            Err(failure) => {
                let chain = failure.chain();
                if chain != last_failure {
                    session.ui.failure(&failure);
                    last_failure = chain;
                }
            }
        }
        if session.ui.is_closed() {
            return Ok(Exit::Done);
        }
        // Fails only if nobody listens to signals, and then they end the process by themselves.
        _ = tokio::time::timeout(interval, stop.wait_for(|stop| *stop)).await;
        if let Some(exit) = interrupt.exit() {
            return Ok(exit);
        }
    }
}
