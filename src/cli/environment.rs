//! The one place where the environment, the clock and the terminal are asked.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use anyhow::Context as _;
use jiff::Timestamp;

use super::failure::Failure;
use crate::target;

/// The name of the directory below the XDG directories.
const APP: &str = "cfgctl";

/// What the surroundings say, asked once.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    variables: target::Variables,
    /// The working directory.
    pub(crate) directory: PathBuf,
    /// When the command began.
    pub(crate) now: Timestamp,
    /// Whether a person reads standard output.
    pub(crate) stdout_is_terminal: bool,
    /// Whether a person reads standard error and can answer.
    pub(crate) can_ask: bool,
    /// Whether a person reads standard error.
    pub(crate) stderr_is_terminal: bool,
    /// The columns of the terminal that standard output is, if it is one.
    pub(crate) width: Option<u16>,
}

impl Environment {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the edge where environment and clock enter"
    )]
    pub(crate) fn capture() -> Result<Self, Failure> {
        let stdout = std::io::stdout();
        let stderr_is_terminal = std::io::stderr().is_terminal();
        Ok(Self {
            // A variable that is not UTF-8 is none that cfgctl knows.
            variables: std::env::vars_os()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
            directory: std::env::current_dir().context("the working directory is gone")?,
            now: Timestamp::now(),
            stdout_is_terminal: stdout.is_terminal(),
            can_ask: stderr_is_terminal && std::io::stdin().is_terminal(),
            stderr_is_terminal,
            width: rustix::termios::tcgetwinsize(&stdout)
                .ok()
                .map(|size| size.ws_col)
                .filter(|columns| *columns > 0),
        })
    }

    /// What time it is, for commands that run on after [`Environment::now`].
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the edge where the clock enters"
    )]
    pub(crate) fn time() -> Timestamp {
        Timestamp::now()
    }

    /// A variable that is set and not empty.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name)
    }

    /// Whether a variable is set, and to nothing.
    pub(crate) fn is_empty(&self, name: &str) -> bool {
        self.variables.is_empty(name)
    }

    /// Every variable, for the targets that know some of them.
    pub(crate) fn variables(&self) -> &target::Variables {
        &self.variables
    }

    /// `$XDG_DATA_HOME/cfgctl`; see <https://specifications.freedesktop.org/basedir/latest/>.
    pub(crate) fn data_directory(&self) -> Result<PathBuf, Failure> {
        self.xdg("XDG_DATA_HOME", ".local/share")
    }

    /// `$XDG_CONFIG_HOME/cfgctl`.
    pub(crate) fn config_directory(&self) -> Result<PathBuf, Failure> {
        self.xdg("XDG_CONFIG_HOME", ".config")
    }

    fn xdg(&self, variable: &str, default: &str) -> Result<PathBuf, Failure> {
        // The specification has relative paths ignored.
        if let Some(path) = self.variable(variable).map(PathBuf::from)
            && path.is_absolute()
        {
            return Ok(path.join(APP));
        }
        let home = self.variable("HOME").ok_or_else(|| {
            Failure::usage(format!("neither {variable} nor HOME is set"))
                .hint(format!("set {variable}, or name the store with `--store`"))
        })?;
        Ok(PathBuf::from(home).join(default).join(APP))
    }

    /// Who acts: what `CFGCTL_ACTOR` says, else `user@host`.
    pub(crate) fn actor(&self) -> String {
        if let Some(actor) = self.variable("CFGCTL_ACTOR") {
            return actor
                .chars()
                .filter(|c| !c.is_control())
                .take(200)
                .collect();
        }
        let user = self.variable("USER").or_else(|| self.variable("LOGNAME"));
        // Containers often lack the variables.
        let user = user.map_or_else(
            || match rustix::process::geteuid() {
                uid if uid.is_root() => "root".to_owned(),
                uid => format!("uid{}", uid.as_raw()),
            },
            str::to_owned,
        );
        let host = rustix::system::uname();
        format!("{user}@{}", host.nodename().to_string_lossy())
    }
}
