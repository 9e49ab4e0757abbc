//! `cfgctl flag eval`: what an application would get, and why.

use serde_json::{Value, json};

use crate::support::cli::Cfgctl;
use crate::support::flagd;
use crate::support::transcript::Transcript;

const MANIFESTS: &str = r#"
apiVersion: cfgctl.dev/v1
kind: Cluster
metadata: {name: eu, labels: {region: eu}}
spec: {directory: {path: out/eu}}
---
apiVersion: cfgctl.dev/v1
kind: Cluster
metadata: {name: us, labels: {region: us}}
spec: {directory: {path: out/us}}
---
apiVersion: cfgctl.dev/v1
kind: Cluster
metadata: {name: elsewhere, labels: {region: none}}
spec: {directory: {path: out/elsewhere}}
---
apiVersion: cfgctl.dev/v1
kind: ConfigSet
metadata: {name: checkout}
spec:
  clusters: {region: [eu, us]}
  values: {a: 1}
  flags:
    express-pay: true
    search-v2:
      state: ENABLED
      variants: {"on": true, "off": false}
      defaultVariant: "off"
      targeting: {if: [{"==": [{var: user.tier}, beta]}, "on", null]}
    color:
      state: ENABLED
      variants: {red: {hex: "f00"}, blue: {hex: "00f"}}
      targeting: {fractional: [[red, 30], [blue, 70]]}
    limit:
      state: ENABLED
      variants: {low: 1, high: 10}
      defaultVariant: low
      targeting: {var: wanted}
    old: {state: DISABLED, variants: {a: x}, defaultVariant: a}
  breakers:
    search: {trip: {flags: {search-v2: "off"}}}
  publish: [{flagd: {key: flags/checkout}}]
"#;

fn user() -> Cfgctl {
    let user = Cfgctl::new();
    user.write("shop.yaml", MANIFESTS.trim_start());
    user.ok(&["apply", "-f", "shop.yaml", "--yes"]);
    user
}

