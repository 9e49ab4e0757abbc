//! Tokens in the keyring, tried with a real keyring and a Consul that denies by default.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::termios::{LocalModes, tcgetattr};

use crate::support::cli::{Cfgctl, Ran};
use crate::support::consul::Consul;
use crate::support::keyring::Keyring;

const MASTER: &str = "6f1f6a3e-7b1e-4f0e-9a55-0d3c8b1f2a11";
/// A token that no Consul knows.
const UNKNOWN: &str = "00000000-aaaa-bbbb-cccc-0123456789ab";

fn cluster(address: &str, more: &str) -> String {
    format!(
        "apiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata: {{name: eu}}\n\
         spec: {{consul: {{address: '{address}'{more}}}}}\n"
    )
}

fn set() -> String {
    "---\napiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {name: shop}\n\
     spec: {values: {a: 1}}\n"
        .to_owned()
}

fn user(keyring: &Keyring) -> Cfgctl {
    Cfgctl::new().with("DBUS_SESSION_BUS_ADDRESS", &keyring.address())
}

/// A user of a machine without a session bus.
fn user_without_bus() -> Cfgctl {
    let nowhere = "unix:path=/nonexistent/bus";
    Cfgctl::new().with("DBUS_SESSION_BUS_ADDRESS", nowhere)
}

/// Types `token` into standard input.
fn login(user: &Cfgctl, token: &str, more: &[&str]) -> Ran {
    let mut arguments = vec!["cluster", "login", "eu", "-f", "eu.yaml", "--token-stdin"];
    arguments.extend(more);
    user.typed(&arguments, token)
}

fn check(user: &Cfgctl) -> Ran {
    user.run(&["cluster", "check", "-f", "eu.yaml", "-o", "json"])
}

