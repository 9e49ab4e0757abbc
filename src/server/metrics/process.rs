//! What this process did, and what it sees at one moment.

use std::collections::BTreeMap;
use std::fmt::Error;
use std::sync::Arc;

use jiff::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

use super::family::Family;
use super::requests::Requests;
use crate::api::{CauseKind, Tally};
use crate::model::Sequence;

/// What is counted elsewhere, at one moment.
#[derive(Clone, Debug)]
pub(in crate::server) struct Elsewhere {
    /// Requests that were too many.
    pub(in crate::server) too_many: u64,
    /// Who was not let in, by what was shown.
    pub(in crate::server) rejected: [(&'static str, u64); 4],
    pub(in crate::server) tally: Tally,
    /// Who waits for something newer.
    pub(in crate::server) waiting: usize,
    /// Changes that are being carried out.
    pub(in crate::server) changes: usize,
}

/// All of it, with what the store says.
#[derive(Debug)]
pub(super) struct Moment {
    pub(super) elsewhere: Elsewhere,
    pub(super) started: Timestamp,
    /// Whether the store answers.
    pub(super) is_fresh: bool,
    pub(super) sequence: Sequence,
    pub(super) commits: BTreeMap<CauseKind, u64>,
}

/// The process, as it is written.
#[derive(Debug)]
pub(super) struct Process(pub(super) Arc<Requests>, pub(super) Moment);

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let encoder = &mut encoder;
        self.build(encoder)?;
        self.requests(encoder)?;
        self.done(encoder)?;
        self.now(encoder)?;
        self.store(encoder)
    }
}

impl Process {
    fn build(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let mut build = Family::gauge(encoder, "build_info", "Which cfgctl this is; always 1.")?;
        build.value([("version", env!("CARGO_PKG_VERSION"))], 1.0)?;
        let help = "When the process began to serve, since 1970.";
        let mut started = Family::gauge(encoder, "start_time_seconds", help)?;
        started.value([], self.1.started.as_duration().as_secs_f64())
    }

    fn requests(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let requests = &self.0;
        let help = "Requests that were answered.";
        let mut answered = Family::counter(encoder, "http_requests", help)?;
        for row in requests.rows() {
            for (status, count) in row.statuses() {
                let labels = [
                    ("route", row.route),
                    ("method", row.method),
                    ("status", status),
                ];
                answered.count(labels, count)?;
            }
        }
        let help = "How long it took until an answer began, without requests that name a wait.";
        let mut took = Family::histogram(encoder, "http_request_duration_seconds", help)?;
        for row in requests.rows() {
            let (sum, buckets) = row.took();
            took.spread(
                [("route", row.route), ("method", row.method)],
                sum,
                &buckets,
            )?;
        }
        Ok(())
    }

    fn done(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let moment = &self.1.elsewhere;
        let help = "Requests that were refused because nobody known asked.";
        let mut rejected = Family::counter(encoder, "logins_rejected", help)?;
        for (reason, count) in moment.rejected {
            rejected.count([("reason", reason)], count)?;
        }
        let help = "Requests that were refused because there were too many with one token.";
        let mut too_many = Family::counter(encoder, "requests_rate_limited", help)?;
        too_many.count([], moment.too_many)?;
        let help = "Deliveries of a set to a cluster by this process, by how they ended.";
        let mut deliveries = Family::counter(encoder, "deliveries", help)?;
        for (cluster, states) in &moment.tally.deliveries {
            for (state, count) in states {
                deliveries.count([("cluster", cluster.as_str()), ("state", state)], *count)?;
            }
        }
        let help = "Alerts that were told of, by what each came to for each breaker.";
        let mut alerts = Family::counter(encoder, "alerts", help)?;
        let known = moment.tally.alerts.iter();
        let unmatched = ("unmatched", moment.tally.unmatched_alerts);
        for (outcome, count) in known
            .map(|(word, count)| (*word, *count))
            .chain([unmatched])
        {
            alerts.count([("outcome", outcome)], count)?;
        }
        let help = "Overrides whose time was over: taken away, counted anew, or left.";
        let mut expiries = Family::counter(encoder, "expiries", help)?;
        let Tally {
            expired,
            recounted,
            not_expired,
            ..
        } = moment.tally;
        for (outcome, count) in [
            ("expired", expired),
            ("recounted", recounted),
            ("failed", not_expired),
        ] {
            expiries.count([("outcome", outcome)], count)?;
        }
        Ok(())
    }

    fn now(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        let help = "Readers of snapshots and news that wait for the next.";
        let mut waiting = Family::gauge(encoder, "waiting_readers", help)?;
        waiting.value([], number(self.1.elsewhere.waiting))?;
        let help = "Changes that are being carried out.";
        let mut changes = Family::gauge(encoder, "running_changes", help)?;
        changes.value([], number(self.1.elsewhere.changes))
    }

    fn store(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let moment = &self.1;
        let help = "Whether the store answers; if not, what follows from it is what it said last.";
        let mut up = Family::gauge(encoder, "store_up", help)?;
        up.value([], f64::from(u8::from(moment.is_fresh)))?;
        #[expect(clippy::cast_precision_loss, reason = "a sample is a float")]
        let sequence = moment.sequence.get() as f64;
        let help = "The newest entry of the log of the store.";
        let mut newest = Family::gauge(encoder, "store_sequence", help)?;
        newest.value([], sequence)?;
        let help = "Commits to the store since this server started, whoever made them.";
        let mut commits = Family::counter(encoder, "commits", help)?;
        for cause in CauseKind::ALL {
            let count = moment.commits.get(&cause).copied().unwrap_or_default();
            commits.count([("cause", cause.as_str())], count)?;
        }
        Ok(())
    }
}
