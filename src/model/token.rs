//! Tokens: what somebody shows a server to be known, and what its store keeps of them.
//!
//! The text of a token is `cfg_KIND_ID_SECRET_CHECK`: recognisable for whoever scans for secrets that
//! leaked, with an id that is no secret, 256 random bits, and a checksum by which a text that was cut
//! off or mistyped is refused before anything is looked up.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Claims, ClusterName, Digest, Identified, SetName, Subject, TokenName};

/// What every token begins with. Never changed: scanners for leaked secrets know it.
const PREFIX: &str = "cfg";
/// What the token begins with that a server makes for its owner.
pub const OWNER_TOKEN: &str = "cfg_owner_";
/// How long the store remembers a token after its end, so that its holder is told that it expired.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The same of one that was made for a login: there are many, and its holder logs in again.
const LOGIN_REMEMBERED: SignedDuration = SignedDuration::from_hours(1);
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The digits of 256 bits in base 62.
const SECRET_DIGITS: usize = 43;
/// The digits of 32 bits in base 62.
const CHECK_DIGITS: usize = 6;

/// What a token is for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum TokenKind {
    /// Whatever grants allow its name.
    Api,
    /// Webhooks of alerts, and nothing else.
    Alerts,
    /// The snapshots and the reports of one cluster, and nothing else.
    Agent,
    /// What clusters get of one set, and nothing else.
    App,
}

impl TokenKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Api, Self::Alerts, Self::Agent, Self::App];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Alerts => "alerts",
            Self::Agent => "agent",
            Self::App => "app",
        }
    }
}

impl fmt::Display for TokenKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for TokenKind {
    type Err = &'static str;

    fn from_str(input: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == input);
        found.ok_or("a token is of the kind `api`, `alerts`, `agent` or `app`")
    }
}

/// What a token is listed, logged and revoked by. It is no secret.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = "^[a-z0-9]{10}$"))]
pub struct TokenId(String);

/// Text that is not the id of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the id of a token is 10 of `a-z` and `0-9`")]
pub struct TokenIdError;

impl TokenId {
    /// The characters of an id.
    const CHARS: usize = 10;

