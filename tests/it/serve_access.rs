//! Who comes in at a server: every route, by every kind of credentials. The routes are those of its
//! table, so a new one is asked for too.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use cfgctl::model::TokenText;

use crate::support::cli::Cfgctl;
use crate::support::server::Server;

fn source(path: &str) -> String {
    let root = env!("CARGO_MANIFEST_DIR");
    std::fs::read_to_string(format!("{root}/{path}")).unwrap()
}

/// Every method at every path, as the sources of the server have them.
fn routes() -> Vec<(String, String)> {
    let text = source("src/wire/path.rs");
    let paths: BTreeMap<&str, &str> = text
        .split("const ")
        .skip(1)
        .filter_map(|rest| {
            let (name, rest) = rest.split_once(": &str =")?;
            let rest = rest.trim_start().strip_prefix('"')?;
            Some((name, rest.split_once('"')?.0))
        })
        .collect();
    let text = source("src/server/routes.rs") + &source("src/server/views.rs");
    let mut found = Vec::new();
    for line in text.split(".route(Routes::").skip(1) {
        let (name, handlers) = line.split_once(", ").unwrap();
        let (handlers, _) = handlers.split_once('\n').unwrap();
        for method in ["get", "post", "put", "patch", "delete"] {
            if handlers
                .split(|c: char| !c.is_ascii_lowercase() && c != '_')
                .any(|word| word == method)
            {
                found.push((method.to_uppercase(), paths[name].to_owned()));
            }
        }
    }
    assert!(found.len() > 30, "these are not the routes: {found:?}");
    assert_eq!(found.len(), {
        let calls = ["get(", "post(", "put(", "patch(", "delete("];
        let table = text.split(".route(Routes::").skip(1);
        let lines = table.filter_map(|it| it.split('\n').next());
        lines
            .map(|line| {
                calls
                    .iter()
                    .map(|it| line.matches(it).count())
                    .sum::<usize>()
            })
            .sum::<usize>()
    });
    found
}

/// A path with something in every place of a name.
fn filled(path: &str) -> String {
    let parts = path.split('/').map(|part| match part {
        "{version}" => "head",
        _ if part.starts_with('{') => "shop",
        _ => part,
    });
    let filled = parts.collect::<Vec<_>>().join("/");
    // A stream of what is there would not end.
    filled.replace("/ofrep/v1/events", "/ofrep/v1/events?cluster=shop")
}

/// What clients ask that know nothing of cfgctl.
fn is_view(path: &str) -> bool {
    path.contains("/ofrep/") || path.starts_with("/spring/") || path.ends_with("/flags.json")
}

const WHO: [&str; 9] = [
    "nothing", "no token", "wrong", "expired", "revoked", "alerts", "agent", "app", "no grant",
];

/// Whoever has a store with a cluster and a set.
fn owner() -> Cfgctl {
    let owner = Cfgctl::new().with("CFGCTL_STORE", "store.db");
    owner.write(
        "eu.yaml",
        "apiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata: {name: eu}\n\
         spec: {directory: {path: out}}\n",
    );
    owner.write(
        "own.yaml",
        "apiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {name: own}\n\
         spec: {values: {a: 1}}\n",
    );
    owner.ok(&["apply", "-f", "eu.yaml", "-f", "own.yaml", "--yes"]);
    owner
}

#[test]
fn who_comes_in_where_is_a_table() {
    let owner = owner();
    let create = |more: &[&str]| -> String {
        let made = owner.ok(&[&["token", "create"], more].concat());
        made.trim().to_owned()
    };
    let expired = create(&["old", "--expires", "1s"]);
    let revoked = create(&["gone"]);
    let api = create(&["ci"]);
    let tokens = [
        create(&["alertmanager", "--kind", "alerts"]),
        create(&["eu-agent", "--kind", "agent", "--cluster", "eu"]),
        create(&["own", "--kind", "app", "--set", "own"]),
        api.clone(),
    ];
    let server = Server::start(&owner, &["--recover"]);
    owner.ok(&["token", "revoke", "gone"]);
    let parsed: TokenText = api.parse().unwrap();
    let wrong = TokenText::new(parsed.kind(), parsed.id().clone(), &[7; 32]);
    let bearer = |token: &str| format!("Authorization: Bearer {token}\r\n");
    let heads = [
        String::new(),
        bearer("hello"),
        bearer(wrong.expose()),
        bearer(&expired),
        bearer(&revoked),
        bearer(&tokens[0]),
        bearer(&tokens[1]),
        bearer(&tokens[2]),
        bearer(&tokens[3]),
    ];
    // Until the server has seen the end of both.
    for ended in [&heads[3], &heads[4]] {
        while server.ask("GET /v1/identity", ended, "").0 != 401 {}
    }
    let routes = routes();
    let width = routes.iter().map(|(_, path)| path.len()).max().unwrap() + 8;
    let mut table = format!("{:width$}", "");
    for who in WHO {
        _ = write!(table, "  {who:>8}");
    }
    for (method, path) in routes {
        let route = format!("{method} {path}");
        _ = write!(table, "\n{route:width$}");
        let is_open = [
            "/healthz",
            "/readyz",
            "/openapi.json",
            "/.well-known/cfgctl",
            "/v1/tokens/exchange",
        ]
        .contains(&path.as_str());
        for (who, head) in WHO.into_iter().zip(&heads) {
            let asked = format!("{method} {}", filled(&path));
            let head = format!("{head}Content-Type: application/json\r\n");
            let (status, text) = server.ask(&asked, &head, "{}");
            // What is unknown is nobody anywhere, and what is for something else does nothing here.
            match who {
                _ if is_open => assert_ne!(status, 401, "{route}"),
                "nothing" | "no token" | "wrong" | "expired" | "revoked" => {
                    assert_eq!(status, 401, "{route} with {who}: {text}");
                }
                // Its own cluster is another one.
                "agent" if path.contains("/snapshots") => {
                    assert_eq!(status, 404, "{route} with {who}: {text}");
                }
                "agent" if path == "/v1/news" => assert_eq!(status, 200, "{route}: {text}"),
                // What was sent is no message.
                "alerts" if path.starts_with("/v1/hooks/") => {
                    assert_eq!(status, 400, "{route} with {who}: {text}");
                }
                // What they name is another one than they are for; an application need name nothing.
                "agent" | "app" if is_view(&path) => {
                    let is_own = who == "app" && path.starts_with("/ofrep/");
                    let statuses: &[u16] = if is_own { &[200, 404] } else { &[400, 404] };
                    assert!(statuses.contains(&status), "{route} with {who}: {text}");
                }
                // Its own set is another one.
                "app" if route.ends_with("/snapshots/{set}") => {
                    assert_eq!(status, 404, "{route} with {who}: {text}");
                }
                // The cluster of the path is not there, and what else there is is not its own.
                "app" if path.ends_with("/snapshots") => {
                    assert_eq!(status, 404, "{route} with {who}: {text}");
                }
                "alerts" | "agent" | "app" if path != "/v1/identity" => {
                    assert_eq!(status, 403, "{route} with {who}: {text}");
                }
                _ => assert!(status < 500 && status != 401, "{route}: {text}"),
            }
            let is_own = (who == "agent" && path == "/v1/identity")
                || (who == "app" && path.starts_with("/ofrep/"));
            assert!(
                is_own || is_open || !text.contains("\"eu\""),
                "{route} with {who}: {text}"
            );
            _ = write!(table, "  {status:>8}");
        }
    }
    insta::assert_snapshot!(table);
}
