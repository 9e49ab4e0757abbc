use serde_json::json;

use super::*;

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn jwt(head: &Value, claims: &Value) -> String {
    format!("{}.{}.c2ln", encoded(head), encoded(claims))
}

fn error(text: &str) -> Option<JwtError> {
    Unchecked::read(text).err()
}

#[test]
fn only_what_is_signed_with_a_key_that_is_public_is_looked_at() {
    let claims = json!({"iss": "https://ci.example.com"});
    let head = |head: Value| error(&jwt(&head, &claims));
    assert_eq!(head(json!({"alg": "RS256"})), None);
    assert_eq!(
        head(json!({"alg": "ES256", "typ": "JWT", "kid": "a"})),
        None
    );
    assert_eq!(head(json!({"alg": "EdDSA", "typ": "jwt"})), None);
    for alg in [
        "none", "None", "NONE", "nOnE", "", "HS256", "HS384", "HS512", "rs256", "RS256 ", "ES256K",
        "RSA1_5", "dir", "RS1", "EDDSA",
    ] {
        let found = head(json!({"alg": alg}));
        assert_eq!(found, Some(JwtError::Algorithm), "{alg}");
    }
    for (odd, why) in [
        (
            json!({"alg": "RS256", "crit": ["b64"], "b64": false}),
            JwtError::Critical,
        ),
        (json!({"alg": "RS256", "crit": []}), JwtError::Critical),
        (json!({"alg": "none", "crit": ["x"]}), JwtError::Critical),
        (json!({"alg": "RS256", "typ": "at+jwt"}), JwtError::Type),
        (json!({"alg": "RS256", "typ": "logout+jwt"}), JwtError::Type),
        (json!({"alg": ["RS256"]}), JwtError::Form),
        (json!({"alg": null}), JwtError::Form),
        (json!({"kid": "a"}), JwtError::Form),
        (json!({"alg": "RS256", "kid": 7}), JwtError::Form),
        (json!([]), JwtError::Form),
    ] {
        assert_eq!(head(odd.clone()), Some(why), "{odd}");
    }
}

#[test]
fn what_is_no_jwt_is_none() {
    let good = jwt(&json!({"alg": "ES256"}), &json!({}));
    assert_eq!(error(&good), None);
    let head = encoded(&json!({"alg": "ES256"}));
    let twice = URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256","alg":"none"}"#);
    let deep = URL_SAFE_NO_PAD.encode("[".repeat(5000));
    for text in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "a.b".to_owned(),
        format!("{good}.x"),
        format!("{good}="),
        format!("{good}\n"),
        format!(" {good}"),
        format!("{head}.{}.c2ln", URL_SAFE_NO_PAD.encode("[]")),
        format!("{head}.{}.c2ln", URL_SAFE_NO_PAD.encode("{} {}")),
        format!("{head}.{}.c2ln", URL_SAFE_NO_PAD.encode([0xff])),
        format!("{head}.{deep}.c2ln"),
        format!("{twice}.e30.c2ln"),
        // The last bits of base64 that say nothing.
        format!("{head}.e30.c2l"),
        "é.é.é".to_owned(),
    ] {
        assert_eq!(error(&text), Some(JwtError::Form), "{text:.60}");
    }
    assert_eq!(error(&"a".repeat(MAX_BYTES + 1)), Some(JwtError::Long));
}

#[test]
fn a_jwt_is_known_by_what_its_issuer_calls_it_or_by_what_is_signed() {
    let id = |claims: Value, signature: &str| {
        let text = jwt(&json!({"alg": "ES256"}), &claims);
        let text = text.replace("c2ln", signature);
        Unchecked::read(&text).unwrap().id()
    };
    let (a, b) = ("https://a.example.com", "https://b.example.com");
    let first = id(json!({"iss": a, "jti": "1", "x": 1}), "c2ln");
    assert_eq!(first, id(json!({"iss": a, "jti": "1", "x": 2}), "c2ln"));
    assert_ne!(first, id(json!({"iss": a, "jti": "2"}), "c2ln"));
    assert_ne!(first, id(json!({"iss": b, "jti": "1"}), "c2ln"));
    let first = id(json!({"iss": a}), "c2ln");
    assert_eq!(first, id(json!({"iss": a}), "AAAA"));
    assert_ne!(first, id(json!({"iss": a, "x": 1}), "c2ln"));
    assert_eq!(
        id(json!({"iss": a, "jti": ""}), "c2ln"),
        id(json!({"iss": a, "jti": ""}), "AAAA")
    );
}

