//! The service: every operation, as one trait.

use std::fmt::Debug;

use async_trait::async_trait;

use super::report::{
    AccessReport, AlertTest, Alerts, AlertsTaken, AuditLog, BreakerHistory, BreakerReport,
    Breakers, ClusterCheck, ClusterSnapshot, ClusterSnapshots, Clusters, Drift, Evaluated,
    Explained, Flags, History, Identity, LineageReport, NewToken, Notifications, Outcome, Policy,
    Resources, RevisionReport, RevokedTokens, Status, Tokens, VerifiedLog,
};
use super::{
    AccessQuery, AlertTestQuery, AlertsQuery, Approval, AsOf, AuditQuery, BreakerHistoryQuery,
    BreakerQuery, BreakersQuery, Caller, CheckQuery, ClusterQuery, Error, EvaluateQuery,
    ExplainQuery, FlagsQuery, HistoryQuery, LineageQuery, LookQuery, News, Observer, PolicyQuery,
    Proposal, Readable, Request, ResourcesQuery, RevisionQuery, SnapshotQuery, SnapshotsQuery,
    TokenOrder, TokenRevocation, TokenRotation, VerifyQuery,
};
use crate::model::{Alert, Cluster, ResourceId, Sequence};

/// Everything that can be asked of cfgctl.
///
/// Every method takes who asks, and is safe to call from many tasks at once. One that takes an
/// [`Observer`] may take long: it tells what happens, and stops when it is told to, as far as
/// nothing is committed yet.
#[async_trait]
pub trait Service: Debug + Send + Sync {
    /// Where the store is, as a person would name it.
    fn location(&self) -> String;

    /// What `request` would do, as things are now. Changes nothing.
    async fn plan(
        &self,
        by: &Caller,
        request: &Request,
        seen: &Observer,
    ) -> Result<Proposal, Error>;

    /// Does what `request` asks for, if it still is what `approval` consents to. Once it is
    /// committed nothing is an error any more: the outcome says how far it got.
    async fn carry_out(
        &self,
        by: &Caller,
        request: &Request,
        approval: &Approval,
        seen: &Observer,
    ) -> Result<Outcome, Error>;

    /// Which version of every set each cluster holds.
    async fn status(
        &self,
        by: &Caller,
        query: &LookQuery,
        seen: &Observer,
    ) -> Result<Status, Error>;

    /// How clusters differ from what they should hold.
    async fn drift(&self, by: &Caller, query: &LookQuery, seen: &Observer) -> Result<Drift, Error>;

    /// The names of all living resources.
    async fn names(&self, by: &Caller) -> Result<Vec<ResourceId>, Error>;

    /// Resources as they are.
    async fn resources(&self, by: &Caller, query: &ResourcesQuery) -> Result<Resources, Error>;

    /// One revision of a resource, or what a cluster gets of that of a set.
    async fn revision(&self, by: &Caller, query: &RevisionQuery) -> Result<RevisionReport, Error>;

    /// The revisions of a resource, newest first.
    async fn history(&self, by: &Caller, query: &HistoryQuery) -> Result<History, Error>;

    /// Where values come from.
    async fn explain(&self, by: &Caller, query: &ExplainQuery) -> Result<Explained, Error>;

    /// Flags: what is declared, what holds, and where it has arrived.
    async fn flags(&self, by: &Caller, query: &FlagsQuery, seen: &Observer)
    -> Result<Flags, Error>;

    /// What an application would get of a flag.
    async fn evaluate(&self, by: &Caller, query: &EvaluateQuery) -> Result<Evaluated, Error>;

    /// Breakers: how they stand, and where that has arrived.
    async fn breakers(
        &self,
        by: &Caller,
        query: &BreakersQuery,
        seen: &Observer,
    ) -> Result<Breakers, Error>;

    /// One breaker, and what it changes while it is open.
    async fn breaker(
        &self,
        by: &Caller,
        query: &BreakerQuery,
        seen: &Observer,
    ) -> Result<BreakerReport, Error>;

