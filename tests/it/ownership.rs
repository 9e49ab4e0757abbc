//! Law 7, Only our own keys.

use serde_json::{Value, json};

use crate::support::world::{World, fleet};

impl World {
    /// Writes a set that publishes `values` below `<prefix>/<place>`, one key per leaf.
    fn declare_set(&self, name: &str, place: &str, values: &Value) -> String {
        let file = format!("{name}.yaml");
        let prefix = &self.prefix;
        let text = format!(
            "apiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {{name: {name}}}\nspec:\n  \
             publish:\n    - keys: {{prefix: {prefix}/{place}}}\n  values: {values}\n"
        );
        self.user.write(&file, &text);
        file
    }

    /// The names of all keys of cluster 0, without the prefix.
    fn names(&self) -> Vec<String> {
        let short = |name: String| name[self.prefix.len() + 1..].to_owned();
        self.tree(0).into_keys().map(short).collect()
    }

    fn value(&self, name: &str) -> String {
        let tree = self.tree(0);
        let (value, _) = &tree[&format!("{}/{name}", self.prefix)];
        String::from_utf8(value.clone()).unwrap()
    }
}

const APPLY: [&str; 4] = ["apply", "--yes", "-f", "clusters.yaml"];

fn apply<'a>(files: &'a [String], more: &[&'a str]) -> Vec<&'a str> {
    let files = files.iter().flat_map(|file| ["-f", file]);
    APPLY
        .into_iter()
        .chain(files)
        .chain(more.iter().copied())
        .collect()
}

#[tokio::test]
async fn a_key_of_someone_else_is_reported_and_kept() {
    let world = World::shared(1).await;
    let consul = &fleet().await[0];
    let theirs = [
        "app/checkout/theirs",
        "app/checkout2/x",
        "cfgctl/checkout/notes",
    ];
    for key in theirs {
        consul
            .kv_put(&format!("{}/{key}", world.prefix), "theirs")
            .await;
    }
    // Others may use our mark by accident: it is the snapshot that says what we wrote.
    let marked = format!("{}/app/checkout/marked", world.prefix);
    let put = json!([{"KV": {"Verb": "set", "Key": marked, "Value": "dGhlaXJz", "Flags": cfgctl::target::consul::FLAGS}}]);
    assert_eq!(consul.txn(&put).await.0, 200);
    let before = world.tree(0);

    let set = |values| vec![world.declare_set("checkout", "app/checkout", &values)];
    let expect = |ours: &[&str]| {
        let mut expected: Vec<&str> = ours.to_vec();
        expected.extend(theirs);
        expected.push("app/checkout/marked");
        expected.sort_unstable();
        assert_eq!(world.names(), expected);
        let now = world.tree(0);
        assert!(
            before
                .iter()
                .all(|(key, value)| now.get(key) == Some(value))
        );
    };
    let files = set(json!({"a": 1, "b": {"c": 2, "d": 3}}));
    world.user.ok(&apply(&files, &[]));
    let snapshot = "cfgctl/checkout/snapshot";
    expect(&[
        "app/checkout/a",
        "app/checkout/b/c",
        "app/checkout/b/d",
        snapshot,
    ]);

    let status = world.json(0, &["status"]);
    assert_eq!(status["clusters"][0]["foreign"], 2, "{status}");
    let diff = world.json(0, &["diff", "-f", "clusters.yaml", "-f", &files[0]]);
    let foreign = &diff["clusters"][0]["foreign"];
    let named = ["marked", "theirs"].map(|leaf| format!("{}/app/checkout/{leaf}", world.prefix));
    assert_eq!(*foreign, json!(named));

    // A leaf that goes takes its key with it, and no other.
    world.user.ok(&apply(
        &set(json!({"a": 1, "b": {"d": 4}})),
        &["--allow-deletes"],
    ));
    expect(&["app/checkout/a", "app/checkout/b/d", snapshot]);
    world
        .user
        .ok(&apply(&set(json!({"e": true})), &["--allow-deletes"]));
    expect(&["app/checkout/e", snapshot]);
    world.user.ok(&["delete", "checkout", "--yes"]);
    expect(&[]);
}

#[tokio::test]
async fn a_key_of_someone_else_in_our_place_is_not_overwritten() {
    let world = World::shared(2).await;
    let key = world.leaf("payment/provider");
    fleet().await[0].kv_put(&key, "theirs").await;
    let before = world.tree(0);
    let said = world.apply(1).expect_code(5);
    assert!(said.stderr.contains(&key), "{}", said.stderr);
    assert_eq!(world.tree(0), before);
    // A refusal is for all: what was planned is done whole or not at all.
    assert!(world.tree(1).is_empty());
    assert_eq!(world.history().await, []);

    world.apply_with(1, &["--adopt"]).expect_code(0);
    assert_eq!(world.all_held(), [Some((1, 1)); 2]);
}

#[tokio::test]
async fn two_sets_can_swap_their_keys() {
    let world = World::shared(1).await;
    let sets = |a: &str, b: &str| {
        vec![
            world.declare_set("a", a, &json!({"who": "a", "only": {"a": 1}})),
            world.declare_set("b", b, &json!({"who": "b"})),
        ]
    };
    world.user.ok(&apply(&sets("app/x", "app/y"), &[]));
    let [a, b] = ["cfgctl/a/snapshot", "cfgctl/b/snapshot"];
    assert_eq!(
        world.names(),
        ["app/x/only/a", "app/x/who", "app/y/who", a, b]
    );

    let swapped = sets("app/y", "app/x");
    let mut passes = 0;
    // Each set is one transaction, so the second may have to wait for the first to let go.
    while world.user.run(&apply(&swapped, &["--allow-deletes"])).code != Some(0) {
        passes += 1;
        assert!(passes < 4, "it never settles");
    }
    assert_eq!(
        world.names(),
        ["app/x/who", "app/y/only/a", "app/y/who", a, b]
    );
    assert_eq!(world.value("app/x/who"), "b");
    assert_eq!(world.value("app/y/who"), "a");
    let diff = [
        "diff",
        "-f",
        "clusters.yaml",
        "-f",
        "a.yaml",
        "-f",
        "b.yaml",
    ];
    world.user.ok(&diff);
    world.user.ok(&["delete", "a", "--yes"]);
    assert_eq!(world.names(), ["app/x/who", b]);
}

#[tokio::test]
async fn odd_names_of_keys_arrive_as_they_are_and_go_again() {
    let world = World::shared(1).await;
    let odd = json!({
        "a b": 1, "ü": 2, "per%cent": 3, "%2F": 4, "hash#": 5, "what?": 6, "a&b=c": 7,
        "[0]": 8, "..c": 9, "~": 10, "日本": 11, "quote\"": 12, "<tag>": 13, "$dollar": 14,
        "+plus": 15, "semi;colon": 16, "back\\slash": 17, "recurse": 18, "123": 19,
    });
    let files = vec![world.declare_set("odd", "app/odd", &odd)];
    world.user.ok(&apply(&files, &[]));
    for (name, value) in odd.as_object().unwrap() {
        assert_eq!(world.value(&format!("app/odd/{name}")), value.to_string());
    }
    world
        .user
        .ok(&["diff", "-f", "clusters.yaml", "-f", "odd.yaml"]);
    let files = vec![world.declare_set("odd", "app/odd", &json!({"plain": 1}))];
    world.user.ok(&apply(&files, &["--allow-deletes"]));
    assert_eq!(world.names(), ["app/odd/plain", "cfgctl/odd/snapshot"]);
}

#[tokio::test]
async fn a_set_that_does_not_fit_into_one_transaction_is_refused_before_anything_is_committed() {
    let world = World::shared(1).await;
    for (leaves, fits) in [(63, true), (64, false), (100, false), (126, false)] {
        let leaf = |n: usize| (format!("k{n:03}"), json!(n));
        let values: serde_json::Map<_, _> = (0..leaves).map(leaf).collect();
        let name = format!("big-{leaves}");
        let place = format!("app/{name}");
        let files = vec![world.declare_set(&name, &place, &Value::Object(values))];
        let ran = world.user.run(&apply(&files, &[]));
        if fits {
            ran.expect_code(0);
            assert_eq!(world.names().len(), leaves + 1);
            continue;
        }
        let said = ran.expect_code(5);
        let numbers = format!(
            "needs {} operations in one transaction, the limit is 64",
            leaves + 1
        );
        assert!(said.stderr.contains(&numbers), "{}", said.stderr);
        assert!(!world.names().iter().any(|key| key.contains(&name)));
        let said = world.user.run(&["history", &name]).expect_code(2);
        assert!(said.stdout.is_empty(), "{}", said.stdout);
    }
}
