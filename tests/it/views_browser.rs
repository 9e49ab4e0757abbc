//! A page in a real browser, whose flags come from the provider of `OpenFeature`: it never asks by the clock, and
//! hears of every change all the same.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::support::server::Server;
use crate::views::{app, host};

/// The page, as far as it tells.
struct Page {
    child: Child,
    stdin: Option<ChildStdin>,
    told: std::io::Lines<BufReader<std::process::ChildStdout>>,
    seen: Vec<Value>,
}

impl Page {
    /// A page that will ask this server with this token for a flag.
    fn new(server: &str, token: &str, flag: &str) -> Self {
        let variable = |name: &str, installer: &str| {
            std::env::var_os(name).unwrap_or_else(|| {
                panic!("{name} is not set: tests/{installer} installs it or says what is in the way, and tests/run passes it on")
            })
        };
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/browser.mjs");
        let mut child = Command::new("node")
            .arg(program)
            .args([server, token, flag])
            .env(
                "CFGCTL_TEST_CLIENTS",
                variable("CFGCTL_TEST_CLIENTS", "install-clients"),
            )
            .env("CHROMIUM_BIN", variable("CHROMIUM_BIN", "install-chromium"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node");
        let stdout = child.stdout.take().expect("a pipe");
        Self {
            stdin: child.stdin.take(),
            child,
            told: BufReader::new(stdout).lines(),
            seen: Vec::new(),
        }
    }

    /// The next thing that it tells which is so.
    fn until(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self.told.next();
            let line = line.unwrap_or_else(|| panic!("the page is gone: {:?}", self.seen));
            let told: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
            assert_ne!(told["event"], "failed", "{told} after {:?}", self.seen);
            self.seen.push(told.clone());
            if is_it(&told) {
                return told;
            }
        }
    }

    /// Waits until it shows this variant.
    fn until_variant(&mut self, variant: &str) {
        self.until(|told| told["value"]["variant"] == variant);
    }

    fn open(&mut self) {
        let stdin = self.stdin.as_mut().expect("a pipe");
        stdin.write_all(b"open\n").expect("a reader");
    }

    /// How often it has asked for all flags.
    fn asked(&self) -> usize {
        let is_it = |told: &&Value| told["event"] == "asked" && told["method"] == "POST";
        self.seen.iter().filter(is_it).count()
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // It ends its browser when nobody is there any more.
        drop(self.stdin.take());
        _ = self.child.wait();
    }
}

#[expect(
    clippy::print_stderr,
    reason = "how long it takes is worth knowing, and no test"
)]
#[test]
fn a_change_reaches_a_page_that_does_not_poll_and_again_after_a_restart() {
    let host = host();
    let token = app(&host, "web", &["--set", "checkout", "--cluster", "eu"]);
    // A port that is free again in a moment, so that the page can be told of it before the server starts.
    let server = Server::start(&host, &["--recover"]);
    let (address, listen) = (server.address.clone(), server.host().to_owned());
    drop(server);
    let mut page = Page::new(&address, &token, "banner");
    let origin = page.until(|told| told["event"] == "origin")["origin"].clone();
    let origin = origin.as_str().unwrap();
    let arguments = ["--recover", "--cors-origin", origin];
    let server = Server::start_at(&host, &listen, &arguments);
    page.open();
    page.until_variant("beta");
    page.until(|told| told["path"] == "/ofrep/v1/events");

    let change = |variant: &str, page: &mut Page| {
        let asked = page.asked();
        let begun = Instant::now();
        host.ok(&[
            "flag",
            "set",
            "checkout/banner",
            variant,
            "--yes",
            "-m",
            "try",
        ]);
        let committed = begun.elapsed();
        page.until(|told| told["event"] == "changed" && told["value"]["variant"] == variant);
        let took = begun.elapsed();
        eprintln!("a change is on the page after {took:?}, {committed:?} of it for the command");
        assert!(page.asked() > asked);
    };
    change("plain", &mut page);
    change("beta", &mut page);

    drop(server);
    page.until(|told| told["event"] == "stale");
    let server = Server::start_at(&host, &listen, &arguments);
    let begun = Instant::now();
    // It comes back by itself, and asks once.
    page.until(|told| told["event"] == "asked" && told["method"] == "POST");
    eprintln!("the page is back after {:?}", begun.elapsed());
    change("plain", &mut page);
    drop(server);
}
