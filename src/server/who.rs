//! Who asks: whoever shows the token.

use std::borrow::Cow;
use std::fmt;

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::views::ticket::Ticket;
use crate::api::Caller;
use crate::model::{Digest, OWNER_TOKEN};

/// A token that is shorter can be guessed.
const MIN_CHARS: usize = 32;
/// No token comes near this many.
const MAX_CHARS: usize = 4096;

/// The token that a server knows, of which it keeps a digest alone: a token is random, so a plain
/// digest cannot be turned around.
#[derive(Clone)]
pub struct Token {
    digest: [u8; 32],
}

/// Text that is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It can be guessed.
    #[error("a token has at least {MIN_CHARS} characters")]
    Short,
    /// No header carries it.
    #[error("a token is at most {MAX_CHARS} printable ASCII characters without blanks")]
    Odd,
}

impl Token {
    /// The token `text` of the server's owner.
    pub fn new(text: &str) -> Result<Self, TokenError> {
        if text.len() > MAX_CHARS || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenError::Odd);
        }
        if text.len() < MIN_CHARS {
            return Err(TokenError::Short);
        }
        Ok(Self {
            digest: digest(text.as_bytes()),
        })
    }

    /// A new token that nobody can guess, with its text, which is to be shown once; `None` where the
    /// machine has no randomness.
    pub fn random() -> Option<(Self, String)> {
        let mut bits = [0; 32];
        let provider = rustls::crypto::ring::default_provider();
        provider.secure_random.fill(&mut bits).ok()?;
        let text = format!("{OWNER_TOKEN}{}", URL_SAFE_NO_PAD.encode(bits));
        Some((Self::new(&text).ok()?, text))
    }

    /// The digest of its text.
    pub(super) fn digest(&self) -> Digest {
        Digest::from_bytes(self.digest)
    }

    /// Who shows this text, if it is the token. How long that takes says nothing about the token.
    pub(super) fn caller(&self, text: &[u8]) -> Option<Caller> {
        let is_it = digest(text).ct_eq(&self.digest);
        bool::from(is_it).then(Caller::owner)
    }
}

/// What somebody shows to be known.
#[derive(Debug)]
pub(super) enum Evidence<'r> {
    /// The text of a token, or what stands in its place.
    Token(Cow<'r, [u8]>),
    /// What was given to whoever showed a token.
    Ticket(Ticket),
    Nothing,
}

impl<'r> Evidence<'r> {
    /// What is shown in the head of a request by most.
    pub(super) fn in_headers(headers: &'r HeaderMap) -> Self {
        shown_in(headers).map_or(Self::Nothing, |text| Self::Token(text.into()))
    }

    /// The same of clients of Spring's servers: in a header of theirs too, or as a password.
    pub(super) fn in_spring_headers(headers: &'r HeaderMap) -> Self {
        if let Some(text) = headers.get("x-config-token") {
            return Self::Token(text.as_bytes().trim_ascii().into());
        }
        let value = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
        let basic = value.and_then(|value| value.split_at_checked("Basic ".len()));
        match basic {
            Some((scheme, login)) if scheme.eq_ignore_ascii_case(b"Basic ") => {
                let login = STANDARD.decode(login.trim_ascii()).unwrap_or_default();
                let colon = login.iter().position(|byte| *byte == b':');
                let password = colon.map(|colon| login[colon + 1..].to_vec());
                password.map_or(Self::Nothing, |text| Self::Token(text.into()))
            }
            _ => Self::in_headers(headers),
        }
    }
}

/// What is shown as a token in `headers`.
fn shown_in(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(AUTHORIZATION)?.as_bytes();
    let (scheme, shown) = value.split_at_checked("Bearer ".len())?;
    scheme
        .eq_ignore_ascii_case(b"Bearer ")
        .then(|| shown.trim_ascii())
}

fn digest(text: &[u8]) -> [u8; 32] {
    Sha256::digest(text).into()
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "0123456789abcdefghijklmnopqrstuv";

    #[test]
    fn whoever_shows_the_token_is_known_and_nobody_else() {
        let token = Token::new(TEXT).unwrap();
        let shown = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, value.parse().unwrap());
            shown_in(&headers).and_then(|text| token.caller(text))
        };
        let owner = Some(Caller::owner());
        assert_eq!(shown(&format!("Bearer {TEXT}")), owner);
        assert_eq!(shown(&format!("bearer  {TEXT} ")), owner);
        for wrong in [
            TEXT.to_owned(),
            format!("Basic {TEXT}"),
            format!("Bearer{TEXT}"),
            format!("Bearer {TEXT}x"),
            format!("Bearer {}", &TEXT[1..]),
            "Bearer ".to_owned(),
            "Bearer".to_owned(),
            String::new(),
        ] {
            assert_eq!(shown(&wrong), None, "{wrong}");
        }
        assert_eq!(shown_in(&HeaderMap::new()), None);
        assert!(!format!("{token:?}").contains(&TEXT[..8]));
    }

    #[test]
    fn a_random_token_is_another_one_each_time() {
        let (token, text) = Token::random().unwrap();
        assert_eq!(text.len(), "cfg_owner_".len() + 43);
        assert!(!format!("{token:?}").contains(&text));
        assert_ne!(Token::random().unwrap().1, text);
    }

    #[test]
    fn what_can_be_guessed_or_not_be_sent_is_no_token() {
        let error = |text: &str| Token::new(text).unwrap_err();
        assert_eq!(error(&TEXT[1..]), TokenError::Short);
        assert_eq!(error(""), TokenError::Short);
        assert_eq!(error(&format!("{TEXT} {TEXT}")), TokenError::Odd);
        assert_eq!(error(&format!("{TEXT}\n")), TokenError::Odd);
        assert_eq!(error(&"é".repeat(32)), TokenError::Odd);
        assert_eq!(error(&"a".repeat(MAX_CHARS + 1)), TokenError::Odd);
    }
}
