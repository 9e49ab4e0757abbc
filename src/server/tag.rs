//! Entity tags: what an answer is known again by, RFC 9110.

use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// How many bytes of a digest make a tag.
const BYTES: usize = 16;

/// The strong tag of these bytes.
pub(super) fn tag_of(body: &[u8]) -> HeaderValue {
    let digest = Sha256::digest(body);
    let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&digest[..BYTES]));
    // It is letters, digits, `-` and `_`.
    HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Whether `tag` is among `tags`, the value of an `If-None-Match`. What is the same byte by byte is
/// also the same in any weaker sense.
pub(super) fn is_among(tag: &HeaderValue, tags: &HeaderValue) -> bool {
    let (tag, tags) = (tag.as_bytes(), tags.as_bytes());
    let mut tags = tags.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    tags.any(|it| it == b"*" || it == tag || it.strip_prefix(b"W/") == Some(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_among_others() {
        let is_among = |tags: &str| {
            let tag = HeaderValue::from_static("\"a\"");
            super::is_among(&tag, &tags.parse().unwrap())
        };
        for tags in ["\"a\"", "*", "\"b\", \"a\"", "W/\"a\"", "\"b\",W/\"a\" "] {
            assert!(is_among(tags), "{tags}");
        }
        for tags in ["a", "\"A\"", "\"b\"", ""] {
            assert!(!is_among(tags), "{tags}");
        }
    }

    #[test]
    fn other_bytes_have_another_tag() {
        assert_eq!(tag_of(b"a"), tag_of(b"a"));
        assert_ne!(tag_of(b"a"), tag_of(b"b"));
    }
}
