//! The doorkeeper: who asks, by the token that is shown.
//!
//! What the store knows of tokens is kept here, and follows the store: a request is answered without
//! asking it, and a token that was revoked, here or at another server, is refused as soon as the store
//! says so. Where the store says nothing any more, nobody is known by one of its tokens.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use subtle::ConstantTimeEq as _;
use tokio::sync::{Notify, mpsc, watch};

use super::attempts::{Attempt, Attempts};
use super::counts::Rejections;
use super::denials::{Denial, RecentDenials};
use super::lock::lock;
use super::refusal::Refusal;
use super::views::ticket::Ticket;
use super::who::{Evidence, Token};
use crate::api::report::NewToken;
use crate::api::{
    Caller, Door, Error, Keys, LogEntry, Noted, Principal, TokenHolder, Via, Vouched,
};
use crate::model::{Digest, IdempotencyKey, Sequence, TokenId, TokenText};

/// How often the store is looked at, whether or not it moved.
const LOOK: Duration = Duration::from_secs(1);
/// How long the store may take for it.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long what the store said last counts.
const FRESH: Duration = Duration::from_secs(10);
/// After so long without a use the next one is a login.
const LOGIN: SignedDuration = SignedDuration::from_hours(12);
/// How far apart the uses of one token are that are written down.
const BETWEEN_USES: Duration = Duration::from_secs(60);
/// The most entries that wait to be written down.
const MAX_ENTRIES: usize = 256;

/// Keeps the door of a server.
#[derive(Debug)]
pub(super) struct Keeper {
    door: Arc<dyn Door>,
    owner: Option<Token>,
    keys: watch::Sender<Arc<Keys>>,
    looks: Looks,
    attempts: Mutex<Attempts>,
    denials: Mutex<RecentDenials>,
    uses: Mutex<BTreeMap<TokenId, Use>>,
    entries: mpsc::Sender<LogEntry>,
    /// How often nobody known asked.
    pub(super) rejections: Rejections,
}

/// The looks at the store, numbered from 1.
#[derive(Debug, Default)]
struct Looks {
    /// The last one that was begun.
    begun: Mutex<u64>,
    /// The last one that ended.
    ended: watch::Sender<u64>,
    /// When the last one began to which the store had an answer.
    answered: Mutex<Option<Instant>>,
    wanted: Notify,
}

/// When a token was used.
#[derive(Clone, Copy, Debug)]
struct Use {
    at: Timestamp,
    /// When that was written down last, and what.
    written: Option<(Instant, Timestamp)>,
}

/// Somebody who is known.
pub(super) struct Known {
    pub(super) caller: Caller,
    /// How long that counts; `None`: as long as the server lives.
    pub(super) lifetime: Option<Lifetime>,
}

/// What a token is, as far as it was looked at.
enum Shown {
    Known(Box<Known>),
    /// It was one of the store, and this is when it ended.
    Expired(TokenId, Timestamp),
    /// Nothing, or no token.
    Nothing,
    /// It has the form of one.
    Unknown(TokenId),
    /// The store has not said anything for a while.
    Unsure,
}

impl Keeper {
    /// The keeper of this door, who knows the `owner` of the server, and what waits to be written down.
    pub(super) fn new(door: Arc<dyn Door>, owner: Option<Token>) -> (Arc<Self>, Entries) {
        let (entries, waiting) = mpsc::channel(MAX_ENTRIES);
        let keeper = Self {
            door,
            owner,
            keys: watch::Sender::default(),
            looks: Looks::default(),
            attempts: Mutex::default(),
            denials: Mutex::default(),
            uses: Mutex::default(),
            entries,
            rejections: Rejections::default(),
        };
        (Arc::new(keeper), Entries(waiting))
    }

    /// Whether somebody who is known may ask for anything at all.
    pub(super) fn admits(&self, by: &Caller) -> Result<(), Error> {
        self.door.admits(by)
    }

    /// What time it is.
    pub(super) fn now(&self) -> Timestamp {
        self.door.now()
    }

    /// What a ticket is sealed with that is given to `by`: his token, and which one that is; `None`: he
    /// showed none.
    pub(super) fn sealer(&self, by: &Caller) -> Option<(Option<TokenId>, Digest)> {
        match &by.principal {
            Principal::Token(holder) => {
                let keys = self.keys.borrow();
                let key = keys.tokens.get(&holder.id)?;
                Some((Some(holder.id.clone()), key.token.digest.clone()))
            }
            Principal::Owner(_) => Some((None, self.owner.as_ref()?.digest())),
            Principal::Local(_) | Principal::System => None,
        }
    }

