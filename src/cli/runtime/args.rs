//! What a person says beside what should change: where, for how long, why.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Scene;
use crate::cli::ask::line;
use crate::cli::change::message;
use crate::cli::failure::Failure;
use crate::cli::interrupt::Interrupt;
use crate::cli::session::{self, ReachArgs, Session};
use crate::cli::views::table::moment;
use crate::engine::Pace;
use crate::model::{Clocks, Cluster, Limit, OverrideError, Selector, parse_duration};

/// What every change of flags and breakers takes.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct SwitchArgs {
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,

    /// Show what would change in every cluster, and do nothing
    #[arg(long, conflicts_with = "yes")]
    pub(super) dry_run: bool,

    /// The longest wait for one cluster, as in `5s`; the others do not wait longer than that
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = session::duration)]
    timeout: Duration,
}

impl SwitchArgs {
    pub(super) fn pace(&self) -> Pace {
        ReachArgs::everywhere(self.timeout).pace()
    }
}

/// In which clusters.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct WhereArgs {
    /// Only in clusters whose labels match, as in `stage=prod,region!=eu`; left out: everywhere
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    clusters: Option<Selector>,
}

impl WhereArgs {
    /// What was asked for, if anything was.
    pub(crate) fn given(&self) -> Option<&Selector> {
        self.clusters.as_ref()
    }

    /// The clusters, of which the set has at least one if any were asked for.
    pub(crate) fn chosen(&self, scene: &Scene<'_>) -> Result<Selector, Failure> {
        let Some(chosen) = &self.clusters else {
            return Ok(Selector::default());
        };
        let mut here = scene.clusters.values();
        let matches = |cluster: &Cluster| {
            let labels = &cluster.labels;
            scene.set.clusters.matches(labels) && chosen.matches(labels)
        };
        if here.any(|cluster| matches(cluster)) {
            return Ok(chosen.clone());
        }
        let message = format!("`{chosen}` matches no cluster that gets the set");
        Err(Failure::usage(message)
            .hint("`cfgctl cluster list` shows the clusters with their labels"))
    }
}

/// For how long.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct LimitArgs {
    /// Only for so long, as in `30m` or `2h`
    #[arg(long = "for", value_name = "DURATION", value_parser = lasting, conflicts_with = "until")]
    lasts: Option<SignedDuration>,

    /// Only until then, as in `2026-11-21T14:00:00Z`
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Timestamp>,
}

fn lasting(input: &str) -> Result<SignedDuration, String> {
    parse_duration(input)
        .ok_or_else(|| "a duration is a number and a unit, as in `30m`, up to a year".to_owned())
}

fn time(input: &str) -> Result<Timestamp, String> {
    let error = |_| "a time is written `2026-11-21T14:00:00Z`".to_owned();
    input.parse().map_err(error)
}

impl LimitArgs {
    /// For how long, if that was said. A time that is over by any clock in doubt is not over yet.
    pub(crate) fn limit(&self, clocks: &Clocks) -> Result<Option<Limit>, Failure> {
        match (self.lasts, self.until) {
            (Some(lasts), _) => Ok(Some(Limit::For(lasts))),
            (None, Some(until)) if until <= clocks.keeping => {
                Err(Failure::usage(format!("{until} is over already"))
                    .hint(format!("it is {} now", moment(clocks.keeping))))
            }
            (None, until) => Ok(until.map(Limit::Until)),
        }
    }
}

/// Why.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ReasonArgs {
    /// Why, for the history and for whoever looks next
    #[arg(short = 'm', long, value_name = "TEXT", value_parser = message)]
    reason: Option<String>,
}

impl ReasonArgs {
    /// The reason, which is asked for on a terminal and must be given otherwise.
    pub(crate) async fn required(
        &self,
        session: &Session,
        args: &SwitchArgs,
    ) -> Result<Option<String>, Failure> {
        let missing = || {
            Failure::usage("why is it switched? there is no reason given")
                .hint("say it with `--reason TEXT`")
        };
        match self.optional(session, args).await? {
            None if args.dry_run => Ok(None),
            None => Err(missing()),
            reason => Ok(reason),
        }
    }

    /// The reason, which is asked for where a person is asked anyway.
    pub(crate) async fn optional(
        &self,
        session: &Session,
        args: &SwitchArgs,
    ) -> Result<Option<String>, Failure> {
        if self.reason.is_some() || args.yes || args.dry_run || session.ui.can_ask().is_err() {
            let said = |reason: &String| !reason.trim().is_empty();
            return Ok(self.reason.clone().filter(said));
        }
        let interrupt = Interrupt::listen();
        let reason = line(&session.ui, &interrupt, "Why").await?;
        let reason = message(reason.trim()).map_err(Failure::usage)?;
        Ok(Some(reason).filter(|reason| !reason.is_empty()))
    }
}

/// The failure of a change that cannot be made.
pub(crate) fn overridden(error: OverrideError) -> Failure {
    Failure::usage(error)
}
