//! Tokens: made, listed, taken over from and revoked.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use ring::rand::{SecureRandom as _, SystemRandom};

use super::authorise::{Access, Need};
use super::lookup::heads_of;
use super::names::{gone, known};
use crate::api::report::{
    Identity, NewToken, PrincipalKind, RevokedTokens, TokenItem, TokenState, Tokens,
};
use crate::api::{
    Caller, Error, ErrorKind, Lasting, LogEntry, Message, Noted, NotedToken, Principal, TokenOrder,
    TokenRevocation, TokenRotation,
};
use crate::engine;
use crate::model::{
    Content, Record, RecordChange, RecordContent, RecordId, RecordKind, ResourceId, Role, Sequence,
    TokenId, TokenKind, TokenName, TokenRecord, TokenText,
};
use crate::store::{Store, StoreError};

/// How often a token is made anew while others make theirs.
const ROUNDS: u32 = 20;

/// Whoever asks something of tokens, where and when.
pub(super) struct Desk<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) by: &'a Caller,
    pub(super) now: Timestamp,
}

/// A token that the store has.
struct Held {
    id: TokenId,
    record: Record,
    token: TokenRecord,
}

impl Held {
    fn item(&self, now: Timestamp) -> TokenItem {
        item(&self.id, &self.token, self.record.used, now)
    }

    fn noted(&self) -> NotedToken {
        noted(&self.id, &self.token)
    }

    fn is_valid(&self, now: Timestamp) -> bool {
        !self.token.is_over(now)
    }

    /// The change that makes this of it.
    fn becomes(&self, token: Option<TokenRecord>) -> (RecordId, RecordChange) {
        let change = RecordChange {
            expected: Some(self.record.changed),
            content: token.map(RecordContent::Token),
        };
        (RecordId::Token(self.id.clone()), change)
    }
}

