use serde_json::json;

use super::*;
use crate::model::{Contents, FlagState, Origin, Snapshot, Version};

fn document(flags: Value) -> Document {
    let flags: BTreeMap<FlagName, Flag> = serde_json::from_value(flags).unwrap();
    let contents = Contents {
        flags,
        ..Contents::default()
    };
    let origin = Origin {
        actor: "ops@laptop".to_owned(),
        at: "2026-11-21T02:14:00Z".parse().unwrap(),
        cause: crate::model::Cause::Apply,
        message: None,
        consents: [].into(),
        planned: None,
    };
    let (set, cluster) = ("shop".parse().unwrap(), "eu".parse().unwrap());
    let (keys, loose) = (BTreeMap::new(), [].into());
    Snapshot::seal(set, cluster, Version::FIRST, &origin, contents, keys, loose).document
}

fn flags() -> Value {
    json!({
        "banner": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
            "targeting": {"if": [{"==": [{"var": "tier"}, "beta"]}, "on", null]}},
        "broken": {"state": "ENABLED", "variants": {"on": true}, "defaultVariant": "on",
            "targeting": {"if": [true, "nothing", "on"]}},
        "gone": {"state": "DISABLED", "variants": {"on": true}, "defaultVariant": "on"},
        "own": {"state": "ENABLED", "variants": {"on": true}},
        "rate": {"state": "ENABLED", "variants": {"low": 1, "high": 1.5}, "defaultVariant": "low",
            "metadata": {"owner": "pay"}},
    })
}

fn context(json: Value) -> Context {
    let Value::Object(map) = json else {
        panic!("a context is a map");
    };
    map.try_into().unwrap()
}

fn json_of(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

#[test]
fn each_flag_is_answered_as_clients_read_it() {
    let ready = Ready::of(&document(flags()));
    let now = Timestamp::UNIX_EPOCH;
    let beta = context(json!({"tier": "beta"}));
    let found = json_of(&ready.bulk(&beta, now, Some(&json!([1]))));
    let expected = json!({
        "flags": [
            {"key": "banner", "reason": "TARGETING_MATCH", "variant": "on", "value": true},
            {"key": "broken", "errorCode": "PARSE_ERROR", "errorDetails": "there is no variant `nothing`"},
            {"key": "gone", "reason": "DISABLED", "variant": ""},
            {"key": "own", "reason": "DEFAULT", "variant": ""},
            {"key": "rate", "reason": "STATIC", "variant": "low", "value": 1.0, "metadata": {"owner": "pay"}},
        ],
        "metadata": {"flagSetId": "shop", "cluster": "eu"},
        "eventStreams": [1],
    });
    assert_eq!(found, expected);
    for flag in expected["flags"].as_array().unwrap() {
        let name = flag["key"].as_str().unwrap();
        match ready.one(name, &beta, now).unwrap() {
            Ok(found) => assert_eq!(json_of(&found), *flag),
            Err(Failed(details)) => assert_eq!(details, flag["errorDetails"]),
        }
    }
    let other = json_of(&ready.bulk(&Context::default(), now, None));
    let off = json!({"key": "banner", "reason": "DEFAULT", "variant": "off", "value": false});
    assert_eq!(other["flags"][0], off);
    assert_eq!(other["eventStreams"], Value::Null);
    let rate = ready.one("rate", &beta, now).unwrap().ok().unwrap();
    let rate = String::from_utf8(rate).unwrap();
    assert!(rate.contains("\"value\":1.0"), "{rate}");
    for absent in ["nothing", "A b", "", "a/b"] {
        assert!(ready.one(absent, &beta, now).is_none());
    }
}

#[test]
fn the_tag_follows_from_the_flags_the_context_and_what_stands_beside_them() {
    let ready = Ready::of(&document(flags()));
    let (beta, nobody) = (context(json!({"tier": "beta", "a": 1})), Context::default());
    let same = Ready::of(&document(flags()));
    let tag = ready.tag(&beta, "t").unwrap();
    assert_eq!(same.tag(&beta, "t").unwrap(), tag);
    assert_eq!(same.seal(), ready.seal());
    assert_ne!(ready.tag(&nobody, "t").unwrap(), tag);
    assert_ne!(ready.tag(&beta, "u").unwrap(), tag);
    let mut others = flags();
    others["rate"]["defaultVariant"] = "high".into();
    let others = Ready::of(&document(others));
    assert_ne!(others.tag(&beta, "t").unwrap(), tag);
    assert_ne!(others.seal(), ready.seal());

    let mut timed = flags();
    timed["own"]["targeting"] =
        json!({"if": [{">": [{"var": "$flagd.timestamp"}, 5]}, "on", null]});
    let timed = Ready::of(&document(timed));
    assert_eq!(timed.tag(&beta, "t"), None);
}

#[test]
fn where_no_context_makes_a_difference_it_is_not_looked_at() {
    let mut flags: BTreeMap<String, Value> = serde_json::from_value(flags()).unwrap();
    flags.retain(|_, flag| flag.get("targeting").is_none());
    let ready = Ready::of(&document(json!(flags)));
    assert!(ready.constant.is_some());
    let (beta, nobody) = (context(json!({"tier": "beta"})), Context::default());
    let now = Timestamp::UNIX_EPOCH;
    assert_eq!(ready.bulk(&beta, now, None), ready.bulk(&nobody, now, None));
    assert_eq!(ready.tag(&beta, ""), ready.tag(&nobody, ""));
    let found = document(json!(flags));
    let gone = &found.contents().flags[&"gone".parse().unwrap()];
    assert_eq!(gone.state, FlagState::Disabled);
    let none = Ready::of(&document(json!({})));
    let found = json_of(&none.bulk(&beta, now, None));
    assert_eq!(found["flags"], json!([]));
}
