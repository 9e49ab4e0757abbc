//! A service that is asked through JSON text: every argument, answer, event and error.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use cfgctl::api::report::{
    AccessReport, AlertTest, Alerts, AlertsTaken, AuditLog, BreakerHistory, BreakerReport,
    Breakers, ClusterCheck, ClusterSnapshot, ClusterSnapshots, Clusters, Drift, Evaluated,
    Explained, Flags, History, Identity, LineageReport, NewToken, Notifications, Outcome, Policy,
    Resources, RevisionReport, RevokedTokens, Status, Tokens, VerifiedLog,
};
use cfgctl::api::{
    AccessQuery, AlertTestQuery, AlertsQuery, Approval, AsOf, AuditQuery, BreakerHistoryQuery,
    BreakerQuery, BreakersQuery, Caller, CheckQuery, ClusterQuery, Error, EvaluateQuery, Event,
    ExplainQuery, FlagsQuery, HistoryQuery, LineageQuery, LookQuery, News, Observer, PolicyQuery,
    Proposal, Readable, Request, ResourcesQuery, RevisionQuery, Service, SnapshotQuery,
    SnapshotsQuery, TokenOrder, TokenRevocation, TokenRotation, VerifyQuery,
};
use cfgctl::app::Local;
use cfgctl::model::{Alert, Cluster, ResourceId, Sequence};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::bench::Halt;
use crate::support::locked;

/// What asks a service with what has been JSON, and answers with what has been JSON.
#[derive(Debug)]
pub(super) struct ThroughJson(pub(super) Arc<Local>, pub(super) Halt);

/// `value` as it comes out of its own text.
fn through<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) -> T {
    let text = serde_json::to_string(value).unwrap();
    let read: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(read, *value, "{text}");
    // A server reads a body, which lends nothing to what is made of it, and may look at it first.
    let value: serde_json::Value = serde_json::from_reader(text.as_bytes()).unwrap();
    assert_eq!(serde_json::from_value::<T>(value).unwrap(), read, "{text}");
    read
}

fn answered<T>(answer: Result<T, Error>) -> Result<T, Error>
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    match answer {
        Ok(answer) => Ok(through(&answer)),
        Err(error) => Err(through(&error)),
    }
}

fn heard(seen: &Observer, halt: &Halt) -> Observer {
    let (seen, stop) = (seen.clone(), seen.stop());
    let (halt, stopped) = (Arc::clone(halt), stop.clone());
    let hear = move |event: Event| {
        seen.tell(through(&event));
        if locked(&halt).as_ref() == Some(&event) {
            // Nothing goes on before whoever heard of it has stopped it, however far away he is.
            tokio::task::block_in_place(|| {
                while !*stopped.borrow() {
                    std::thread::yield_now();
                }
            });
        }
    };
    Observer::new(Arc::new(hear), stop)
}

/// A method that takes who asks, what it asks, and perhaps an observer.
macro_rules! asked {
    ($self:ident . $method:ident ($by:ident, $query:ident)) => {
        answered($self.0.$method(&through($by), &through($query)).await)
    };
    ($self:ident . $method:ident ($by:ident, $query:ident, $seen:ident)) => {
        answered(
            $self
                .0
                .$method(&through($by), &through($query), &heard($seen, &$self.1))
                .await,
        )
    };
}

#[async_trait]
impl Service for ThroughJson {
    fn location(&self) -> String {
        self.0.location()
    }

    async fn plan(&self, by: &Caller, it: &Request, seen: &Observer) -> Result<Proposal, Error> {
        asked!(self.plan(by, it, seen))
    }

    async fn carry_out(
        &self,
        by: &Caller,
        it: &Request,
        approval: &Approval,
        seen: &Observer,
    ) -> Result<Outcome, Error> {
        let (by, it, approval) = (&through(by), &through(it), &through(approval));
        answered(
            self.0
                .carry_out(by, it, approval, &heard(seen, &self.1))
                .await,
        )
    }

    async fn status(&self, by: &Caller, it: &LookQuery, seen: &Observer) -> Result<Status, Error> {
        asked!(self.status(by, it, seen))
    }

    async fn drift(&self, by: &Caller, it: &LookQuery, seen: &Observer) -> Result<Drift, Error> {
        asked!(self.drift(by, it, seen))
    }

    async fn names(&self, by: &Caller) -> Result<Vec<ResourceId>, Error> {
        answered(self.0.names(&through(by)).await)
    }

    async fn resources(&self, by: &Caller, it: &ResourcesQuery) -> Result<Resources, Error> {
        asked!(self.resources(by, it))
    }

    async fn revision(&self, by: &Caller, it: &RevisionQuery) -> Result<RevisionReport, Error> {
        asked!(self.revision(by, it))
    }

    async fn history(&self, by: &Caller, it: &HistoryQuery) -> Result<History, Error> {
        asked!(self.history(by, it))
    }