impl Desk<'_> {
    /// Who asks.
    pub(super) async fn identity(&self) -> Result<Identity, Error> {
        let (principal, token) = match &self.by.principal {
            Principal::Local(_) => (PrincipalKind::Local, None),
            Principal::Owner(_) => (PrincipalKind::Owner, None),
            Principal::System => (PrincipalKind::System, None),
            Principal::Token(holder) => {
                let id = RecordId::Token(holder.id.clone());
                let found = self.store.record(&id).await?;
                let found = found.and_then(|record| held(id, record));
                (PrincipalKind::Token, found.map(|it| it.item(self.now)))
            }
        };
        let login = match &self.by.principal {
            Principal::Token(holder) => holder.login.clone(),
            Principal::Local(_) | Principal::Owner(_) | Principal::System => None,
        };
        Ok(Identity {
            subject: self.by.actor().to_owned(),
            principal,
            token,
            login,
        })
    }

    /// All of them.
    pub(super) async fn list(&self) -> Result<Tokens, Error> {
        self.check_may().await?;
        let all = self.all().await?.into_iter();
        let mut items: Vec<_> = all.map(|held| held.item(self.now)).collect();
        items.sort_by(|one, other| {
            let age = one.at.cmp(&other.at);
            one.name.cmp(&other.name).then(age)
        });
        Ok(Tokens { items })
    }

    /// Makes one.
    pub(super) async fn create(&self, order: &TokenOrder) -> Result<NewToken, Error> {
        self.check_may().await?;
        let name = &order.name;
        self.check_bounds(order).await?;
        let mut as_of = self.free(name).await?;
        let text = text(order.kind)?;
        let token = TokenRecord {
            name: name.clone(),
            kind: order.kind,
            set: order.set.clone(),
            cluster: order.cluster.clone(),
            digest: text.digest(),
            by: self.by.actor().to_owned(),
            at: self.now,
            expires: self.end(order.lasts)?,
            message: order.message.as_ref().map(|it| it.as_str().to_owned()),
            login: None,
        };
        let audit = self.entry(
            Noted::TokenCreated(noted(text.id(), &token)),
            order.message.as_ref(),
        )?;
        let existed = self.store.exists();
        let mut round = 0;
        loop {
            let changes = [new(&text, &token)].into();
            match engine::note(self.store, changes, Some(as_of), audit.clone()).await {
                // Somebody was faster, with this name or with another one.
                Err(StoreError::RecordsMoved(_)) if round < ROUNDS => {
                    round += 1;
                    as_of = self.free(name).await?;
                }
                made => {
                    made?;
                    break;
                }
            }
        }
        Ok(NewToken {
            token: item(text.id(), &token, None, self.now),
            text,
            replaces: Vec::new(),
            store_made: (!existed).then(|| self.store.location()),
        })
    }

    /// Makes one that takes over from those of its name, which end a while later.
    pub(super) async fn rotate(&self, rotation: &TokenRotation) -> Result<NewToken, Error> {
        self.check_may().await?;
        let name = &rotation.name;
        let mut others = self.valid(name).await?;
        others.sort_by_key(|other| other.token.at);
        let Some(newest) = others.last() else {
            return Err(unknown(name));
        };
        if newest.token.login.is_some() {
            let error = format!("the token `{name}` is of a login, from which none takes over");
            return Err(Error::invalid(error).hint("whoever logs in again gets another one"));
        }
        let text = text(newest.token.kind)?;
        let expires = match (rotation.lasts, newest.token.expires) {
            (Some(lasts), _) => self.end(lasts)?,
            (None, None) => None,
            (None, Some(expires)) => {
                Some(later(self.now, expires.duration_since(newest.token.at))?)
            }
        };
        let token = TokenRecord {
            digest: text.digest(),
            by: self.by.actor().to_owned(),
            at: self.now,
            expires,
            ..newest.token.clone()
        };
        let overlap = SignedDuration::try_from(rotation.overlap);
        let last = later(self.now, overlap.map_err(|_| too_long())?)?;
        let mut changes: BTreeMap<_, _> = [new(&text, &token)].into();
        for other in &mut others {
            let ends = other
                .token
                .expires
                .map_or(last, |expires| expires.min(last));
            other.token.expires = Some(ends);
            changes.extend([other.becomes(Some(other.token.clone()))]);
        }
        let ends = others.iter();
        let what = Noted::TokenRotated {
            token: noted(text.id(), &token),
            replaces: ends.map(|it| (it.id.clone(), it.token.expires)).collect(),
        };
        self.commit(changes, what, rotation.message.as_ref())
            .await?;
        Ok(NewToken {
            token: item(text.id(), &token, None, self.now),
            text,
            replaces: others.iter().map(|it| it.item(self.now)).collect(),
            store_made: None,
        })
    }

    /// Ends the one with this id, or all of this name.
    pub(super) async fn revoke(&self, wanted: &TokenRevocation) -> Result<RevokedTokens, Error> {
        self.check_may().await?;
        let which = &wanted.which;
        let mut found = self.all().await?;
        let is_id = found.iter().any(|held| held.id.as_str() == which.as_str());
        found.retain(|held| {
            if is_id {
                held.id.as_str() == which.as_str()
            } else {
                held.token.name == *which
            }
        });
        if found.is_empty() {
            return Err(unknown(which));
        }
        let changes = found.iter().map(|held| held.becomes(None)).collect();
        let what = Noted::TokenRevoked {
            tokens: found.iter().map(Held::noted).collect(),
        };
        self.commit(changes, what, wanted.message.as_ref()).await?;
        Ok(RevokedTokens {
            items: found.iter().map(|held| held.item(self.now)).collect(),
        })
    }

    /// Who may do something about tokens. Until grants say who else is an admin: whoever runs cfgctl
    /// beside the store, and the owner of a server.
    /// A token has what grants give to its name, so only whoever has everything makes one.
    async fn check_may(&self) -> Result<(), Error> {
        let access = Access::of(self.store, self.by).await?;
        access.require(&Need::All(Role::Admin), "to see or change tokens")
    }

    /// Fails if the token is for what one of its kind is not for, or for what is not there.
    async fn check_bounds(&self, order: &TokenOrder) -> Result<(), Error> {
        let TokenOrder {
            kind, set, cluster, ..
        } = order;
        let invalid = |error: String, hint| Err(Error::invalid(error).hint(hint));
        match (kind, set, cluster) {
            (TokenKind::Agent, _, None) => {
                let error = "a token of the kind `agent` is for one cluster".to_owned();
                return invalid(error, "name it with `--cluster`");
            }
            (TokenKind::App, None, _) => {
                let error = "a token of the kind `app` is for one set".to_owned();
                return invalid(error, "name it with `--set`");
            }
            (TokenKind::Api | TokenKind::Alerts | TokenKind::Agent, Some(_), _) => {
                let error = format!("a token of the kind `{kind}` is for no set");
                return invalid(error, "`--kind app` makes one that is");
            }
            (TokenKind::Api | TokenKind::Alerts, None, Some(_)) => {
                let error = format!("a token of the kind `{kind}` is for no cluster");
                return invalid(error, "`--kind agent` makes one that is");
            }
            _ => {}
        }
        let set = set.clone().map(ResourceId::Set);
        let cluster = cluster.clone().map(ResourceId::Cluster);
        let ids: Vec<ResourceId> = set.into_iter().chain(cluster).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let heads = heads_of(self.store, &ids).await?;
        for id in &ids {
            if known(&heads, id)?.content == Content::Deleted {
                return Err(gone(id));
            }
        }
        Ok(())
    }

    async fn all(&self) -> Result<Vec<Held>, Error> {
        let records = self.store.records(RecordKind::Token).await?.records;
        let records = records.into_iter();
        Ok(records
            .filter_map(|(id, record)| held(id, record))
            .collect())
    }

    /// Those of this name that are valid.
    async fn valid(&self, name: &TokenName) -> Result<Vec<Held>, Error> {
        let mut held = self.all().await?;
        held.retain(|held| held.token.name == *name && held.is_valid(self.now));
        Ok(held)
    }

    /// Fails if a valid one has this name; otherwise the commit as of which none has.
    async fn free(&self, name: &TokenName) -> Result<Sequence, Error> {
        let at = self.store.records(RecordKind::Token).await?;
        let mut all = at
            .records
            .into_iter()
            .filter_map(|(id, record)| held(id, record));
        let taken = all.find(|held| held.token.name == *name && held.is_valid(self.now));
        let Some(other) = taken else {
            return Ok(at.sequence);
        };
        let error = format!("there is a token `{name}` already: {}", other.id);
        Err(Error::new(ErrorKind::Conflict, error).hint(format!(
            "`cfgctl token rotate {name}` makes one that takes over from it, \
             `cfgctl token revoke {name}` ends it"
        )))
    }

    /// What the log is to keep.
    fn entry(&self, what: Noted, message: Option<&Message>) -> Result<serde_json::Value, Error> {
        let entry = LogEntry {
            by: Some(self.by.clone()),
            what,
            message: message.map(|message| message.as_str().to_owned()),
        };
        let entry = serde_json::to_value(&entry);
        entry.map_err(|error| Error::of(ErrorKind::Bug, &error))
    }

    async fn commit(
        &self,
        changes: BTreeMap<RecordId, RecordChange>,
        what: Noted,
        message: Option<&Message>,
    ) -> Result<(), Error> {
        let audit = self.entry(what, message)?;
        // What each of them was is looked at.
        engine::note(self.store, changes, None, audit).await?;
        Ok(())
    }

    fn end(&self, lasts: Lasting) -> Result<Option<Timestamp>, Error> {
        match lasts {
            Lasting::Forever => Ok(None),
            Lasting::For(length) => {
                let length = SignedDuration::try_from(length).map_err(|_| too_long())?;
                later(self.now, length).map(Some)
            }
        }
    }
}