    /// Who shows this, from this address.
    pub(super) async fn ask(
        self: &Arc<Self>,
        evidence: &Evidence<'_>,
        from: Option<IpAddr>,
    ) -> Result<Known, Refusal> {
        let mut shown = self.look_at(evidence);
        if let Shown::Known(known) = shown {
            return Ok(*known);
        }
        let may_look = lock(&self.attempts).may_look(from, Instant::now());
        if may_look && let Shown::Unknown(_) | Shown::Unsure = shown {
            // It may have been made a moment ago, elsewhere.
            let asked = Instant::now();
            self.look_again().await;
            shown = self.look_at(evidence);
            let answered = *lock(&self.looks.answered);
            if let Shown::Unknown(_) = shown
                && answered.is_none_or(|answered| answered < asked)
            {
                // The store did not say so.
                shown = Shown::Unsure;
            }
        }
        let rejections = &self.rejections;
        let (count, token, refusal) = match shown {
            Shown::Known(known) => return Ok(*known),
            Shown::Unsure => return Err(Refusal::unsure()),
            Shown::Expired(id, at) => {
                let refusal = Refusal::expired(&id, at);
                (&rejections.expired, Some(id), refusal)
            }
            Shown::Unknown(id) => (&rejections.unknown, Some(id), Refusal::unknown_caller()),
            Shown::Nothing => (&rejections.no_token, None, Refusal::unknown_caller()),
        };
        count.add_one();
        self.failed(from, token);
        Err(refusal)
    }

    /// Lets in whom an issuer vouches for, if a grant is to him.
    pub(super) async fn exchange(&self, vouched: &Vouched, via: &Via) -> Result<NewToken, Error> {
        self.door.exchange(vouched, via).await
    }

    /// Takes note that somebody from this address showed a JWT for which he got no token.
    pub(super) fn login_failed(&self, from: Option<IpAddr>) {
        self.rejections.login.add_one();
        self.failed(from, None);
    }

    fn failed(&self, from: Option<IpAddr>, token: Option<TokenId>) {
        let at = self.door.now();
        let attempt = Attempt { from, token, at };
        let told = lock(&self.attempts).failed(&attempt, Instant::now());
        if let Some(what) = told {
            self.write_down(of_nobody(what));
        }
    }

    /// The commit that was made under `key`, if one was and the store says so.
    pub(super) async fn made_under(&self, key: &IdempotencyKey) -> Option<Sequence> {
        let made = tokio::time::timeout(PATIENCE, self.door.made_under(key)).await;
        made.ok()?.ok()?
    }

    /// Takes note that somebody who is known was refused something.
    pub(super) fn refused(&self, by: &Caller, operation: String, error: &Error) {
        let denial = Denial {
            by: by.clone(),
            operation,
            error: error.chain(),
            at: self.door.now(),
        };
        let told = lock(&self.denials).note(denial, Instant::now());
        if let Some(entry) = told {
            self.write_down(entry);
        }
    }

    /// How long this takes says nothing about tokens.
    fn look_at(self: &Arc<Self>, evidence: &Evidence<'_>) -> Shown {
        let text: &[u8] = match evidence {
            Evidence::Nothing => return Shown::Nothing,
            Evidence::Ticket(ticket) => return self.look_at_ticket(ticket),
            Evidence::Token(text) => text,
        };
        if let Some(caller) = self.owner.as_ref().and_then(|owner| owner.caller(text)) {
            let lifetime = None;
            return Shown::Known(Box::new(Known { caller, lifetime }));
        }
        let text = std::str::from_utf8(text).ok();
        let Some(text) = text.and_then(|text| text.parse::<TokenText>().ok()) else {
            return Shown::Nothing;
        };
        let digest = text.digest();
        self.look_at_token(text.id(), |expected| {
            bool::from(digest.as_bytes().ct_eq(expected.as_bytes()))
        })
    }

    /// Its holder is whoever the token is known as that it was given to.
    fn look_at_ticket(self: &Arc<Self>, ticket: &Ticket) -> Shown {
        if let Some(id) = &ticket.whose {
            return self.look_at_token(id, |token| ticket.is_of(token));
        }
        let owner = self.owner.as_ref();
        if owner.is_some_and(|owner| ticket.is_of(&owner.digest())) {
            let (caller, lifetime) = (Caller::owner(), None);
            return Shown::Known(Box::new(Known { caller, lifetime }));
        }
        Shown::Nothing
    }

