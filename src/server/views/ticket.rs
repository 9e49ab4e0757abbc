//! A ticket: what stands in the address of a stream of events instead of a token.
//!
//! A browser sends no headers with it, and addresses end up in logs. So a ticket says nothing but that its
//! holder may hear when the flags of one set in one cluster change. It is sealed with the digest of the
//! token that it was given to, as every server over the store has it: with that token it ends, and it
//! outlives the server that gave it. What the holder of the token may read is asked again when it is shown.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::hmac;

use crate::model::{ClusterName, Digest, SetName, TokenId};

/// For how long the same ticket is given: between this and twice this long it is valid. So a client that
/// asks again has the same address for a while, and its stream goes on.
const WINDOW_SECONDS: i64 = 15 * 60;
/// What is sealed is a ticket, and nothing else that may ever be sealed so.
const PURPOSE: &[u8] = b"cfgctl ticket 1\n";
/// No ticket is longer.
const MAX_BYTES: usize = 2048;

/// A ticket that was shown. Only its seal says whether it is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::server) struct Ticket {
    pub(super) set: SetName,
    pub(super) cluster: ClusterName,
    /// The token that it was given to; `None`: that of the owner.
    pub(in crate::server) whose: Option<TokenId>,
    /// When it ends, in seconds since 1970.
    ends: i64,
    /// What is sealed, as it was sent.
    said: String,
    seal: Vec<u8>,
}

/// What a ticket says.
type Said = (i64, Option<TokenId>, SetName, ClusterName);

impl Ticket {
    /// The text of one that is given at `now`.
    pub(in crate::server) fn text(
        (set, cluster): (&SetName, &ClusterName),
        whose: Option<&TokenId>,
        token: &Digest,
        now: Timestamp,
    ) -> String {
        let ends = (now.as_second().div_euclid(WINDOW_SECONDS) + 2) * WINDOW_SECONDS;
        // It is text and a number.
        let said = serde_json::to_vec(&(ends, whose, set, cluster)).unwrap_or_default();
        let said = URL_SAFE_NO_PAD.encode(said);
        let seal = hmac::sign(&key(token), &sealed(&said));
        format!("{said}.{}", URL_SAFE_NO_PAD.encode(seal))
    }

    /// What this text says, if it is of the form of one.
    pub(in crate::server) fn read(text: &str) -> Option<Self> {
        if text.len() > MAX_BYTES {
            return None;
        }
        let (said, seal) = text.split_once('.')?;
        let seal = URL_SAFE_NO_PAD.decode(seal).ok()?;
        let found: Said = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(said).ok()?).ok()?;
        let (ends, whose, set, cluster) = found;
        Some(Self {
            set,
            cluster,
            whose,
            ends,
            said: said.to_owned(),
            seal,
        })
    }

    /// Whether its time is over.
    pub(in crate::server) fn is_over(&self, now: Timestamp) -> bool {
        self.ends <= now.as_second()
    }

    /// Whether it was given to whoever shows this token. How long that takes says nothing about it.
    pub(in crate::server) fn is_of(&self, token: &Digest) -> bool {
        hmac::verify(&key(token), &sealed(&self.said), &self.seal).is_ok()
    }
}

fn key(token: &Digest) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, token.as_bytes())
}

fn sealed(said: &str) -> Vec<u8> {
    [PURPOSE, said.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(now: i64, token: &Digest) -> String {
        let (set, cluster) = ("shop".parse().unwrap(), "eu".parse().unwrap());
        let id = "0123456789".parse().unwrap();
        let now = Timestamp::from_second(now).unwrap();
        Ticket::text((&set, &cluster), Some(&id), token, now)
    }

    #[test]
    fn a_ticket_is_that_of_one_token_for_a_while() {
        let (own, other) = (Digest::of(b"own"), Digest::of(b"other"));
        let given = text(1000, &own);
        let ticket = Ticket::read(&given).unwrap();
        assert!(ticket.is_of(&own) && !ticket.is_of(&other));
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        assert!(!ticket.is_over(at(1000 + WINDOW_SECONDS)));
        assert!(ticket.is_over(at(1000 + 2 * WINDOW_SECONDS)));
        assert_eq!(given, text(1001, &own));
        assert_ne!(given, text(1000 + WINDOW_SECONDS, &own));
        assert!(!given.contains("shop"));
    }

    #[test]
    fn what_was_changed_is_no_ticket() {
        let own = Digest::of(b"own");
        let given = text(1000, &own);
        for at in 0..given.len() {
            let mut changed = given.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = Ticket::read(std::str::from_utf8(&changed).unwrap());
            // The last digit of the seal has bits that say nothing.
            let is_same = |it: &Ticket| Some(it) == Ticket::read(&given).as_ref();
            assert!(changed.is_none_or(|it| !it.is_of(&own) || is_same(&it)));
        }
        for odd in ["", ".", "a.b", &given[1..], &"A".repeat(5000)] {
            let read = Ticket::read(odd);
            assert!(read.is_none_or(|it| !it.is_of(&own)), "{odd}");
        }
    }
}
