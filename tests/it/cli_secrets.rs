//! What an address holds beside the place is shown nowhere: no user, no password, no query.

use crate::support::cli::{Cfgctl, Ran};

const FORMATS: &[&str] = &[
    "table", "wide", "json", "yaml", "name", "markdown", "github", "junit",
];

/// Addresses as people write them, with a secret each.
const ADDRESSES: &[&str] = &[
    "http://127.0.0.1:1?token=SECRET",
    "http://127.0.0.1:1/?token=SECRET#SECRET",
    "http://user:SECRET@127.0.0.1:1",
    "http://SECRET@127.0.0.1:1",
    "https://127.0.0.1:1#SECRET",
    "127.0.0.1:1?token=SECRET",
    "ftp://u:SECRET@127.0.0.1",
    "http://u:a?#SECRET@127.0.0.1",
    "http://127.0.0.1:1?token=\"SECRET\" SECRET",
];

fn cluster(field: &str, address: &str) -> String {
    let address = serde_json::to_string(address).unwrap();
    format!(
        "apiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata: {{name: eu}}\n\
         spec: {{consul: {{{field}: {address}, prefix: a/b}}}}\n"
    )
}

/// Runs it in every form, and looks at all that it says.
fn nowhere(user: &Cfgctl, command: &[&str]) {
    for format in FORMATS {
        let ran = user.run(&[command, &["-o", format]].concat());
        hidden(&format!("{command:?} -o {format}"), &ran);
    }
}

fn hidden(what: &str, ran: &Ran) {
    let Ran { stdout, stderr, .. } = ran;
    assert!(!stdout.contains("SECRET"), "{what}\n{stdout}");
    assert!(!stderr.contains("SECRET"), "{what}\n{stderr}");
}

#[test]
fn an_address_in_a_file_is_shown_without_what_is_secret_in_it() {
    for address in ADDRESSES {
        for field in ["address", "adress"] {
            let user = Cfgctl::new();
            user.write("c.yaml", &cluster(field, address));
            nowhere(&user, &["validate", "-f", "c.yaml"]);
            for command in [
                &["diff", "-f", "c.yaml"][..],
                &["apply", "-f", "c.yaml", "--yes"],
                &["cluster", "check", "-f", "c.yaml"],
                &["cluster", "policy", "eu", "-f", "c.yaml"],
            ] {
                let ran = user.run(&[command, &["-o", "json"]].concat());
                hidden(&format!("{command:?} {address}"), &ran);
            }
        }
    }
}

#[test]
fn a_line_is_shown_without_the_secrets_of_its_other_fields() {
    let user = Cfgctl::new();
    for consul in [
        "{address: 'http://127.0.0.1:1?token=SECRET', prefx: a}",
        "{address: 'http://h', token: SECRET, prefx: a}",
        "{address: 'http://h', tokn: SECRET}",
        "{address: 'http://u:SECRET@h', address: 'http://u:SECRET@h'}",
        "{address: http://u:SECRET@h, prefix: [}",
    ] {
        user.write(
            "c.yaml",
            &format!(
                "apiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata: {{name: eu}}\n\
                 spec: {{consul: {consul}}}\n"
            ),
        );
        nowhere(&user, &["validate", "-f", "c.yaml"]);
    }
}

#[test]
fn the_columns_of_a_line_stay_where_they_are() {
    let user = Cfgctl::new();
    user.write("c.yaml", &cluster("adress", "http://é:SECRET@h"));
    let ran = user.run(&["validate", "-f", "c.yaml"]);
    let line = ran.stderr.lines().find(|line| line.starts_with("4 |"));
    let line = line.unwrap_or_else(|| panic!("{}", ran.stderr));
    let stars = "*".repeat("\"http://é:SECRET@h\"".chars().count());
    assert_eq!(
        line,
        format!("4 | spec: {{consul: {{adress: {stars}, prefix: a/b}}}}")
    );
    assert!(ran.stderr.contains("c.yaml:4:17"), "{}", ran.stderr);
}

#[test]
fn an_address_in_a_variable_is_shown_without_what_is_secret_in_it() {
    let environment = "apiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata: {name: eu}\n\
                       spec: {consul: {prefix: a/b}}\n---\n\
                       apiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {name: shop}\n\
                       spec: {values: {a: 1}}\n";
    for address in ADDRESSES {
        let user = Cfgctl::new().with("CONSUL_HTTP_ADDR", address);
        user.write("c.yaml", environment);
        for command in [
            &["apply", "-f", "c.yaml", "--yes", "--timeout", "1s"][..],
            &["diff", "-f", "c.yaml", "--timeout", "1s"],
            &["status", "--timeout", "1s"],
            &["drift", "--timeout", "1s"],
            &["cluster", "check", "--timeout", "1s"],
            &["cluster", "list"],
        ] {
            let ran = user.run(&[command, &["-o", "json"]].concat());
            hidden(&format!("{command:?} {address}"), &ran);
            hidden(&format!("{command:?} {address}"), &user.run(command));
        }
    }
    // The password of a proxy is one as well.
    let proxies = [
        ("HTTP_PROXY", "http://u:SECRET@127.0.0.1:1"),
        ("HTTP_PROXY", "127.0.0.1:1?SECRET SECRET"),
    ];
    for (name, proxy) in proxies {
        let user = Cfgctl::new().with(name, proxy);
        user.write("c.yaml", &cluster("address", "http://192.0.2.1:1"));
        let check = ["cluster", "check", "-f", "c.yaml", "--timeout", "1s"];
        nowhere(&user, &check);
    }
}

#[test]
fn the_location_of_a_store_is_shown_without_what_is_secret_in_it() {
    for location in [
        "https://u:SECRET@host/p",
        "https://host?token=SECRET",
        "etcd:u:SECRET@host",
        "postgres://host/db?password=SECRET SECRET",
    ] {
        let mut user = Cfgctl::new();
        nowhere(&user, &["get", "--store", location]);
        // An argument is no address; one that stands in it ends at a space.
        if location.contains("://") && !location.contains(' ') {
            nowhere(&user, &["get", location]);
        }
        nowhere(&user, &["context", "set", "x", "--store", location]);
        nowhere(&user, &["context", "list"]);
        nowhere(&user, &["status"]);
        user.set("CFGCTL_STORE", location);
        nowhere(&user, &["history", "shop"]);
        nowhere(&user, &["drift"]);
    }
}
