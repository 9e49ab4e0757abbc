//! The caller: who asks, and from where.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{ClusterName, Identified, LoginRecord, SetName, TokenId, TokenKind, TokenName};

/// Who asks. What a revision says of its author is taken from here, and from nowhere else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Caller {
    /// Who it is.
    pub principal: Principal,
    /// How the question came here; `None`: from this process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<Via>,
}

/// Who somebody is, as far as it was found out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Principal {
    /// Whoever runs this process: `user@host`, or what `CFGCTL_ACTOR` says.
    Local(String),
    /// Whoever showed the token that a server was started with: `owner`, which no token and no subject
    /// of a grant can be called. Whoever could start it can write its store, so nothing is refused to
    /// this one.
    Owner(String),
    /// Whoever showed a server this token, which its store knows.
    Token(TokenHolder),
    /// cfgctl itself, which takes away what is over.
    System,
}

/// Whoever holds a token that a store knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenHolder {
    /// What the history calls it, and grants where it has no login: `token:NAME`.
    pub subject: String,
    /// Which of the tokens of this name it is.
    pub id: TokenId,
    /// What the token is for.
    pub kind: TokenKind,
    /// The set that the token is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<SetName>,
    /// The cluster that the token is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterName>,
    /// Whom an issuer vouched for when the token was made, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<Arc<LoginRecord>>,
}

impl TokenHolder {
    /// Whoever holds this token.
    pub fn new(
        name: &TokenName,
        id: TokenId,
        kind: TokenKind,
        cluster: Option<ClusterName>,
    ) -> Self {
        Self {
            subject: format!("token:{name}"),
            id,
            kind,
            set: None,
            cluster,
            login: None,
        }
    }

    /// The same, whom an issuer vouched for.
    #[must_use]
    pub fn logged_in(self, login: Option<Arc<LoginRecord>>) -> Self {
        let subject = match &login {
            Some(login) => login.subject.clone(),
            None => self.subject,
        };
        Self {
            subject,
            login,
            ..self
        }
    }

    /// What is known of it, as far as a grant can be to it.
    pub fn identified(&self) -> Identified {
        match &self.login {
            Some(login) => login.identified(),
            None => Identified::called(&self.subject),
        }
    }

    /// The same whose token is for this set.
    #[must_use]
    pub fn for_set(self, set: Option<SetName>) -> Self {
        Self { set, ..self }
    }

    /// The set that the application that it is may read in `cluster`.
    pub(crate) fn set_in(&self, cluster: &ClusterName) -> Option<&SetName> {
        let own = self.cluster.as_ref();
        let is_there = own.is_none_or(|own| own == cluster);
        self.set.as_ref().filter(|_| is_there)
    }
}

/// How a question came to a server. It says nothing of who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Via {
    /// The address at the other end of the connection.
    pub peer: String,
    /// What the request is called.
    pub request: String,
    /// What it is part of, as its sender says (W3C trace context).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// What the history calls cfgctl itself.
const SYSTEM: &str = "cfgctl";
/// What the history calls whoever showed the token that a server was started with.
const OWNER: &str = "owner";

impl From<Principal> for Caller {
    fn from(principal: Principal) -> Self {
        Self {
            principal,
            via: None,
        }
    }
}

impl Caller {
    /// Whoever runs this process.
    pub fn local(name: String) -> Self {
        Principal::Local(name).into()
    }

    /// Whoever showed the token that a server was started with.
    pub fn owner() -> Self {
        Principal::Owner(OWNER.to_owned()).into()
    }

    /// Whoever holds a token that the store knows.
    pub fn token(holder: TokenHolder) -> Self {
        Principal::Token(holder).into()
    }

    /// cfgctl itself.
    pub fn system() -> Self {
        Principal::System.into()
    }

    /// The same, who asks in this way.
    #[must_use]
    pub fn via(self, via: Via) -> Self {
        Self {
            via: Some(via),
            ..self
        }
    }

    /// Who it is, if it is an application.
    pub(crate) fn app(&self) -> Option<&TokenHolder> {
        match &self.principal {
            Principal::Token(holder) if holder.kind == TokenKind::App => Some(holder),
            _ => None,
        }
    }

    /// What the history calls it.
    pub fn actor(&self) -> &str {
        match &self.principal {
            Principal::Local(name) | Principal::Owner(name) => name,
            Principal::Token(holder) => &holder.subject,
            Principal::System => SYSTEM,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Subject;

    #[test]
    fn no_token_is_called_what_the_owner_of_a_server_is() {
        let owner = Caller::owner();
        assert_eq!(owner.actor(), "owner");
        // What a grant can be to has a kind before a colon, and what a token is called too.
        assert!(owner.actor().parse::<Subject>().is_err());
        for name in ["owner", "admin"] {
            let id = "0123456789".parse().unwrap();
            let token = TokenHolder::new(&name.parse().unwrap(), id, TokenKind::Api, None);
            assert_ne!(Caller::token(token).actor(), owner.actor());
        }
    }
}