    /// What was done to a breaker, newest first.
    async fn breaker_history(
        &self,
        by: &Caller,
        query: &BreakerHistoryQuery,
    ) -> Result<BreakerHistory, Error>;

    /// Takes in what a message of alerts says: breakers that match open and close. What it comes to is
    /// committed then, and nothing is delivered yet. The same message once more changes nothing.
    async fn take_alerts(&self, by: &Caller, alerts: &[Alert]) -> Result<AlertsTaken, Error>;

    /// What a message of alerts would come to for one breaker. Changes nothing.
    async fn test_alerts(&self, by: &Caller, query: &AlertTestQuery) -> Result<AlertTest, Error>;

    /// Which alerts fire for breakers, and which match none.
    async fn alerts(&self, by: &Caller, query: &AlertsQuery) -> Result<Alerts, Error>;

    /// The clusters that there are.
    async fn clusters(&self, by: &Caller) -> Result<Clusters, Error>;

    /// One cluster as it is described.
    async fn cluster(&self, by: &Caller, query: &ClusterQuery) -> Result<Cluster, Error>;

    /// Whether clusters are fit for use.
    async fn check_clusters(
        &self,
        by: &Caller,
        query: &CheckQuery,
        seen: &Observer,
    ) -> Result<ClusterCheck, Error>;

    /// The least ACL policy with which a cluster can be used.
    async fn policy(&self, by: &Caller, query: &PolicyQuery) -> Result<Policy, Error>;

    /// What somebody may do, and what decides about it.
    async fn access(&self, by: &Caller, query: &AccessQuery) -> Result<AccessReport, Error>;

    /// What a cluster should hold of every set that goes to it. As with all that says which commit it
    /// follows from, where it is kept ready that may for a moment be one before the newest.
    async fn snapshots(
        &self,
        by: &Caller,
        query: &SnapshotsQuery,
    ) -> Result<AsOf<ClusterSnapshots>, Error>;

    /// One finished snapshot: what a cluster should hold of one set.
    async fn snapshot(
        &self,
        by: &Caller,
        query: &SnapshotQuery,
    ) -> Result<AsOf<ClusterSnapshot>, Error>;

    /// What tells whether what lies in a cluster is from this store, and whether it is to go.
    async fn lineage(
        &self,
        by: &Caller,
        query: &LineageQuery,
    ) -> Result<AsOf<LineageReport>, Error>;

    /// Whose snapshots may be read in a cluster. It is asked at every read of one, and by callers
    /// who may read all of them it is answered without a look at the store.
    async fn readable(&self, by: &Caller, query: &SnapshotsQuery) -> Result<Readable, Error>;

    /// Waits until the newest commit is another one than `after`, and says what is new. Only a hint
    /// to look: what there is says the store.
    async fn wait(&self, by: &Caller, after: Sequence) -> Result<News, Error>;

    /// Who asks, as far as it is known here.
    async fn identity(&self, by: &Caller) -> Result<Identity, Error>;

    /// What the log says: who did what, from where and why.
    async fn audit(&self, by: &Caller, query: &AuditQuery) -> Result<AuditLog, Error>;

    /// Reads the log and every revision in it. One that is not whole, or that does not go on from what it
    /// is asked against, is an error.
    async fn verify(&self, by: &Caller, query: &VerifyQuery) -> Result<VerifiedLog, Error>;

    /// How far whoever wants to hear what happens was told.
    async fn notifications(&self, by: &Caller) -> Result<Notifications, Error>;

    /// The tokens that the store knows.
    async fn tokens(&self, by: &Caller) -> Result<Tokens, Error>;

    /// Makes a token. Its text is in the answer, and nowhere else.
    async fn create_token(&self, by: &Caller, order: &TokenOrder) -> Result<NewToken, Error>;

    /// Makes a token that takes over from those of its name, which stay valid for a while.
    async fn rotate_token(&self, by: &Caller, rotation: &TokenRotation) -> Result<NewToken, Error>;

    /// Ends tokens: from now on whoever shows one is unknown.
    async fn revoke_token(
        &self,
        by: &Caller,
        wanted: &TokenRevocation,
    ) -> Result<RevokedTokens, Error>;
}