    /// The id that these random bits make.
    pub fn from_bits(bits: u64) -> Self {
        const LETTERS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
        let mut rest = bits;
        let mut next = || {
            let digit = usize::try_from(rest % 36).unwrap_or_default();
            rest /= 36;
            char::from(LETTERS[digit])
        };
        Self((0..Self::CHARS).map(|_| next()).collect())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TokenId {
    type Err = TokenIdError;

    fn from_str(input: &str) -> Result<Self, Self::Err> {
        let is_id = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
        if input.len() != Self::CHARS || !input.bytes().all(is_id) {
            return Err(TokenIdError);
        }
        Ok(Self(input.to_owned()))
    }
}

impl TryFrom<String> for TokenId {
    type Error = TokenIdError;

    fn try_from(input: String) -> Result<Self, Self::Error> {
        input.parse()
    }
}

impl From<TokenId> for String {
    fn from(id: TokenId) -> Self {
        id.0
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The text of a token: the secret itself, which is shown once and kept nowhere.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^cfg_[a-z]+_[a-z0-9]{10}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}$"))]
pub struct TokenText {
    kind: TokenKind,
    id: TokenId,
    text: String,
}

/// Text that is no token: it was cut off, mistyped, or is something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no token of cfgctl, or not the whole of one")]
pub struct TokenTextError;

impl TokenText {
    /// The token of this kind and id with these random bits.
    pub fn new(kind: TokenKind, id: TokenId, secret: &[u8; 32]) -> Self {
        let secret = base62(secret, SECRET_DIGITS);
        let stem = format!("{PREFIX}_{kind}_{id}_{secret}");
        let text = format!("{stem}_{}", check(&stem));
        Self { kind, id, text }
    }

    /// What it says it is for.
    pub fn kind(&self) -> TokenKind {
        self.kind
    }

    /// What it is known by.
    pub fn id(&self) -> &TokenId {
        &self.id
    }

    /// The secret, to be shown once.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// What the store keeps of it. The secret is random, so nobody can turn a plain digest around.
    pub fn digest(&self) -> Digest {
        Digest::of(self.text.as_bytes())
    }
}

/// Whether a token stands in `text`: one of a store, or one that a server made for its owner.
pub fn holds_token(text: &str) -> bool {
    text.match_indices(PREFIX).any(|(start, _)| {
        let rest = &text[start..];
        let is_end = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
        let word = &rest[..rest.find(is_end).unwrap_or(rest.len())];
        let is_owners = || rest.strip_prefix(OWNER_TOKEN).is_some_and(is_secret);
        word.trim_end_matches('_').parse::<TokenText>().is_ok() || is_owners()
    })
}

/// Whether `rest` begins with as many characters as an owner's token has random bits.
fn is_secret(rest: &str) -> bool {
    let is_of_it = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    rest.chars().take_while(is_of_it).count() >= SECRET_DIGITS
}

impl FromStr for TokenText {
    type Err = TokenTextError;

    fn from_str(input: &str) -> Result<Self, Self::Err> {
        let (stem, found) = input.rsplit_once('_').ok_or(TokenTextError)?;
        let parts: Vec<&str> = stem.split('_').take(5).collect();
        let [PREFIX, kind, id, secret] = parts[..] else {
            return Err(TokenTextError);
        };
        let kind = kind.parse().map_err(|_| TokenTextError)?;
        let id = id.parse().map_err(|_| TokenTextError)?;
        let is_secret = secret.len() == SECRET_DIGITS
            && secret.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !is_secret || check(stem) != found {
            return Err(TokenTextError);
        }
        Ok(Self {
            kind,
            id,
            text: input.to_owned(),
        })
    }
}

impl TryFrom<String> for TokenText {
    type Error = TokenTextError;

    fn try_from(input: String) -> Result<Self, Self::Error> {
        input.parse()
    }
}

impl From<TokenText> for String {
    fn from(text: TokenText) -> Self {
        text.text
    }
}

/// Nothing of the secret is shown.
impl fmt::Debug for TokenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenText")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

fn check(stem: &str) -> String {
    base62(
        &crc32fast::hash(stem.as_bytes()).to_be_bytes(),
        CHECK_DIGITS,
    )
}

/// The number that these bytes are, most significant first, in so many digits of base 62.
fn base62(bytes: &[u8], digits: usize) -> String {
    let mut rest = bytes.to_vec();
    let mut text = Vec::with_capacity(digits);
    for _ in 0..digits {
        let mut remainder = 0u32;
        for byte in &mut rest {
            let value = remainder << 8 | u32::from(*byte);
            // The remainder is below 62, so this is below 256.
            *byte = u8::try_from(value / 62).unwrap_or_default();
            remainder = value % 62;
        }
        text.push(DIGITS[usize::try_from(remainder).unwrap_or_default()]);
    }
    text.iter().rev().map(|digit| char::from(*digit)).collect()
}

/// What a store keeps of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenRecord {
    /// What grants call it, `token:NAME`. Several may have one name, while one takes over from another.
    pub name: TokenName,
    /// What it is for.
    pub kind: TokenKind,
    /// The set that a token of the kind `app` is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<SetName>,
    /// The cluster that a token of the kind `agent` is for, or the only one that one of the kind `app` is
    /// for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterName>,
    /// The digest of its text.
    pub digest: Digest,
    /// Who made it.
    pub by: String,
    /// When it was made.
    pub at: Timestamp,
    /// From when on it is refused; `None`: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// What it is for, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Whom an issuer vouched for when he logged in, if that is how it was made. Then grants are to him,
    /// and none to the name of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<Arc<LoginRecord>>,
}

/// Whoever logged in, as his issuer says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LoginRecord {
    /// What the history calls him: `user:ana@example.com`, or for a pipeline
    /// `oidc:gitlab.example.com/shop/config`, which no grant can be to.
    pub subject: String,
    /// The groups that he is in.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<Subject>,
    /// What else is said of him.
    #[serde(default, skip_serializing_if = "Claims::is_empty")]
    pub claims: Claims,
}

impl LoginRecord {
    /// What is known of him, as far as a grant can be to it.
    pub fn identified(&self) -> Identified {
        let mut identified = Identified::called(&self.subject);
        identified.subjects.extend(self.groups.iter().cloned());
        identified.claims = self.claims.clone();
        identified
    }
}

impl TokenRecord {
    /// Whether it is refused at this time.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// From when on nobody needs to know of it.
    pub(super) fn kept_until(&self) -> Option<Timestamp> {
        let expires = self.expires?;
        let remembered = match self.login {
            Some(_) => LOGIN_REMEMBERED,
            None => REMEMBERED,
        };
        Some(expires.checked_add(remembered).unwrap_or(Timestamp::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(secret: [u8; 32]) -> TokenText {
        TokenText::new(TokenKind::Agent, TokenId::from_bits(u64::MAX), &secret)
    }

    #[test]
    fn a_token_says_what_it_is_and_survives_being_written_down() {
        for secret in [[0; 32], [0xff; 32], [7; 32]] {
            let token = text(secret);
            let read: TokenText = token.expose().parse().unwrap();
            assert_eq!(read, token);
            assert_eq!(read.kind(), TokenKind::Agent);
            assert_eq!(read.digest(), Digest::of(token.expose().as_bytes()));
            assert!(!format!("{token:?}").contains(&token.expose()[25..]));
        }
        let lowest = text([0; 32]);
        let parts: Vec<&str> = lowest.expose().split('_').collect();
        assert_eq!(parts[..2], ["cfg", "agent"]);
        assert_eq!(parts[3], "0".repeat(43));
        assert_eq!(
            parts.iter().map(|it| it.len()).sum::<usize>(),
            3 + 5 + 10 + 43 + 6
        );
        // 2^256 - 1, by another implementation.
        let highest = text([0xff; 32]);
        let secret = highest.expose().split('_').nth(3).unwrap().to_owned();
        assert_eq!(secret, "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1");
    }

    #[test]
    fn a_token_is_found_wherever_it_stands() {
        let token = text([7; 32]);
        let token = token.expose();
        let owners = format!("{OWNER_TOKEN}{}", "aB-_7".repeat(9));
        for token in [token, &owners] {
            for held in [
                token.to_owned(),
                format!("see {token}, please"),
                format!("x{token}_"),
                format!("cfg_cfg_{token}"),
                format!("\"{token}\"\n"),
            ] {
                assert!(holds_token(&held), "{held}");
            }
        }
        for held in [
            "",
            "cfg",
            "cfg_api_",
            "cfg_owner_short",
            &token[1..],
            &token[..60],
        ] {
            assert!(!holds_token(held), "{held}");
        }
    }

    #[test]
    fn a_text_that_lost_or_changed_a_character_is_no_token() {
        let token = text([7; 32]);
        let whole = token.expose();
        for at in 0..whole.len() {
            let (before, after) = (&whole[..at], &whole[at + 1..]);
            let changed = if &whole[at..=at] == "a" { 'b' } else { 'a' };
            for broken in [
                format!("{before}{after}"),
                format!("{before}{changed}{after}"),
                before.to_owned(),
                format!("{before}_{after}"),
            ] {
                if broken != whole {
                    assert_eq!(broken.parse::<TokenText>(), Err(TokenTextError), "{broken}");
                }
            }
        }
        for other in [
            "",
            "_",
            "____",
            "cfg_api",
            &format!("{whole} "),
            &format!("{whole}_"),
        ] {
            assert!(other.parse::<TokenText>().is_err(), "{other}");
        }
    }

    #[test]
    fn an_id_is_short_and_plain() {
        assert_eq!(TokenId::from_bits(0).as_str(), "0000000000");
        for bits in [0, 1, 36, u64::MAX] {
            let id = TokenId::from_bits(bits);
            assert_eq!(id.as_str().parse(), Ok(id));
        }
        for odd in ["", "000000000", "00000000000", "000000000A", "00000-0000"] {
            assert_eq!(odd.parse::<TokenId>(), Err(TokenIdError));
        }
    }
}
