use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;

use super::*;
use crate::api::report::NewToken;
use crate::api::{ErrorKind, Holdings, Tally, Via, Vouched};
use crate::model::{Checkpoint, IdempotencyKey, TokenKind};

/// The door of a store without tokens, which answers or does not.
#[derive(Debug, Default)]
struct Empty {
    is_silent: AtomicBool,
}

#[async_trait]
impl Door for Empty {
    async fn exchange(&self, _: &Vouched, _: &Via) -> Result<NewToken, Error> {
        unreachable!("nobody logs in")
    }

    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    async fn keys(&self) -> Result<Keys, Error> {
        Ok(Keys::default())
    }

    async fn moved(&self, after: Sequence) -> Result<Sequence, Error> {
        if self.is_silent.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Unavailable, "the disk is full"));
        }
        if after == Sequence::START {
            std::future::pending::<()>().await;
        }
        Ok(Sequence::START)
    }

    fn admits(&self, _: &Caller) -> Result<(), Error> {
        Ok(())
    }

    async fn used(&self, _: &[(TokenId, Timestamp)]) -> Result<(), Error> {
        Ok(())
    }

    async fn head(&self) -> Result<Option<Checkpoint>, Error> {
        Ok(None)
    }

    async fn note(&self, _: &LogEntry) -> Result<(), Error> {
        Ok(())
    }

    async fn made_under(&self, _: &IdempotencyKey) -> Result<Option<Sequence>, Error> {
        Ok(None)
    }

    async fn shows_figures(&self, _: &Caller) -> Result<(), Error> {
        Ok(())
    }

    async fn holdings(&self, _: Option<Sequence>) -> Result<Holdings, Error> {
        Ok(Holdings::default())
    }

    fn tally(&self) -> Tally {
        Tally::default()
    }
}

#[tokio::test]
async fn nobody_is_called_unknown_who_could_not_be_looked_up() {
    let door = Arc::new(Empty::default());
    let (keeper, _entries) = Keeper::new(Arc::clone(&door) as Arc<dyn Door>, None);
    let follows = Arc::clone(&keeper);
    let following = tokio::spawn(async move { follows.follow().await });
    let token = TokenText::new(TokenKind::Api, TokenId::from_bits(7), &[7; 32]);
    let shown = Evidence::Token(token.expose().as_bytes().into());
    let status = async || match keeper.ask(&shown, None).await {
        Ok(_) => panic!("somebody is known"),
        Err(refusal) => refusal.into_response().status(),
    };
    assert_eq!(status().await, StatusCode::UNAUTHORIZED);
    // It may have been made since.
    door.is_silent.store(true, Ordering::SeqCst);
    assert_eq!(status().await, StatusCode::SERVICE_UNAVAILABLE);
    door.is_silent.store(false, Ordering::SeqCst);
    assert_eq!(status().await, StatusCode::UNAUTHORIZED);
    following.abort();
}
