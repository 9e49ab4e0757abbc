//! `cfgctl audit`: the log, read and checked.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::connect::{Connected, connect};
use super::failure::{Exit, Failure};
use super::files;
use super::session::Session;
use super::view::{Canvas, Output, View};
use super::views::table::{moment, printable, table};
use crate::api::report::{AuditChange, AuditEntry, AuditEvent, AuditLog, Report, VerifiedLog};
use crate::api::{AuditQuery, CauseKind, Noted, VerifyQuery};
use crate::model::{Checkpoint, ClusterName, ResourceId, SetName};
use crate::wire::{NoteError, NoteVerifier, checkpoint_of};

/// The log: who did what, and whether it is whole
#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum AuditCommand {
    /// List what was done, newest first: changes, refusals, logins, tokens
    ///
    /// With `-o json` each line is one event.
    List(ListArgs),
    /// Check that the log is whole: every entry and revision is what it was made as, and none is missing
    ///
    /// Whoever can write the store could make all of the log anew. `--against` names a checkpoint that
    /// was kept elsewhere, and shows that.
    Verify(VerifyArgs),
}

/// Which entries.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// Those that changed this set; may be repeated
    #[arg(long, value_name = "NAME")]
    set: Vec<SetName>,

    /// Those that changed this cluster; may be repeated
    #[arg(long, value_name = "NAME")]
    cluster: Vec<ClusterName>,

    /// Those of whom the history calls so: `ops@laptop`, `token:ci`
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,

    /// Those that came about like this: apply, rollback, delete, flag, breaker, alert or expiry
    #[arg(long, value_name = "CAUSE")]
    cause: Option<CauseKind>,

    /// Those from this time on, as in `2026-11-20T10:00:00Z`
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,

    /// Those before this time
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,

    /// At most this many
    #[arg(long, value_name = "N", default_value = "20")]
    limit: usize,
}

/// Against what.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    /// A file with a checkpoint that a server signed: the log must go on from it
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,

    /// The key that must have signed it, `NAME+HASH+KEY`, as a server shows it when it starts
    #[arg(long, value_name = "KEY", requires = "against")]
    key: Option<String>,
}

pub(crate) async fn audit(session: &Session, command: &AuditCommand) -> Result<Exit, Failure> {
    match command {
        AuditCommand::List(args) => list(session, args).await,
        AuditCommand::Verify(args) => verify(session, args).await,
    }
}

async fn list(session: &Session, args: &ListArgs) -> Result<Exit, Failure> {
    let sets = args.set.iter().cloned().map(ResourceId::Set);
    let clusters = args.cluster.iter().cloned().map(ResourceId::Cluster);
    let query = AuditQuery {
        names: sets.chain(clusters).collect(),
        actor: args.actor.clone(),
        cause: args.cause,
        since: args.since,
        until: args.until,
        before: None,
        limit: args.limit,
    };
    let Connected { service, by } = connect(session).await?;
    let mut all = service.audit(&by, &query).await?;
    // One answer looks at so many entries, and no more.
    while let Some(before) = all.next {
        let limit = args.limit.saturating_sub(all.entries.len());
        if limit == 0 {
            break;
        }
        let before = Some(before);
        let query = AuditQuery {
            before,
            limit,
            ..query.clone()
        };
        let page = service.audit(&by, &query).await?;
        all.entries.extend(page.entries);
        all.next = page.next;
    }
    if session.ui.output() != Output::Json {
        session.ui.report(&all)?;
        return Ok(Exit::Done);
    }
    for entry in &all.entries {
        let line = serde_json::to_string(entry);
        let line = line.map_err(|error| Failure::new(Exit::Bug, error))?;
        session.ui.verbatim(&format!("{line}\n"))?;
    }
    Ok(Exit::Done)
}

async fn verify(session: &Session, args: &VerifyArgs) -> Result<Exit, Failure> {
    let against = match &args.against {
        Some(path) => Some(checkpoint(session, path, args.key.as_deref())?),
        None => None,
    };
    let Connected { service, by } = connect(session).await?;
    let verified = service.verify(&by, &VerifyQuery { against }).await?;
    session.ui.report(&verified)?;
    Ok(Exit::Done)
}

/// The checkpoint in this file, which this key must have signed.
fn checkpoint(session: &Session, path: &Path, key: Option<&str>) -> Result<Checkpoint, Failure> {
    let shown = path.display();
    let usage = |error: anyhow::Error| Failure::new(Exit::Usage, error);
    let note = files::read_small(&session.environment.directory.join(path))?;
    let note = String::from_utf8_lossy(&note);
    let refused = |error| {
        let error = anyhow::Error::new(error).context(format!("`{shown}` is no checkpoint"));
        usage(error)
            .hint("a server answers with one at `/v1/checkpoint`, and says one every minute")
    };
    let checkpoint = checkpoint_of(&note).map_err(refused)?;
    match key {
        Some(key) => {
            let verifier: NoteVerifier = key.parse().map_err(|error: NoteError| {
                let error = anyhow::Error::new(error);
                usage(error.context("what `--key` names is no key"))
            })?;
            verifier.check(&note).map_err(|error| {
                let error = anyhow::Error::new(error);
                usage(error.context(format!("`{shown}` cannot be trusted")))
            })?;
        }
        None => session.ui.status(
            "whoever could change the checkpoint could hide what changed: `--key` checks its signature",
        ),
    }
    Ok(checkpoint)
}

