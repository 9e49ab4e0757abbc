//! `cfgctl drift`.

use std::sync::Arc;
use std::time::Duration;

use super::change::{Changing, ConsentArgs, DeclaredIn};
use super::connect::{Connected, connect};
use super::failure::{Exit, Failure};
use super::follow::{Follower, Proposals};
use super::interrupt::Interrupt;
use super::session::{ReachArgs, Session, duration};
use super::views::drift::DriftView;
use crate::api::report::Drift;
use crate::api::{Change, LookQuery, Observer};
use crate::model::SetName;

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
    let connected = connect(session).await?;
    let query = args.reach.look(&args.sets);
    if args.repair {
        let request = args
            .consent
            .request(Change::Reconcile(query.sets), &args.reach);
        let changing = Changing::new(session, &connected, DeclaredIn::Nowhere);
        return changing.carry_through(&request, &args.consent, None).await;
    }
    let interrupt = Interrupt::listen();
    if let Some(interval) = args.watch {
        return watch(session, &connected, &query, &interrupt, interval).await;
    }
    let drift = look(session, &connected, &query, &interrupt, Told::Events).await?;
    if drift.clusters.is_empty() {
        session.looked_in(&connected.service.location());
    }
    let view = DriftView::new(drift, &session.stores);
    session.ui.report(&view)?;
    Ok(view.exit())
}

/// What of a look is told beside its result.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    /// What happens meanwhile.
    Events,
    /// Nothing: the next look follows.
    Nothing,
}

async fn look(
    session: &Session,
    connected: &Connected,
    query: &LookQuery,
    interrupt: &Interrupt,
    told: Told,
) -> Result<Drift, Failure> {
    let Connected { service, by } = connected;
    let follower = Follower::new(&session.ui, interrupt);
    let observer = match told {
        Told::Events => follower.observer(Proposals::Known),
        Told::Nothing => Observer::new(Arc::new(|_| ()), interrupt.receiver()),
    };
    let drift = follower.until(service.drift(by, query, &observer)).await;
    drift.map_err(|error| interrupt.explain(error.into()))
}

/// Looks every `interval` until someone stops it. For people it tells what changed, for programs
/// what it saw each time.
async fn watch(
    session: &Session,
    connected: &Connected,
    query: &LookQuery,
    interrupt: &Interrupt,
    interval: Duration,
) -> Result<Exit, Failure> {
    let mut stop = interrupt.receiver();
    let mut last: Option<Drift> = None;
    let mut last_failure = Vec::new();
    loop {
        match look(session, connected, query, interrupt, Told::Nothing).await {
            Ok(drift) => {
                let same = |last: &Drift| last.clusters == drift.clusters;
                if !last.as_ref().is_some_and(same) || session.ui.is_for_programs() {
                    let view = DriftView::new(drift.clone(), &session.stores);
                    session.ui.report(&view.with_time())?;
                }
                last_failure.clear();
                last = Some(drift);
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
