//! The operations: one row for each method of each path.

use serde_json::{Value, json};

use super::operation::How::{Followed, Plainly, Streamed, Tagged};
use super::operation::{Answer, Operation, document, page};
use super::views;
use crate::api::report::{
    AccessReport, AlertTest, Alerts, AlertsTaken, AuditLog, BreakerHistory, BreakerReport,
    Breakers, ClusterCheck, ClusterSnapshot, ClusterSnapshots, Clusters, Drift, Evaluated,
    Explained, Flags, History, Identity, LineageReport, NewToken, Notifications, Outcome, Policy,
    Resources, RevisionReport, RevokedTokens, ServerInfo, Status, Tokens, VerifiedLog,
};
use crate::api::{
    AccessQuery, AlertsQuery, CheckQuery, News, Proposal, Request, TokenOrder, TokenRevocation,
    TokenRotation, VerifyQuery,
};
use crate::model::Document;
use crate::wire::{
    AuditParams, BreakersParams, Carry, ClusterDescription, EvaluateBody, EventsParams, Exchange,
    ExplainParams, FlagsParams, HistoryParams, LineageParams, LookParams, Named, Names,
    NamesParams, PaceParams, PageParams, PolicyOf, PolicyParams, RevisionParams, Routes,
    WaitParams, WebhookBody,
};

/// All of them.
pub(super) fn all() -> Vec<Operation> {
    let mut all = open();
    all.extend(changes());
    all.extend(resources());
    all.extend(looks());
    all.extend(alerts());
    all.extend(clusters());
    all.extend(feeds());
    all.extend(tokens());
    all.extend(log());
    all.extend(views::all());
    all
}

fn open() -> Vec<Operation> {
    vec![
        get(
            Routes::HEALTHY,
            "healthy",
            "The process answers",
            Answer::Text("ok\n"),
        )
        .open(),
        get(
            Routes::READY,
            "ready",
            "The store answers",
            Answer::Text("ready\n"),
        )
        .open(),
        get(Routes::OPENAPI, "openapi", "This document", Answer::OpenApi).open(),
        get(
            Routes::INFO,
            "info",
            "What anybody may know: the version, and whose JWTs are exchanged",
            document::<ServerInfo>(Plainly),
        )
        .open(),
        post(
            Routes::EXCHANGE,
            "exchange",
            "A token for a JWT of an issuer that counts here; each is good for one",
            document::<NewToken>(Plainly),
        )
        .body::<Exchange>(json!({"jwt": "eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl"}))
        .more(&[400, 401, 403, 404, 408, 413, 415, 429, 503, 504])
        .open(),
    ]
}

fn changes() -> Vec<Operation> {
    vec![
        post(
            Routes::PLANS,
            "plan",
            "What a request would do, and the token that consents to it",
            document::<Proposal>(Streamed),
        )
        .body::<Request>(request())
        .more(&[409, 422]),
        post(
            Routes::CHANGES,
            "change",
            "What was done",
            document::<Outcome>(Streamed),
        )
        .body::<Carry>(json!({"request": request()}))
        .more(&[409, 412, 422, 428]),
        Operation::new(
            "delete",
            Routes::CHANGE,
            "stop",
            "A change begins nothing new",
            Answer::Accepted,
        ),
    ]
}

fn resources() -> Vec<Operation> {
    let revision = document::<RevisionReport>(Tagged);
    let history = page::<History>();
    vec![
        get(
            Routes::NAMES,
            "names",
            "The names of what there is",
            page::<Names>(),
        )
        .query::<PageParams>(),
        get(
            Routes::RESOURCES,
            "resources",
            "What there is",
            page::<Resources>(),
        )
        .query::<NamesParams>(),
        get(
            Routes::REVISION,
            "setRevision",
            "One revision of a set",
            revision.clone(),
        )
        .query::<RevisionParams>(),
        get(
            Routes::CLUSTER_REVISION,
            "clusterRevision",
            "One revision of a cluster",
            revision.clone(),
        )
        .query::<RevisionParams>(),
        get(
            Routes::GRANT_REVISION,
            "grantRevision",
            "One revision of a grant",
            revision,
        )
        .query::<RevisionParams>(),
        get(
            Routes::SET_REVISIONS,
            "setHistory",
            "The history of a set",
            history.clone(),
        )
        .query::<HistoryParams>(),
        get(
            Routes::CLUSTER_REVISIONS,
            "clusterHistory",
            "The history of a cluster",
            history.clone(),
        )
        .query::<HistoryParams>(),
        get(
            Routes::GRANT_REVISIONS,
            "grantHistory",
            "The history of a grant",
            history,
        )
        .query::<HistoryParams>(),
        get(
            Routes::EXPLANATION,
            "explain",
            "Where values come from",
            document::<Explained>(Tagged),
        )
        .query::<ExplainParams>(),
        get(
            Routes::BREAKER_EVENTS,
            "breakerHistory",
            "What was done to a breaker",
            document::<BreakerHistory>(Tagged),
        )
        .query::<EventsParams>(),
        post(
            Routes::EVALUATION,
            "evaluate",
            "What an application would get of a flag",
            document::<Evaluated>(Plainly),
        )
        .body::<EvaluateBody>(json!({"context": {"country": "de"}, "cluster": "eu-west"})),
    ]
}