impl View for AuditLog {
    const KIND: &'static str = <Self as Report>::KIND;

    fn table(&self, look: Canvas) -> String {
        let rows = self.entries.iter().map(|entry| {
            let changes: Vec<_> = entry.changes.iter().map(change).collect();
            let what = match (&entry.cause, changes.is_empty()) {
                (Some(cause), false) => format!("{cause}: {}", listed(&changes, look.wide)),
                _ => noted(entry),
            };
            let message = entry.message.as_deref();
            let from = entry.via.as_ref().map(|via| via.peer.as_str());
            [
                entry.sequence.to_string(),
                moment(entry.at),
                printable(entry.actor.as_deref().unwrap_or("-")),
                printable(from.unwrap_or("-")),
                printable(&what),
                printable(message.unwrap_or("-")),
            ]
        });
        table(
            look,
            ["ENTRY", "WHEN", "BY", "FROM", "WHAT", "MESSAGE"],
            rows,
        )
    }

    fn names(&self) -> Vec<String> {
        let entries = self.entries.iter();
        entries.map(|entry| entry.sequence.to_string()).collect()
    }
}

fn change(change: &AuditChange) -> String {
    let AuditChange {
        name,
        before,
        after,
    } = change;
    match before {
        Some(before) => format!("{name}@{before} -> {after}"),
        None => format!("{name}@{after} (new)"),
    }
}

/// The first few of a long list, unless all are wanted.
fn listed(changes: &[String], all: bool) -> String {
    const SHOWN: usize = 3;
    if all || changes.len() <= SHOWN + 1 {
        return changes.join(", ");
    }
    let more = changes.len() - SHOWN;
    format!("{} and {more} more", changes[..SHOWN].join(", "))
}

/// What was done that made no revision.
fn noted(entry: &AuditEntry) -> String {
    match &entry.noted {
        Some(Noted::TokenCreated(token)) => format!("token {} ({}) made", token.name, token.id),
        Some(Noted::TokenRotated { token, .. }) => {
            format!("token {} ({}) takes over", token.name, token.id)
        }
        Some(Noted::TokenRevoked { tokens }) => {
            let tokens: Vec<_> = tokens
                .iter()
                .map(|token| format!("{} ({})", token.name, token.id))
                .collect();
            format!("token {} revoked", tokens.join(", "))
        }
        Some(Noted::AlertsTold { set, firing }) => match firing {
            1 => format!("1 alert fires for breakers of {set}"),
            firing => format!("{firing} alerts fire for breakers of {set}"),
        },
        Some(Noted::Undelivered { set, clusters }) => {
            format!("{set} not delivered to {}", names(clusters.keys()))
        }
        Some(Noted::Delivered { set }) => format!("{set} delivered everywhere"),
        Some(Noted::Drifted { set, clusters }) => {
            format!(
                "{set} is not what it should be in {}",
                names(clusters.keys())
            )
        }
        Some(Noted::Notified { receiver, told }) => format!("{receiver} told up to {told}"),
        Some(Noted::LoggedIn) => "logged in".to_owned(),
        Some(Noted::Exchanged { issuer, token }) => {
            format!("logged in by {issuer}, token {} ({})", token.name, token.id)
        }
        Some(Noted::LoginFailed { from, count, .. }) => {
            let from = from.as_deref().unwrap_or("many places");
            format!("login failed{} from {from}", times(*count))
        }
        Some(Noted::Refused {
            operation,
            error,
            count,
            ..
        }) => format!("refused{}: {operation}: {error}", times(*count)),
        None if entry.event == AuditEvent::Other => "written by another cfgctl".to_owned(),
        None => "-".to_owned(),
    }
}

fn names<'n>(clusters: impl Iterator<Item = &'n ClusterName>) -> String {
    clusters
        .map(ClusterName::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

fn times(count: u64) -> String {
    match count {
        1 => String::new(),
        count => format!(" {count} times"),
    }
}

impl View for VerifiedLog {
    const KIND: &'static str = <Self as Report>::KIND;

    fn table(&self, _: Canvas) -> String {
        let Some(head) = &self.head else {
            return "the log is empty\n".to_owned();
        };
        let against = match &self.against {
            Some(against) => format!(
                ", and goes on from what it was with {} entries",
                against.size
            ),
            None => String::new(),
        };
        let Checkpoint { origin, size, hash } = head;
        format!(
            "the log is whole{against}\n  log      {origin}\n  entries  {size}\n  seal     {hash}\n"
        )
    }

    fn names(&self) -> Vec<String> {
        let head = self.head.iter();
        head.map(|head| head.origin.clone()).collect()
    }
}