#[test]
fn every_reason_is_told_apart() {
    let user = user();
    user.write("ctx.json", r#"{"user": {"tier": "beta", "age": 42}}"#);
    let text = Transcript::of(&user)
        .run("flag eval checkout/express-pay")
        .run("flag eval checkout/search-v2 --context user.tier=beta")
        .run("flag eval checkout/search-v2 --context-file ctx.json")
        .run("flag eval checkout/search-v2 --context-file ctx.json --context user.tier=gold")
        .run("flag eval checkout/color")
        .run("flag eval checkout/color --context targetingKey=ann")
        .run("flag eval checkout/limit --context wanted=higher")
        .run("flag eval checkout/old --cluster us")
        .run("flag off checkout/search-v2 -l region=eu --reason slow --yes -q -o name")
        .run("flag eval checkout/search-v2 --context user.tier=beta")
        .run("breaker trip checkout/search --reason 4711 --for 10m --yes -q -o name")
        .run("flag eval checkout/search-v2 --context user.tier=beta")
        .run("flag eval checkout/search-v2 --cluster us -o json")
        .run("flag eval checkout/search-v2 --cluster us -o name")
        .end();
    insta::assert_snapshot!(text);
}

#[test]
fn what_cannot_be_evaluated_is_explained() {
    let user = user();
    user.write("list.json", "[1]");
    user.write("broken.json", "{");
    user.write(
        "deep.json",
        &format!("{{\"a\": {}1{}}}", "[".repeat(40), "]".repeat(40)),
    );
    user.write("large.json", &json!({"a": "a".repeat(70_000)}).to_string());
    let text = Transcript::of(&user)
        .run("flag eval checkout")
        .run("flag eval chekout/search-v2")
        .run("flag eval checkout/search-v3")
        .run("flag eval checkout/search-v2 --cluster elsewhere")
        .run("flag eval checkout/search-v2 --cluster nowhere")
        .run("flag eval checkout/search-v2 --context prod")
        .run("flag eval checkout/search-v2 --context a..b=1")
        .run("flag eval checkout/search-v2 --context a=1 --context a.b=2")
        .run("flag eval checkout/search-v2 --context-file nowhere.json")
        .run("flag eval checkout/search-v2 --context-file list.json")
        .run("flag eval checkout/search-v2 --context-file broken.json")
        .run("flag eval checkout/search-v2 --context-file deep.json")
        .run("flag eval checkout/search-v2 --context-file large.json")
        .run("flag eval checkout/search-v2 --store-context prod")
        .run("--context prod flag eval checkout/search-v2 --context a=1")
        .run("delete checkout --yes -q -o name")
        .run("flag eval checkout/search-v2")
        .end();
    insta::assert_snapshot!(text);
}

/// The only answer, as flagd would say it.
fn evaluated(user: &Cfgctl, flag: &str, cluster: &str, context: &Value) -> Value {
    user.write("ctx.json", &context.to_string());
    let flag = format!("checkout/{flag}");
    let line = [
        "flag",
        "eval",
        &flag,
        "--cluster",
        cluster,
        "--context-file",
        "ctx.json",
    ];
    let ran = user.ok(&[&line[..], &["-o", "json"]].concat());
    let ran: Value = serde_json::from_str(&ran).unwrap();
    let [answer] = &ran["answers"].as_array().unwrap()[..] else {
        panic!("{ran}");
    };
    json!([answer["variant"], answer["value"]])
}

#[test]
fn the_answer_is_that_of_flagd_for_what_was_published() {
    let user = user();
    let contexts = [
        json!({}),
        json!({"user": {"tier": "beta"}, "targetingKey": "ann", "wanted": "high"}),
        json!({"user": {"tier": null}, "targetingKey": "bob", "wanted": "none"}),
        json!({"user": {"tier": 5}, "targetingKey": "cid", "wanted": null}),
    ];
    let compare = |user: &Cfgctl| {
        for cluster in ["eu", "us"] {
            let file = user.directory().join("out").join(cluster);
            let file = std::fs::read_to_string(file.join("checkout/flags/checkout")).unwrap();
            let theirs = flagd::answers(&file, &contexts, 0);
            assert_eq!(theirs.len(), 5);
            for (flag, theirs) in theirs {
                for (theirs, context) in theirs.iter().zip(&contexts) {
                    let ours = evaluated(user, &flag, cluster, context);
                    let theirs = json!([theirs.variant, theirs.value]);
                    assert_eq!(ours, theirs, "{flag} in {cluster} for {context}");
                }
            }
        }
    };
    compare(&user);
    let beta = json!({"user": {"tier": "beta"}});
    assert_eq!(
        evaluated(&user, "search-v2", "eu", &beta),
        json!(["on", true])
    );
    user.ok(&[
        "flag",
        "set",
        "checkout/color",
        "blue",
        "-l",
        "region=eu",
        "--reason",
        "x",
        "--yes",
    ]);
    user.ok(&[
        "breaker",
        "trip",
        "checkout/search",
        "--reason",
        "x",
        "--yes",
    ]);
    compare(&user);
    assert_eq!(
        evaluated(&user, "search-v2", "eu", &beta),
        json!(["off", false])
    );
}

/// The variant, and what was said beside it.
fn told(user: &Cfgctl, flag: &str, context: &str) -> (String, String) {
    let flag = format!("checkout/{flag}");
    let ran = user.run(&["flag", "eval", &flag, "--context", context, "-o", "name"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    (ran.stdout.trim().to_owned(), ran.stderr)
}

const VERSIONS: &str = r#"
apiVersion: cfgctl.dev/v1
kind: ConfigSet
metadata: {name: checkout}
spec:
  values: {a: 1}
  flags:
    key:
      state: ENABLED
      variants: {text: 1, number: 2}
      targeting: {if: [{"===": [{var: targetingKey}, {cat: [{var: targetingKey}]}]}, text, number]}
    newer:
      state: ENABLED
      variants: {"on": true, "off": false}
      targeting: {if: [{sem_ver: [{var: app.version}, ">=", "1.9.0"]}, "on", "off"]}
    bomb:
      state: ENABLED
      variants: {"on": true, "off": false}
      targeting:
        if:
          - reduce: [{var: list}, {cat: [{var: accumulator}, {var: accumulator}]}, ab]
          - "on"
          - "off"
"#;

fn versions() -> Cfgctl {
    let user = Cfgctl::new();
    user.write("versions.yaml", VERSIONS.trim_start());
    user.ok(&["apply", "-f", "versions.yaml", "--yes"]);
    user
}

#[test]
fn who_asks_is_always_a_text() {
    let user = versions();
    for key in [
        "1234567890123456789",
        "1.10",
        "1e3",
        "-0",
        "true",
        "null",
        "ann",
        "\"5\"",
    ] {
        let (variant, said) = told(&user, "key", &format!("targetingKey={key}"));
        assert_eq!(variant, "text", "{key}");
        assert_eq!(said, "", "{key}");
    }
}

#[test]
fn a_number_that_looks_like_a_version_is_warned_about() {
    let user = versions();
    let (variant, said) = told(&user, "newer", "app.version=1.10");
    assert_eq!(variant, "off");
    assert_eq!(
        said,
        "warning: `app.version=1.10` is the number 1.1; write `app.version='\"1.10\"'` for the text\n"
    );
    let (variant, said) = told(&user, "newer", "app.version=2");
    assert_eq!(variant, "on");
    assert!(
        said.contains("is a number, which the rule compares as a version"),
        "{said}"
    );
    for fine in [
        "app.version=\"1.10\"",
        "app.version=1.10.0",
        "age=42",
        "age=1.5",
        "on=true",
    ] {
        assert_eq!(told(&user, "newer", fine).1, "", "{fine}");
    }
    for odd in ["id=1234567890123456789", "x=1e3", "x=-0", "x=1.0"] {
        assert!(
            told(&user, "newer", odd).1.starts_with("warning: "),
            "{odd}"
        );
    }
}

#[test]
fn a_rule_that_doubles_a_text_is_ended() {
    let user = versions();
    user.write("ctx.json", &json!({"list": vec![1; 40]}).to_string());
    let line = [
        "flag",
        "eval",
        "checkout/bomb",
        "--context-file",
        "ctx.json",
        "-o",
        "json",
    ];
    let ran: Value = serde_json::from_str(&user.ok(&line)).unwrap();
    let answer = &ran["answers"][0];
    assert_eq!(answer["reason"], "error");
    let error = answer["error"].as_str().unwrap();
    assert!(
        error.starts_with("the rule asks for more than 64 MiB"),
        "{error}"
    );
}
