//! TLS as the manifest describes it, towards a Consul with an authority of its own.

use crate::support::cli::{Cfgctl, Ran};
use crate::support::consul::{Consul, make_certificates};

/// Checks the cluster of a manifest in `conf/` with this `tls`; the files lie in `conf/pki/`.
fn check(user: &Cfgctl, address: &str, tls: &str) -> Ran {
    user.write(
        "conf/eu.yaml",
        &format!(
            "apiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata: {{name: eu}}\n\
             spec: {{consul: {{address: '{address}', tls: {{{tls}}}}}}}\n"
        ),
    );
    user.run(&["cluster", "check", "-f", "conf/eu.yaml", "-o", "json"])
}

#[tokio::test(flavor = "multi_thread")]
async fn the_manifest_names_authority_certificate_and_server() {
    const OURS: &str = "certFile: pki/client.pem, keyFile: pki/client.key";
    let server = Consul::start_with_tls().await;
    let user = Cfgctl::new();
    for (directory, home) in [("pki", server.home()), ("other", user.directory())] {
        if directory == "other" {
            make_certificates(home);
        }
        for file in ["ca.pem", "client.pem", "client.key"] {
            let text = std::fs::read_to_string(home.join(file)).unwrap();
            user.write(&format!("conf/{directory}/{file}"), &text);
        }
    }
    let address = server.tls_address();
    for fine in [
        format!("caFile: pki/ca.pem, {OURS}"),
        format!("caFile: pki/ca.pem, {OURS}, serverName: server.dc1.consul"),
    ] {
        let ran = check(&user, &address, &fine);
        assert_eq!(ran.code, Some(0), "{fine}: {}{}", ran.stdout, ran.stderr);
    }
    for (tls, code, reason) in [
        (
            "caFile: pki/ca.pem".to_owned(),
            7,
            "it may ask for a client certificate, and none is named",
        ),
        (format!("caFile: other/ca.pem, {OURS}"), 7, "UnknownIssuer"),
        (OURS.to_owned(), 7, "UnknownIssuer"),
        (
            "caFile: pki/ca.pem, certFile: other/client.pem, keyFile: other/client.key".to_owned(),
            7,
            "it may not trust our certificate",
        ),
        (
            format!("caFile: pki/ca.pem, {OURS}, serverName: other.dc1.consul"),
            7,
            "not valid for name",
        ),
        (
            "caFile: pki/ca.pem, certFile: pki/client.pem, keyFile: pki/none.key".to_owned(),
            2,
            "conf/pki/none.key: No such file",
        ),
        (
            "caFile: pki/ca.pem, certFile: pki/client.pem, keyFile: pki/ca.pem".to_owned(),
            2,
            "are not a certificate and its key",
        ),
        (
            format!("caFile: pki/client.key, {OURS}"),
            2,
            "holds no PEM certificate",
        ),
    ] {
        let ran = check(&user, &address, &tls);
        assert_eq!(ran.code, Some(code), "{tls}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains(reason), "{tls}: {}", ran.stdout);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_manifest_wins_over_the_environment_and_the_environment_fills_the_gaps() {
    let server = Consul::start_with_tls().await;
    let file = |name: &str| server.home().join(name).display().to_string();
    let user = Cfgctl::new()
        .with("CONSUL_CACERT", "/nowhere/ca.pem")
        .with("CONSUL_HTTP_SSL_VERIFY", "false")
        .with("CONSUL_TLS_SERVER_NAME", "other.dc1.consul")
        .with("CONSUL_CLIENT_CERT", &file("client.pem"))
        .with("CONSUL_CLIENT_KEY", &file("client.key"));
    let address = server.tls_address();
    let authority = format!("caFile: {}", file("ca.pem"));
    let named = format!("{authority}, serverName: server.dc1.consul");
    let ran = check(&user, &address, &named);
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    // Who names an authority has the name checked, whatever the environment switches off.
    let ran = check(&user, &address, &authority);
    assert!(ran.stdout.contains("not valid for name"), "{}", ran.stdout);
}

#[test]
fn a_manifest_that_describes_tls_is_not_taken_to_mean_http() {
    let user = Cfgctl::new();
    let ran = check(&user, "http://127.0.0.1:9", "caFile: pki/ca.pem");
    assert_eq!(ran.code, Some(2));
    let user = Cfgctl::new().with("CONSUL_HTTP_ADDR", "127.0.0.1:9");
    user.write(
        "eu.yaml",
        "apiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata: {name: eu}\n\
         spec: {consul: {tls: {caFile: ca.pem}}}\n",
    );
    let ran = user.run(&["cluster", "check", "-f", "eu.yaml"]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(ran.stdout.contains("the address is http"), "{}", ran.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_file_is_found_beside_the_manifest() {
    const MASTER: &str = "6f1f6a3e-7b1e-4f0e-9a55-0d3c8b1f2a12";
    let server = Consul::start_with_acl(MASTER).await;
    let user = Cfgctl::new();
    user.write("conf/secrets/eu", &format!("{MASTER}\n"));
    user.write(
        "conf/eu.yaml",
        &format!(
            "apiVersion: cfgctl.dev/v1\nkind: Cluster\nmetadata: {{name: eu}}\n\
             spec: {{consul: {{address: '{}', token: {{file: secrets/eu}}}}}}\n",
            server.address()
        ),
    );
    let ran = user.run(&["cluster", "check", "-f", "conf/eu.yaml"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
}
