//! The client: the service over HTTP, at a server.
//!
//! What a server says is as untrusted as anything else from outside: bounded in size and time, read
//! strictly, and passed on as data alone.

use std::fmt;

use async_trait::async_trait;

use crate::api::report::{
    AccessReport, AlertTest, Alerts, AlertsTaken, AuditLog, BreakerHistory, BreakerReport,
    Breakers, ClusterCheck, ClusterSnapshot, ClusterSnapshots, Clusters, Drift, Evaluated,
    Explained, Flags, History, Identity, LineageReport, NewToken, Notifications, Outcome, Policy,
    Resources, RevisionReport, RevokedTokens, ServerInfo, Status, Tokens, VerifiedLog,
};
use crate::api::{
    AccessQuery, AlertTestQuery, AlertsQuery, Approval, AsOf, AuditQuery, BreakerHistoryQuery,
    BreakerQuery, BreakersQuery, Caller, CheckQuery, ClusterQuery, Error, EvaluateQuery,
    ExplainQuery, FlagsQuery, HistoryQuery, LineageQuery, LookQuery, News, Observer, PolicyQuery,
    Proposal, Readable, Request, ResourcesQuery, RevisionQuery, Service, SnapshotQuery,
    SnapshotsQuery, TokenOrder, TokenRevocation, TokenRotation, VerifyQuery,
};
use crate::model::{Alert, Cluster, IdempotencyKey, ResourceId, Sequence};
use crate::wire::{
    AuditParams, BreakersParams, Carry, ClusterDescription, EvaluateBody, EventsParams, Exchange,
    ExplainParams, FlagsParams, HEAD, HEARTBEAT_SECONDS, HistoryParams, LineageParams, LookParams,
    Named, Names, NamesParams, PaceParams, PageParams, Paged as _, PolicyOf, PolicyParams,
    RevisionParams, Routes, WaitParams, WebhookBody, segment,
};

mod address;
mod error;
mod feed;
mod follow;
mod http;

use http::{Http, Send};

pub use address::AddressError;
pub use error::RemoteError;

/// The service at a server.
pub struct Remote {
    http: Http,
}

impl Remote {
    /// The service at `address`, `http://HOST[:PORT]` or `https://HOST[:PORT]`, to which `token` is
    /// shown. Talks to nobody yet. Whoever calls it is who the server takes him for: a caller that is
    /// passed to a method says nothing.
    pub fn new(address: &str, token: Option<&str>) -> Result<Self, RemoteError> {
        Self::presenting(address, token, None)
    }

    /// The same with a certificate and its private key, both in `identity` as PEM, for a server that
    /// lets nobody in without one.
    pub fn presenting(
        address: &str,
        token: Option<&str>,
        identity: Option<&[u8]>,
    ) -> Result<Self, RemoteError> {
        let http = Http::new(address, token, identity)?;
        Ok(Self { http })
    }
}

/// What is asked by whoever is not known yet.
impl Remote {
    /// What anybody may know of the server.
    pub async fn info(&self) -> Result<ServerInfo, Error> {
        self.http.ask(Send::get(Routes::INFO)).await
    }

    /// A token for `jwt`, which an issuer made that counts there.
    pub async fn exchange(&self, jwt: &str) -> Result<NewToken, Error> {
        let jwt = jwt.to_owned();
        let asked = Send::post(Routes::EXCHANGE, &Exchange { jwt })?;
        self.http.ask(asked).await
    }
}