fn is_empty(user: &Cfgctl) -> bool {
    let logins = user.directory().join(".config/cfgctl/logins");
    std::fs::read_dir(logins).map_or(true, |mut files| files.next().is_none())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_used_from_login_to_logout() {
    let (consul, keyring) = (Consul::start_with_acl(MASTER).await, Keyring::open());
    let token = consul.token(r#"key "cfgctl/shop/snapshot" { policy = "write" }"#);
    let token = token.await;
    let user = user(&keyring);
    user.write("eu.yaml", &(cluster(&consul.address(), "") + &set()));
    let apply = ["apply", "-f", "eu.yaml", "--yes", "-o", "json"];
    assert_ne!(user.run(&apply).code, Some(0));

    let ran = login(&user, &token.secret, &["-o", "json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains(&token.accessor), "{}", ran.stdout);

    let ran = user.run(&apply);
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    assert!(!(ran.stdout + &ran.stderr).contains(&token.secret));
    assert!(consul.kv_get("cfgctl/shop/snapshot").await.is_some());
    for file in walk(user.directory()) {
        let bytes = std::fs::read(&file).unwrap();
        let bare = !bytes
            .windows(token.secret.len())
            .any(|part| part == token.secret.as_bytes());
        assert!(bare, "{}", file.display());
    }

    // Another one in its place, then none.
    let other = consul.token(r#"key_prefix "" { policy = "deny" }"#).await;
    assert_eq!(login(&user, &other.secret, &[]).code, Some(0));
    assert!(
        user.run(&["status"])
            .expect_code(7)
            .stdout
            .contains("denied")
    );
    let said = user.ok(&["cluster", "logout", "eu"]);
    assert_eq!(
        said,
        format!("the token for eu at {} is forgotten\n", consul.address())
    );
    assert!(is_empty(&user));
    assert!(
        user.run(&["status"])
            .expect_code(7)
            .stdout
            .contains("denied")
    );
    let said = user.ok(&["cluster", "logout", "eu"]);
    assert_eq!(said, "no token was kept for eu\n");
}

fn walk(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                walk(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_the_cluster_does_not_know_is_not_kept() {
    let (consul, keyring) = (Consul::start_with_acl(MASTER).await, Keyring::open());
    let user = user(&keyring);
    user.write("eu.yaml", &cluster(&consul.address(), ""));
    let ran = login(&user, UNKNOWN, &[]);
    assert_eq!(ran.code, Some(6), "{}", ran.stderr);
    assert!(ran.stderr.contains("ACL not found"), "{}", ran.stderr);
    assert!(is_empty(&user));
    // An environment with a good token does not make a bad one good.
    let user = user.with("CONSUL_HTTP_TOKEN", MASTER);
    assert_eq!(login(&user, UNKNOWN, &[]).code, Some(6));
    assert!(is_empty(&user));

    consul.kill();
    let ran = login(&user, UNKNOWN, &["--timeout", "2s"]);
    assert_eq!(ran.code, Some(7), "{}", ran.stderr);
    assert!(ran.stderr.contains("--no-check"), "{}", ran.stderr);
    assert!(is_empty(&user));
    assert_eq!(login(&user, UNKNOWN, &["--no-check"]).code, Some(0));
    assert!(!is_empty(&user));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_manifest_and_the_environment_win_over_the_keyring() {
    let (consul, keyring) = (Consul::start_with_acl(MASTER).await, Keyring::open());
    let user = user(&keyring);
    user.write("eu.yaml", &cluster(&consul.address(), ""));
    assert_eq!(login(&user, UNKNOWN, &["--no-check"]).stderr, "");
    let ran = check(&user);
    assert_eq!(ran.code, Some(6), "{}", ran.stdout);
    assert!(ran.stdout.contains("ACL not found"), "{}", ran.stdout);

    user.write("token", MASTER);
    let file = ", token: {file: token}";
    user.write("eu.yaml", &cluster(&consul.address(), file));
    assert_eq!(check(&user).code, Some(0));
    let ran = login(&user, MASTER, &[]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(ran.stderr.contains("take `token` out"), "{}", ran.stderr);

    user.write("eu.yaml", &cluster(&consul.address(), ""));
    let user = user.with("CONSUL_HTTP_TOKEN", MASTER);
    assert_eq!(check(&user).code, Some(0));
    let ran = login(&user, MASTER, &[]);
    assert_eq!(ran.code, Some(0));
    let note = "CONSUL_HTTP_TOKEN is set, and wins";
    assert!(ran.stderr.contains(note), "{}", ran.stderr);
}

#[test]
fn a_kept_token_never_goes_to_another_address() {
    let keyring = Keyring::open();
    let user = user(&keyring);
    user.write("eu.yaml", &cluster("http://127.0.0.1:9", ""));
    assert_eq!(login(&user, UNKNOWN, &["--no-check"]).stderr, "");

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let heard = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let read = stream.read(&mut request).unwrap();
        let answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        stream.write_all(answer).unwrap();
        String::from_utf8_lossy(&request[..read]).to_lowercase()
    });
    user.write("eu.yaml", &cluster(&address, ""));
    assert_eq!(check(&user).code, Some(6));
    let heard = heard.join().unwrap();
    assert!(heard.contains("get /v1/"), "{heard}");
    assert!(!heard.contains("x-consul-token"), "{heard}");
}

#[test]
fn whoever_never_logged_in_is_not_made_to_open_a_keyring() {
    let home = tempfile::tempdir().unwrap();
    let bus = home.path().join("bus");
    let listener = UnixListener::bind(&bus).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = format!("unix:path={}", bus.display());
    let user = Cfgctl::new().with("DBUS_SESSION_BUS_ADDRESS", &address);
    user.write("eu.yaml", &cluster("http://127.0.0.1:9", ""));
    assert_eq!(check(&user).code, Some(7));
    assert!(listener.accept().is_err());
}

#[test]
fn without_a_keyring_the_error_says_what_to_do_instead() {
    let user = user_without_bus();
    user.write("eu.yaml", &cluster("http://127.0.0.1:9", ""));
    let ran = login(&user, UNKNOWN, &["--no-check"]);
    assert_eq!(ran.code, Some(7));
    insta::assert_snapshot!(ran.stderr, @r"
    error: there is no keyring in this session: zbus error: Failed to connect to address `unix:path=/nonexistent/bus`: No such file or directory (os error 2)
    hint: without a keyring, set `CONSUL_HTTP_TOKEN` or `CONSUL_HTTP_TOKEN_FILE`, or name the source in the manifest: `token: {env: NAME}` or `token: {file: PATH}`
    ");
    assert!(is_empty(&user));
}

#[test]
fn a_keyring_without_a_collection_says_so() {
    let keyring = Keyring::without_collection();
    let user = user(&keyring);
    user.write("eu.yaml", &cluster("http://127.0.0.1:9", ""));
    let ran = login(&user, UNKNOWN, &["--no-check"]);
    assert_eq!(ran.code, Some(7));
    insta::assert_snapshot!(ran.stderr, @r"
    error: the keyring has no collection to keep the token in, and making one was refused
    hint: make a default keyring with the password manager of your desktop
    ");
    assert!(is_empty(&user));
}

#[test]
fn a_locked_keyring_is_an_error_for_whoever_logged_in_until_they_log_out() {
    let keyring = Keyring::open();
    let user = user(&keyring);
    user.write("eu.yaml", &cluster("http://127.0.0.1:9", ""));
    assert_eq!(login(&user, UNKNOWN, &["--no-check"]).stderr, "");
    keyring.lock();

    let ran = check(&user);
    assert_eq!(ran.code, Some(2), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("the keyring is locked"),
        "{}",
        ran.stdout
    );
    let ran = login(&user, UNKNOWN, &["--no-check"]);
    assert_eq!(ran.code, Some(7));
    insta::assert_snapshot!(ran.stderr, @r"
    error: the keyring is locked and was not opened
    hint: open it with the password manager of your desktop, then try again
    ");

    let ran = user.run(&["cluster", "logout", "eu"]);
    assert_eq!(ran.code, Some(7));
    insta::assert_snapshot!(ran.stderr, @r"
    error: cfgctl does not use the token any more, but the keyring may still hold it
      caused by: the keyring is locked and was not opened
    hint: open it with the password manager of your desktop, then try again
    ");
    // From now on it goes without, as far as the Consul lets it.
    let ran = check(&user);
    assert!(ran.stdout.contains("cannot be reached"), "{}", ran.stdout);
}

#[test]
fn a_token_that_was_taken_out_of_the_keyring_is_missed() {
    let (kept, empty) = (Keyring::open(), Keyring::open());
    let first = user(&kept);
    first.write("eu.yaml", &cluster("http://127.0.0.1:9", ""));
    assert_eq!(login(&first, UNKNOWN, &["--no-check"]).stderr, "");
    let later = first.with("DBUS_SESSION_BUS_ADDRESS", &empty.address());
    let ran = check(&later);
    assert_eq!(ran.code, Some(2), "{}", ran.stdout);
    let missing = "the keyring does not hold the token any more";
    assert!(ran.stdout.contains(missing), "{}", ran.stdout);
    assert!(later.ok(&["cluster", "logout", "eu"]).contains("forgotten"));
}

#[test]
fn without_a_terminal_it_names_the_flag() {
    let user = user_without_bus();
    user.write("eu.yaml", &cluster("http://127.0.0.1:9", ""));
    let ran = user.run(&["cluster", "login", "eu", "-f", "eu.yaml"]);
    assert_eq!(ran.code, Some(2));
    insta::assert_snapshot!(ran.stderr, @r"
    error: there is no terminal to ask for the token on
    hint: pass it on standard input, with `--token-stdin`
    ");
    let ran = user.run(&["cluster", "login", "eu", "-f", "-", "--token-stdin"]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    user.write("eu.yaml", &cluster("http://127.0.0.1:9", ""));
    assert_eq!(login(&user, "", &[]).code, Some(2));
}

/// Answers the question on a terminal of its own: what was on the screen, and the exit code.
fn typed(user: &Cfgctl, keys: &str) -> (String, Option<i32>) {
    let line = format!(
        "tty; trap : INT; {} cluster login eu -f eu.yaml --no-check; code=$?; stty -a; exit $code",
        env!("CARGO_BIN_EXE_cfgctl")
    );
    let mut command = Command::new("script");
    command.env_clear().env("TERM", "xterm");
    command.env("PATH", "/usr/bin:/bin").env("SHELL", "/bin/sh");
    for (name, value) in user.command(&[]).get_envs() {
        command.envs(value.map(|value| (name, value)));
    }
    let mut child = command
        .args(["-qec", &line, "/dev/null"])
        .current_dir(user.directory())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("`script` of util-linux");
    let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut terminal = String::new();
    output.read_line(&mut terminal).expect("a terminal");
    // What is typed before the echo is off is dropped.
    let terminal = File::open(terminal.trim()).expect("a terminal");
    let echoes = || {
        let modes = tcgetattr(&terminal).expect("a terminal").local_modes;
        modes.contains(LocalModes::ECHO)
    };
    let deadline = Instant::now() + Duration::from_secs(60);
    while echoes() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut keyboard = child.stdin.take().expect("a pipe");
    keyboard.write_all(keys.as_bytes()).unwrap();
    let mut screen = String::new();
    output.read_to_string(&mut screen).unwrap();
    drop(keyboard);
    let code = child.wait().unwrap().code();
    (screen, code)
}

#[test]
fn what_is_typed_is_kept_and_not_shown() {
    let keyring = Keyring::open();
    let user = user(&keyring);
    user.write("eu.yaml", &cluster("http://127.0.0.1:9", ""));
    let (screen, code) = typed(&user, &format!("{UNKNOWN}\r"));
    assert_eq!(code, Some(0), "{screen}");
    assert!(!screen.contains(UNKNOWN), "{screen}");
    assert!(screen.contains("is kept in the keyring"), "{screen}");
    assert!(!is_empty(&user));
}

#[test]
fn ctrl_c_keeps_nothing_and_leaves_a_terminal_that_echoes() {
    let keyring = Keyring::open();
    let user = user(&keyring);
    user.write("eu.yaml", &cluster("http://127.0.0.1:9", ""));
    let (screen, code) = typed(&user, "\u{3}");
    assert_eq!(code, Some(130), "{screen}");
    assert!(screen.contains(" echo "), "{screen}");
    assert!(is_empty(&user));
}
