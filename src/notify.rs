//! Notifications: whoever wants to hear what happens is told, each for himself, until it has arrived.
//!
//! What happened follows from the log, so nothing is lost that was committed, nobody who is slow or gone
//! holds up a change, and several servers over one store tell each thing once as far as they live. It may
//! arrive twice where one ended in between: by its id that is found out.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;

use crate::api::{Error, Happening, KnownMailbox, Outbox};
use crate::model::text::without_secrets;
use crate::model::{DeadLetter, Mailbox, MailboxFailure, MailboxTeller, Sequence};

mod address;
mod letter;
mod receiver;
mod send;
mod sign;

pub use receiver::{Format, Receiver, ReceiverError};
pub use sign::{Secret, SecretError};

use send::{Failed, Sender};

/// How long one process alone tells a receiver of one thing: longer than it waits for an answer.
const TURN: SignedDuration = SignedDuration::from_secs(60);
/// How long it waits before it tries again; twice as long each time.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest of these waits.
const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// After how many times it gives up: after some two hours.
const ATTEMPTS: u32 = 20;
/// How long it waits for a store that does not answer.
const STORE_WAIT: Duration = Duration::from_secs(5);

/// Everybody who is to be told.
#[derive(Debug)]
pub struct Notifier(Vec<Teller>);

impl Notifier {
    /// Whoever tells `receivers`, in the name of `source`, what happens from now on, and what happened
    /// since they were told last.
    pub async fn begin(
        outbox: Arc<dyn Outbox>,
        source: &str,
        receivers: Vec<Receiver>,
    ) -> Result<Self, Error> {
        let me = format!("{:016x}", fastrand::u64(..));
        let now = outbox.newest().await?;
        let tellers = receivers.into_iter().map(|receiver| Teller {
            outbox: Arc::clone(&outbox),
            sender: Sender::new(source, &receiver),
            receiver,
            me: me.clone(),
            begun: now,
        });
        Ok(Self(tellers.collect()))
    }

    /// Tells them for as long as it is polled.
    pub async fn work(self) {
        let mut tellers = JoinSet::new();
        for teller in self.0 {
            tellers.spawn(async move { teller.work().await });
        }
        while tellers.join_next().await.is_some() {}
    }
}

/// Tells one receiver.
#[derive(Debug)]
struct Teller {
    outbox: Arc<dyn Outbox>,
    receiver: Receiver,
    sender: Sender,
    me: String,
    /// The newest commit when it began.
    begun: Sequence,
}

/// Why it has to begin again.
enum Stopped {
    /// Somebody else tells the receiver.
    Taken,
    /// The store does not answer.
    Store(Error),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl Teller {
    async fn work(&self) {
        loop {
            match self.tell_all().await {
                // It never ends otherwise.
                Ok(()) | Err(Stopped::Taken) => {}
                Err(Stopped::Store(error)) => {
                    let (receiver, error) = (self.receiver.name.as_str(), error.chain());
                    tracing::debug!(receiver, error, "the store does not say what happened");
                }
            }
            tokio::time::sleep(STORE_WAIT).await;
        }
    }

    async fn tell_all(&self) -> Result<(), Stopped> {
        let mut known = self.outbox.mailbox(&self.receiver.name).await?;
        if known.changed.is_none() {
            // What happened before is history.
            let mailbox = Mailbox {
                told: self.begun,
                ..Mailbox::default()
            };
            known = self.keep(&known, mailbox).await?;
        }
        let mut looked_at = known.mailbox.told;
        loop {
            let happened = self.outbox.happened(looked_at).await?;
            for happening in &happened.happenings {
                if self.receiver.wants(happening) {
                    known = self.tell(known, happening).await?;
                }
            }
            if happened.sequence == looked_at {
                self.outbox.more(looked_at).await?;
            }
            looked_at = happened.sequence;
        }
    }

    /// Makes sure that nobody else tells the receiver for a while.
    async fn claim(&self, known: KnownMailbox) -> Result<KnownMailbox, Stopped> {
        let now = self.outbox.time();
        match &known.mailbox.teller {
            Some(teller) if teller.name != self.me && teller.until > now => Err(Stopped::Taken),
            _ => {
                let teller = MailboxTeller {
                    name: self.me.clone(),
                    until: later(now, TURN),
                };
                let mailbox = Mailbox {
                    teller: Some(teller),
                    ..known.mailbox.clone()
                };
                self.keep(&known, mailbox).await
            }
        }
    }

    async fn keep(&self, known: &KnownMailbox, mailbox: Mailbox) -> Result<KnownMailbox, Stopped> {
        let kept = self
            .outbox
            .keep(&self.receiver.name, known, mailbox)
            .await?;
        kept.ok_or(Stopped::Taken)
    }

    /// Tells of one happening, until it has arrived or nobody tries any more.
    async fn tell(
        &self,
        mut known: KnownMailbox,
        happening: &Happening,
    ) -> Result<KnownMailbox, Stopped> {
        let receiver = self.receiver.name.as_str();
        loop {
            known = self.claim(known).await?;
            let before = known.mailbox.failing.clone();
            let (since, attempts) = match before {
                Some(before) => (before.since, before.attempts.saturating_add(1)),
                None => (self.outbox.time(), 1),
            };
            // Whoever ends now keeps nobody waiting.
            let mut mailbox = Mailbox {
                teller: None,
                failing: None,
                ..known.mailbox.clone()
            };
            let id = &happening.id;
            let failed = match self.sender.send(happening, self.outbox.time()).await {
                Ok(()) => {
                    tracing::info!(receiver, id, "told");
                    mailbox.told = happening.sequence;
                    return self.keep(&known, mailbox).await;
                }
                Err(failed) => failed,
            };
            let reason = Mailbox::kept(&without_secrets(&failed.to_string()));
            if matches!(failed, Failed::Forever(_)) || attempts >= ATTEMPTS {
                tracing::warn!(receiver, id, reason, "not told, and not tried again");
                mailbox.told = happening.sequence;
                mailbox.bury(DeadLetter {
                    id: id.clone(),
                    text: Mailbox::kept(&without_secrets(&happening.text())),
                    at: self.outbox.time(),
                    reason,
                });
                return self.keep(&known, mailbox).await;
            }
            tracing::warn!(
                receiver,
                attempts,
                reason,
                "not told yet; it is tried again"
            );
            mailbox.failing = Some(MailboxFailure {
                since,
                attempts,
                reason,
            });
            known = self.keep(&known, mailbox).await?;
            tokio::time::sleep(wait_after(attempts)).await;
        }
    }
}

/// How long it waits after so many attempts.
fn wait_after(attempts: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(attempts.saturating_sub(1));
    FIRST_WAIT.saturating_mul(doubled).min(LONGEST_WAIT)
}

/// So long after `at`; no clock is so wrong that this is no limit.
fn later(at: Timestamp, lasts: SignedDuration) -> Timestamp {
    at.checked_add(lasts).unwrap_or(Timestamp::MAX)
}
