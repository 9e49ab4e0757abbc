//! Claims: what an issuer says of whoever logs in, as far as grants can ask for it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The claim that says who says so.
pub const ISSUER: &str = "iss";

/// Claims by their names. What is no text is kept as its JSON: `true`, `42`.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(
    try_from = "BTreeMap<String, String>",
    into = "BTreeMap<String, String>"
)]
#[schemars(with = "BTreeMap<String, String>")]
pub struct Claims(BTreeMap<String, String>);

/// A claim that nobody can ask for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the claim `{}`: {reason}", .name.escape_debug())]
pub struct ClaimError {
    name: String,
    /// The rule that is broken, as a sentence without a period.
    pub reason: &'static str,
}

impl Claims {
    /// How many there can be.
    pub const MAX: usize = 64;
    /// The longest name, in bytes; some are URLs.
    const MAX_NAME_BYTES: usize = 200;
    /// The longest value, in bytes.
    const MAX_VALUE_BYTES: usize = 1024;

    /// With one more.
    pub fn insert(&mut self, name: &str, value: &str) -> Result<(), ClaimError> {
        let reject = |reason| {
            Err(ClaimError {
                name: name.chars().take(80).collect(),
                reason,
            })
        };
        if name.is_empty() || name.len() > Self::MAX_NAME_BYTES {
            return reject("a name has 1 to 200 bytes");
        }
        if !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return reject("a name is printable ASCII without blanks");
        }
        if value.is_empty() || value.len() > Self::MAX_VALUE_BYTES {
            return reject("a value has 1 to 1024 bytes");
        }
        if value.chars().any(char::is_control) {
            return reject("a value has no control characters");
        }
        if self.0.len() >= Self::MAX && !self.0.contains_key(name) {
            return reject("there are more than 64 claims");
        }
        self.0.insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    /// What one of them says.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each, with what it says, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let claims = self.0.iter();
        claims.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The names of those that `held` has not, or with another value.
    pub fn unmet<'a>(&'a self, held: &'a Self) -> impl Iterator<Item = &'a str> {
        let unmet = self.iter();
        let unmet = unmet.filter(|(name, value)| held.get(name) != Some(value));
        unmet.map(|(name, _)| name)
    }
}

impl TryFrom<BTreeMap<String, String>> for Claims {
    type Error = ClaimError;

    fn try_from(claims: BTreeMap<String, String>) -> Result<Self, ClaimError> {
        let mut checked = Self::default();
        for (name, value) in claims {
            checked.insert(&name, &value)?;
        }
        Ok(checked)
    }
}

impl From<Claims> for BTreeMap<String, String> {
    fn from(claims: Claims) -> Self {
        claims.0
    }
}

/// The claims by which a service that builds for everybody tells those apart for whom it builds, by ids
/// that nobody else gets when a name is free again.
const PUBLIC: [(&str, &[&str]); 2] = [
    (
        "https://token.actions.githubusercontent.com",
        &["repository_id", "repository_owner_id"],
    ),
    ("https://gitlab.com", &["project_id", "namespace_id"]),
];

/// The claims that say for whom such a service builds, whatever its address.
const TELLING: [&str; 4] = [
    "repository_id",
    "repository_owner_id",
    "project_id",
    "namespace_id",
];

/// The claims that a grant asks for: all of them, each with exactly this value.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "Claims", into = "Claims")]
#[schemars(with = "Claims")]
pub struct AskedClaims(Claims);

impl AskedClaims {
    /// These claims, if they tell somebody from everybody.
    pub fn new(claims: Claims) -> Result<Self, ClaimError> {
        let reject = |name: &str, reason| {
            Err(ClaimError {
                name: name.to_owned(),
                reason,
            })
        };
        let Some(issuer) = claims.get(ISSUER) else {
            return reject(ISSUER, "it is missing, and anybody may say anything");
        };
        if claims.0.len() == 1 {
            let reason = "it alone is everybody whom this issuer knows: ask for more";
            return reject(ISSUER, reason);
        }
        let mut public = PUBLIC.iter();
        if let Some((_, telling)) = public.find(|(public, _)| *public == issuer)
            && !telling.iter().any(|name| claims.get(name).is_some())
        {
            let reason = "this issuer knows everybody's repositories: ask for the id of yours too \
                          (`repository_id` or `repository_owner_id`; `project_id` or `namespace_id`)";
            return reject(ISSUER, reason);
        }
        Ok(Self(claims))
    }

    /// The claims.
    pub fn claims(&self) -> &Claims {
        &self.0
    }

    /// Whether somebody with these claims is meant.
    pub fn are_met_by(&self, held: &Claims) -> bool {
        self.0.unmet(held).next().is_none()
    }

