//! The door of a server, as the store has it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Local, audit, figures, logins};
use crate::api::report::NewToken;
use crate::api::{
    Caller, Door, Error, ErrorKind, Holdings, Keys, KnownToken, LogEntry, Principal, Tally, Via,
    Vouched,
};
use crate::engine;
use crate::model::{
    Checkpoint, IdempotencyKey, RecordContent, RecordId, RecordKind, Sequence, TokenId, TokenKind,
};

#[async_trait]
impl Door for Local {
    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    async fn keys(&self) -> Result<Keys, Error> {
        let at = self.store.records(RecordKind::Token).await?;
        let tokens = at.records.into_iter();
        let tokens = tokens.filter_map(|(id, record)| match (id, record.content) {
            (RecordId::Token(id), RecordContent::Token(token)) => {
                let used = record.used;
                Some((id, KnownToken { token, used }))
            }
            _ => None,
        });
        Ok(Keys {
            sequence: at.sequence,
            tokens: tokens.collect(),
        })
    }

    async fn moved(&self, after: Sequence) -> Result<Sequence, Error> {
        Ok(self.store.wait(after).await?)
    }

    fn admits(&self, by: &Caller) -> Result<(), Error> {
        admits(by)
    }

    async fn exchange(&self, vouched: &Vouched, via: &Via) -> Result<NewToken, Error> {
        logins::exchange(self.store.as_ref(), vouched, via, (self.clock)()).await
    }

    async fn used(&self, tokens: &[(TokenId, Timestamp)]) -> Result<(), Error> {
        let used = tokens.iter();
        let used: Vec<_> = used
            .map(|(id, at)| (RecordId::Token(id.clone()), *at))
            .collect();
        Ok(self.store.touch(&used).await?)
    }

    async fn head(&self) -> Result<Option<Checkpoint>, Error> {
        audit::head(self.store.as_ref()).await
    }

    async fn note(&self, entry: &LogEntry) -> Result<(), Error> {
        // A store that nobody has committed to yet is not made to say who knocked.
        if !self.store.exists() {
            return Ok(());
        }
        let audit = serde_json::to_value(entry);
        let audit = audit.map_err(|error| Error::of(ErrorKind::Bug, &error))?;
        engine::note(self.store.as_ref(), BTreeMap::new(), None, audit).await?;
        Ok(())
    }

    async fn made_under(&self, key: &IdempotencyKey) -> Result<Option<Sequence>, Error> {
        let made = self.store.made_under(key).await?;
        Ok(made.map(|record| record.sequence))
    }

    async fn shows_figures(&self, by: &Caller) -> Result<(), Error> {
        figures::check_may(self.store.as_ref(), by).await
    }

    async fn holdings(&self, since: Option<Sequence>) -> Result<Holdings, Error> {
        self.figures.look(self.store.as_ref(), since).await
    }

    fn tally(&self) -> Tally {
        self.figures.tally()
    }
}

/// Who may come in at all. Every operation asks grants for itself, so a token of the kind `api` may.
/// Those of other kinds never may: what they are for has routes of its own.
fn admits(by: &Caller) -> Result<(), Error> {
    match &by.principal {
        Principal::Local(_) | Principal::Owner(_) | Principal::System => Ok(()),
        Principal::Token(holder) => match holder.kind {
            TokenKind::Api => Ok(()),
            TokenKind::Alerts | TokenKind::Agent | TokenKind::App => {
                let (kind, subject) = (holder.kind, &holder.subject);
                let error =
                    format!("`{subject}` is of the kind `{kind}`, which may do nothing here");
                Err(Error::new(ErrorKind::Denied, error)
                    .hint("`cfgctl token create` makes one of the kind `api`"))
            }
        },
    }
}