    /// What the token with this id is, if what was shown is of the one with this digest.
    fn look_at_token(self: &Arc<Self>, id: &TokenId, is_of: impl FnOnce(&Digest) -> bool) -> Shown {
        let answered = *lock(&self.looks.answered);
        if answered.is_none_or(|answered| answered.elapsed() > FRESH) {
            return Shown::Unsure;
        }
        let id = id.clone();
        let keys = Arc::clone(&self.keys.borrow());
        let key = keys.tokens.get(&id);
        let expected = key.map_or(Digest::from_bytes([0; 32]), |key| key.token.digest.clone());
        let is_it = is_of(&expected);
        let Some(key) = key.filter(|_| is_it) else {
            return Shown::Unknown(id);
        };
        let (token, now) = (&key.token, self.door.now());
        if let Some(expires) = token.expires.filter(|_| token.is_over(now)) {
            return Shown::Expired(id, expires);
        }
        let holder = TokenHolder::new(&token.name, id.clone(), token.kind, token.cluster.clone())
            .for_set(token.set.clone())
            .logged_in(token.login.clone());
        Shown::Known(Box::new(Known {
            caller: Caller::token(holder),
            lifetime: Some(Lifetime {
                keeper: Arc::clone(self),
                id,
                digest: expected,
            }),
        }))
    }

    /// Takes note that somebody asks with a token of the store.
    pub(super) fn used(&self, by: &Caller, lifetime: &Lifetime) {
        let (id, now) = (&lifetime.id, self.door.now());
        let written = self.keys.borrow().tokens.get(id).and_then(|key| {
            // That of a login is written down when it is made.
            let made = key.token.login.as_ref().map(|_| key.token.at);
            key.used.or(made)
        });
        let before = {
            let mut uses = lock(&self.uses);
            let before = uses.get(id).copied();
            let written = before.and_then(|before| before.written);
            uses.insert(id.clone(), Use { at: now, written });
            before.map(|before| before.at).or(written.map(|(_, at)| at))
        };
        let before = before.or(written);
        if before.is_none_or(|before| now.duration_since(before) >= LOGIN) {
            let (what, message) = (Noted::LoggedIn, None);
            let by = Some(by.clone());
            self.write_down(LogEntry { by, what, message });
        }
    }

    /// Waits for a look at the store that begins after this.
    async fn look_again(&self) {
        let begun = *lock(&self.looks.begun);
        self.looks.wanted.notify_one();
        let mut ended = self.looks.ended.subscribe();
        // The sender lives as long as this does.
        _ = tokio::time::timeout(PATIENCE, ended.wait_for(|ended| *ended > begun)).await;
    }

    /// Follows the store for ever.
    pub(super) async fn follow(&self) {
        let mut is_well = true;
        loop {
            let looked = self.look().await;
            if let (Err(error), true) = (&looked, is_well) {
                tracing::warn!(
                    error = error.chain(),
                    "the store does not say which tokens are valid"
                );
            }
            is_well = looked.is_ok();
            let sequence = self.keys.borrow().sequence;
            let pause = tokio::time::sleep(LOOK);
            tokio::select! {
                // An error of it comes back at once, and is found by the next look.
                Ok(_) = self.door.moved(sequence), if is_well => {}
                () = self.looks.wanted.notified() => {}
                () = pause => {}
            }
        }
    }

    /// Looks at the store, and knows then what it knows.
    pub(super) async fn look(&self) -> Result<(), Error> {
        let number = {
            let mut begun = lock(&self.looks.begun);
            *begun += 1;
            *begun
        };
        let (start, first) = (Instant::now(), lock(&self.looks.answered).is_none());
        let look = async {
            let known = self.keys.borrow().sequence;
            // Nothing is as new as that, so the answer comes at once.
            let newest = self.door.moved(Sequence::new(u64::MAX)).await?;
            if first || newest != known {
                let keys = Arc::new(self.door.keys().await?);
                lock(&self.uses).retain(|id, _| keys.tokens.contains_key(id));
                self.keys.send_replace(keys);
            }
            Ok(())
        };
        let looked = tokio::time::timeout(PATIENCE, look).await;
        let looked = looked.unwrap_or_else(|_| {
            let seconds = PATIENCE.as_secs();
            let error = format!("the store did not answer within {seconds} s");
            Err(Error::new(crate::api::ErrorKind::Unavailable, error))
        });
        if looked.is_ok() {
            *lock(&self.looks.answered) = Some(start);
        }
        self.looks.ended.send_replace(number);
        looked
    }

