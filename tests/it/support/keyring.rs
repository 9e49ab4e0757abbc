//! A real Secret Service on a session bus of its own.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tempfile::TempDir;

use super::consul::spawn_for_good;

/// A bus, and a keyring that starts when it is first asked. Both end when it is dropped.
#[derive(Debug)]
pub(crate) struct Keyring {
    home: TempDir,
    bus: Child,
}

impl Keyring {
    /// A keyring that is open.
    pub(crate) fn open() -> Self {
        let keyring = Self::without_collection();
        std::fs::write(keyring.password(), "open sesame").expect("a password");
        keyring
    }

    /// A keyring that holds nothing to keep a secret in, and nobody is there to make it.
    pub(crate) fn without_collection() -> Self {
        // Short: the path of a socket has at most 107 bytes.
        let home = TempDir::new().expect("a directory");
        write_files(home.path());
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "--"])
            .arg(binary("dbus-daemon"))
            .arg(format!("--config-file={}/bus.conf", home.path().display()))
            .args(["--nofork", "--nosyslog", "--print-address"])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", home.path())
            .env("XDG_RUNTIME_DIR", home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut bus = spawn_for_good(command);
        let mut line = String::new();
        let output = bus.stdout.take().expect("a pipe");
        let read = BufReader::new(output).read_line(&mut line);
        assert!(read.expect("an address") > 0, "the bus did not start");
        Self { home, bus }
    }

    /// What `DBUS_SESSION_BUS_ADDRESS` must be to reach it.
    pub(crate) fn address(&self) -> String {
        format!("unix:path={}/bus", self.home.path().display())
    }

    /// Closes it: nobody is there to type its password.
    pub(crate) fn lock(&self) {
        std::fs::remove_file(self.password()).expect("it was open");
        self.stop();
    }

    fn password(&self) -> PathBuf {
        self.home.path().join("password")
    }

    /// Ends the keyring; the bus starts it again when it is needed.
    fn stop(&self) {
        let Ok(pid) = std::fs::read_to_string(self.home.path().join("pid")) else {
            return;
        };
        let pid = Pid::from_raw(pid.trim().parse().expect("a number")).expect("a pid");
        _ = kill_process(pid, Signal::KILL);
        let deadline = Instant::now() + Duration::from_secs(10);
        while test_kill_process(pid).is_ok() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        self.stop();
        self.bus.kill().expect("kill the bus");
        self.bus.wait().expect("wait for the bus");
    }
}

fn write_files(home: &Path) {
    let write = |name: &str, text: String| std::fs::write(home.join(name), text).expect("a file");
    let here = home.display();
    write(
        "bus.conf",
        format!(
            r#"<busconfig>
                <type>session</type>
                <listen>unix:path={here}/bus</listen>
                <auth>EXTERNAL</auth>
                <servicedir>{here}/services</servicedir>
                <policy context="default">
                    <allow send_destination="*" eavesdrop="true"/>
                    <allow eavesdrop="true"/>
                    <allow own="*"/>
                </policy>
            </busconfig>"#
        ),
    );
    std::fs::create_dir(home.join("services")).expect("a directory");
    write(
        "services/org.freedesktop.secrets.service",
        format!("[D-BUS Service]\nName=org.freedesktop.secrets\nExec=/bin/sh {here}/start\n"),
    );
    let daemon = binary("gnome-keyring-daemon");
    write(
        "start",
        format!(
            "echo $$ >'{here}/pid'\n\
             set -- '{}' --foreground --components=secrets --control-directory='{here}/control'\n\
             [ ! -e '{here}/password' ] || exec \"$@\" --unlock <'{here}/password'\n\
             exec \"$@\"\n",
            daemon.display()
        ),
    );
}

/// No test may pass because there is no keyring.
fn binary(name: &str) -> PathBuf {
    let chosen = std::env::var_os("KEYRING_BIN").map(PathBuf::from);
    let installed = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/tools/keyring/bin");
    let binary = chosen.unwrap_or_else(installed).join(name);
    assert!(
        binary.is_file(),
        "there is no {}: tests/install-keyring installs it or says what is in the way; or set KEYRING_BIN",
        binary.display()
    );
    binary
}
