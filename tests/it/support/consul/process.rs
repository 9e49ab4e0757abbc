//! What an agent needs before it runs: a binary, ports, certificates, and a parent that stays.

use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{OnceLock, mpsc};

/// Ports above are handed out by the system to outgoing connections.
const PORTS: std::ops::Range<u16> = 10_000..32_000;
/// The ports of one agent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    pub(super) http: u16,
    pub(super) https: u16,
    pub(super) server: u16,
    pub(super) serf: u16,
}

/// No test may pass because there is no server.
pub(crate) fn binary() -> PathBuf {
    let chosen = std::env::var_os("CONSUL_BIN").map(PathBuf::from);
    let binary = chosen
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/tools/consul"));
    assert!(
        binary.is_file(),
        "there is no Consul at {}: tests/install-consul installs one or says what is in the way; or set CONSUL_BIN",
        binary.display()
    );
    binary
}

/// Has Consul make an authority of its own, and certificates for a server and a client.
pub(crate) fn make_certificates(home: &Path) {
    let make = |arguments: &[&str]| {
        let done = Command::new(binary())
            .arg("tls")
            .args(arguments)
            .current_dir(home)
            .env_clear()
            .output()
            .expect("consul tls runs");
        assert!(done.status.success(), "{done:?}");
    };
    make(&["ca", "create"]);
    make(&["cert", "create", "-server"]);
    make(&["cert", "create", "-client"]);
    for (made, name) in [
        ("consul-agent-ca", "ca"),
        ("dc1-server-consul-0", "server"),
        ("dc1-client-consul-0", "client"),
    ] {
        let rename = |from: String, to: String| std::fs::rename(home.join(from), home.join(to));
        rename(format!("{made}.pem"), format!("{name}.pem")).expect("a certificate");
        rename(format!("{made}-key.pem"), format!("{name}.key")).expect("a key");
    }
}

/// A port that is free at this moment.
pub(super) fn free_port() -> u16 {
    loop {
        let port = fastrand::u16(PORTS);
        let tcp = TcpListener::bind(("127.0.0.1", port));
        let udp = UdpSocket::bind(("127.0.0.1", port));
        if tcp.is_ok() && udp.is_ok() {
            return port;
        }
    }
}

/// Ports that are free at this moment.
pub(super) fn free_ports() -> Ports {
    Ports {
        http: free_port(),
        https: free_port(),
        server: free_port(),
        serf: free_port(),
    }
}

type Spawned = (Command, mpsc::Sender<std::io::Result<Child>>);

/// Starts a process from a thread that lives as long as this process. The parent-death signal
/// comes when the *thread* that started a child ends, and a test's thread ends with its test.
pub(crate) fn spawn_for_good(command: Command) -> Child {
    static SPAWNER: OnceLock<mpsc::Sender<Spawned>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (sender, receiver) = mpsc::channel::<Spawned>();
        std::thread::spawn(move || {
            for (mut command, answer) in receiver {
                // A test that gave up does not wait for it.
                let _ = answer.send(command.spawn());
            }
        });
        sender
    });
    let (sender, receiver) = mpsc::channel();
    spawner.send((command, sender)).expect("the spawner runs");
    receiver
        .recv()
        .expect("the spawner answers")
        .expect("start consul with setpriv (util-linux)")
}
