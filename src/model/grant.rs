//! A grant: who may do what on which sets and clusters.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AskedClaims, Claims, Labels, Selector};

/// Who may do what, as its manifest declares it; its name is the name of its resource. Grants only
/// add: what none of them allows is denied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Grant {
    /// To whom.
    pub to: BTreeSet<Recipient>,
    /// What may be done.
    pub role: Role,
    /// Which sets, by their labels; empty: all.
    #[serde(default, skip_serializing_if = "Selector::is_empty")]
    pub sets: Selector,
    /// Which clusters, by their labels; empty: all.
    #[serde(default, skip_serializing_if = "Selector::is_empty")]
    pub clusters: Selector,
}

impl Grant {
    /// How many one grant can be to.
    pub const MAX_SUBJECTS: usize = 100;

    /// Whether it is to somebody of whom this is known.
    pub fn is_to(&self, who: &Identified) -> bool {
        self.to.iter().any(|recipient| recipient.is(who))
    }

    /// Whether it lets `role` be played in sets with these labels, wherever they go.
    pub fn covers_set(&self, role: Role, set: &Labels) -> bool {
        self.role >= role && self.sets.matches(set)
    }

    /// Whether it lets `role` be played in clusters with these labels, for some sets at least.
    pub fn covers_cluster(&self, role: Role, cluster: &Labels) -> bool {
        self.role >= role && self.clusters.matches(cluster)
    }

    /// Whether it lets `role` be played in such a set in such a cluster.
    pub fn covers(&self, role: Role, set: &Labels, cluster: &Labels) -> bool {
        self.covers_set(role, set) && self.clusters.matches(cluster)
    }

    /// Whether it lets everything be done everywhere.
    pub fn is_all(&self) -> bool {
        self.role == Role::Admin && self.sets.is_empty() && self.clusters.is_empty()
    }
}

/// What may be done; each includes those before it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// To read.
    Viewer,
    /// To switch flags and breakers, and to bring clusters to what is committed.
    Operator,
    /// To apply, roll back and delete sets.
    Editor,
    /// To change clusters, grants and tokens.
    Admin,
}

impl Role {
    /// All that there are, the least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Operator, Self::Editor, Self::Admin];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Editor => "editor",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whom a grant is to: a subject, or whoever has certain claims.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(untagged)]
pub enum Recipient {
    /// Whoever is called this, or is in this group.
    Subject(Subject),
    /// Whoever an issuer says this of.
    Claims(ByClaims),
}

/// Whoever an issuer says certain things of.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct ByClaims {
    /// What it has to say: all of it, and exactly that.
    pub claims: AskedClaims,
}

impl Recipient {
    /// Whether somebody of whom this is known is meant.
    pub fn is(&self, who: &Identified) -> bool {
        match self {
            Self::Subject(subject) => who.subjects.contains(subject),
            Self::Claims(by) => by.claims.are_met_by(&who.claims),
        }
    }
}

impl FromStr for Recipient {
    type Err = SubjectError;

    fn from_str(input: &str) -> Result<Self, SubjectError> {
        input.parse().map(Self::Subject)
    }
}

impl From<Subject> for Recipient {
    fn from(subject: Subject) -> Self {
        Self::Subject(subject)
    }
}

/// What is known of somebody, as far as a grant can be to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identified {
    /// What he is called, and his groups.
    pub subjects: BTreeSet<Subject>,
    /// What his issuer says of him.
    pub claims: Claims,
}

impl Identified {
    /// Somebody who is called this; of text that is no subject nothing is known.
    pub fn called(who: &str) -> Self {
        Self {
            subjects: who.parse().into_iter().collect(),
            claims: Claims::default(),
        }
    }
}

/// What somebody is called whom a grant is to: `token:ci`, `user:ana@example.com`, `group:payments`.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = "^(token|user|group):[^*\\s]+$", "maxLength" = 260))]
pub struct Subject(String);

/// Text that names no subject.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a subject: {reason}", .input.escape_debug())]
pub struct SubjectError {
    input: String,
    /// The rule that is broken, as a sentence without a period.
    pub reason: &'static str,
}

impl Subject {
    /// The longest name, in bytes; that of a mail address has 254.
    const MAX_NAME_BYTES: usize = 254;

