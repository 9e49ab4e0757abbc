//! Requests: what should change, and how far somebody has consented to it.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::report::{Effect, PlanReport};
use super::{Basis, BreakerChange, Error, FlagChange, Pace, PlanToken, Reach};
use crate::check::Finding;
use crate::model::{
    Cause, Consent, Content, IdempotencyKey, NameError, Part, Planned, Provenance, ResourceId,
    Selector, SetName, Version, holds_token,
};

/// A change that is asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Request {
    /// What should change.
    pub change: Change,
    /// The clusters that it is limited to; empty: all.
    pub clusters: Selector,
    /// What is consented to beyond the change itself.
    pub consents: BTreeSet<Consent>,
    /// The flags and breakers whose overrides may go with what they belong to.
    pub dropped: BTreeSet<PartName>,
    /// Why, for the history.
    pub message: Option<Message>,
    /// What it is known by: a commit with this key is made once, however often it is asked for.
    pub key: Option<IdempotencyKey>,
    /// Who planned it, where a saved plan is carried out.
    pub planned: Option<Planned>,
    /// Whether it is found out, before it is shown, what may not be written.
    pub permission: Permission,
    /// How hard to try.
    pub pace: Pace,
}

/// Names a flag or a breaker of a set: `SET/NAME`; `SET/flag/NAME` or `SET/breaker/NAME` where a set
/// has both of one name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = "^[a-z0-9-]+/((flag|breaker)/)?[A-Za-z0-9._-]+$"))]
pub struct PartName {
    /// The set.
    pub set: SetName,
    /// What it may be.
    pub parts: Vec<Part>,
}

/// Text that names no part of a set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartNameError {
    /// No slash.
    #[error("write the set too, as in `checkout/express-pay`")]
    NoSet,
    /// Not a name of what it should be.
    #[error(transparent)]
    Name(#[from] NameError),
}

impl std::str::FromStr for PartName {
    type Err = PartNameError;

    fn from_str(input: &str) -> Result<Self, Self::Err> {
        let (set, name) = input.split_once('/').ok_or(PartNameError::NoSet)?;
        let flag = |name: &str| Ok::<_, NameError>(Part::Flag(name.parse()?));
        let breaker = |name: &str| Ok::<_, NameError>(Part::Breaker(name.parse()?));
        let parts = match name.split_once('/') {
            Some(("flag", name)) => vec![flag(name)?],
            Some(("breaker", name)) => vec![breaker(name)?],
            _ => vec![flag(name)?, breaker(name)?],
        };
        let set = set.parse()?;
        Ok(Self { set, parts })
    }
}

impl std::fmt::Display for PartName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match &self.parts[..] {
            [Part::Flag(_)] => "flag/",
            [Part::Breaker(_)] => "breaker/",
            _ => "",
        };
        let name = self.parts.first().map_or("", Part::name);
        write!(f, "{}/{kind}{name}", self.set)
    }
}

impl TryFrom<String> for PartName {
    type Error = PartNameError;

    fn try_from(input: String) -> Result<Self, Self::Error> {
        input.parse()
    }
}

impl From<PartName> for String {
    fn from(name: PartName) -> Self {
        name.to_string()
    }
}

/// Whether clusters are asked if they would let a plan be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Permission {
    /// They are, as they are before every commit.
    Asked,
    /// They are not: who only compares needs no right to write.
    Unasked,
}

/// What should change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Change {
    /// These are declared; what is not named stays as it is.
    Declare(Declaration),
    /// A resource gets the content of an older revision again.
    Rollback {
        /// The resource.
        #[serde(alias = "set")]
        name: ResourceId,
        /// The revision; `None`: the newest one with another content.
        to: Option<Version>,
    },
    /// These are deleted.
    Delete(BTreeSet<ResourceId>),
    /// Nothing: clusters are brought to what is committed already.
    Reconcile(Reach),
    /// A flag is switched by hand.
    Flag(FlagChange),
    /// Something is done to a breaker.
    Breaker(BreakerChange),
}

impl Change {
    /// The word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Declare(_) => "declare",
            Self::Rollback { .. } => "rollback",
            Self::Delete(_) => "delete",
            Self::Reconcile(_) => "reconcile",
            Self::Flag(_) => "flag",
            Self::Breaker(_) => "breaker",
        }
    }
}

/// What is declared, and where that was written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Declaration {
    /// What every resource should be; deleted where that was asked for.
    pub contents: BTreeMap<ResourceId, Content>,
    /// Where that was written.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub provenances: BTreeMap<ResourceId, Provenance>,
}

/// The reason that somebody gives for a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("maxLength" = Self::MAX_BYTES))]
pub struct Message(String);

/// Text that is no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// Every snapshot carries it.
    #[error("it has {0} bytes, the limit is {max}", max = Message::MAX_BYTES)]
    TooLong(usize),
    /// Terminals would obey them.
    #[error("it has control characters")]
    Control,
    /// Everybody who reads the history or a snapshot would have it.
    #[error(
        "it holds a token, which everybody could read who reads the history; revoke that token"
    )]
    Token,
}

impl Message {
    /// The longest message, in bytes: every snapshot carries it.
    const MAX_BYTES: usize = 1000;

    /// The message as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Message {
    type Err = MessageError;

    fn from_str(input: &str) -> Result<Self, Self::Err> {
        input.to_owned().try_into()
    }
}

impl TryFrom<String> for Message {
    type Error = MessageError;

    fn try_from(input: String) -> Result<Self, Self::Error> {
        if input.len() > Self::MAX_BYTES {
            return Err(MessageError::TooLong(input.len()));
        }
        if input.contains(|c: char| c.is_control() && c != '\n') {
            return Err(MessageError::Control);
        }
        if holds_token(&input) {
            return Err(MessageError::Token);
        }
        Ok(Self(input))
    }
}

impl From<Message> for String {
    fn from(message: Message) -> Self {
        message.0
    }
}

/// What would be done, and the token that consents to exactly this.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Proposal {
    /// What would be done.
    pub preview: Preview,
    /// How the history would name it.
    pub cause: Cause,
    /// Whether anything would change, in the store or in a cluster.
    pub changes: bool,
    /// The living resources that a declaration does not name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undeclared: Vec<ResourceId>,
    /// What is to be said of what is declared, although it is valid.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Finding>,
    /// What carrying it out would answer, if something stands against it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Error>,
    /// Who says this consents to what is shown here.
    pub token: PlanToken,
    /// What it was made from.
    pub basis: Basis,
}

/// What would be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Preview {
    /// By a declared change.
    Plan(PlanReport),
    /// By a switch.
    Effect(Effect),
}

/// How far somebody has consented.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Approval {
    /// To whatever follows from the request.
    Unseen,
    /// To what was shown with this token, and to nothing else.
    Exactly(PlanToken),
}