    /// What finds no room is lost: it can only be that much when the store does not answer.
    fn write_down(&self, entry: LogEntry) {
        if self.entries.try_send(entry).is_err() {
            tracing::warn!("the store is too slow to write down who comes and goes");
        }
    }

    async fn note(&self, entry: &LogEntry) {
        if let Err(error) = self.door.note(entry).await {
            let (error, what) = (error.chain(), &entry.what);
            tracing::warn!(error, ?what, "this could not be written down");
        }
    }

    /// Writes down which tokens were used; `None`: whatever was not yet, as this is the end.
    async fn touch(&self, now: Option<Instant>) {
        let at = now.unwrap_or_else(Instant::now);
        let is_due = |it: &Use| match (it.written, now) {
            (None, _) => true,
            (Some((_, written)), None) => it.at > written,
            (Some((when, written)), Some(now)) => {
                it.at > written && now.duration_since(when) >= BETWEEN_USES
            }
        };
        let mut due = Vec::new();
        for (id, it) in lock(&self.uses).iter_mut().filter(|(_, it)| is_due(it)) {
            it.written = Some((at, it.at));
            due.push((id.clone(), it.at));
        }
        if due.is_empty() {
            return;
        }
        if let Err(error) = self.door.used(&due).await {
            tracing::debug!(error = error.chain(), "the use of tokens was not noted");
        }
    }

    async fn tell_attempts(&self, now: Option<Instant>) {
        let denied = lock(&self.denials).due(now);
        for entry in denied {
            self.note(&entry).await;
        }
        let due = lock(&self.attempts).due(now);
        for what in due {
            self.note(&of_nobody(what)).await;
        }
    }
}

/// The entry about somebody whom nobody knows, who is told of in the log of the server too.
fn of_nobody(what: Noted) -> LogEntry {
    if let Noted::LoginFailed { from, count, .. } = &what {
        let from = from.as_deref().unwrap_or("many places");
        tracing::warn!(from, count, "refused: no token, or a wrong one");
    }
    let (by, message) = (None, None);
    LogEntry { by, what, message }
}

/// What waits to be written down.
#[derive(Debug)]
pub(super) struct Entries(mpsc::Receiver<LogEntry>);

impl Entries {
    /// Writes down what happens at the door, until `stop` turns true; then the rest.
    pub(super) async fn write(mut self, keeper: &Keeper, mut stop: watch::Receiver<bool>) {
        loop {
            let pause = tokio::time::sleep(LOOK);
            tokio::select! {
                entry = self.0.recv() => match entry {
                    Some(entry) => keeper.note(&entry).await,
                    None => break,
                },
                () = pause => {
                    keeper.touch(Some(Instant::now())).await;
                    keeper.tell_attempts(Some(Instant::now())).await;
                }
                () = turns_true(&mut stop) => break,
            }
        }
        while let Ok(entry) = self.0.try_recv() {
            keeper.note(&entry).await;
        }
        keeper.touch(None).await;
        keeper.tell_attempts(None).await;
    }
}

async fn turns_true(stop: &mut watch::Receiver<bool>) {
    // Without a sender nobody is there any more either.
    _ = stop.wait_for(|stop| *stop).await;
}

/// How long it counts that somebody showed a token: until it expires or is revoked.
#[derive(Clone, Debug)]
pub(super) struct Lifetime {
    keeper: Arc<Keeper>,
    id: TokenId,
    digest: Digest,
}

/// The longest sleep until the clock is looked at again, which may be set.
const NAP: Duration = Duration::from_secs(60);

impl Lifetime {
    /// Waits for its end.
    pub(super) async fn over(&self) {
        let mut keys = self.keeper.keys.subscribe();
        loop {
            let known = Arc::clone(&keys.borrow_and_update());
            let Some(left) = self.left(&known) else {
                return;
            };
            tokio::select! {
                // The sender lives as long as this does.
                Ok(()) = keys.changed() => {}
                () = tokio::time::sleep(left.min(NAP)) => {}
            }
        }
    }

    /// How much is left of it.
    fn left(&self, keys: &Keys) -> Option<Duration> {
        let key = keys.tokens.get(&self.id)?;
        if key.token.digest != self.digest {
            return None;
        }
        let Some(expires) = key.token.expires else {
            return Some(Duration::MAX);
        };
        let left = Duration::try_from(expires.duration_since(self.keeper.door.now()));
        left.ok().filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests;
