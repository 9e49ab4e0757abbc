//! Logins with what an issuer says: a server, its clients, and a real OpenID provider.

use std::io::{BufRead as _, BufReader, Read as _};

use serde_json::{Value, json};

use crate::support::cli::{Cfgctl, Ran};
use crate::support::keyring::Keyring;
use crate::support::oidc::Provider;
use crate::support::server::{Server, json_by};

/// A store with a set and a cluster, and a server over it that knows the provider.
struct World {
    host: Cfgctl,
    provider: Provider,
    server: Server,
}

/// The arguments of a server that knows the issuers of `logins.yaml`.
const SERVE: [&str; 3] = ["--recover", "--oidc", "logins.yaml"];

impl World {
    /// Where a grant makes an editor of the production of repository 7, and another one of ana.
    fn new(people: bool) -> Self {
        let provider = Provider::start();
        let issuer = &provider.issuer;
        let host = Cfgctl::new().with("CFGCTL_STORE", "store.db");
        host.write(
            "shop.yaml",
            "apiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata: {name: eu}\n\
             spec: {directory: {path: out}}\n---\n\
             apiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {name: shop}\n\
             spec: {values: {a: 1}}\n",
        );
        host.write(
            "grants.yaml",
            &format!(
                "apiVersion: cfgctl.dev/v1\nkind: Grant\nmetadata: {{name: pipeline}}\nspec:\n  to:\n  \
                 - claims: {{iss: \"{issuer}\", repository_id: \"7\", environment: production}}\n  \
                 role: editor\n---\n\
                 apiVersion: cfgctl.dev/v1\nkind: Grant\nmetadata: {{name: people}}\nspec:\n  \
                 to: [\"group:shop\"]\n  role: operator\n"
            ),
        );
        let people = if people {
            "    people: {clientId: cfgctl}\n"
        } else {
            ""
        };
        host.write(
            "logins.yaml",
            &format!(
                "apiVersion: cfgctl.dev/v1\nkind: Logins\nissuers:\n  - issuer: {issuer}\n    \
                 audience: cfgctl\n{people}"
            ),
        );
        host.ok(&["apply", "-f", "shop.yaml", "-f", "grants.yaml", "--yes"]);
        let server = Server::start(&host, &SERVE);
        Self {
            host,
            provider,
            server,
        }
    }

    /// A JWT of the pipeline that may, where these claims are others.
    fn jwt(&self, changed: &Value) -> String {
        self.provider.sign(&claims(changed))
    }

    /// Status, and the whole answer.
    fn exchange(&self, jwt: &str) -> (u16, String) {
        exchange(&self.server, jwt)
    }

    fn audit(&self, what: &str) -> Vec<Value> {
        let lines = self.host.ok(&["audit", "list", "-o", "json"]);
        let entries = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap());
        let entries: Vec<Value> = entries.collect();
        let is_it = |entry: &Value| entry["event"] == what;
        entries.into_iter().filter(is_it).collect()
    }
}