fn looks() -> Vec<Operation> {
    vec![
        get(
            Routes::STATUS,
            "status",
            "Which version of every set each cluster holds",
            document::<Status>(Streamed),
        )
        .query::<LookParams>(),
        get(
            Routes::DRIFT,
            "drift",
            "How clusters differ from what they should hold",
            document::<Drift>(Streamed),
        )
        .query::<LookParams>(),
        get(
            Routes::FLAGS,
            "flags",
            "How flags stand",
            document::<Flags>(Streamed),
        )
        .query::<FlagsParams>(),
        get(
            Routes::BREAKERS,
            "breakers",
            "How breakers stand",
            document::<Breakers>(Streamed),
        )
        .query::<BreakersParams>(),
        get(
            Routes::BREAKER,
            "breaker",
            "One breaker",
            document::<BreakerReport>(Streamed),
        )
        .query::<PaceParams>(),
    ]
}

fn alerts() -> Vec<Operation> {
    let message = || {
        json!({"version": "4", "alerts": [{
            "status": "firing",
            "labels": {"alertname": "PaymentErrorRate", "cluster": "eu-west"},
            "annotations": {"summary": "stripe answers 5xx"},
            "startsAt": "2026-11-21T02:58:00Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "fingerprint": "1f2e3d4c5b6a7988",
        }]})
    };
    let taken = || document::<AlertsTaken>(Plainly);
    let take = "What alerts say is taken in: an answer of success means that it is committed";
    let by_put = Operation::new("put", Routes::GRAFANA, "grafanaByPut", take, taken());
    vec![
        post(Routes::ALERTMANAGER, "alertmanager", take, taken()).body::<WebhookBody>(message()),
        post(Routes::GRAFANA, "grafana", take, taken()).body::<WebhookBody>(message()),
        by_put.body::<WebhookBody>(message()),
        post(
            Routes::ALERT_TESTS,
            "testAlerts",
            "What a message of alerts would come to for one breaker",
            document::<AlertTest>(Plainly),
        )
        .body::<WebhookBody>(message()),
        get(
            Routes::ALERTS,
            "alerts",
            "Which alerts fire for breakers, and which match none",
            document::<Alerts>(Tagged),
        )
        .query::<AlertsQuery>(),
        get(
            Routes::NOTIFICATIONS,
            "notifications",
            "How far whoever wants to hear what happens was told",
            document::<Notifications>(Tagged),
        ),
    ]
}

fn clusters() -> Vec<Operation> {
    let described = || json!({"cluster/eu-west": cluster()});
    vec![
        get(
            Routes::CLUSTERS,
            "clusters",
            "The clusters that there are",
            page::<Clusters>(),
        )
        .query::<PageParams>(),
        get(
            Routes::CLUSTER,
            "cluster",
            "One cluster",
            document::<ClusterDescription>(Tagged),
        ),
        post(
            Routes::CLUSTER,
            "clusterAmong",
            "One cluster among those that are sent",
            document::<ClusterDescription>(Plainly),
        )
        .body::<Named>(json!({"described": described()})),
        get(
            Routes::POLICY,
            "policy",
            "The least ACL policy for a cluster",
            document::<Policy>(Tagged),
        )
        .query::<PolicyParams>(),
        post(
            Routes::POLICY,
            "policyFor",
            "The least ACL policy for what is sent",
            document::<Policy>(Plainly),
        )
        .body::<PolicyOf>(json!({"described": described()})),
        post(
            Routes::CLUSTER_CHECKS,
            "checkClusters",
            "Whether clusters are fit for use",
            document::<ClusterCheck>(Streamed),
        )
        .body::<CheckQuery>(json!({
            "names": ["eu-west"],
            "clusters": "",
            "described": null,
            "pace": pace(),
        })),
    ]
}

