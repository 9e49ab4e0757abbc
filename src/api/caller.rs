//! The caller: who asks.

use serde::{Deserialize, Serialize};

/// Who asks. What a revision says of its author is taken from here, and from nowhere else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Caller {
    /// Who it is.
    pub principal: Principal,
}

/// Who somebody is, as far as it was found out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Principal {
    /// Whoever runs this process: `user@host`, or what `CFGCTL_ACTOR` says.
    Local(String),
    /// Whoever showed the token that a server was started with: `token:NAME`. Whoever could start it
    /// can write its store, so nothing is refused to this one.
    Owner(String),
    /// Whoever showed a server this token, which its store knows: `token:NAME`.
    Token(String),
    /// cfgctl itself, which takes away what is over.
    System,
}

/// What the history calls cfgctl itself.
const SYSTEM: &str = "cfgctl";

impl Caller {
    /// Whoever runs this process.
    pub fn local(name: String) -> Self {
        Self {
            principal: Principal::Local(name),
        }
    }

    /// Whoever showed the token called `name` that a server was started with.
    pub fn owner(name: &str) -> Self {
        Self {
            principal: Principal::Owner(format!("token:{name}")),
        }
    }

    /// Whoever showed the token called `name`, which the store knows.
    pub fn token(name: &str) -> Self {
        Self {
            principal: Principal::Token(format!("token:{name}")),
        }
    }

    /// cfgctl itself.
    pub fn system() -> Self {
        Self {
            principal: Principal::System,
        }
    }

    /// What the history calls it.
    pub fn actor(&self) -> &str {
        match &self.principal {
            Principal::Local(name) | Principal::Owner(name) | Principal::Token(name) => name,
            Principal::System => SYSTEM,
        }
    }
}
