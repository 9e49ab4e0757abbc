//! `cfgctl login`: the token of a server in a real keyring, and where else it is found.

use crate::support::cli::{Cfgctl, Ran};
use crate::support::keyring::Keyring;
use crate::support::server::Server;

fn login(user: &Cfgctl, token: &str, more: &[&str]) -> Ran {
    user.typed(&[&["login", "--token-stdin"], more].concat(), token)
}

/// A server, and the texts of two tokens that it knows.
fn served() -> (Cfgctl, Server, [String; 2]) {
    let host = Cfgctl::new().with("CFGCTL_STORE", "store.db");
    let create = |name: &str| host.ok(&["token", "create", name]).trim().to_owned();
    let tokens = [create("ana"), create("bob")];
    let server = Server::start(&host, &["--recover"]);
    (host, server, tokens)
}

#[test]
fn a_token_is_used_from_login_to_logout_at_its_server_alone() {
    let ((_host, server, [ana, bob]), keyring) = (served(), Keyring::open());
    let address = server.address.as_str();
    let bus = keyring.address();
    let at = |store: &str| {
        Cfgctl::new()
            .with("DBUS_SESSION_BUS_ADDRESS", &bus)
            .with("CFGCTL_STORE", store)
    };
    let mut user = at(address);
    assert_eq!(user.run(&["whoami"]).code, Some(6));
    let ran = login(&user, &ana, &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(
        ran.stdout.starts_with("token:ana (api, id "),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout
            .ends_with(&format!("the token for {address} is kept in the keyring\n"))
    );
    assert!(user.ok(&["whoami"]).starts_with("token:ana ("));
    // However the address is written, and never at another one.
    user.set("CFGCTL_STORE", &format!("{address}/"));
    assert!(user.ok(&["whoami"]).starts_with("token:ana ("));
    user.set("CFGCTL_STORE", &address.replace("127.0.0.1", "localhost"));
    assert_eq!(user.run(&["whoami"]).code, Some(6));
    user.set("CFGCTL_STORE", address);
    assert!(login(&user, &bob, &[]).stdout.contains("token:bob"));
    assert!(user.ok(&["whoami"]).starts_with("token:bob ("));

    // What is named wins: the variable, then the file.
    user.write("token", &ana);
    user.set("CFGCTL_TOKEN_FILE", "token");
    assert!(user.ok(&["whoami"]).starts_with("token:ana ("));
    let ran = login(&user, &ana, &[]);
    assert!(
        ran.stderr.contains("CFGCTL_TOKEN_FILE is set, and wins"),
        "{}",
        ran.stderr
    );
    user.set("CFGCTL_TOKEN", &bob);
    assert!(user.ok(&["whoami"]).starts_with("token:bob ("));
    assert!(
        login(&user, &ana, &[])
            .stderr
            .contains("CFGCTL_TOKEN is set, and wins")
    );

    let logout = ["logout", address, "-o", "name"];
    assert_eq!(user.ok(&logout), format!("{address}\n"));
    assert!(user.ok(&["logout"]).starts_with("no token was kept for "));
}

#[test]
fn a_token_that_the_server_does_not_know_is_not_kept() {
    let ((_host, server, [ana, _]), keyring) = (served(), Keyring::open());
    let user = Cfgctl::new().with("DBUS_SESSION_BUS_ADDRESS", &keyring.address());
    let wrong = format!("{ana}x");
    let ran = login(&user, &wrong, &[&server.address]);
    assert_eq!(ran.code, Some(6), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("the token was not kept"),
        "{}",
        ran.stderr
    );
    assert!(
        user.ok(&["logout", &server.address])
            .starts_with("no token was kept")
    );
    let ran = login(&user, "", &[&server.address]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    for (line, said) in [
        ("login", "the store is no server"),
        ("login store.db", "a server is `https://"),
        (
            "login http://192.0.2.1",
            "only `https://` keeps a token secret",
        ),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let ran = user.run(&words);
        assert_eq!(ran.code, Some(2), "{line}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{line}: {}", ran.stderr);
    }
    let ran = user.run(&["login", &server.address]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(ran.stderr.contains("--token-stdin"), "{}", ran.stderr);
    user.write("token", &format!("{ana}\n"));
    let ran = user.run(&["login", &server.address, "--token-file", "token"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("cfgctl context set"), "{}", ran.stderr);
}

#[test]
fn each_way_in_which_a_keyring_fails_is_told_with_what_to_do() {
    let (_host, server, [ana, _]) = served();
    let address = server.address.as_str();
    let user = |bus: &str| {
        Cfgctl::new()
            .with("DBUS_SESSION_BUS_ADDRESS", bus)
            .with("CFGCTL_STORE", address)
    };
    let fails = |ran: &Ran, said: &str, hint: &str| {
        assert_eq!(ran.code, Some(7), "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
        assert!(ran.stderr.contains(hint), "{hint}: {}", ran.stderr);
    };
    // No bus.
    let nobody = user("unix:path=/nonexistent/bus");
    let ran = login(&nobody, &ana, &[]);
    fails(&ran, "there is no keyring in this session", "CFGCTL_TOKEN");
    assert_eq!(
        nobody.run(&["whoami"]).code,
        Some(6),
        "it keeps nothing, and asks no keyring"
    );
    // Nothing to keep it in.
    let empty = Keyring::without_collection();
    let ran = login(&user(&empty.address()), &ana, &[]);
    fails(
        &ran,
        "no collection to keep the token in",
        "make a default keyring",
    );
    // Locked.
    let keyring = Keyring::open();
    let ana_s = user(&keyring.address());
    assert_eq!(login(&ana_s, &ana, &[]).code, Some(0));
    keyring.lock();
    let ran = ana_s.run(&["whoami"]);
    fails(
        &ran,
        "the keyring is locked",
        "open it with the password manager",
    );
    fails(&ran, "cannot be had", &format!("cfgctl logout {address}"));
    // Gone: another keyring than the one that it was put into.
    let other = Keyring::open();
    let mut ana_s = ana_s;
    ana_s.set("DBUS_SESSION_BUS_ADDRESS", &other.address());
    let ran = ana_s.run(&["whoami"]);
    fails(
        &ran,
        "does not hold the token any more",
        &format!("`cfgctl login {address}` keeps it"),
    );
    assert!(ana_s.ok(&["logout"]).contains("is forgotten"));
    assert_eq!(ana_s.run(&["whoami"]).code, Some(6));
}