/// The claims of the pipeline that may, where these claims are others.
fn claims(changed: &Value) -> Value {
    let mut claims = json!({"aud": "cfgctl", "sub": "repo:shop/config:environment:production",
            "repository": "shop/config", "repository_id": "7", "environment": "production",
            "event_name": "push", "run_attempt": "1"});
    for (name, value) in changed.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

fn exchange(server: &Server, jwt: &str) -> (u16, String) {
    let head = "Content-Type: application/json\r\n";
    let body = json!({"jwt": jwt}).to_string();
    server.ask("POST /v1/tokens/exchange", head, &body)
}

/// The token in an answer.
fn token((status, answer): (u16, String)) -> String {
    assert_eq!(status, 200, "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    body["text"].as_str().unwrap().to_owned()
}

/// Nothing of a JWT stands in `text`.
fn shows_nothing(text: &str, jwt: &str) {
    for part in jwt.split('.').filter(|part| part.len() > 20) {
        assert!(!text.contains(part), "{text}");
    }
}

#[test]
fn a_pipeline_gets_a_token_for_a_jwt_and_none_for_it_again() {
    let world = World::new(false);
    let jwt = world.jwt(&json!({}));
    let token = token(world.exchange(&jwt));
    let pipeline = Cfgctl::new()
        .with("CFGCTL_STORE", &world.server.address)
        .with("CFGCTL_TOKEN", &token);
    let who = pipeline.ok(&["whoami"]);
    let port = world.provider.port();
    let subject = format!("oidc:127.0.0.1:{port}/shop/config");
    assert!(who.starts_with(&format!("{subject} (api, id ")), "{who}");
    assert!(who.contains("\n  repository_id: 7\n"), "{who}");
    assert!(!who.contains("run_attempt"), "{who}");
    pipeline.write(
        "shop.yaml",
        "apiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {name: shop}\nspec: {values: {a: 2}}\n",
    );
    pipeline.ok(&["apply", "-f", "shop.yaml", "--yes"]);
    assert!(world.host.ok(&["history", "shop"]).contains(&subject));
    assert_eq!(
        pipeline.run(&["auth", "can-i", "apply", "shop"]).code,
        Some(0)
    );
    assert_eq!(pipeline.run(&["token", "list"]).code, Some(6));
    // Whoever may ask for others asks by claims too.
    for (environment, code) in [("production", 0), ("staging", 1)] {
        let issuer = &world.provider.issuer;
        let whom = format!("claims:iss={issuer},repository_id=7,environment={environment}");
        let asked = ["auth", "can-i", "apply", "shop", "--as", &whom];
        assert_eq!(world.host.run(&asked).code, Some(code));
        let mut owner = Cfgctl::new();
        world.server.lead(&mut owner);
        assert_eq!(owner.run(&asked).code, Some(code));
    }
    // The token is his for a quarter of an hour, whatever the JWT says, and ends like any other.
    let tokens: Value =
        serde_json::from_str(&world.host.ok(&["token", "list", "-o", "json"])).unwrap();
    let listed = &tokens["items"][0];
    let time = |name: &str| {
        listed[name]
            .as_str()
            .unwrap()
            .parse::<jiff::Timestamp>()
            .unwrap()
    };
    assert_eq!(time("expires").duration_since(time("at")).as_secs(), 900);
    assert_eq!(listed["by"], json!(subject));
    let name = listed["name"].as_str().unwrap();
    let ran = world.host.run(&["token", "rotate", name]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);

    let refused = |(status, answer): (u16, String)| {
        assert_eq!(status, 403, "{answer}");
        assert!(answer.contains("exchanged already"), "{answer}");
        shows_nothing(&answer, &jwt);
    };
    refused(world.exchange(&jwt));
    let other = Server::start(&world.host, &SERVE);
    refused(exchange(&other, &jwt));
    drop(other);
    let World {
        host,
        provider: _provider,
        server,
    } = world;
    drop(server);
    // Nobody but the job is logged in, so there is a token for the owner without `--recover`.
    let again = Server::start(&host, &SERVE[1..]);
    refused(exchange(&again, &jwt));
    host.ok(&["token", "revoke", name]);
    while again.ask("GET /v1/identity", &json_by(&token), "").0 != 401 {}
}

#[test]
fn of_two_servers_to_which_a_jwt_is_shown_at_once_one_lets_it_in() {
    let world = World::new(false);
    let other = Server::start(&world.host, &SERVE);
    for _ in 0..5 {
        let jwt = world.jwt(&json!({}));
        let statuses = std::thread::scope(|scope| {
            let asked: Vec<_> = [&world.server, &other, &world.server, &other]
                .map(|server| scope.spawn(|| exchange(server, &jwt).0))
                .into();
            let mut all: Vec<u16> = asked.into_iter().map(|it| it.join().unwrap()).collect();
            all.sort_unstable();
            all
        });
        assert_eq!(statuses, [200, 403, 403, 403]);
    }
}

/// JWTs that do not count, and what is said of each.
#[expect(
    clippy::disallowed_methods,
    reason = "the server that judges them has the time of this machine"
)]
fn refused(world: &World) -> Vec<(String, &'static str)> {
    let provider = &world.provider;
    let now = jiff::Timestamp::now().as_second();
    let long = "x".repeat(20_000);
    let good = claims(&json!({}));
    let with_kid = |kid: &str| provider.sign_as("RS256", &json!({"kid": kid}), &good);
    let other = Provider::start();
    vec![
        (world.jwt(&json!({"aud": "other"})), "(`aud`)"),
        (world.jwt(&json!({"aud": null})), "(`aud`)"),
        (world.jwt(&json!({"aud": ["cfgctl", "other"]})), "(`azp`)"),
        (
            world.jwt(&json!({"iss": "https://evil.example.com"})),
            "(`iss`)",
        ),
        (world.jwt(&json!({"iss": null})), "(`iss`)"),
        (world.jwt(&json!({"exp": now - 61})), "(`exp`)"),
        (world.jwt(&json!({"exp": null})), "(`exp`)"),
        (world.jwt(&json!({"exp": "never"})), "(`exp`)"),
        (world.jwt(&json!({"exp": now + 90_000})), "(`exp`)"),
        (world.jwt(&json!({"nbf": now + 300})), "(`nbf`)"),
        (world.jwt(&json!({"iat": now + 300})), "(`iat`)"),
        (
            world.jwt(&json!({"event_name": "pull_request_target"})),
            "(`event_name`)",
        ),
        (
            world.jwt(&json!({"event_name": "workflow_run"})),
            "(`event_name`)",
        ),
        (world.jwt(&json!({"padding": long})), "16 KiB"),
        (with_kid("nobody's"), "(`kid`)"),
        (
            provider.sign_as("RS256", &json!({"typ": "at+jwt"}), &good),
            "(`typ`)",
        ),
        (provider.forge("none", &good), "(`alg`)"),
        (provider.forge("none, with the signature", &good), "(`alg`)"),
        (provider.forge("the key as PEM", &good), "(`alg`)"),
        (provider.forge("the modulus", &good), "(`alg`)"),
        // Another one that calls itself by the name of ours, or signs as ours with its own key.
        (
            other.sign(&claims(&json!({"iss": provider.issuer}))),
            "(`kid`)",
        ),
        (other.sign(&good), "(`iss`)"),
        (String::new(), "three parts"),
        ("a.b.c".to_owned(), "three parts"),
    ]
}