    async fn explain(&self, by: &Caller, it: &ExplainQuery) -> Result<Explained, Error> {
        asked!(self.explain(by, it))
    }

    async fn flags(&self, by: &Caller, it: &FlagsQuery, seen: &Observer) -> Result<Flags, Error> {
        asked!(self.flags(by, it, seen))
    }

    async fn evaluate(&self, by: &Caller, it: &EvaluateQuery) -> Result<Evaluated, Error> {
        asked!(self.evaluate(by, it))
    }

    async fn breakers(
        &self,
        by: &Caller,
        it: &BreakersQuery,
        seen: &Observer,
    ) -> Result<Breakers, Error> {
        asked!(self.breakers(by, it, seen))
    }

    async fn breaker(
        &self,
        by: &Caller,
        it: &BreakerQuery,
        seen: &Observer,
    ) -> Result<BreakerReport, Error> {
        asked!(self.breaker(by, it, seen))
    }

    async fn breaker_history(
        &self,
        by: &Caller,
        it: &BreakerHistoryQuery,
    ) -> Result<BreakerHistory, Error> {
        asked!(self.breaker_history(by, it))
    }

    async fn take_alerts(&self, by: &Caller, alerts: &[Alert]) -> Result<AlertsTaken, Error> {
        let alerts = through(&alerts.to_vec());
        answered(self.0.take_alerts(&through(by), &alerts).await)
    }

    async fn test_alerts(&self, by: &Caller, it: &AlertTestQuery) -> Result<AlertTest, Error> {
        asked!(self.test_alerts(by, it))
    }

    async fn alerts(&self, by: &Caller, it: &AlertsQuery) -> Result<Alerts, Error> {
        asked!(self.alerts(by, it))
    }

    async fn clusters(&self, by: &Caller) -> Result<Clusters, Error> {
        answered(self.0.clusters(&through(by)).await)
    }

    async fn cluster(&self, by: &Caller, it: &ClusterQuery) -> Result<Cluster, Error> {
        asked!(self.cluster(by, it))
    }

    async fn check_clusters(
        &self,
        by: &Caller,
        it: &CheckQuery,
        seen: &Observer,
    ) -> Result<ClusterCheck, Error> {
        asked!(self.check_clusters(by, it, seen))
    }

    async fn policy(&self, by: &Caller, it: &PolicyQuery) -> Result<Policy, Error> {
        asked!(self.policy(by, it))
    }

    async fn access(&self, by: &Caller, it: &AccessQuery) -> Result<AccessReport, Error> {
        asked!(self.access(by, it))
    }

    async fn snapshots(
        &self,
        by: &Caller,
        it: &SnapshotsQuery,
    ) -> Result<AsOf<ClusterSnapshots>, Error> {
        asked!(self.snapshots(by, it))
    }

    async fn snapshot(
        &self,
        by: &Caller,
        it: &SnapshotQuery,
    ) -> Result<AsOf<ClusterSnapshot>, Error> {
        asked!(self.snapshot(by, it))
    }

    async fn lineage(&self, by: &Caller, it: &LineageQuery) -> Result<AsOf<LineageReport>, Error> {
        asked!(self.lineage(by, it))
    }

    async fn readable(&self, by: &Caller, it: &SnapshotsQuery) -> Result<Readable, Error> {
        asked!(self.readable(by, it))
    }

    async fn wait(&self, by: &Caller, it: Sequence) -> Result<News, Error> {
        answered(self.0.wait(&through(by), through(&it)).await)
    }

    async fn identity(&self, by: &Caller) -> Result<Identity, Error> {
        answered(self.0.identity(&through(by)).await)
    }

    async fn audit(&self, by: &Caller, it: &AuditQuery) -> Result<AuditLog, Error> {
        asked!(self.audit(by, it))
    }

    async fn verify(&self, by: &Caller, it: &VerifyQuery) -> Result<VerifiedLog, Error> {
        asked!(self.verify(by, it))
    }

    async fn notifications(&self, by: &Caller) -> Result<Notifications, Error> {
        answered(self.0.notifications(&through(by)).await)
    }

    async fn tokens(&self, by: &Caller) -> Result<Tokens, Error> {
        answered(self.0.tokens(&through(by)).await)
    }

    async fn create_token(&self, by: &Caller, it: &TokenOrder) -> Result<NewToken, Error> {
        asked!(self.create_token(by, it))
    }

    async fn rotate_token(&self, by: &Caller, it: &TokenRotation) -> Result<NewToken, Error> {
        asked!(self.rotate_token(by, it))
    }

    async fn revoke_token(
        &self,
        by: &Caller,
        it: &TokenRevocation,
    ) -> Result<RevokedTokens, Error> {
        asked!(self.revoke_token(by, it))
    }
}
