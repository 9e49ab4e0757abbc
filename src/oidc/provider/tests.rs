use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::*;

/// An issuer of our own.
struct Issuer {
    server: MockServer,
    random: SystemRandom,
    key: EcdsaKeyPair,
    asked: Arc<AtomicUsize>,
    is_down: Arc<AtomicBool>,
    published: Arc<Mutex<Value>>,
}

const SECONDS: i64 = 1_000_000;

fn now() -> Timestamp {
    Timestamp::from_second(SECONDS).unwrap()
}

fn fresh_key(random: &SystemRandom) -> EcdsaKeyPair {
    let kind = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let document = EcdsaKeyPair::generate_pkcs8(kind, random).unwrap();
    EcdsaKeyPair::from_pkcs8(kind, document.as_ref(), random).unwrap()
}

fn published(key: &EcdsaKeyPair) -> Value {
    let point = key.public_key().as_ref();
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": "k", "use": "sig", "alg": "ES256",
        "x": text(&point[1..33]), "y": text(&point[33..])}]})
}

impl Issuer {
    async fn start() -> Self {
        let (server, random) = (MockServer::start().await, SystemRandom::new());
        let key = fresh_key(&random);
        let keys = Arc::new(Mutex::new(published(&key)));
        let (asked, is_down) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let uri = server.uri();
        let down = Arc::clone(&is_down);
        let discovery = move |_: &Request| {
            if down.load(Ordering::SeqCst) {
                return ResponseTemplate::new(500);
            }
            let document = json!({"issuer": uri, "jwks_uri": format!("{uri}/keys")});
            ResponseTemplate::new(200).set_body_json(document)
        };
        Mock::given(path("/.well-known/openid-configuration"))
            .respond_with(discovery)
            .mount(&server)
            .await;
        let (shown, count) = (Arc::clone(&keys), Arc::clone(&asked));
        let answer = move |_: &Request| {
            count.fetch_add(1, Ordering::SeqCst);
            ResponseTemplate::new(200).set_body_json(shown.lock().unwrap().clone())
        };
        Mock::given(path("/keys"))
            .respond_with(answer)
            .mount(&server)
            .await;
        Self {
            server,
            random,
            key,
            asked,
            is_down,
            published: keys,
        }
    }

    fn issuers(&self, more: &Value) -> Issuers {
        let mut spec = json!({"issuer": self.server.uri(), "audience": "cfgctl"});
        for (name, value) in more.as_object().unwrap() {
            spec[name] = value.clone();
        }
        Issuers::new([(serde_json::from_value(spec).unwrap(), None)]).unwrap()
    }