fn feeds() -> Vec<Operation> {
    vec![
        get(
            Routes::SNAPSHOTS,
            "snapshots",
            "What a cluster should hold, by set",
            document::<ClusterSnapshots>(Followed),
        )
        .query::<WaitParams>(),
        get(
            Routes::SNAPSHOT,
            "snapshot",
            "What a cluster should hold of one set",
            Answer::Document {
                schema: |schemas| {
                    let whole = document::<ClusterSnapshot>(Followed).schema(schemas);
                    let alone = schemas.subschema_for::<Document>();
                    schemars::json_schema!({"anyOf": [alone, whole]})
                },
                how: Followed,
            },
        )
        .query::<WaitParams>(),
        get(
            Routes::LINEAGE,
            "lineage",
            "What tells versions of this store from others",
            document::<LineageReport>(Plainly),
        )
        .query::<LineageParams>(),
        get(
            Routes::NEWS,
            "news",
            "What has been committed since",
            document::<News>(Plainly),
        )
        .query::<WaitParams>(),
    ]
}

fn tokens() -> Vec<Operation> {
    vec![
        get(
            Routes::IDENTITY,
            "identity",
            "Who the token says one is",
            document::<Identity>(Plainly),
        ),
        get(
            Routes::ACCESS,
            "access",
            "What somebody may do, and what decides about it",
            document::<AccessReport>(Tagged),
        )
        .query::<AccessQuery>(),
        get(
            Routes::TOKENS,
            "tokens",
            "The tokens, without anything secret of them",
            document::<Tokens>(Plainly),
        ),
        post(
            Routes::TOKENS,
            "createToken",
            "A new token, whose text is in the answer and nowhere else",
            document::<NewToken>(Plainly),
        )
        .body::<TokenOrder>(json!({
            "name": "ci",
            "kind": "api",
            "set": null,
            "cluster": null,
            "lasts": {"for": {"secs": 7_776_000, "nanos": 0}},
            "message": "the pipeline",
        }))
        .more(&[409, 422]),
        post(
            Routes::TOKEN_ROTATIONS,
            "rotateToken",
            "A token that takes over from those of its name",
            document::<NewToken>(Plainly),
        )
        .body::<TokenRotation>(json!({
            "name": "ci",
            "lasts": null,
            "overlap": {"secs": 86_400, "nanos": 0},
            "message": null,
        }))
        .more(&[409, 422]),
        post(
            Routes::TOKEN_REVOCATIONS,
            "revokeToken",
            "The tokens that are valid no more",
            document::<RevokedTokens>(Plainly),
        )
        .body::<TokenRevocation>(json!({"which": "ci", "message": "it leaked"}))
        .more(&[409, 422]),
    ]
}

fn log() -> Vec<Operation> {
    vec![
        get(
            Routes::AUDIT,
            "audit",
            "Who did what, newest first",
            document::<AuditLog>(Plainly),
        )
        .query::<AuditParams>(),
        post(
            Routes::AUDIT_VERIFICATIONS,
            "verify",
            "What the log is, if it is whole",
            document::<VerifiedLog>(Plainly),
        )
        .body::<VerifyQuery>(json!({}))
        .more(&[409]),
        get(
            Routes::CHECKPOINT,
            "checkpoint",
            "What the log is, signed (C2SP tlog-checkpoint)",
            Answer::Text(
                "cfgctl/0c4cb04f0a3a7a10\n1\nDEywTwo6ehDIl0CGWGljsLm76p1s/yvhQ0FEEWzl9q4=\n\n\u{2014} cfgctl ZC+K/49aM2mqtO95ec4xcpWO6uCxDOcKZ/5xZ/r2fRFtXxskJP+FUTKJeoH3COePO+l/j6qStfAcTj1DVGtYPIjRFwg=\n",
            ),
        ),
        get(
            Routes::METRICS,
            "metrics",
            "What the server did and what its store holds, as Prometheus reads it",
            Answer::Text(
                "# HELP cfgctl_store_up Whether the store answers.\n# TYPE cfgctl_store_up gauge\ncfgctl_store_up 1\n",
            ),
        ),
    ]
}

fn get(path: &'static str, id: &'static str, summary: &'static str, answer: Answer) -> Operation {
    Operation::new("get", path, id, summary, answer)
}

fn post(path: &'static str, id: &'static str, summary: &'static str, answer: Answer) -> Operation {
    Operation::new("post", path, id, summary, answer)
}

/// Takes a set back.
fn request() -> Value {
    json!({
        "change": {"rollback": {"name": "set/checkout", "to": 1}},
        "clusters": "stage=prod",
        "consents": [],
        "dropped": [],
        "message": "back to what worked",
        "key": null,
        "planned": null,
        "permission": "asked",
        "pace": pace(),
    })
}

fn pace() -> Value {
    json!({"clustersAtOnce": 32, "timeout": {"secs": 15, "nanos": 0}})
}

fn cluster() -> Value {
    json!({"cluster": {
        "labels": {"region": "eu", "stage": "prod"},
        "connection": {"consul": {"address": "https://consul.example.com", "prefix": "cfgctl"}},
    }})
}
