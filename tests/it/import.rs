//! What others wrote is taken over: no application that reads it notices.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use base64::Engine as _;

use crate::support::cli::{Cfgctl, Ran};
use crate::support::consul::{Consul, binary, unique_prefix};

/// What `config/checkout/data` looks like when a person wrote it.
const YAML: &str = "\
# the shop's checkout
payment:
    provider:   stripe
    enabled: on
    timeoutMs: 1_500
";

/// The same for the format PROPERTIES.
const PROPERTIES: &str = "! checkout\npayment.provider = stripe\npayment.name=M\\u00fcller\n";

/// A user, an import from a real Consul, and what lay there before.
struct Move {
    consul: Consul,
    cfgctl: Cfgctl,
    before: BTreeMap<String, Vec<u8>>,
}

impl Move {
    /// A Consul with these keys, one of someone else beside them, and a cluster for it.
    async fn of(keys: &[(&str, &str)]) -> Self {
        let consul = Consul::start().await;
        for (key, value) in keys {
            consul.kv_put(key, *value).await;
        }
        consul.kv_put("other/app/key", "not ours").await;
        let cfgctl = Cfgctl::new();
        cfgctl.write(
            "cluster.yaml",
            &format!(
                "apiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata: {{name: eu}}\n\
                 spec: {{consul: {{address: {}, prefix: cfgctl}}}}\n",
                consul.address()
            ),
        );
        let before = everything(&consul).await;
        Self {
            consul,
            cfgctl,
            before,
        }
    }

    fn import(&self, arguments: &[&str]) -> Ran {
        let address = self.consul.address();
        let mut all = vec!["import", "--from-consul", &address];
        all.extend(arguments);
        self.cfgctl.run(&all)
    }

    /// Imports into `set.yaml`; what was said about it.
    fn import_file(&self, arguments: &[&str]) -> String {
        let mut all = arguments.to_vec();
        all.extend(["--out", "set.yaml"]);
        let ran = self.import(&all);
        assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
        ran.stdout
    }

    fn apply(&self) {
        self.apply_with(&[]);
    }

    fn apply_with(&self, arguments: &[&str]) {
        let mut all = vec!["apply", "-f", "cluster.yaml", "-f", "set.yaml"];
        all.extend(["--adopt", "--yes"]);
        all.extend(arguments);
        self.cfgctl.ok(&all);
    }

    /// Every key but our own snapshots.
    async fn now(&self) -> BTreeMap<String, Vec<u8>> {
        let mut keys = everything(&self.consul).await;
        keys.retain(|key, _| !key.starts_with("cfgctl/"));
        keys
    }

    /// Changes a text of the set's file.
    fn edit(&self, from: &str, to: &str) {
        let path = self.cfgctl.directory().join("set.yaml");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(&path, text.replace(from, to)).unwrap();
    }
}

async fn everything(consul: &Consul) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for key in consul.kv_keys("").await {
        let value = consul.kv_get(&key).await.expect("a value");
        found.insert(key, value);
    }
    found
}