    fn jwt(&self, head: &Value, changed: &Value) -> String {
        let mut claims = json!({"iss": self.server.uri(), "aud": "cfgctl", "iat": SECONDS,
            "exp": SECONDS + 300, "jti": "1", "repository": "shop/config", "repository_id": "7"});
        for (name, value) in changed.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", text(head), text(&claims));
        let signature = self.key.sign(&self.random, signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }

    fn good(&self) -> String {
        self.jwt(&json!({"alg": "ES256", "kid": "k"}), &json!({}))
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn why(found: Result<Vouched, NotVouched>) -> String {
    found.unwrap_err().error.chain()
}

#[tokio::test]
async fn an_issuer_vouches_for_whom_its_key_signed() {
    let issuer = Issuer::start().await;
    let issuers = issuer.issuers(&json!({}));
    let vouched = issuers.vouch(&issuer.good(), now()).await.unwrap();
    assert_eq!(vouched.issuer, issuer.server.uri());
    assert_eq!(vouched.login.claims.get("repository_id"), Some("7"));
    assert!(vouched.login.subject.starts_with("oidc:127.0.0.1:"));
    assert!(vouched.login.subject.ends_with("/shop/config"));
    assert_eq!(vouched.until.as_second(), SECONDS + 300 + 120);
    assert_eq!(vouched.lasts.as_mins(), 15);
    let head = json!({"alg": "ES256", "kid": "k"});
    for (jwt, said) in [
        (
            issuer.jwt(&head, &json!({"iss": "https://evil.example.com"})),
            "no such issuer",
        ),
        (
            issuer.jwt(&head, &json!({"iss": format!("{}/", issuer.server.uri())})),
            "no such issuer",
        ),
        (
            issuer.jwt(&head, &json!({"aud": "other"})),
            "for somebody else",
        ),
        (
            issuer.jwt(&head, &json!({"event_name": "pull_request_target"})),
            "event_name",
        ),
        (
            issuer.jwt(&json!({"alg": "ES384", "kid": "k"}), &json!({})),
            "algorithm",
        ),
        (
            issuer.jwt(&json!({"alg": "RS256", "kid": "k"}), &json!({})),
            "no such key",
        ),
        (format!("{}AA", issuer.good()), "signature is wrong"),
    ] {
        let found = why(issuers.vouch(&jwt, now()).await);
        assert!(found.contains(said), "{found}");
        assert!(
            !found.contains("evil") && !found.contains("shop"),
            "{found}"
        );
    }
    // Claims that were exchanged under a good signature.
    let [good, other] = [
        issuer.good(),
        issuer.jwt(&head, &json!({"repository_id": "8"})),
    ];
    let (good, other): (Vec<&str>, Vec<&str>) =
        (good.split('.').collect(), other.split('.').collect());
    let mixed = [good[0], other[1], good[2]].join(".");
    assert!(why(issuers.vouch(&mixed, now()).await).contains("signature is wrong"));
    let only_rsa = issuer.issuers(&json!({"algorithms": ["RS256"]}));
    assert!(why(only_rsa.vouch(&issuer.good(), now()).await).contains("algorithm"));
}

#[tokio::test]
async fn however_many_unknown_keys_come_the_issuer_is_asked_once() {
    let issuer = Issuer::start().await;
    let issuers = issuer.issuers(&json!({}));
    issuers.vouch(&issuer.good(), now()).await.unwrap();
    assert_eq!(issuer.asked(), 1);
    for nth in 0..10_000 {
        let jwt = issuer.jwt(&json!({"alg": "ES256", "kid": nth.to_string()}), &json!({}));
        assert!(why(issuers.vouch(&jwt, now()).await).contains("no such key"));
    }
    // What is expired or for others asks for nothing at all, and what is known goes on to count.
    assert_eq!(issuer.asked(), 1);
    issuers.vouch(&issuer.good(), now()).await.unwrap();
    let strangers = issuer.issuers(&json!({"audience": "other"}));
    assert!(strangers.vouch(&issuer.good(), now()).await.is_err());
    assert_eq!(issuer.asked(), 1);
}

/// As if its last look was so long ago.
async fn long_ago(issuers: &Issuers, ago: Duration) {
    let provider = &issuers.0[0];
    let then = Instant::now().checked_sub(ago).unwrap();
    provider.looks.lock().await.last = Some(then);
    let mut known = provider.known();
    *known = Arc::new(Known {
        keys: known.keys.clone(),
        at: known.at.map(|_| then),
    });
}

#[tokio::test]
async fn keys_change_with_the_issuer_and_stay_while_it_is_down() {
    let mut issuer = Issuer::start().await;
    let issuers = issuer.issuers(&json!({}));
    issuer.is_down.store(true, Ordering::SeqCst);
    let down = issuers.vouch(&issuer.good(), now()).await.unwrap_err();
    assert_eq!(down.error.kind, ErrorKind::Unavailable);
    assert!(down.trouble.unwrap().contains("500"));
    // Nobody asks again at once, and the operator is told once.
    let again = issuers.vouch(&issuer.good(), now()).await.unwrap_err();
    assert_eq!(
        (again.error.kind, again.trouble),
        (ErrorKind::Unavailable, None)
    );
    issuer.is_down.store(false, Ordering::SeqCst);
    assert!(issuers.vouch(&issuer.good(), now()).await.is_err());
    long_ago(&issuers, LONGEST_BACK_OFF).await;
    issuers.vouch(&issuer.good(), now()).await.unwrap();

    issuer.is_down.store(true, Ordering::SeqCst);
    long_ago(&issuers, FRESH).await;
    issuers.vouch(&issuer.good(), now()).await.unwrap();
    let unknown = issuer.jwt(&json!({"alg": "ES256", "kid": "x"}), &json!({}));
    let found = issuers.vouch(&unknown, now()).await.unwrap_err();
    assert_eq!(found.error.kind, ErrorKind::Unavailable);

    // Another key in the place of the old one: what that signed counts no more.
    issuer.is_down.store(false, Ordering::SeqCst);
    let old = issuer.good();
    issuer.key = fresh_key(&issuer.random);
    *issuer.published.lock().unwrap() = published(&issuer.key);
    long_ago(&issuers, FRESH).await;
    assert!(why(issuers.vouch(&old, now()).await).contains("signature is wrong"));
    issuers.vouch(&issuer.good(), now()).await.unwrap();
    *issuer.published.lock().unwrap() = json!({"keys": []});
    long_ago(&issuers, FRESH).await;
    assert!(why(issuers.vouch(&issuer.good(), now()).await).contains("no such key"));
}

#[tokio::test]
async fn what_an_issuer_answers_is_bounded_and_its_own() {
    for (document, said) in [
        (
            json!({"issuer": "https://other.example.com"}),
            "calls itself otherwise",
        ),
        (json!({"issuer": null}), "calls itself otherwise"),
        (json!({}), "does not say its `jwks_uri`"),
        (
            json!({"jwks_uri": "http://192.0.2.1/keys"}),
            "must be `https://",
        ),
        (
            json!({"jwks_uri": "file:///etc/passwd"}),
            "must be `https://",
        ),
        (json!({"jwks_uri": 7}), "does not say its `jwks_uri`"),
        (json!({"jwks_uri": "SERVER/redirect"}), "it answers 302"),
        (json!({"jwks_uri": "SERVER/huge"}), "more than 524288 bytes"),
        (json!({"jwks_uri": "SERVER/text"}), "no JSON"),
    ] {
        let issuer = Issuer::start().await;
        let server = MockServer::start().await;
        let mut named = json!({"issuer": server.uri()});
        for (name, value) in document.as_object().unwrap() {
            named[name] = value.clone();
        }
        let named = named.to_string().replace("SERVER", &server.uri());
        let answers = [
            (
                "/.well-known/openid-configuration",
                ResponseTemplate::new(200).set_body_string(named),
            ),
            (
                "/redirect",
                ResponseTemplate::new(302)
                    .insert_header("location", format!("{}/keys", issuer.server.uri())),
            ),
            (
                "/huge",
                ResponseTemplate::new(200).set_body_string(" ".repeat(600_000)),
            ),
            (
                "/text",
                ResponseTemplate::new(200).set_body_string("secret"),
            ),
        ];
        for (at, answer) in answers {
            Mock::given(path(at))
                .respond_with(answer)
                .mount(&server)
                .await;
        }
        let issuers = issuer.issuers(&json!({"issuer": server.uri()}));
        let jwt = issuer.jwt(
            &json!({"alg": "ES256", "kid": "k"}),
            &json!({"iss": server.uri()}),
        );
        let found = issuers.vouch(&jwt, now()).await.unwrap_err();
        assert_eq!(found.error.kind, ErrorKind::Unavailable);
        let trouble = found.trouble.unwrap();
        assert!(
            trouble.contains(said) && !trouble.contains("secret"),
            "{trouble}"
        );
    }
}

#[test]
fn a_server_says_who_counts() {
    let spec = |spec: Value| serde_json::from_value::<IssuerSpec>(spec).unwrap();
    let ci = json!({"issuer": "https://ci.example.com", "audience": "cfgctl"});
    let people = json!({"issuer": "https://id.example.com/", "audience": "cfgctl",
        "algorithms": ["PS384", "EdDSA"], "people": {"clientId": "cli"}});
    let issuers = Issuers::new([(spec(ci), None), (spec(people), None)]).unwrap();
    let info = serde_json::to_value(issuers.info()).unwrap();
    assert_eq!(
        info["issuers"][0],
        json!({"issuer": "https://ci.example.com", "audience": "cfgctl"})
    );
    assert_eq!(info["issuers"][1]["clientId"], "cli");
    assert_eq!(
        info["issuers"][1]["scopes"],
        json!(["openid", "email", "profile"])
    );
    let authorities = Some(b"nothing".to_vec());
    let ci = json!({"issuer": "https://ci.example.com", "audience": "cfgctl"});
    assert!(Issuers::new([(spec(ci), authorities)]).is_err());
    let usual: BTreeSet<_> = [
        super::super::Algorithm::Rs256,
        super::super::Algorithm::Es256,
    ]
    .into();
    let ci = json!({"issuer": "https://ci.example.com", "audience": "cfgctl"});
    assert_eq!(spec(ci).algorithms, usual);
    for odd in [
        json!({"issuer": "http://ci.example.com", "audience": "a"}),
        json!({"issuer": "https://u:p@ci.example.com", "audience": "a"}),
        json!({"issuer": "https://ci.example.com?a", "audience": "a"}),
        json!({"issuer": "https://ci.example.com", "audience": ""}),
        json!({"issuer": "https://ci.example.com", "audience": "a", "algorithms": ["HS256"]}),
        json!({"issuer": "https://ci.example.com", "audience": "a", "algorithms": ["none"]}),
        json!({"issuer": "https://ci.example.com", "audience": "a", "lasts": "25h"}),
        json!({"issuer": "https://ci.example.com", "audience": "a", "secret": "b"}),
    ] {
        assert!(
            serde_json::from_value::<IssuerSpec>(odd.clone()).is_err(),
            "{odd}"
        );
    }
}
