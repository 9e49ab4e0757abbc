//! Whole processes, measured from outside.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How often the memory of a process is looked at.
const LOOK: Duration = Duration::from_micros(500);

/// The figures of one thing that was measured several times: of one unit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample {
    figures: Vec<f64>,
    pub(crate) unit: Unit,
}

/// What a figure counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Unit {
    #[default]
    Milliseconds,
    Mebibytes,
    Kibibytes,
    PerSecond,
}

impl Sample {
    pub(crate) fn add(&mut self, took: Duration) {
        self.figures.push(took.as_secs_f64() * 1000.0);
    }

    /// A figure that is no time.
    pub(crate) fn add_number(&mut self, figure: f64) {
        self.figures.push(figure);
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.figures.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    pub(crate) fn median(&self) -> f64 {
        let sorted = self.sorted();
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// What so many of a hundred are at most, as a figure of its own.
    pub(crate) fn percentile(&self, percent: usize) -> Self {
        let sorted = self.sorted();
        let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
        Self {
            figures: sorted.get(at).copied().into_iter().collect(),
            unit: self.unit,
        }
    }

    pub(crate) fn range(&self) -> (f64, f64) {
        let sorted = self.sorted();
        let end = |figure: Option<&f64>| figure.copied().unwrap_or(f64::NAN);
        (end(sorted.first()), end(sorted.last()))
    }
}

/// How long `work` takes.
pub(crate) fn clocked<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// A user with a home and a store of their own.
#[derive(Debug)]
pub(crate) struct User {
    home: TempDir,
}

impl User {
    pub(crate) fn new() -> Self {
        let home = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
        // Every home has it but a new one.
        fs::create_dir_all(home.path().join(".local/share")).expect("a directory");
        Self { home }
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Runs all of `work` several times after once for warmth, taking turns, so that what else
    /// the machine does meanwhile falls on each of them alike.
    pub(crate) fn samples<const N: usize>(
        &self,
        runs: usize,
        work: [&dyn Fn(&Self); N],
    ) -> [Sample; N] {
        let mut samples = work.map(|_| Sample::default());
        for run in 0..=runs {
            for (work, sample) in work.iter().zip(&mut samples) {
                let took = clocked(|| work(self));
                if run > 0 {
                    sample.add(took);
                }
            }
        }
        samples
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", self.home())
            .env("CFGCTL_ACTOR", "ops@laptop")
            .current_dir(self.home())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the release binary, which must succeed.
    pub(crate) fn cfgctl(&self, arguments: &[&str]) {
        let mut command = self.command(env!("CARGO_BIN_EXE_cfgctl"));
        succeed(command.args(arguments));
    }

    /// The same with these variables more.
    pub(crate) fn cfgctl_with(&self, variables: &[(&str, &str)], arguments: &[&str]) {
        let mut command = self.command(env!("CARGO_BIN_EXE_cfgctl"));
        command.envs(variables.iter().copied());
        succeed(command.args(arguments));
    }

    /// Runs the release binary, which must end with this code.
    pub(crate) fn cfgctl_ending_with(&self, code: i32, arguments: &[&str]) {
        let mut command = self.command(env!("CARGO_BIN_EXE_cfgctl"));
        end_with(code, command.args(arguments));
    }

    /// The consul command with these arguments, not yet run.
    pub(crate) fn consul_command(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(consul());
        command.args(arguments);
        command
    }

    /// Runs the consul command, which must succeed.
    pub(crate) fn consul(&self, arguments: &[&str]) {
        succeed(&mut self.consul_command(arguments));
    }

    /// The most memory that the release binary has at once. The system forgets it when a process
    /// ends, so it is looked at until then; it only grows.
    pub(crate) fn peak_memory(&self, runs: usize, arguments: &[&str]) -> Sample {
        let mut sample = Sample {
            unit: Unit::Mebibytes,
            ..Sample::default()
        };
        for _ in 0..runs {
            let mut command = self.command(env!("CARGO_BIN_EXE_cfgctl"));
            let child = command.args(arguments).stderr(Stdio::null()).spawn();
            let mut child = child.expect("the binary");
            let status = format!("/proc/{}/status", child.id());
            let mut peak = 0.0;
            while child.try_wait().expect("a process").is_none() {
                peak = peak_in(&status).unwrap_or(peak);
                std::thread::sleep(LOOK);
            }
            sample.figures.push(peak);
        }
        sample
    }
}

/// The consul command that `tests/bench/run` found.
pub(crate) fn consul() -> PathBuf {
    let chosen = std::env::var_os("CONSUL_BIN").map(PathBuf::from);
    chosen.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/consul"))
}

/// `Consul v1.8.7`.
pub(crate) fn consul_version() -> String {
    let output = Command::new(consul()).arg("version").output();
    let text = String::from_utf8(output.expect("consul").stdout).expect("text");
    text.lines().next().unwrap_or_default().to_owned()
}

/// `VmHWM:    12345 kB`, in MiB.
fn peak_in(status: &str) -> Option<f64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes / 1024.0)
}

fn succeed(command: &mut Command) {
    end_with(0, command);
}

fn end_with(code: i32, command: &mut Command) {
    let output = command.output().expect("a process");
    assert!(
        output.status.code() == Some(code),
        "{command:?}: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
}

/// How long the disk takes to keep a page for good: what any store pays for a commit, and more
/// than once.
pub(crate) fn fsync(runs: usize) -> Sample {
    use std::io::Write as _;
    let mut file = tempfile::tempfile_in(env!("CARGO_TARGET_TMPDIR")).expect("a file");
    let mut sample = Sample::default();
    for _ in 0..runs {
        file.write_all(&[1; 4096]).expect("a page");
        sample.add(clocked(|| file.sync_all().expect("a disk")));
    }
    sample
}
