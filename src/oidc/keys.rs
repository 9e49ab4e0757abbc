//! The keys of an issuer, as it publishes them (RFC 7517).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

use super::jws::Public;
use super::spec::Algorithm;

/// The most keys of one issuer.
const MAX_KEYS: usize = 100;
/// The longest name of a key.
const MAX_KID_BYTES: usize = 256;

/// The keys of one issuer that somebody can sign a JWT with.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys(Vec<Key>);

#[derive(Clone, Debug)]
struct Key {
    id: Option<String>,
    /// What alone it signs with, if that is said.
    algorithm: Option<Algorithm>,
    public: Public,
}

/// A key as it is published.
#[derive(Deserialize)]
struct Published {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Keys {
    /// The keys in a document. Those that are for something else, or of a kind that is not known, are
    /// passed over: issuers publish all that they have in one place.
    pub(super) fn read(document: &Value) -> Result<Self, &'static str> {
        let published = document.get("keys").and_then(Value::as_array);
        let published = published.ok_or("it has no list of `keys`")?;
        if published.len() > MAX_KEYS {
            return Err("it has more than 100 keys");
        }
        Ok(Self(published.iter().filter_map(Key::read).collect()))
    }

    /// The key with which something was signed so.
    pub(super) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<&Public> {
        let fits = |key: &&Key| {
            key.algorithm.is_none_or(|only| only == algorithm) && key.public.fits(algorithm)
        };
        let mut fitting = self.0.iter().filter(fits);
        match id {
            Some(id) => fitting.find(|key| key.id.as_deref() == Some(id)),
            // Only if there is no question which one.
            None => fitting.next().filter(|_| fitting.next().is_none()),
        }
        .map(|key| &key.public)
    }
}

impl Key {
    fn read(value: &Value) -> Option<Self> {
        let key = Published::deserialize(value).ok()?;
        let is_for_signatures = key.purpose.as_deref().is_none_or(|it| it == "sig")
            && (key.key_ops.as_ref()).is_none_or(|all| all.iter().any(|it| it == "verify"));
        let has_name = (key.kid.as_ref()).is_none_or(|kid| kid.len() <= MAX_KID_BYTES);
        if !is_for_signatures || !has_name {
            return None;
        }
        let algorithm = match &key.alg {
            Some(name) => Some(Algorithm::deserialize(&Value::String(name.clone())).ok()?),
            None => None,
        };
        let bytes = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_ref()?).ok();
        let point = |size: usize| {
            let (x, y) = (bytes(&key.x)?, bytes(&key.y)?);
            let is_whole = x.len() == size && y.len() == size;
            is_whole.then(|| [&[4], x.as_slice(), y.as_slice()].concat())
        };
        let public = match (key.kty.as_str(), key.crv.as_deref()) {
            ("RSA", _) => Public::Rsa {
                n: bare(&bytes(&key.n)?),
                e: bare(&bytes(&key.e)?),
            },
            ("EC", Some("P-256")) => Public::P256(point(32)?),
            ("EC", Some("P-384")) => Public::P384(point(48)?),
            ("OKP", Some("Ed25519")) => {
                Public::Ed25519(bytes(&key.x).filter(|point| point.len() == 32)?)
            }
            // A secret (`oct`) is nothing that an issuer publishes.
            _ => return None,
        };
        Some(Self {
            id: key.kid,
            algorithm,
            public,
        })
    }
}

/// Without zeros before the number.
fn bare(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number[zeros..].to_vec()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(key: &Value, id: Option<&str>, algorithm: Algorithm) -> bool {
        let keys = Keys::read(&json!({"keys": [key]})).unwrap();
        keys.find(id, algorithm).is_some()
    }

    #[test]
    fn only_what_signs_so_is_a_key() {
        let (x, y) = ("A".repeat(43), "A".repeat(43));
        let ec = json!({"kty": "EC", "crv": "P-256", "kid": "a", "x": x, "y": y});
        let with = |name: &str, value: Value| {
            let mut ec = ec.clone();
            ec[name] = value;
            ec
        };
        assert!(found(&ec, Some("a"), Algorithm::Es256));
        assert!(found(&ec, None, Algorithm::Es256));
        assert!(found(
            &with("alg", json!("ES256")),
            Some("a"),
            Algorithm::Es256
        ));
        assert!(found(
            &with("use", json!("sig")),
            Some("a"),
            Algorithm::Es256
        ));
        for (key, id, algorithm) in [
            (ec.clone(), Some("b"), Algorithm::Es256),
            (ec.clone(), Some("a"), Algorithm::Es384),
            (ec.clone(), Some("a"), Algorithm::Rs256),
            (with("alg", json!("ES384")), Some("a"), Algorithm::Es256),
            (with("alg", json!("HS256")), Some("a"), Algorithm::Es256),
            (with("use", json!("enc")), Some("a"), Algorithm::Es256),
            (
                with("key_ops", json!(["sign"])),
                Some("a"),
                Algorithm::Es256,
            ),
            (with("crv", json!("P-521")), Some("a"), Algorithm::Es256),
            (with("x", json!("AA")), Some("a"), Algorithm::Es256),
            (with("y", json!(7)), Some("a"), Algorithm::Es256),
            (with("kty", json!("oct")), Some("a"), Algorithm::Es256),
        ] {
            assert!(!found(&key, id, algorithm), "{key}");
        }
        let two = json!({"keys": [ec, ec]});
        assert!(
            Keys::read(&two)
                .unwrap()
                .find(None, Algorithm::Es256)
                .is_none()
        );
        for document in [json!({}), json!([]), json!({"keys": {}}), json!(null)] {
            assert!(Keys::read(&document).is_err());
        }
        assert!(Keys::read(&json!({"keys": vec![1; 101]})).is_err());
    }
}
