//! Signatures: whether a key signed something.

use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};

use super::spec::Algorithm;

/// The public half of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Public {
    /// Modulus and exponent, without zeros before them.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// A point on P-256, uncompressed.
    P256(Vec<u8>),
    /// A point on P-384, uncompressed.
    P384(Vec<u8>),
    /// A point of Ed25519.
    Ed25519(Vec<u8>),
}

/// How something is checked that was signed so.
enum Check {
    Rsa(&'static RsaParameters),
    P256,
    P384,
    Ed25519,
}

impl Check {
    fn of(algorithm: Algorithm) -> Self {
        match algorithm {
            // RSA of less than 2048 bits is refused by each.
            Algorithm::Rs256 => Self::Rsa(&RSA_PKCS1_2048_8192_SHA256),
            Algorithm::Rs384 => Self::Rsa(&RSA_PKCS1_2048_8192_SHA384),
            Algorithm::Rs512 => Self::Rsa(&RSA_PKCS1_2048_8192_SHA512),
            Algorithm::Ps256 => Self::Rsa(&RSA_PSS_2048_8192_SHA256),
            Algorithm::Ps384 => Self::Rsa(&RSA_PSS_2048_8192_SHA384),
            Algorithm::Ps512 => Self::Rsa(&RSA_PSS_2048_8192_SHA512),
            Algorithm::Es256 => Self::P256,
            Algorithm::Es384 => Self::P384,
            Algorithm::EdDsa => Self::Ed25519,
        }
    }
}

impl Public {
    /// Whether something can be signed so with this key.
    pub(super) fn fits(&self, algorithm: Algorithm) -> bool {
        matches!(
            (Check::of(algorithm), self),
            (Check::Rsa(_), Self::Rsa { .. })
                | (Check::P256, Self::P256(_))
                | (Check::P384, Self::P384(_))
                | (Check::Ed25519, Self::Ed25519(_))
        )
    }

    /// Whether this key signed `message` so.
    pub(super) fn signed(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let by_point = |point: &[u8], check: &'static dyn VerificationAlgorithm| {
            let key = UnparsedPublicKey::new(check, point);
            key.verify(message, signature).is_ok()
        };
        match (Check::of(algorithm), self) {
            (Check::Rsa(check), Self::Rsa { n, e }) => {
                let key = RsaPublicKeyComponents { n, e };
                key.verify(check, message, signature).is_ok()
            }
            (Check::P256, Self::P256(point)) => by_point(point, &ECDSA_P256_SHA256_FIXED),
            (Check::P384, Self::P384(point)) => by_point(point, &ECDSA_P384_SHA384_FIXED),
            (Check::Ed25519, Self::Ed25519(point)) => by_point(point, &ED25519),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
