//! `cfgctl flag` against real Consuls.

use serde_json::{Value, json};

use crate::support::switched::Switched;

fn flags(switched: &Switched) -> Vec<Value> {
    let list = switched.world.json(0, &["flag", "list", "checkout"]);
    list["flags"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_flag_is_switched_in_some_clusters_and_back() {
    let switched = Switched::new(2).await;
    let user = &switched.world.user;
    let published = || switched.keys(2, "flags/express-pay");
    assert_eq!(published(), ["true"; 2]);
    user.ok(&[
        "flag",
        "off",
        "checkout/express-pay",
        "-l",
        "number=c1",
        "--reason",
        "slow",
        "--yes",
    ]);
    assert_eq!(published(), ["true", "false"]);
    let views = flags(&switched);
    let [color, there, here] = &views[..] else {
        panic!("{views:#?}");
    };
    assert_eq!(color["source"], "declared");
    assert_eq!(
        (&there["effective"], &there["clusters"]),
        (&json!(true), &json!(["c0"]))
    );
    assert_eq!(
        (&here["effective"], &here["clusters"]),
        (&json!(false), &json!(["c1"]))
    );
    assert_eq!(here["held"]["reason"], "slow");
    let explained = user.ok(&[
        "explain",
        "checkout",
        "flags.express-pay",
        "--cluster",
        "c1",
    ]);
    assert!(
        explained.contains("from:    override off (set.yaml:"),
        "{explained}"
    );
    user.ok(&[
        "flag",
        "unset",
        "checkout/express-pay",
        "--reason",
        "done",
        "--yes",
    ]);
    assert_eq!(published(), ["true"; 2]);
    let causes = switched.causes();
    assert_eq!(
        causes[1..],
        [
            json!({"flag": {"flag": "express-pay", "to": "off"}}),
            json!({"flag": {"flag": "express-pay"}}),
        ]
    );
}

#[tokio::test]
async fn a_variant_is_set_for_a_time_and_what_was_declared_meanwhile_holds_after_it() {
    let switched = Switched::new(1).await;
    let user = &switched.world.user;
    let color = || switched.key(0, "flags/color").unwrap();
    let set = [
        "flag",
        "set",
        "checkout/color",
        "blue",
        "--for",
        "2h",
        "-m",
        "test",
        "--yes",
    ];
    user.ok(&set);
    assert_eq!(color(), "#00f");
    let held = user.ok(&["flag", "get", "checkout/color"]);
    assert!(held.contains("2 h"), "{held}");
    let text = crate::support::switched::manifest(&switched.world.prefix, "stripe");
    let text = text.replace("red: '#f00'", "red: '#e00'");
    switched.declare_as(&text);
    switched.apply().expect_code(0);
    assert_eq!(color(), "#00f");
    user.ok(&["flag", "unset", "checkout/color", "-m", "done", "--yes"]);
    assert_eq!(color(), "#e00");
}

#[tokio::test]
async fn whoever_says_something_wrong_changes_nothing_and_is_told() {
    let switched = Switched::new(1).await;
    let user = &switched.world.user;
    let flag = "checkout/express-pay";
    for (arguments, told) in [
        (&["off", flag, "--yes"][..], "--reason TEXT"),
        (
            &["on", "checkout/color", "--yes", "-m", "x"],
            "cfgctl flag set checkout/color VARIANT",
        ),
        (
            &["set", "checkout/color", "green", "--yes", "-m", "x"],
            "it has blue, red",
        ),
        (
            &["off", "checkout/expres-pay", "--yes", "-m", "x"],
            "did you mean",
        ),
        (&["off", flag, "-m", "x"], "--yes"),
        (
            &["off", flag, "-m", "x", "--yes", "-l", "number=none"],
            "matches no cluster",
        ),
    ] {
        let ran = user.run(&[&["flag"], arguments].concat());
        assert_eq!(ran.code, Some(2), "{arguments:?} {}", ran.stderr);
        assert!(ran.stderr.contains(told), "{arguments:?} {}", ran.stderr);
    }
    assert_eq!(switched.causes().len(), 1);
    assert_eq!(switched.key(0, "flags/express-pay").unwrap(), "true");
}

#[tokio::test]
async fn the_override_that_was_set_last_decides_also_if_it_was_set_before() {
    let switched = Switched::new(2).await;
    let user = &switched.world.user;
    let said = |command: &str, more: &[&str]| {
        let fixed = ["flag", command, "checkout/express-pay", "-m", "x", "--yes"];
        user.ok(&[&fixed, more].concat());
        switched.keys(2, "flags/express-pay")
    };
    assert_eq!(said("off", &[]), ["false"; 2]);
    assert_eq!(said("on", &["-l", "number=c0"]), ["true", "false"]);
    assert_eq!(said("off", &[]), ["false"; 2]);
    let unset = ["flag", "unset", "checkout/express-pay", "-m", "x", "--yes"];
    user.ok(&unset);
    let again = user.run(&unset);
    assert_eq!(again.code, Some(0), "what is done already is no mistake");
    assert!(
        again.stderr.contains("is not overridden"),
        "{}",
        again.stderr
    );
}

#[tokio::test]
async fn what_a_switch_brings_beside_itself_is_shown_before_it_is_done() {
    let switched = Switched::new(2).await;
    let user = &switched.world.user;
    switched.declare("adyen");
    user.ok(&[
        "apply",
        "-f",
        "clusters.yaml",
        "-f",
        "set.yaml",
        "--yes",
        "-l",
        "number=c0",
    ]);
    let dry = [
        "flag",
        "off",
        "checkout/express-pay",
        "-l",
        "number=c0",
        "-m",
        "x",
        "--dry-run",
    ];
    let shown = user.ok(&dry);
    assert!(
        shown.contains("! c1 holds version 1, and gets everything that is newer"),
        "{shown}"
    );
    assert!(
        shown.contains("~ payment.provider: \"stripe\" → \"adyen\""),
        "{shown}"
    );

    // Nothing to switch is no reason to write without being asked.
    let key = switched.world.leaf("payment/timeoutMs");
    let consul = &crate::support::world::fleet().await[0];
    user.ok(&["apply", "--resume", "--yes"]);
    consul.kv_put(&key, "7").await;
    let on = ["flag", "unset", "checkout/express-pay", "-m", "x"];
    let ran = user.run(&on);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("was changed by hand (1 key)"),
        "{}",
        ran.stderr
    );
    assert_eq!(switched.key(0, "payment/timeoutMs").unwrap(), "7");
}

#[tokio::test]
async fn the_same_again_makes_no_revision() {
    let switched = Switched::new(1).await;
    for _ in 0..2 {
        let off = ["flag", "off", "checkout/express-pay", "-m", "x", "--yes"];
        switched.world.user.ok(&off);
    }
    assert_eq!(switched.causes().len(), 2);
}
