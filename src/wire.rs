//! The wire: what a server and its clients say to each other over HTTP.
//!
//! Both sides take paths, queries, documents, problems and the names of events from here, so that
//! neither can say what the other does not understand. Nothing in here sends or listens.
//!
//! | method | path below `/v1` | asks for |
//! | --- | --- | --- |
//! | `POST` | `/plans` | what a request would do |
//! | `POST` | `/changes` | that it is done |
//! | `DELETE` | `/changes/{request id}` | that it begins nothing new |
//! | `GET` | `/status`, `/drift` | what clusters hold, and how that differs |
//! | `GET` | `/names`, `/resources` | what there is |
//! | `GET` | `/sets/{set}/revisions/{version}` | one revision; `head` is the newest |
//! | `GET` | `/{sets or clusters}/{name}/revisions` | a history |
//! | `GET` | `/sets/{set}/explanation` | where values come from |
//! | `GET` | `/flags`, `/breakers` | how they stand |
//! | `POST` | `/sets/{set}/flags/{flag}/evaluation` | what an application would get |
//! | `GET` | `/sets/{set}/breakers/{breaker}` | one breaker |
//! | `GET` | `/sets/{set}/breakers/{breaker}/events` | what was done to it |
//! | `POST` | `/sets/{set}/breakers/{breaker}/alert-tests` | what a message of alerts would come to |
//! | `GET` | `/alerts` | which alerts fire |
//! | `POST` | `/hooks/alertmanager`, `/hooks/grafana` | that a message of alerts is taken in |
//! | `GET` | `/clusters`, `/clusters/{cluster}`, `/clusters/{cluster}/policy` | clusters as the store has them |
//! | `POST` | `/clusters/{cluster}`, `/clusters/{cluster}/policy` | the same of what is sent |
//! | `POST` | `/cluster-checks` | whether clusters are fit for use |
//! | `GET` | `/clusters/{cluster}/snapshots` | what a cluster should hold, by set |
//! | `GET` | `/clusters/{cluster}/snapshots/{set}` | one finished snapshot |
//! | `GET` | `/clusters/{cluster}/snapshots/{set}/lineage` | whether what lies there is ours |
//! | `GET` | `/news` | what has been committed since |
//! | `GET` | `/identity` | who the token says one is |
//! | `GET`, `POST` | `/tokens` | the tokens, another one |
//! | `POST` | `/tokens/exchange` | a token for a JWT; open to everybody |
//! | `POST` | `/token-rotations` | one that takes over from others |
//! | `POST` | `/token-revocations` | that tokens are valid no more |
//! | `GET` | `/notifications` | how far whoever wants to hear what happens was told |
//! | `GET` | `/audit` | who did what |
//! | `POST` | `/audit-verifications` | whether the log is whole |
//! | `GET` | `/checkpoint` | what the log is now, signed |

mod audit;
mod document;
mod event_stream;
mod feed;
mod note;
mod pace;
mod page;
mod param_error;
mod path;
mod problem;
mod query;
mod webhook;

pub(crate) use audit::AuditParams;
pub(crate) use document::{
    Carry, ClusterDescription, EvaluateBody, Exchange, Named, Names, PolicyOf, document, report,
};
pub(crate) use event_stream::{EventStream, Frame, Name};
pub(crate) use feed::{LineageParams, MAX_WAIT, SEQUENCE, WaitParams};
pub(crate) use note::{NoteError, NoteSigner, NoteVerifier, checkpoint_of};
pub(crate) use pace::{PaceParams, bounded};
pub(crate) use page::{Cut, Paged, page, page_document};
pub(crate) use param_error::ParamError;
pub(crate) use path::{HEAD, Routes, segment};
pub(crate) use problem::{Problem, error_of, kind_word};
pub(crate) use query::{
    BreakersParams, EventsParams, ExplainParams, FlagsParams, HistoryParams, LookParams,
    NamesParams, PageParams, PolicyParams, RevisionParams,
};
pub(crate) use webhook::{AlertMessage, WebhookBody};

/// The media type of a document.
pub(crate) const JSON: &str = "application/json";
/// The media type of a problem, RFC 9457.
pub(crate) const PROBLEM: &str = "application/problem+json";
/// The media type of a stream of events.
pub(crate) const EVENTS: &str = "text/event-stream";
/// The header that names a request.
pub(crate) const REQUEST_ID: &str = "x-request-id";
/// The header that says what a change is known by.
pub(crate) const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// How often a stream says that it is still there, in seconds, if nothing else is to be said.
pub(crate) const HEARTBEAT_SECONDS: u64 = 15;