#[test]
fn what_does_not_count_is_refused_and_nothing_of_it_is_told() {
    let world = World::new(false);
    let cases = refused(&world);
    // Of one address not many are looked at in a second.
    for (jwt, said) in &cases {
        let (status, answer) = loop {
            match world.exchange(jwt) {
                (429, _) => {}
                answered => break answered,
            }
        };
        assert_eq!(status, 401, "{said}: {answer}");
        assert!(answer.contains(said), "{said}: {answer}");
        shows_nothing(&answer, jwt);
    }
    let head = "Content-Type: application/json\r\n";
    for (body, expected) in [
        (r#"{"jwt": 7}"#.to_owned(), 400),
        (r#"{"jwt": "a", "more": 1}"#.to_owned(), 400),
        (json!({"jwt": "x".repeat(70_000)}).to_string(), 413),
    ] {
        let (status, answer) = loop {
            match world.server.ask("POST /v1/tokens/exchange", head, &body) {
                (429, _) => {}
                answered => break answered,
            }
        };
        assert_eq!(status, expected, "{answer}");
    }
    let failed = |world: &World| -> u64 {
        let entries = world.audit("LOGIN_FAILED");
        let counts = entries
            .iter()
            .map(|it| it["noted"]["loginFailed"]["count"].as_u64());
        counts.map(Option::unwrap).sum()
    };
    let metrics = world.server.ask_known("GET /metrics", "", "").1;
    let expected = format!("reason=\"login\"}} {}", cases.len());
    assert!(metrics.contains(&expected), "{metrics}");
    assert!(world.audit("LOGGED_IN").is_empty());
    let World {
        host,
        provider,
        server,
    } = world;
    server.signal(rustix::process::Signal::TERM);
    let (_, said) = server.end();
    for (jwt, _) in &cases {
        shows_nothing(&said, jwt);
    }
    let server = Server::start(&host, &SERVE);
    let world = World {
        host,
        provider,
        server,
    };
    assert_eq!(failed(&world), cases.len() as u64);
}

#[test]
fn whom_no_grant_is_to_learns_what_he_is_and_not_what_is_asked_of_others() {
    let world = World::new(false);
    let said = |changed: Value| {
        let (status, answer) = world.exchange(&world.jwt(&changed));
        assert_eq!(status, 403, "{answer}");
        answer
    };
    let answer = said(json!({"environment": "staging"}));
    assert!(answer.contains("`environment` is `staging`"), "{answer}");
    assert!(!answer.contains("production"), "{answer}");
    assert!(!answer.contains("`repository_id`"), "{answer}");
    let answer = said(json!({"environment": null}));
    assert!(
        answer.contains("`environment` is not in the JWT"),
        "{answer}"
    );
    // Somebody else's repository cannot find out what environments ours has.
    for environment in ["production", "staging"] {
        let answer = said(json!({"repository_id": "8", "environment": environment}));
        assert!(answer.contains("`repository_id` is `8`"), "{answer}");
        assert!(answer.contains("`environment` is"), "{answer}");
        assert!(!answer.contains("`7`"), "{answer}");
    }
    // A grant that is taken away is none from then on, for whoever is logged in too.
    let token = token(world.exchange(&world.jwt(&json!({}))));
    let pipeline = Cfgctl::new()
        .with("CFGCTL_STORE", &world.server.address)
        .with("CFGCTL_TOKEN", &token);
    pipeline.ok(&["show", "shop"]);
    world.host.ok(&["delete", "grant/pipeline", "--yes"]);
    assert_ne!(pipeline.run(&["show", "shop"]).code, Some(0));
}

#[test]
fn keys_are_looked_up_when_they_change_and_kept_while_the_provider_is_down() {
    let world = World::new(false);
    token(world.exchange(&world.jwt(&json!({}))));
    let port = world.provider.port().to_owned();
    let good = claims(&json!({}));
    let later = [(); 2].map(|()| world.jwt(&json!({})));
    let unknown = world
        .provider
        .sign_as("RS256", &json!({"kid": "another"}), &good);
    let World {
        host,
        provider,
        server,
    } = world;
    let issuer = provider.issuer.clone();
    drop(provider);
    // Down: what it signed before still counts, and of anything else nobody can tell.
    token(exchange(&server, &later[0]));
    let status = loop {
        match exchange(&server, &unknown).0 {
            401 | 429 => {}
            status => break status,
        }
    };
    assert_eq!(status, 503);
    // Up again, with other keys.
    let provider = Provider::start_at(&port);
    assert_eq!(provider.issuer, issuer);
    let world = World {
        host,
        provider,
        server,
    };
    loop {
        let (status, answer) = world.exchange(&world.jwt(&json!({})));
        match status {
            401 | 429 | 503 => {}
            _ => {
                token((status, answer));
                break;
            }
        }
    }
    let (status, answer) = world.exchange(&later[1]);
    assert_eq!(status, 401, "{answer}");
}

#[test]
fn however_many_bad_jwts_come_the_provider_is_asked_seldom() {
    let world = World::new(false);
    token(world.exchange(&world.jwt(&json!({}))));
    let good = claims(&json!({}));
    let bad = world
        .provider
        .sign_as("RS256", &json!({"kid": "another"}), &good);
    let begun = std::time::Instant::now();
    let statuses: Vec<u16> = (0..1000).map(|_| world.exchange(&bad).0).collect();
    assert!(statuses.iter().all(|status| [401, 429].contains(status)));
    assert!(statuses.contains(&429), "nobody stopped them");
    // Once at the start, and no more than once in five seconds since.
    let most = 2 + begun.elapsed().as_secs() / 5;
    let asked = world.provider.asked();
    assert!(asked <= most, "{asked} times, and {most} at most");
}

#[test]
fn a_person_logs_in_by_consenting_in_a_browser() {
    let (world, keyring) = (World::new(true), Keyring::open());
    let user = Cfgctl::new()
        .with("DBUS_SESSION_BUS_ADDRESS", &keyring.address())
        .with("CFGCTL_STORE", &world.server.address);
    let login = |says: &str| {
        let mut child = user.spawn(&["login", "--oidc"]);
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let (mut said, mut code) = (String::new(), None);
        while code.is_none() {
            let mut line = String::new();
            assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "it ended: {said}");
            if said.ends_with("enter the code\n") {
                code = Some(line.trim().to_owned());
            }
            said.push_str(&line);
        }
        world.provider.consent(&code.unwrap(), says);
        stderr.read_to_string(&mut said).unwrap();
        let ran = Ran::of(child);
        (ran.code, ran.stdout, said)
    };
    let (code, _, said) = login("no");
    assert_eq!(code, Some(6), "{said}");
    assert!(said.contains("it was denied in the browser"), "{said}");
    let (code, stdout, said) = login("yes");
    assert_eq!(code, Some(0), "{said}");
    assert!(
        stdout.starts_with("user:ana@example.com (api, id "),
        "{stdout}"
    );
    assert!(stdout.contains("\n  group:shop\n"), "{stdout}");
    assert!(stdout.ends_with("is kept in the keyring\n"), "{stdout}");
    // The group's grant is his.
    assert_eq!(user.run(&["auth", "can-i", "switch", "shop"]).code, Some(0));
    assert_eq!(user.run(&["auth", "can-i", "apply", "shop"]).code, Some(1));
    let entries = world.audit("LOGGED_IN");
    assert_eq!(entries[0]["actor"], json!("user:ana@example.com"));
    assert_eq!(entries.len(), 1, "to make the token is the login");
    let log = world.host.ok(&["audit", "list"]);
    assert!(
        log.contains(&format!("logged in by {}", world.provider.issuer)),
        "{log}"
    );
}

#[test]
fn a_job_logs_in_once_and_its_commands_find_the_token() {
    let world = World::new(false);
    let job = || {
        Cfgctl::new()
            .with("CFGCTL_STORE", &world.server.address)
            .with("CFGCTL_TOKEN_FILE", "token")
    };
    // GitLab puts it in a variable.
    let gitlab = job().with("CFGCTL_OIDC_TOKEN", &world.jwt(&json!({})));
    let said = gitlab.ok(&["login"]);
    assert!(said.ends_with("token`\n"), "{said}");
    gitlab.ok(&["show", "shop"]);
    gitlab.ok(&["status"]);
    let ran = gitlab.run(&["login"]);
    assert_eq!(ran.code, Some(6), "{}", ran.stderr);
    assert!(ran.stderr.contains("exchanged already"), "{}", ran.stderr);
    // GitHub's runner is asked for it, for the audience that the server wants.
    let claims = claims(&json!({"aud": null})).to_string();
    let claims = percent_encoding::utf8_percent_encode(&claims, percent_encoding::NON_ALPHANUMERIC);
    let place = format!("{}/test/runner?claims={claims}", world.provider.issuer);
    let github = job()
        .with("ACTIONS_ID_TOKEN_REQUEST_URL", &place)
        .with("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "runner");
    github.ok(&["login", "--oidc-github", "--keep-in", "token"]);
    github.ok(&["show", "shop"]);
    let ran = github.run(&["login", "--oidc-github", "--audience", "other"]);
    assert_eq!(ran.code, Some(6), "{}", ran.stderr);
    let ran = job().run(&["login", "--oidc-github"]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(ran.stderr.contains("id-token: write"), "{}", ran.stderr);
    // Any other way.
    let other = job();
    other.write("jwt", &world.jwt(&json!({})));
    other.ok(&["login", "--oidc-token", "jwt"]);
    let ran = other.typed(&["login", "--oidc-token", "-"], &world.jwt(&json!({})));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let mode = std::fs::metadata(other.directory().join("token")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(&mode.permissions());
    assert_eq!(mode & 0o777, 0o600);
    let ran = other.run(&["login", "--oidc"]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("no issuer for people"),
        "{}",
        ran.stderr
    );
}

#[test]
fn the_file_of_issuers_that_the_readme_shows_is_one() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"));
    let readme = readme.unwrap();
    let files: Vec<&str> = readme
        .split("```yaml\n")
        .filter(|block| block.starts_with("# logins.yaml"))
        .map(|block| block.split_once("```").unwrap().0)
        .collect();
    assert_eq!(files.len(), 2);
    for text in files {
        let file: cfgctl::oidc::IssuersFile = serde_yaml::from_str(text).unwrap();
        file.check().unwrap();
    }
}

#[test]
fn a_file_of_issuers_that_cannot_be_right_is_refused_at_the_start() {
    let host = Cfgctl::new().with("CFGCTL_STORE", "store.db");
    let head = "apiVersion: cfgctl.dev/v1\nkind: Logins\nissuers:\n";
    let issuer = "  - {issuer: https://a.example.com, audience: cfgctl";
    for (text, said) in [
        ("issuers: []\n".to_owned(), "missing field `apiVersion`"),
        (format!("{head}  []\n"), "1 to 32 issuers"),
        (
            format!("{head}{issuer}, algoritms: []}}\n"),
            "line 4 column",
        ),
        (
            format!("{head}{issuer}, algorithms: [HS256]}}\n"),
            "unknown variant `HS256`",
        ),
        (
            format!("{head}{issuer}, algorithms: []}}\n"),
            "no algorithm",
        ),
        (format!("{head}{issuer}}}\n{issuer}}}\n"), "named twice"),
        (
            format!("{head}  - {{issuer: http://a.example.com, audience: cfgctl}}\n"),
            "https://HOST",
        ),
        (
            format!(
                "{head}{issuer}, people: {{clientId: a}}}}\n{}, people: {{clientId: a}}}}\n",
                issuer.replace("a.ex", "b.ex")
            ),
            "at most one issuer knows `people`",
        ),
        (
            format!("{head}{issuer}, caFile: nowhere.pem}}\n"),
            "nowhere.pem",
        ),
        (
            format!("{head}{issuer}, caFile: logins.yaml}}\n"),
            "holds no certificates",
        ),
    ] {
        host.write("logins.yaml", &text);
        let ran = host.run(&["serve", "--listen", "127.0.0.1:0", "--oidc", "logins.yaml"]);
        assert_eq!(ran.code, Some(2), "{text}\n{}", ran.stderr);
        assert!(ran.stderr.contains(said), "{text}\n{}", ran.stderr);
    }
    assert!(!host.directory().join("store.db").exists());
    let server = Server::start(&host, &[]);
    let (status, answer) = exchange(&server, "a.b.c");
    assert_eq!(status, 404, "{answer}");
    let (status, answer) = server.ask("GET /.well-known/cfgctl", "", "");
    assert_eq!(status, 200);
    assert!(answer.contains("\"issuers\":[]"), "{answer}");
}