/// The keys whose bytes differ.
fn changed(before: &BTreeMap<String, Vec<u8>>, after: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let keys = before.keys().chain(after.keys());
    let mut changed: Vec<_> = keys
        .filter(|key| before.get(*key) != after.get(*key))
        .collect();
    changed.sort();
    changed.dedup();
    changed.into_iter().cloned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_keys_are_taken_over_and_then_change_one_by_one() {
    let moved = Move::of(&[
        ("app/checkout/db/url", "postgres://db"),
        ("app/checkout/db/pool", "20"),
        ("app/checkout/ratio", "1.50"),
        ("app/checkout/hosts", r#"["a","b"]"#),
        ("app/checkout/motd", "two\nlines\n"),
        ("app/checkout/empty", ""),
        ("app/checkout-legacy/x", "1"),
    ])
    .await;
    let said = moved.import_file(&["--prefix", "app/checkout/"]);
    assert_eq!(said.matches("same bytes").count(), 6, "{said}");
    assert!(!said.contains("postgres"), "{said}");
    let diff = ["diff", "-f", "cluster.yaml", "-f", "set.yaml", "--adopt"];
    let adopted = "adopts 6 keys, same bytes";
    for form in ["table", "markdown"] {
        let shown = moved.cfgctl.run(&[&diff[..], &["-o", form]].concat());
        assert_eq!(shown.code, Some(1), "{}", shown.stderr);
        assert!(shown.stdout.contains(adopted), "{}", shown.stdout);
        assert!(!shown.stdout.contains("create +"), "{}", shown.stdout);
    }
    moved.apply();
    assert_eq!(moved.now().await, moved.before);
    // A second look finds nothing to do.
    moved.cfgctl.ok(&["diff", "-f", "set.yaml"]);

    moved.edit("pool: 20", "pool: 30");
    moved.apply();
    assert_eq!(
        changed(&moved.before, &moved.now().await),
        ["app/checkout/db/pool"]
    );
    assert_eq!(moved.now().await["app/checkout/db/pool"], b"30");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spring_document_keeps_its_bytes_and_gets_values_only_when_asked() {
    let moved = Move::of(&[
        ("config/checkout/data", YAML),
        ("config/checkout,prod/data", "a: 1"),
    ])
    .await;
    let said = moved.import_file(&["--prefix", "config/checkout"]);
    assert!(said.contains("--structured"), "{said}");
    assert!(said.contains("`config/checkout,prod`"), "{said}");
    moved.apply();
    assert_eq!(moved.now().await, moved.before);

    let said = moved.import_file(&["--prefix", "config/checkout", "--structured", "--force"]);
    assert!(said.contains("same values, new text"), "{said}");
    // To cfgctl the text is a value that goes, and others take its place.
    moved.apply_with(&["--allow-deletes"]);
    let now = moved.now().await;
    assert_eq!(changed(&moved.before, &now), ["config/checkout/data"]);
    assert_eq!(
        String::from_utf8_lossy(&now["config/checkout/data"]),
        "payment:\n  enabled: true\n  provider: stripe\n  timeoutMs: 1500\n"
    );
    // What cfgctl wrote is imported with its values, byte for byte, and without asking.
    let ran = moved.import(&["--prefix", "config/checkout"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("same bytes"), "{}", ran.stderr);
    assert!(ran.stdout.contains("timeoutMs: 1500"), "{}", ran.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn spring_properties_keep_their_bytes() {
    let moved = Move::of(&[("config/checkout/data", PROPERTIES)]).await;
    moved.import_file(&[
        "--prefix",
        "config/checkout",
        "--layout",
        "spring-properties",
    ]);
    moved.apply();
    assert_eq!(moved.now().await, moved.before);
}

#[tokio::test(flavor = "multi_thread")]
async fn spring_key_values_become_lists_and_keep_their_keys() {
    let moved = Move::of(&[
        ("config/checkout/", ""),
        ("config/checkout/hosts[0]/name", "a"),
        ("config/checkout/hosts[1]/name", "b"),
        ("config/checkout/pay/timeout-ms", "1500"),
        ("config/checkout/pay.url", "https://pay"),
    ])
    .await;
    let said = moved.import_file(&["--prefix", "config/checkout"]);
    assert!(said.contains("spring-key-value"), "{said}");
    moved.apply();
    assert_eq!(moved.now().await, moved.before);

    moved.edit("name: b", "name: c");
    moved.apply();
    assert_eq!(
        changed(&moved.before, &moved.now().await),
        ["config/checkout/hosts[1]/name"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_spring_and_git2consul_stay_whole() {
    let moved = Move::of(&[
        ("config/checkout.yml", YAML),
        ("config/checkout-prod.yml", "payment: {timeoutMs: 2500}\n"),
        ("config/shop.yml", "of: someone else\n"),
        ("repo/main/checkout/app.properties", PROPERTIES),
        (
            "repo/main/checkout/conf/limits.json",
            "{\n  \"max\": 5\n}\n",
        ),
    ])
    .await;
    moved.import_file(&["--prefix", "config/checkout"]);
    moved.apply();
    assert_eq!(moved.now().await, moved.before);

    moved.import_file(&[
        "--prefix",
        "repo/main/checkout",
        "--name",
        "files",
        "--force",
    ]);
    moved.apply();
    assert_eq!(moved.now().await, moved.before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_consul_command_exports_is_read_and_imports_again() {
    let moved = Move::of(&[("app/a/x", "1"), ("app/a/y/z", "ü\n"), ("app/b", "2")]).await;
    let export = Command::new(binary())
        .args(["kv", "export", "-http-addr", &moved.consul.address(), "app"])
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .expect("the consul command");
    assert!(export.status.success(), "{export:?}");
    let text = String::from_utf8(export.stdout).expect("JSON");
    moved.cfgctl.write("export.json", &text);
    moved.cfgctl.ok(&[
        "import",
        "--from-export",
        "export.json",
        "--prefix",
        "app/a",
        "--out",
        "set.yaml",
    ]);
    moved.apply();
    assert_eq!(moved.now().await, moved.before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_imported_stops_the_import_unless_it_may_be_partial() {
    let moved = Move::of(&[("app/a", "1"), ("app/a/b", "2"), ("app/c", "secret")]).await;
    let ran = moved.import(&["--prefix", "app"]);
    assert_eq!(ran.code, Some(2), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.stdout, "");
    insta::assert_snapshot!(ran.stderr, @r"
    KEY      RESULT
    app/a    cannot be imported: other keys lie below it, and a value cannot be a map as well
    app/a/b  same bytes
    app/c    same bytes
    note: the keys look like the layout `keys`; `--layout` chooses another
    note: the set goes to every cluster; say which with `--clusters`, or in `spec.clusters`
    error: 1 of 3 keys cannot be imported; nothing was written
    hint: `--partial` leaves them out of the set and as they are in the Consul
    ");

    let ran = moved.import(&["--prefix", "app", "--partial", "-l", "stage=prod"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    insta::assert_snapshot!(ran.stdout, @r"
    apiVersion: cfgctl.dev/v1
    kind: ConfigSet
    metadata:
      name: app
    spec:
      clusters:
        stage: prod
      publish:
        - keys:
            prefix: app
      values:
        a:
          b: 2
        c: secret
    ");
    moved.import_file(&["--prefix", "app", "--partial"]);
    moved.apply();
    assert_eq!(moved.now().await, moved.before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_never_overwritten_unasked_and_errors_say_what_to_do() {
    let moved = Move::of(&[("app/a/x", "1")]).await;
    moved.cfgctl.write("set.yaml", "mine");
    let ran = moved.import(&["--prefix", "app/a", "--out", "set.yaml"]);
    assert_eq!(ran.code, Some(2));
    insta::assert_snapshot!(ran.stderr, @r"
    error: `set.yaml` exists; nothing was written
    hint: name another file, or pass `--force` to replace it
    ");
    let kept = std::fs::read_to_string(moved.cfgctl.directory().join("set.yaml")).unwrap();
    assert_eq!(kept, "mine");

    let ran = moved.import(&["--prefix", "app/nothing"]);
    assert_eq!(ran.code, Some(2));
    insta::assert_snapshot!(ran.stderr, @r"
    error: there are no keys below `app/nothing/`
    hint: the prefix may be spelled otherwise, or the ACL token may not see the keys: Consul answers both alike
    ");

    let ran = moved.import(&["--prefix", "app/A_1"]);
    assert_eq!(ran.code, Some(2));
    insta::assert_snapshot!(ran.stderr, @r"
    error: `A_1` is not a name: only a-z, 0-9 and hyphens are allowed
    hint: name the set with `--name`
    ");

    moved.consul.kill();
    let ran = moved.import(&["--prefix", "app/a", "--timeout", "2s"]);
    assert_eq!(ran.code, Some(7), "{}", ran.stderr);

    moved
        .cfgctl
        .write("bad.json", "[{\"key\": \"a\", \"value\": hunter2}]");
    let ran = moved
        .cfgctl
        .run(&["import", "--from-export", "bad.json", "--prefix", "a"]);
    assert_eq!(ran.code, Some(2));
    insta::assert_snapshot!(ran.stderr, @r"
    error: could not read the export in `bad.json`
      caused by: this is not what `consul kv export` writes, from line 1, column 24 on
    hint: write it with `consul kv export PREFIX > FILE`
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_token_may_not_read_is_never_taken_for_absent() {
    let consul = Consul::start_with_acl("5c1d5a3e-7b1e-4f0e-9a55-0d3c8b1f2a11").await;
    let prefix = unique_prefix();
    consul.kv_put(&format!("{prefix}/open/a"), "1").await;
    consul.kv_put(&format!("{prefix}/closed/b"), "2").await;
    let rules = format!(r#"key_prefix "{prefix}/open/" {{ policy = "read" }}"#);
    let token = consul.token(&rules).await;
    let cfgctl = Cfgctl::new()
        .with("CONSUL_HTTP_TOKEN", &token.secret)
        .with("CONSUL_HTTP_ADDR", &consul.address());
    let import = |below: &str| {
        let prefix = format!("{prefix}{below}");
        cfgctl.run(&[
            "import",
            "--from-consul",
            "--prefix",
            &prefix,
            "--name",
            "x",
        ])
    };
    let open = import("/open");
    assert_eq!(open.code, Some(0), "{}", open.stderr);
    assert!(!open.stderr.contains("may not"), "{}", open.stderr);
    let part = import("");
    assert_eq!(part.code, Some(0), "{}", part.stderr);
    assert!(
        part.stderr.contains("the token may not read everything"),
        "{}",
        part.stderr
    );
    let closed = import("/closed");
    assert_eq!(closed.code, Some(6), "{}", closed.stderr);
    assert!(
        closed.stderr.contains("no permission to read"),
        "{}",
        closed.stderr
    );

    consul.revoke(&token).await;
    let revoked = import("/open");
    assert_eq!(revoked.code, Some(6), "{}", revoked.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_adopting_changes_is_named_key_by_key() {
    let moved = Move::of(&[("app/a", "1"), ("app/b", "two")]).await;
    moved.import_file(&["--prefix", "app"]);
    moved.edit("b: two", "b: three\n    c: new");
    let arguments = ["-f", "cluster.yaml", "-f", "set.yaml", "--adopt"];
    let shown = moved.cfgctl.run(&[&["diff"], &arguments[..]].concat());
    assert_eq!(shown.code, Some(1), "{}", shown.stderr);
    let expected = "! app in eu: app/b is taken over and gets other bytes\n    \
                    is: two\n    becomes: three\n";
    for text in ["adopts 2 keys, 1 with other bytes", expected] {
        assert!(shown.stdout.contains(text), "{}", shown.stdout);
    }
    let shown = moved
        .cfgctl
        .run(&[&["diff", "-o", "json"], &arguments[..]].concat());
    let shown: serde_json::Value = serde_json::from_str(&shown.stdout).expect("JSON");
    assert_eq!(
        shown["clusters"][0]["adopts"],
        serde_json::json!([
            {"key": "app/a", "sameBytes": true},
            {"key": "app/b", "sameBytes": false, "from": "two", "to": "three"},
        ])
    );
    // Apply shows the same before it asks or goes on.
    let ran = moved
        .cfgctl
        .run(&[&["apply", "--yes"], &arguments[..]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("1 with other bytes"), "{}", ran.stderr);
    assert_eq!(
        changed(&moved.before, &moved.now().await),
        ["app/b", "app/c"]
    );
}

/// What `consul kv export` would write of these keys.
fn export(keys: &[(&str, &[u8])]) -> String {
    let pairs: Vec<_> = keys
        .iter()
        .map(|(key, value)| {
            let value = base64::engine::general_purpose::STANDARD.encode(value);
            serde_json::json!({"key": key, "flags": 0, "value": value})
        })
        .collect();
    serde_json::to_string(&pairs).expect("JSON")
}

/// Imports an export with these arguments; what was said about it.
fn said_of(keys: &[(&str, &[u8])], arguments: &[&str], code: i32) -> String {
    let cfgctl = Cfgctl::new();
    cfgctl.write("export.json", &export(keys));
    let mut all = vec!["import", "--from-export", "export.json"];
    all.extend(["--prefix", "config/checkout", "-l", "stage=prod"]);
    all.extend(arguments);
    let ran = cfgctl.run(&all);
    assert_eq!(ran.code, Some(code), "{}{}", ran.stdout, ran.stderr);
    ran.stderr
}

#[test]
fn a_document_without_values_says_the_true_reason_and_what_helps() {
    let two: &[u8] = b"a: 1\n---\nb: 2\n";
    let document = [("config/checkout/data", two)];
    insta::assert_snapshot!(said_of(&document, &["--structured"], 2), @r"
    error: no values can be made of `config/checkout/data`: it is more than one document
    hint: without `--structured` it is kept as one text, byte for byte; values can be made of it when what is wrong is put right in the Consul
    ");
    let reason = said_of(&document, &["--structured"], 2);
    for layout in ["spring-yaml", "keys", "files", "spring-key-value"] {
        let said = said_of(&document, &["--structured", "--layout", layout], 2);
        assert_eq!(said, reason, "{layout}");
    }
    let fine: &[u8] = b"a: 1\n";
    let structured = ["--structured", "--layout", "keys"];
    insta::assert_snapshot!(said_of(&[("config/checkout/data", fine)], &structured, 2), @r"
    error: the layout `keys` has no document that could be structured
    hint: `--layout spring-yaml` has one
    ");
    insta::assert_snapshot!(said_of(&document, &[], 0), @r"
    KEY                   RESULT
    config/checkout/data  same bytes
    note: the keys look like the layout `spring-yaml`; `--layout` chooses another
    note: `config/checkout/data` is kept as one text, byte for byte: no values can be made of it: it is more than one document
    ");
    let properties: &[u8] = b"\xef\xbb\xbfa=1\n";
    let document = [("config/checkout/data", properties)];
    insta::assert_snapshot!(said_of(&document, &["--structured"], 2), @r"
    error: no values can be made of `config/checkout/data`: it starts with a byte order mark, which Spring reads as `?`, a part of the first line
    hint: without `--structured` it is kept as one text, byte for byte; values can be made of it when what is wrong is put right in the Consul
    ");
    insta::assert_snapshot!(said_of(&document, &[], 0), @r"
    KEY                   RESULT
    config/checkout/data  same bytes
    note: the keys look like the layout `spring-properties`; `--layout` chooses another
    note: `config/checkout/data` starts with a byte order mark, which stays: Spring skips it in YAML, but not in properties, and other applications may not skip it
    note: `config/checkout/data` is kept as one text, byte for byte: no values can be made of it: it starts with a byte order mark, which Spring reads as `?`, a part of the first line
    ");
    let utf_16: &[u8] = b"\xff\xfea\0:\0 \x001\0";
    let document = [("config/checkout/data", utf_16)];
    insta::assert_snapshot!(said_of(&document, &["--structured"], 2), @r"
    error: no values can be made of `config/checkout/data`: its value looks like UTF-16, and a manifest holds nothing but UTF-8
    hint: write it in UTF-8 in the Consul, and import it then
    ");
    let keys: &[(&str, &[u8])] = &[("config/checkout/a", b"1")];
    insta::assert_snapshot!(said_of(keys, &["--structured"], 2), @r"
    error: there is no document at `config/checkout/data` that could be structured
    hint: without `--structured`, the keys are imported as they are
    ");
}

#[test]
fn a_document_with_a_byte_order_mark_gets_values_when_asked() {
    let marked: &[u8] = b"\xef\xbb\xbfpayment:\r\n  timeoutMs: 1500\r\n";
    let document = [("config/checkout/data", marked)];
    insta::assert_snapshot!(said_of(&document, &[], 0), @r"
    KEY                   RESULT
    config/checkout/data  same bytes
    note: the keys look like the layout `spring-yaml`; `--layout` chooses another
    note: `config/checkout/data` starts with a byte order mark, which stays: Spring skips it in YAML, but not in properties, and other applications may not skip it
    note: `config/checkout/data` is kept as one text, byte for byte; `--structured` makes values of it, which the application reads the same, though the text is rewritten
    ");
    insta::assert_snapshot!(said_of(&document, &["--structured"], 0), @r"
    KEY                   RESULT
    config/checkout/data  same values, new text
    note: the keys look like the layout `spring-yaml`; `--layout` chooses another
    note: `config/checkout/data` is written anew when the set is applied: the application reads the same values, but comments, order and the byte order mark at its start are lost
    ");
}