    /// What a subject can be, as it is written before the colon.
    const KINDS: [&'static str; 3] = ["token", "user", "group"];

    /// The subject as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Subject {
    type Err = SubjectError;

    fn from_str(input: &str) -> Result<Self, SubjectError> {
        let reject = |reason| {
            Err(SubjectError {
                input: input.chars().take(80).collect(),
                reason,
            })
        };
        let Some((kind, name)) = input.split_once(':') else {
            return reject("write `token:NAME`, `user:NAME` or `group:NAME`");
        };
        if !Self::KINDS.contains(&kind) {
            return reject("it begins with `token:`, `user:` or `group:`");
        }
        // What is no such character may look like nothing, or like another one.
        let is_plain = |c: char| c.is_alphanumeric() || "-_.@+:/=~".contains(c);
        if name.is_empty() {
            reject("its name is empty")
        } else if name.len() > Self::MAX_NAME_BYTES {
            reject("its name is longer than 254 bytes")
        } else if name.contains('*') {
            reject("there are no patterns: name each one, or a group")
        } else if !name.chars().all(is_plain) {
            reject("only letters, digits and `-_.@+:/=~` are allowed")
        } else {
            Ok(Self(input.to_owned()))
        }
    }
}

impl TryFrom<String> for Subject {
    type Error = SubjectError;

    fn try_from(input: String) -> Result<Self, SubjectError> {
        input.parse()
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        subject.0
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Whom somebody asks about: a subject, or whoever has certain claims, as in
/// `claims:iss=https://gitlab.example.com,project_id=42`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^(token|user|group|claims):.+$"))]
pub enum Whom {
    /// Whoever is called this.
    Subject(Subject),
    /// Whoever has these claims.
    Claims(Claims),
}

/// What whoever is asked about by his claims begins with.
const CLAIMS: &str = "claims:";

impl Whom {
    /// What is known of him.
    pub fn identified(&self) -> Identified {
        match self {
            Self::Subject(subject) => Identified::called(subject.as_str()),
            Self::Claims(claims) => Identified {
                subjects: BTreeSet::new(),
                claims: claims.clone(),
            },
        }
    }
}

impl FromStr for Whom {
    type Err = String;

    fn from_str(input: &str) -> Result<Self, String> {
        let Some(claims) = input.strip_prefix(CLAIMS) else {
            let subject = input.parse().map(Self::Subject);
            return subject.map_err(|error: SubjectError| error.to_string());
        };
        let mut all = Claims::default();
        for claim in claims.split(',') {
            let (name, value) = claim
                .split_once('=')
                .ok_or("claims are `claims:NAME=VALUE,NAME=VALUE`")?;
            all.insert(name, value).map_err(|error| error.to_string())?;
        }
        Ok(Self::Claims(all))
    }
}

impl TryFrom<String> for Whom {
    type Error = String;

    fn try_from(input: String) -> Result<Self, String> {
        input.parse()
    }
}

impl From<Whom> for String {
    fn from(whom: Whom) -> Self {
        whom.to_string()
    }
}

impl fmt::Display for Whom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subject(subject) => f.pad(subject.as_str()),
            Self::Claims(claims) => {
                let claims: Vec<String> = claims
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                write!(f, "{CLAIMS}{}", claims.join(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_includes_those_before_it() {
        let mut sorted = Role::ALL;
        sorted.sort();
        assert_eq!(sorted, Role::ALL);
        assert!(Role::Admin > Role::Editor && Role::Viewer < Role::Operator);
    }

    #[test]
    fn somebody_is_asked_about_by_what_he_is_called_or_by_his_claims() {
        for text in ["token:ci", "claims:iss=https://ci.example.com,project_id=7"] {
            assert_eq!(text.parse::<Whom>().unwrap().to_string(), text);
        }
        let whom: Whom = "claims:iss=https://ci.example.com,project_id=7"
            .parse()
            .unwrap();
        assert_eq!(whom.identified().claims.get("project_id"), Some("7"));
        for text in [
            "ci",
            "claims:",
            "claims:a",
            "claims:a=",
            "claims:=b",
            "claims:a=b,",
        ] {
            assert!(text.parse::<Whom>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_subject_says_its_kind_and_is_no_pattern() {
        for text in [
            "token:ci-payments",
            "user:ana@example.com",
            "group:payments/oncall",
            "user:https://issuer.example.com:8443/u-1",
            "group:Größe",
        ] {
            assert_eq!(text.parse::<Subject>().unwrap().as_str(), text);
        }
        let long = format!("user:{}", "x".repeat(255));
        for text in [
            "",
            "ci",
            "token",
            "token:",
            ":ci",
            "robot:ci",
            "Token:ci",
            "token:*",
            "token:c i",
            "user:a\u{202e}b",
            "user:a\nb",
            "user:a,b",
            &long,
        ] {
            assert!(text.parse::<Subject>().is_err(), "{text}");
        }
    }
}