fn fresh_key() -> Option<IdempotencyKey> {
    format!("{:032x}", fastrand::u128(..)).parse().ok()
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let location = self.http.location();
        f.debug_struct("Remote")
            .field("location", &location)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Service for Remote {
    fn location(&self) -> String {
        self.http.location().to_owned()
    }

    async fn plan(
        &self,
        _: &Caller,
        request: &Request,
        seen: &Observer,
    ) -> Result<Proposal, Error> {
        let asked = Send::post(Routes::PLANS, request)?;
        self.http.look(asked, seen).await
    }

    async fn carry_out(
        &self,
        _: &Caller,
        request: &Request,
        approval: &Approval,
        seen: &Observer,
    ) -> Result<Outcome, Error> {
        let body = Carry {
            request: request.clone(),
            approval: Some(approval.clone()),
        };
        // Whoever names none gets one, so that it is done once whatever becomes of the answer.
        let key = request.key.clone().or_else(fresh_key);
        let ask = || Ok(Send::post(Routes::CHANGES, &body)?.with_key(key.as_ref()));
        self.http.carry_out(ask, seen).await
    }

    async fn status(
        &self,
        _: &Caller,
        query: &LookQuery,
        seen: &Observer,
    ) -> Result<Status, Error> {
        let asked = Send::get(Routes::STATUS).with(&LookParams::from(query))?;
        self.http.look(asked, seen).await
    }

    async fn drift(&self, _: &Caller, query: &LookQuery, seen: &Observer) -> Result<Drift, Error> {
        let asked = Send::get(Routes::DRIFT).with(&LookParams::from(query))?;
        self.http.look(asked, seen).await
    }

    async fn names(&self, _: &Caller) -> Result<Vec<ResourceId>, Error> {
        let ask = |after| Send::get(Routes::NAMES).with(&PageParams::after(after));
        let found: Names = self.http.ask_all(ask).await?;
        Ok(found.names)
    }

    async fn resources(&self, _: &Caller, query: &ResourcesQuery) -> Result<Resources, Error> {
        let ask = |cursor| {
            let params = NamesParams {
                cursor,
                ..NamesParams::from(query)
            };
            Send::get(Routes::RESOURCES).with(&params)
        };
        self.http.ask_all(ask).await
    }

    async fn revision(&self, _: &Caller, query: &RevisionQuery) -> Result<RevisionReport, Error> {
        let version = query.version.map(|version| version.to_string());
        let version = version.as_deref().unwrap_or(HEAD);
        let route = match &query.name {
            ResourceId::Set(_) => Routes::REVISION,
            ResourceId::Cluster(_) => Routes::CLUSTER_REVISION,
            ResourceId::Grant(_) => Routes::GRANT_REVISION,
        };
        let path = segment(route, &[query.name.name(), version]);
        let cluster = query.cluster.clone();
        let asked = Send::get(&path).with(&RevisionParams { cluster })?;
        self.http.ask(asked).await
    }

    async fn history(&self, _: &Caller, query: &HistoryQuery) -> Result<History, Error> {
        let route = match &query.name {
            ResourceId::Set(_) => Routes::SET_REVISIONS,
            ResourceId::Cluster(_) => Routes::CLUSTER_REVISIONS,
            ResourceId::Grant(_) => Routes::GRANT_REVISIONS,
        };
        let path = segment(route, &[query.name.name()]);
        let mut all = History {
            name: query.name.clone(),
            revisions: Vec::new(),
        };
        let mut before = query.before;
        // Whoever asks for none asks whether there is one.
        loop {
            let missing = query.limit - all.revisions.len();
            let asked = Send::get(&path).with(&HistoryParams::of(missing, before))?;
            let (page, next) = self.http.ask_page::<History>(asked).await?;
            before = page.revisions.last().map(|revision| revision.version);
            all.join(page);
            all.revisions.truncate(query.limit);
            if next.is_none() || before.is_none() || all.revisions.len() == query.limit {
                return Ok(all);
            }
        }
    }

    async fn explain(&self, _: &Caller, query: &ExplainQuery) -> Result<Explained, Error> {
        let path = segment(Routes::EXPLANATION, &[query.set.as_str()]);
        let asked = Send::get(&path).with(&ExplainParams::from(query))?;
        self.http.ask(asked).await
    }

    async fn flags(&self, _: &Caller, query: &FlagsQuery, seen: &Observer) -> Result<Flags, Error> {
        let asked = Send::get(Routes::FLAGS).with(&FlagsParams::from(query))?;
        self.http.look(asked, seen).await
    }

    async fn evaluate(&self, _: &Caller, query: &EvaluateQuery) -> Result<Evaluated, Error> {
        let path = segment(
            Routes::EVALUATION,
            &[query.set.as_str(), query.flag.as_str()],
        );
        let body = EvaluateBody {
            context: query.context.clone(),
            cluster: query.cluster.clone(),
        };
        self.http.ask(Send::post(&path, &body)?).await
    }

    async fn breakers(
        &self,
        _: &Caller,
        query: &BreakersQuery,
        seen: &Observer,
    ) -> Result<Breakers, Error> {
        let asked = Send::get(Routes::BREAKERS).with(&BreakersParams::from(query))?;
        self.http.look(asked, seen).await
    }

    async fn breaker(
        &self,
        _: &Caller,
        query: &BreakerQuery,
        seen: &Observer,
    ) -> Result<BreakerReport, Error> {
        let path = segment(
            Routes::BREAKER,
            &[query.set.as_str(), query.breaker.as_str()],
        );
        let asked = Send::get(&path).with(&PaceParams::from(query.pace))?;
        self.http.look(asked, seen).await
    }

    async fn breaker_history(
        &self,
        _: &Caller,
        query: &BreakerHistoryQuery,
    ) -> Result<BreakerHistory, Error> {
        let path = segment(
            Routes::BREAKER_EVENTS,
            &[query.set.as_str(), query.breaker.as_str()],
        );
        let asked = Send::get(&path).with(&EventsParams::of(query.limit))?;
        let mut found: BreakerHistory = self.http.ask(asked).await?;
        found.events.truncate(query.limit);
        Ok(found)
    }

    async fn take_alerts(&self, _: &Caller, alerts: &[Alert]) -> Result<AlertsTaken, Error> {
        let body = WebhookBody::of(alerts);
        self.http
            .ask(Send::post(Routes::ALERTMANAGER, &body)?)
            .await
    }

    async fn test_alerts(&self, _: &Caller, query: &AlertTestQuery) -> Result<AlertTest, Error> {
        let names = [query.set.as_str(), query.breaker.as_str()];
        let body = WebhookBody::of(&query.alerts);
        let path = segment(Routes::ALERT_TESTS, &names);
        self.http.ask(Send::post(&path, &body)?).await
    }

    async fn alerts(&self, _: &Caller, query: &AlertsQuery) -> Result<Alerts, Error> {
        self.http.ask(Send::get(Routes::ALERTS).with(query)?).await
    }

    async fn clusters(&self, _: &Caller) -> Result<Clusters, Error> {
        let ask = |after| Send::get(Routes::CLUSTERS).with(&PageParams::after(after));
        self.http.ask_all(ask).await
    }

    async fn cluster(&self, _: &Caller, query: &ClusterQuery) -> Result<Cluster, Error> {
        let path = segment(Routes::CLUSTER, &[query.name.as_str()]);
        let asked = match &query.described {
            None => Send::get(&path),
            Some(described) => {
                let described = described.clone();
                Send::post(&path, &Named { described })?
            }
        };
        let found: ClusterDescription = self.http.ask(asked).await?;
        Ok(found.cluster)
    }

    async fn check_clusters(
        &self,
        _: &Caller,
        query: &CheckQuery,
        seen: &Observer,
    ) -> Result<ClusterCheck, Error> {
        let asked = Send::post(Routes::CLUSTER_CHECKS, query)?;
        self.http.look(asked, seen).await
    }

    async fn policy(&self, _: &Caller, query: &PolicyQuery) -> Result<Policy, Error> {
        let path = segment(Routes::POLICY, &[query.cluster.as_str()]);
        let asked = match &query.described {
            None => Send::get(&path).with(&PolicyParams::of(&query.sets))?,
            Some(described) => {
                let body = PolicyOf {
                    sets: query.sets.clone(),
                    described: described.clone(),
                };
                Send::post(&path, &body)?
            }
        };
        self.http.ask(asked).await
    }

    async fn access(&self, _: &Caller, query: &AccessQuery) -> Result<AccessReport, Error> {
        self.http.ask(Send::get(Routes::ACCESS).with(query)?).await
    }

    async fn snapshots(
        &self,
        _: &Caller,
        query: &SnapshotsQuery,
    ) -> Result<AsOf<ClusterSnapshots>, Error> {
        let path = segment(Routes::SNAPSHOTS, &[query.cluster.as_str()]);
        let mut found: AsOf<ClusterSnapshots> = self.http.ask_of_moment(Send::get(&path)).await?;
        if let Some(sets) = &query.sets {
            found.answer.sets.retain(|item| sets.contains(&item.name));
        }
        Ok(found)
    }

    async fn snapshot(
        &self,
        _: &Caller,
        query: &SnapshotQuery,
    ) -> Result<AsOf<ClusterSnapshot>, Error> {
        let names = [query.cluster.as_str(), query.set.as_str()];
        let params = WaitParams {
            entries: Some(true),
            ..WaitParams::default()
        };
        let asked = Send::get(&segment(Routes::SNAPSHOT, &names)).with(&params)?;
        self.http.ask_of_moment(asked).await
    }

    async fn lineage(
        &self,
        _: &Caller,
        query: &LineageQuery,
    ) -> Result<AsOf<LineageReport>, Error> {
        let names = [query.cluster.as_str(), query.set.as_str()];
        let asked = Send::get(&segment(Routes::LINEAGE, &names));
        let asked = asked.with(&LineageParams::of(&query.versions))?;
        self.http.ask_of_moment(asked).await
    }

    // What may not be read the server does not answer.
    async fn readable(&self, _: &Caller, _: &SnapshotsQuery) -> Result<Readable, Error> {
        Ok(Readable::All)
    }

    async fn wait(&self, _: &Caller, after: Sequence) -> Result<News, Error> {
        let params = WaitParams {
            after: Some(after),
            wait: Some(format!("{}s", 2 * HEARTBEAT_SECONDS)),
            entries: None,
        };
        loop {
            let asked = Send::get(Routes::NEWS).with(&params)?;
            let news: News = self.http.ask(asked).await?;
            if news.sequence != after {
                return Ok(news);
            }
        }
    }

    async fn identity(&self, _: &Caller) -> Result<Identity, Error> {
        self.http.ask(Send::get(Routes::IDENTITY)).await
    }

    async fn audit(&self, _: &Caller, query: &AuditQuery) -> Result<AuditLog, Error> {
        let asked = Send::get(Routes::AUDIT).with(&AuditParams::from(query))?;
        let mut found: AuditLog = self.http.ask(asked).await?;
        // Whoever asks for none asks whether there is one.
        found.entries.truncate(query.limit);
        Ok(found)
    }

    async fn verify(&self, _: &Caller, query: &VerifyQuery) -> Result<VerifiedLog, Error> {
        let asked = Send::post(Routes::AUDIT_VERIFICATIONS, query)?;
        self.http.ask(asked).await
    }

    async fn notifications(&self, _: &Caller) -> Result<Notifications, Error> {
        self.http.ask(Send::get(Routes::NOTIFICATIONS)).await
    }

    async fn tokens(&self, _: &Caller) -> Result<Tokens, Error> {
        self.http.ask(Send::get(Routes::TOKENS)).await
    }

    async fn create_token(&self, _: &Caller, order: &TokenOrder) -> Result<NewToken, Error> {
        self.http.ask(Send::post(Routes::TOKENS, order)?).await
    }

    async fn rotate_token(&self, _: &Caller, rotation: &TokenRotation) -> Result<NewToken, Error> {
        self.http
            .ask(Send::post(Routes::TOKEN_ROTATIONS, rotation)?)
            .await
    }

    async fn revoke_token(
        &self,
        _: &Caller,
        wanted: &TokenRevocation,
    ) -> Result<RevokedTokens, Error> {
        self.http
            .ask(Send::post(Routes::TOKEN_REVOCATIONS, wanted)?)
            .await
    }
}