    /// Whether somebody with these claims may be told which of the others he lacks: they are asked of the
    /// repository that he is, and of no other. Otherwise one could find out what they say by trying.
    pub fn are_about(&self, held: &Claims) -> bool {
        let mut telling = TELLING.iter().filter(|name| self.0.get(name).is_some());
        let is_his = |name: &&str| self.0.get(name) == held.get(name);
        let some = telling.clone().next().is_some();
        some && telling.all(is_his)
    }
}

impl TryFrom<Claims> for AskedClaims {
    type Error = ClaimError;

    fn try_from(claims: Claims) -> Result<Self, ClaimError> {
        Self::new(claims)
    }
}

impl From<AskedClaims> for Claims {
    fn from(asked: AskedClaims) -> Self {
        asked.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(all: &[(&str, &str)]) -> Claims {
        let mut claims = Claims::default();
        for (name, value) in all {
            claims.insert(name, value).unwrap();
        }
        claims
    }

    const GITHUB: (&str, &str) = ("iss", "https://token.actions.githubusercontent.com");

    #[test]
    fn claims_are_met_by_exactly_what_they_say() {
        let asked = [GITHUB, ("repository_id", "7"), ("environment", "prod")];
        let asked = AskedClaims::new(claims(&asked)).unwrap();
        let held = [GITHUB, ("repository_id", "7"), ("environment", "prod")];
        let mut held = claims(&held);
        assert!(asked.are_met_by(&held));
        held.insert("ref", "refs/heads/main").unwrap();
        assert!(asked.are_met_by(&held));
        for (name, value) in [
            ("iss", "https://token.actions.githubusercontent.com/"),
            ("repository_id", "77"),
            ("environment", "Prod"),
            ("environment", "prod "),
        ] {
            let mut other = held.clone();
            other.insert(name, value).unwrap();
            assert!(!asked.are_met_by(&other), "{name}");
            assert_eq!(asked.claims().unmet(&other).collect::<Vec<_>>(), [name]);
        }
        assert!(!asked.are_met_by(&claims(&[GITHUB, ("repository_id", "7")])));
        assert!(!asked.are_met_by(&Claims::default()));
    }

    #[test]
    fn a_grant_asks_for_somebody_and_not_for_everybody() {
        let refused = |all: &[(&str, &str)]| AskedClaims::new(claims(all)).is_err();
        assert!(refused(&[]));
        assert!(refused(&[("repository_id", "7")]));
        assert!(refused(&[GITHUB]));
        assert!(refused(&[GITHUB, ("environment", "prod")]));
        assert!(refused(&[GITHUB, ("repository", "a/b")]));
        assert!(refused(&[("iss", "https://gitlab.com"), ("ref", "main")]));
        assert!(!refused(&[
            ("iss", "https://gitlab.com"),
            ("project_id", "1")
        ]));
        assert!(!refused(&[
            ("iss", "https://ci.example.com"),
            ("team", "a")
        ]));
    }

    #[test]
    fn only_whoever_is_asked_for_learns_what_he_lacks() {
        let asked = [GITHUB, ("repository_id", "7"), ("environment", "prod")];
        let asked = AskedClaims::new(claims(&asked)).unwrap();
        assert!(asked.are_about(&claims(&[GITHUB, ("repository_id", "7")])));
        assert!(!asked.are_about(&claims(&[GITHUB, ("environment", "prod")])));
        assert!(!asked.are_about(&claims(&[GITHUB, ("repository_id", "8")])));
        let other = [("iss", "https://ci.example.com"), ("team", "a")];
        let other = AskedClaims::new(claims(&other)).unwrap();
        assert!(!other.are_about(&claims(&[("iss", "https://ci.example.com")])));
    }

    #[test]
    fn claims_are_bounded() {
        let mut claims = Claims::default();
        let long = "x".repeat(1025);
        for (name, value) in [
            ("", "a"),
            ("a b", "a"),
            ("é", "a"),
            (&long[..201], "a"),
            ("a", ""),
            ("a", "b\nc"),
            ("a", &long),
        ] {
            assert!(claims.insert(name, value).is_err(), "{name:.20}");
        }
        for nth in 0..Claims::MAX {
            claims.insert(&format!("c{nth}"), "a").unwrap();
        }
        assert!(claims.insert("more", "a").is_err());
        claims.insert("c0", "b").unwrap();
        assert_eq!(claims.get("c0"), Some("b"));
        let json = serde_json::to_string(&claims).unwrap();
        assert_eq!(serde_json::from_str::<Claims>(&json).unwrap(), claims);
    }
}
