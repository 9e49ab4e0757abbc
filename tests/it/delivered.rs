//! What is declared and what has arrived are told apart.

use serde_json::{Value, json};

use crate::support::proxy::Fate;
use crate::support::switched::Switched;
use crate::support::world::World;

const BREAKER: &str = "checkout/payment-provider";

/// The breaker in the answer of `breaker list`.
fn listed(switched: &Switched) -> Value {
    let list = switched
        .world
        .json(0, &["breaker", "list", "--timeout", "2s"]);
    let views = list["breakers"].as_array().unwrap();
    let of = |view: &&Value| view["breaker"] == "payment-provider";
    views.iter().find(of).unwrap().clone()
}

#[tokio::test]
async fn a_breaker_is_open_in_the_store_and_delivered_where_it_is() {
    let switched = Switched::in_world(World::shared(3).await);
    let proxies = switched.world.behind_proxies();
    switched.apply().expect_code(0);
    let user = &switched.world.user;
    assert_eq!(listed(&switched)["waiting"], json!([]));

    proxies[1].rule(|_| Fate::Cut);
    let trip = ["breaker", "trip", BREAKER, "--yes", "--timeout", "2s"];
    user.run(&trip).expect_code(3);
    let view = listed(&switched);
    assert_eq!(view["state"], "open");
    assert_eq!(view["clusters"], json!(["c0", "c1", "c2"]));
    assert_eq!(view["delivered"], json!(["c0", "c2"]));
    let waiting = &view["waiting"][0];
    assert_eq!(waiting["cluster"], "c1");
    assert_eq!(waiting["state"], "unreachable");
    assert_eq!(waiting["holds"], Value::Null, "nobody knows");
    for command in [
        &["breaker", "list"][..],
        &["breaker", "show", BREAKER],
        &["flag", "list"],
        &["flag", "get", "checkout/express-pay"],
    ] {
        let ran = user.run(command).expect_code(0);
        let told = "2 of 3, waiting for c1 (unreachable)";
        assert!(ran.stdout.contains(told), "{command:?} {}", ran.stdout);
        assert!(
            ran.stderr.contains("could not look at c1: "),
            "{}",
            ran.stderr
        );
    }

    // It answers again, and nobody has delivered yet.
    proxies[1].rule(|_| Fate::Forward);
    let view = listed(&switched);
    assert_eq!(view["waiting"][0]["holds"], "closed");
    assert_eq!(view["waiting"][0]["state"], "behind");
    let flags = user.ok(&["flag", "get", "checkout/express-pay"]);
    assert!(flags.contains("2 of 3, waiting for c1 (on)"), "{flags}");
    let flags = user.ok(&["flag", "get", "checkout/color"]);
    assert!(flags.contains("3 of 3"), "no part of it: {flags}");
    for command in ["status", "drift"] {
        let said = user.run(&[command]).stdout;
        let told = "; delivered in 2, waiting for c1 (closed)";
        assert!(said.contains(told), "{command} {said}");
    }
    user.ok(&["apply", "--resume", "--yes"]);
    assert_eq!(listed(&switched)["waiting"], json!([]));
}

/// The other way round it is as bad: who closes a breaker must see where it is open still.
#[tokio::test]
async fn a_closed_breaker_is_told_to_be_open_where_the_reset_did_not_arrive() {
    let switched = Switched::in_world(World::shared(2).await);
    let proxies = switched.world.behind_proxies();
    switched.apply().expect_code(0);
    let user = &switched.world.user;
    user.ok(&["breaker", "trip", BREAKER, "--yes"]);
    proxies[0].rule(|_| Fate::Cut);
    let reset = ["breaker", "reset", BREAKER, "--yes", "--timeout", "2s"];
    user.run(&reset).expect_code(3);
    proxies[0].rule(|_| Fate::Forward);
    let list = user.ok(&["breaker", "list"]);
    assert!(list.contains("1 of 2, waiting for c0 (open)"), "{list}");
}
