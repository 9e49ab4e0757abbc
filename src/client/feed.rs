//! The feed at a server: answers that say which commit they follow from.

use super::http::{Http, Send};
use crate::api::report::Report;
use crate::api::{AsOf, Error};
use crate::model::Sequence;
use crate::wire::{JSON, SEQUENCE};

/// The largest answer: a snapshot with the keys beside it, or the index of a very large cluster.
const MAX_ANSWER: usize = 256 << 20;

impl Http {
    /// The document that answers `send`, and the sequence in its head.
    pub(super) async fn ask_of_moment<R: Report>(&self, send: Send) -> Result<AsOf<R>, Error> {
        let response = self.send(send, JSON, None).await?;
        let sequence = response.headers().get(SEQUENCE);
        let sequence = sequence.and_then(|value| value.to_str().ok()?.parse().ok());
        let no_sequence = || self.nonsense("it does not say which commit it follows from");
        let sequence = Sequence::new(sequence.ok_or_else(no_sequence)?);
        let body = self.read(response, MAX_ANSWER).await?;
        let answer = self.report(&body)?;
        Ok(AsOf { sequence, answer })
    }
}
