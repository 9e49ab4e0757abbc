//! A JWT: read strictly, and checked against what is expected of its issuer.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::spec::{Algorithm, IssuerSpec};
use crate::model::{Digest, ExchangeId};

/// The longest JWT: one with 200 groups has less.
const MAX_BYTES: usize = 16 * 1024;
/// How far the clock of an issuer may be from ours.
pub(super) const SKEW: SignedDuration = SignedDuration::from_secs(60);
/// The longest that one may be valid: it has to be remembered for so long.
const MAX_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// Why a JWT does not count. None of these says anything of what stands in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum JwtError {
    #[error("it has more than 16 KiB")]
    Long,
    #[error("it is not three parts of base64 with a point between them, or not JSON inside")]
    Form,
    #[error("its head asks for what is not understood here (`crit`)")]
    Critical,
    #[error("it is of another type (`typ`)")]
    Type,
    #[error("it is signed with an algorithm that does not count here (`alg`)")]
    Algorithm,
    #[error("this server knows no such issuer (`iss`)")]
    Issuer,
    #[error("its issuer has no such key (`kid`)")]
    Key,
    #[error("its signature is wrong")]
    Signature,
    #[error("it is for somebody else (`aud`)")]
    Audience,
    #[error("it was made for somebody else (`azp`)")]
    Party,
    #[error("it expired, or does not say when it does (`exp`)")]
    Expired,
    #[error("it is valid for more than a day (`exp`)")]
    Lasting,
    #[error("it is not valid yet (`nbf`)")]
    Early,
    #[error("it was made in the future, or does not say when it was (`iat`)")]
    Made,
    #[error("it does not say what whoever it is about is called")]
    Nameless,
    #[error("its issuer has not verified the address (`email_verified`)")]
    Unverified,
    #[error("what it is called is no name that a grant can be to")]
    Name,
    #[error("what others sent can make such a run do anything (`event_name`)")]
    Event,
    #[error("a claim of it that grants may ask for is too long")]
    Claim,
}

/// What stands before the claims.
#[derive(Deserialize)]
struct Head {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    typ: Option<String>,
    #[serde(default)]
    crit: Option<Value>,
}

/// A JWT whose signature nobody has checked yet.
pub(super) struct Unchecked<'t> {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
    pub(super) claims: Map<String, Value>,
    /// What is signed.
    pub(super) signed: &'t str,
    pub(super) signature: Vec<u8>,
}

impl<'t> Unchecked<'t> {
    pub(super) fn read(text: &'t str) -> Result<Self, JwtError> {
        if text.len() > MAX_BYTES {
            return Err(JwtError::Long);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(JwtError::Form)?;
        let (head, claims) = signed.split_once('.').ok_or(JwtError::Form)?;
        let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| JwtError::Form);
        let head: Head = serde_json::from_slice(&bytes(head)?).map_err(|_| JwtError::Form)?;
        if head.crit.is_some() {
            return Err(JwtError::Critical);
        }
        // A token for another use must not pass for one that says who somebody is.
        let is_jwt = |typ: &String| typ.eq_ignore_ascii_case("JWT");
        if !head.typ.as_ref().is_none_or(is_jwt) {
            return Err(JwtError::Type);
        }
        // `none`, and whatever is checked with a secret, are none of these.
        let algorithm = Algorithm::deserialize(&Value::String(head.alg));
        let algorithm = algorithm.map_err(|_| JwtError::Algorithm)?;
        let claims = serde_json::from_slice(&bytes(claims)?).map_err(|_| JwtError::Form)?;
        Ok(Self {
            algorithm,
            kid: head.kid,
            claims,
            signed,
            signature: bytes(signature)?,
        })
    }

    /// Who says so, if it is right.
    pub(super) fn issuer(&self) -> Option<&str> {
        self.claims.get("iss")?.as_str()
    }

    /// What it is known by: what its issuer calls it, else what is signed. A signature may be written in
    /// several ways.
    pub(super) fn id(&self) -> ExchangeId {
        let issuer = self.issuer().unwrap_or_default();
        let known = match self.claims.get("jti").and_then(Value::as_str) {
            Some(jti) if !jti.is_empty() => ("jti", jti),
            _ => ("text", self.signed),
        };
        ExchangeId::of(&Digest::of_canonical(&(issuer, known)))
    }
}

/// Until when a JWT with these claims counts, if it is for us, and now.
pub(super) fn check_claims(
    spec: &IssuerSpec,
    claims: &Map<String, Value>,
    now: Timestamp,
) -> Result<Timestamp, JwtError> {
    check_audience(spec, claims)?;
    let expires = claims.get("exp").and_then(time).ok_or(JwtError::Expired)?;
    if expires.duration_since(now) <= -SKEW {
        return Err(JwtError::Expired);
    }
    if expires.duration_since(now) > MAX_LIFE {
        return Err(JwtError::Lasting);
    }
    let is_ahead = |at: Timestamp| at.duration_since(now) > SKEW;
    // What is there and no time is none that has come.
    let has_come = |value: &Value| time(value).is_some_and(|at| !is_ahead(at));
    if !claims.get("nbf").is_none_or(has_come) {
        return Err(JwtError::Early);
    }
    if !claims.get("iat").is_some_and(has_come) {
        return Err(JwtError::Made);
    }
    Ok(expires)
}

/// A time in seconds since 1970.
fn time(value: &Value) -> Option<Timestamp> {
    let seconds = value.as_i64().or_else(|| {
        let seconds = value.as_f64().filter(|it| it.abs() < 1e12)?;
        // A part of a second decides nothing.
        #[expect(clippy::cast_possible_truncation, reason = "it is far below 2^63")]
        Some(seconds.floor() as i64)
    });
    Timestamp::from_second(seconds?).ok()
}

/// It has to be for us. One that is for several says whom it was made for.
fn check_audience(spec: &IssuerSpec, claims: &Map<String, Value>) -> Result<(), JwtError> {
    let ours = spec.audience.as_str();
    let (is_ours, are_more) = match claims.get("aud") {
        Some(Value::String(only)) => (only == ours, false),
        Some(Value::Array(all)) => {
            let is_ours = all.iter().any(|it| it.as_str() == Some(ours));
            (is_ours, all.len() > 1)
        }
        _ => (false, false),
    };
    if !is_ours {
        return Err(JwtError::Audience);
    }
    let client = spec.people.as_ref().map(|people| people.client_id.as_str());
    let is_party = |party: &Value| {
        let party = party.as_str();
        party == Some(ours) || (client.is_some() && party == client)
    };
    match (claims.get("azp"), are_more) {
        // Of a pipeline it says whose account runs it.
        (Some(_), false) if client.is_none() => Ok(()),
        (Some(party), _) if is_party(party) => Ok(()),
        (None, false) => Ok(()),
        _ => Err(JwtError::Party),
    }
}

#[cfg(test)]
mod tests;
