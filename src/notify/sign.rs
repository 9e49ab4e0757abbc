//! Signatures of Standard Webhooks: <https://www.standardwebhooks.com>.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// What the standard writes before a secret.
const PREFIX: &str = "whsec_";
/// The fewest bytes of a secret, and the most, as the standard has them.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// What only the receiver knows beside us.
#[derive(Clone)]
pub struct Secret(hmac::Key);

/// Text that is no secret. It is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a secret is `whsec_` and 24 to 64 bytes in base64, as in `echo whsec_$(openssl rand -base64 32)`"
)]
pub struct SecretError;

impl Secret {
    /// The value of the header `webhook-signature` for these bytes under this id, sent then (seconds since
    /// 1970).
    pub(super) fn signature(&self, id: &str, sent: i64, body: &[u8]) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(format!("{id}.{sent}.").as_bytes());
        context.update(body);
        format!("v1,{}", STANDARD.encode(context.sign()))
    }
}

impl FromStr for Secret {
    type Err = SecretError;

    fn from_str(input: &str) -> Result<Self, Self::Err> {
        let encoded = input.trim().strip_prefix(PREFIX).ok_or(SecretError)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| SecretError)?;
        if !BYTES.contains(&bytes.len()) {
            return Err(SecretError);
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification:
    /// <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>.
    #[test]
    fn it_signs_as_the_standard_does() {
        let secret: Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap();
        let body = br#"{"test": 2432232314}"#;
        assert_eq!(
            secret.signature("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
        assert!(!format!("{secret:?}").contains("MfKQ"));
        for bad in [
            "",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_short",
            "whsec_MfKQ",
        ] {
            assert_eq!(bad.parse::<Secret>().unwrap_err(), SecretError);
        }
    }
}
