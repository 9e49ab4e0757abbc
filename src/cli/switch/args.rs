//! What a person says beside what should change: where, for how long, why.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::said;
use crate::api::{Message, Pace};
use crate::cli::ask::line;
use crate::cli::failure::Failure;
use crate::cli::interrupt::Interrupt;
use crate::cli::session::{self, ReachArgs, Session};
use crate::model::{Limit, Selector, parse_duration};

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
    pub(crate) fn given(&self) -> Option<Selector> {
        self.clusters.clone()
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
    /// For how long, if that was said.
    pub(crate) fn given(&self) -> Option<Limit> {
        let until = self.until.map(Limit::Until);
        self.lasts.map(Limit::For).or(until)
    }
}

/// Why.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ReasonArgs {
    /// Why, for the history and for whoever looks next
    #[arg(short = 'm', long, value_name = "TEXT")]
    reason: Option<Message>,
}

impl ReasonArgs {
    /// What was said.
    pub(super) fn given(&self) -> Option<Message> {
        said(self.reason.as_ref())
    }

    /// What a person says who is asked; nothing where nobody can be asked.
    pub(super) async fn ask(
        &self,
        session: &Session,
        interrupt: &Interrupt,
    ) -> Result<Option<Message>, Failure> {
        if self.reason.is_some() || session.ui.can_ask().is_err() {
            return Ok(None);
        }
        let reason = line(&session.ui, interrupt, "Why").await?;
        let reason = reason.trim().parse().map_err(Failure::usage)?;
        Ok(said(Some(&reason)))
    }
}
