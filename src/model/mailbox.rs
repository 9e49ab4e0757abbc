//! Mailboxes: how far somebody who wants to hear what happens was told.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Sequence;

/// How far one receiver was told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mailbox {
    /// Of every commit up to this one it was told, or nobody tries any more.
    pub told: Sequence,
    /// Who tells it, and until when nobody else does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teller: Option<MailboxTeller>,
    /// What keeps the next from arriving.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing: Option<MailboxFailure>,
    /// What never arrived, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dead: Vec<DeadLetter>,
}

impl Mailbox {
    /// How many letters are kept that never arrived.
    const MOST_DEAD: usize = 20;
    /// How much of a text is kept, in bytes.
    const TEXT_BYTES: usize = 400;

    /// As much of `text` as a mailbox keeps, on one line.
    pub fn kept(text: &str) -> String {
        let mut kept = String::new();
        for c in text.chars() {
            if kept.len() + c.len_utf8() > Self::TEXT_BYTES {
                kept.push('…');
                break;
            }
            kept.push(if c.is_control() { ' ' } else { c });
        }
        kept
    }

    /// Gives up on a letter.
    pub fn bury(&mut self, letter: DeadLetter) {
        self.dead.push(letter);
        let surplus = self.dead.len().saturating_sub(Self::MOST_DEAD);
        self.dead.drain(..surplus);
    }
}

/// One process that tells a receiver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MailboxTeller {
    /// What it calls itself: another name for each process.
    pub name: String,
    /// Until when nobody else tells it.
    pub until: Timestamp,
}

/// Why a receiver is not told of the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MailboxFailure {
    /// When it was tried first.
    pub since: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// What came of the last time.
    pub reason: String,
}

/// What never arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeadLetter {
    /// What it was known by.
    pub id: String,
    /// What it said, in one line.
    pub text: String,
    /// When nobody tried any more.
    pub at: Timestamp,
    /// What came of the last time.
    pub reason: String,
}
