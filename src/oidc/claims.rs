//! From the claims of a JWT to whoever logs in with it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::jwt::JwtError;
use super::spec::{IssuerSpec, PeopleSpec};
use crate::model::{Claims, ISSUER, LoginRecord, Subject};

/// The most groups of one person.
const MAX_GROUPS: usize = 500;
/// The events that start a run of GitHub's in which the rights of a repository meet what others sent.
const OTHERS_EVENTS: [&str; 2] = ["pull_request_target", "workflow_run"];
/// The claims that say what a pipeline is called: GitHub's and GitLab's.
const NAMES: [&str; 2] = ["repository", "project_path"];

/// Whoever these claims are about.
pub(super) fn login(
    spec: &IssuerSpec,
    claims: &Map<String, Value>,
) -> Result<LoginRecord, JwtError> {
    let (subject, groups) = match &spec.people {
        Some(people) => (person(people, claims)?, groups(people, claims)?),
        None => (pipeline(spec, claims)?, BTreeSet::new()),
    };
    Ok(LoginRecord {
        subject,
        groups,
        claims: taken_over(spec, claims)?,
    })
}

/// `user:ana@example.com`
fn person(people: &PeopleSpec, claims: &Map<String, Value>) -> Result<String, JwtError> {
    let name = claims.get(&people.subject).and_then(Value::as_str);
    let name = name.ok_or(JwtError::Nameless)?;
    if people.subject == "email" {
        // Some issuers write it as text.
        let verified = claims.get("email_verified");
        // One that says nothing of it may let people set what they like.
        let is_verified =
            verified.is_some_and(|it| *it == Value::Bool(true) || it.as_str() == Some("true"));
        if !is_verified {
            return Err(JwtError::Unverified);
        }
    }
    let subject = format!("user:{name}").parse::<Subject>();
    subject
        .map(|subject| subject.to_string())
        .map_err(|_| JwtError::Name)
}

/// What no grant can be to is passed over.
fn groups(people: &PeopleSpec, claims: &Map<String, Value>) -> Result<BTreeSet<Subject>, JwtError> {
    let all = match claims.get(&people.groups) {
        Some(Value::Array(all)) => all.as_slice(),
        Some(one @ Value::String(_)) => std::slice::from_ref(one),
        _ => &[],
    };
    if all.len() > MAX_GROUPS {
        return Err(JwtError::Claim);
    }
    let names = all.iter().filter_map(Value::as_str);
    Ok(names
        .filter_map(|name| format!("group:{name}").parse().ok())
        .collect())
}

/// `oidc:gitlab.example.com/shop/config`. No grant can be to that: it is for people to read.
fn pipeline(spec: &IssuerSpec, claims: &Map<String, Value>) -> Result<String, JwtError> {
    let event = claims.get("event_name").and_then(Value::as_str);
    if event.is_some_and(|event| OTHERS_EVENTS.contains(&event)) {
        return Err(JwtError::Event);
    }
    let host = spec.issuer.host();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let name = NAMES.iter().find_map(|name| claims.get(*name)?.as_str());
    let name = name.filter(|name| name.len() <= 200 && name.chars().all(is_plain));
    Ok(match name {
        Some(name) => format!("oidc:{host}/{name}"),
        None => format!("oidc:{host}"),
    })
}

fn taken_over(spec: &IssuerSpec, claims: &Map<String, Value>) -> Result<Claims, JwtError> {
    let mut taken = Claims::default();
    let mut take = |name: &str, value: &str| match value {
        // GitLab says so of what there is none of.
        "" => Ok(()),
        value => taken.insert(name, value).map_err(|_| JwtError::Claim),
    };
    take(ISSUER, spec.issuer.as_str())?;
    for (name, value) in claims {
        if name == ISSUER || !spec.takes_over(name) {
            continue;
        }
        match value {
            Value::String(text) => take(name, text)?,
            Value::Bool(_) | Value::Number(_) => take(name, &value.to_string())?,
            // Nobody can ask for these.
            Value::Null | Value::Array(_) | Value::Object(_) => {}
        }
    }
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(spec: &Value, claims: &Value) -> Result<LoginRecord, JwtError> {
        let mut whole = json!({"issuer": "https://ci.example.com:8443/a", "audience": "cfgctl"});
        for (name, value) in spec.as_object().unwrap() {
            whole[name] = value.clone();
        }
        let spec: IssuerSpec = serde_json::from_value(whole).unwrap();
        login(&spec, claims.as_object().unwrap())
    }

    #[test]
    fn a_person_is_who_the_issuer_says_and_nobody_else() {
        let people = json!({"people": {"clientId": "cli"}});
        let login = of(
            &people,
            &json!({"sub": "7", "email": "ana@example.com", "email_verified": true,
                "groups": ["shop", "a b", 7, "shop/oncall"], "repository_id": "1"}),
        );
        let login = login.unwrap();
        assert_eq!(login.subject, "user:ana@example.com");
        let groups: Vec<&str> = login.groups.iter().map(Subject::as_str).collect();
        assert_eq!(groups, ["group:shop", "group:shop/oncall"]);
        let claims: Vec<_> = login.claims.iter().collect();
        assert_eq!(claims, [("iss", "https://ci.example.com:8443/a")]);
        for (claims, error) in [
            (json!({"sub": "7"}), JwtError::Nameless),
            (json!({"email": 7}), JwtError::Nameless),
            (json!({"email": "a@b"}), JwtError::Unverified),
            (json!({"email": "", "email_verified": true}), JwtError::Name),
            (
                json!({"email": "a b", "email_verified": true}),
                JwtError::Name,
            ),
            (
                json!({"email": "a\nb", "email_verified": true}),
                JwtError::Name,
            ),
            (
                json!({"email": "a@b", "email_verified": false}),
                JwtError::Unverified,
            ),
            (
                json!({"email": "a@b", "email_verified": "no"}),
                JwtError::Unverified,
            ),
            (
                json!({"email": "a@b", "email_verified": true, "groups": vec!["g"; 501]}),
                JwtError::Claim,
            ),
        ] {
            assert_eq!(of(&people, &claims), Err(error), "{claims}");
        }
    }

    #[test]
    fn a_pipeline_is_what_its_claims_say_and_its_name_is_no_subject() {
        let login = of(
            &json!({}),
            &json!({"sub": "repo:x/y", "repository": "shop/config", "repository_id": "7",
                "ref_protected": true, "environment": "", "secret": "x", "run_id": "1"}),
        );
        let login = login.unwrap();
        assert_eq!(login.subject, "oidc:ci.example.com:8443/shop/config");
        assert!(login.subject.parse::<Subject>().is_err());
        let claims: Vec<_> = login.claims.iter().map(|(name, _)| name).collect();
        assert_eq!(
            claims,
            ["iss", "ref_protected", "repository", "repository_id"]
        );
        assert_eq!(login.claims.get("ref_protected"), Some("true"));
        for event in OTHERS_EVENTS {
            let claims = json!({"repository_id": "7", "event_name": event});
            assert_eq!(of(&json!({}), &claims), Err(JwtError::Event));
        }
        for odd in [
            json!("a\u{202e}b"),
            json!("a:b"),
            json!(7),
            json!("x".repeat(201)),
        ] {
            let login = of(&json!({"claims": []}), &json!({"repository": odd})).unwrap();
            assert_eq!(login.subject, "oidc:ci.example.com:8443");
        }
        let long = json!({"ref": "x".repeat(1025)});
        assert_eq!(of(&json!({}), &long), Err(JwtError::Claim));
    }
}