fn now() -> Timestamp {
    Timestamp::from_second(1_000_000).unwrap()
}

fn spec(more: &Value) -> IssuerSpec {
    let mut spec = json!({"issuer": "https://ci.example.com", "audience": "cfgctl"});
    for (name, value) in more.as_object().unwrap() {
        spec[name] = value.clone();
    }
    serde_json::from_value(spec).unwrap()
}

/// What is said of claims that are good but for these.
fn checked(more: &Value, changed: &Value) -> Result<(), JwtError> {
    let mut claims = json!({
        "aud": "cfgctl", "exp": 1_000_300, "iat": 999_990, "nbf": 999_990,
    });
    for (name, value) in changed.as_object().unwrap() {
        match value {
            Value::Null => _ = claims.as_object_mut().unwrap().remove(name),
            value => claims[name] = value.clone(),
        }
    }
    let claims = claims.as_object().unwrap();
    check_claims(&spec(more), claims, now()).map(|_| ())
}

#[test]
fn a_jwt_counts_in_its_time_alone() {
    for good in [
        json!({}),
        json!({"exp": 999_941}),
        json!({"exp": 1_000_300.7}),
        json!({"nbf": 1_000_060, "iat": 1_000_060}),
        json!({"nbf": null}),
        json!({"exp": 1_086_400}),
    ] {
        assert_eq!(checked(&json!({}), &good), Ok(()), "{good}");
    }
    for (odd, why) in [
        (json!({"exp": 999_940}), JwtError::Expired),
        (json!({"exp": 0}), JwtError::Expired),
        (json!({"exp": -1}), JwtError::Expired),
        (json!({"exp": null}), JwtError::Expired),
        (json!({"exp": "1000300"}), JwtError::Expired),
        (json!({"exp": true}), JwtError::Expired),
        (json!({"exp": 1e300}), JwtError::Expired),
        (json!({"exp": u64::MAX}), JwtError::Expired),
        (json!({"exp": 1_086_401}), JwtError::Lasting),
        (json!({"exp": 253_402_207_000_i64}), JwtError::Lasting),
        (json!({"nbf": 1_000_061}), JwtError::Early),
        (json!({"nbf": "999990"}), JwtError::Early),
        (json!({"nbf": []}), JwtError::Early),
        (json!({"iat": 1_000_061}), JwtError::Made),
        (json!({"iat": null}), JwtError::Made),
        (json!({"iat": "999990"}), JwtError::Made),
    ] {
        assert_eq!(checked(&json!({}), &odd), Err(why), "{odd}");
    }
}

#[test]
fn a_jwt_is_for_us_and_made_for_us() {
    let people = json!({"people": {"clientId": "cli"}});
    let pipelines = json!({});
    for (of, good) in [
        (&pipelines, json!({"aud": ["cfgctl"]})),
        (&pipelines, json!({"aud": ["cfgctl", "b"], "azp": "cfgctl"})),
        (&pipelines, json!({"azp": "110169484474386276334"})),
        (&people, json!({})),
        (&people, json!({"azp": "cli"})),
        (&people, json!({"aud": ["a", "cfgctl"], "azp": "cli"})),
    ] {
        assert_eq!(checked(of, &good), Ok(()), "{good}");
    }
    for (of, odd, why) in [
        (&pipelines, json!({"aud": null}), JwtError::Audience),
        (&pipelines, json!({"aud": "Cfgctl"}), JwtError::Audience),
        (&pipelines, json!({"aud": "cfgctl "}), JwtError::Audience),
        (&pipelines, json!({"aud": "cfgctl,b"}), JwtError::Audience),
        (&pipelines, json!({"aud": []}), JwtError::Audience),
        (&pipelines, json!({"aud": [["cfgctl"]]}), JwtError::Audience),
        (
            &pipelines,
            json!({"aud": {"cfgctl": 1}}),
            JwtError::Audience,
        ),
        (&pipelines, json!({"aud": ["cfgctl", "b"]}), JwtError::Party),
        (
            &pipelines,
            json!({"aud": ["cfgctl", "b"], "azp": "b"}),
            JwtError::Party,
        ),
        (&people, json!({"aud": "cli"}), JwtError::Audience),
        (&people, json!({"azp": "other"}), JwtError::Party),
        (&people, json!({"azp": 7}), JwtError::Party),
        (
            &people,
            json!({"aud": ["cfgctl", "cfgctl"]}),
            JwtError::Party,
        ),
    ] {
        assert_eq!(checked(of, &odd), Err(why), "{odd}");
    }
}
