//! An OpenID provider, which knows nothing of cfgctl.

use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::server::ask;

const PROGRAM: &str = include_str!("oidc_provider.mjs");

/// A provider that runs until it is dropped, with keys of its own.
#[derive(Debug)]
pub(crate) struct Provider {
    child: Child,
    /// `http://127.0.0.1:PORT`, which is what it calls itself.
    pub(crate) issuer: String,
}

impl Provider {
    pub(crate) fn start() -> Self {
        Self::start_at("0")
    }

    /// The same at a port where another one was before: it has other keys.
    pub(crate) fn start_at(port: &str) -> Self {
        let packages = std::env::var_os("CFGCTL_TEST_OIDC").expect(
            "CFGCTL_TEST_OIDC is not set: tests/install-oidc installs the provider or says what is in the way, and tests/run passes it on",
        );
        let mut child = Command::new("node")
            .args(["--input-type=module", "-e", PROGRAM, port])
            .current_dir(packages)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut issuer = String::new();
        stdout.read_line(&mut issuer).expect("a pipe");
        let issuer = issuer.trim().to_owned();
        assert!(issuer.starts_with("http"), "the provider did not start");
        Self { child, issuer }
    }

    pub(crate) fn port(&self) -> &str {
        self.issuer.rsplit(':').next().expect("a port")
    }

    fn ask(&self, path: &str, body: &Value) -> String {
        let host = self.issuer.trim_start_matches("http://");
        let stream = TcpStream::connect(host).expect("a provider");
        let (status, text) = ask(stream, &format!("POST {path}"), "", &body.to_string());
        assert_eq!(status, 200, "{text}");
        let (_, body) = text.split_once("\r\n\r\n").expect("a body");
        body.to_owned()
    }

    /// A JWT that says this; what is null is left out.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.ask("/test/sign", &json!({"claims": claims}))
    }

    /// The same with this in its head, signed so.
    pub(crate) fn sign_as(&self, alg: &str, header: &Value, claims: &Value) -> String {
        let request = json!({"claims": claims, "header": header, "alg": alg});
        self.ask("/test/sign", &request)
    }

    /// One that says this and is not signed, or not by the provider.
    pub(crate) fn forge(&self, kind: &str, claims: &Value) -> String {
        self.ask("/test/forge", &json!({"claims": claims, "kind": kind}))
    }

    /// What a person reads at the end who typed this code and said `yes` or `no`.
    pub(crate) fn consent(&self, code: &str, says: &str) -> String {
        self.ask("/test/consent", &json!({"code": code, "says": says}))
    }

    /// How often it was asked for its keys.
    pub(crate) fn asked(&self) -> u64 {
        let counts: Value = serde_json::from_str(&self.ask("/test/counts", &json!({}))).unwrap();
        counts["keys"].as_u64().unwrap()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