pub(super) fn later(at: Timestamp, length: SignedDuration) -> Result<Timestamp, Error> {
    at.checked_add(length).map_err(|_| too_long())
}

fn too_long() -> Error {
    Error::invalid("no calendar reaches that far")
        .hint("`--expires never` makes one without an end")
}

fn unknown(which: &TokenName) -> Error {
    Error::invalid(format!("there is no token `{which}`")).hint("`cfgctl token list` shows them")
}

/// The token that a record is, which one of this kind is.
fn held(id: RecordId, record: Record) -> Option<Held> {
    match (id, record.content.clone()) {
        (RecordId::Token(id), RecordContent::Token(token)) => Some(Held { id, record, token }),
        _ => None,
    }
}

pub(super) fn item(
    id: &TokenId,
    token: &TokenRecord,
    used: Option<Timestamp>,
    now: Timestamp,
) -> TokenItem {
    TokenItem {
        id: id.clone(),
        name: token.name.clone(),
        kind: token.kind,
        set: token.set.clone(),
        cluster: token.cluster.clone(),
        state: if token.is_over(now) {
            TokenState::Expired
        } else {
            TokenState::Valid
        },
        by: token.by.clone(),
        at: token.at,
        expires: token.expires,
        used,
        message: token.message.clone(),
    }
}

pub(super) fn noted(id: &TokenId, token: &TokenRecord) -> NotedToken {
    NotedToken {
        id: id.clone(),
        name: token.name.clone(),
        kind: token.kind,
        set: token.set.clone(),
        cluster: token.cluster.clone(),
        expires: token.expires,
    }
}

/// The change that makes this token one that the store knows.
pub(super) fn new(text: &TokenText, token: &TokenRecord) -> (RecordId, RecordChange) {
    let change = RecordChange {
        expected: None,
        content: Some(RecordContent::Token(token.clone())),
    };
    (RecordId::Token(text.id().clone()), change)
}

/// A text that nobody can guess.
pub(super) fn text(kind: TokenKind) -> Result<TokenText, Error> {
    let (random, mut id, mut secret) = (SystemRandom::new(), [0; 8], [0; 32]);
    let filled = random.fill(&mut id).and_then(|()| random.fill(&mut secret));
    filled.map_err(|_| Error::new(ErrorKind::Bug, "there is no randomness"))?;
    Ok(TokenText::new(
        kind,
        TokenId::from_bits(u64::from_ne_bytes(id)),
        &secret,
    ))
}
