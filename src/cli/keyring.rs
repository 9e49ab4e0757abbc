//! Tokens in the keyring of the operating system.
//!
//! Beside the keyring lies one small file per token that was put there, which says for which
//! cluster at which address. Whoever never logged in has none of these files, and then the keyring
//! is never asked: it cannot slow a run down, open a dialog, or be missed. Whoever did log in is
//! told when the token cannot be had, instead of going on without one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use keyring::Entry;

use super::environment::Environment;
use super::files::{self, Existing, Readers};
use crate::model::{ClusterName, Digest};
use crate::target::consul::{AclToken, KeptTokens};

/// The service under which the keyring lists our tokens.
const SERVICE: &str = "cfgctl";
/// How long a keyring may take that asks its owner for a password: as long as a request.
const PATIENCE: Duration = Duration::from_secs(10);
/// What helps where there is no keyring, or none that opens.
pub(crate) const ELSEWHERE: &str = "without a keyring, set `CONSUL_HTTP_TOKEN` or \
     `CONSUL_HTTP_TOKEN_FILE`, or name the source in the manifest: `token: {env: NAME}` or \
     `token: {file: PATH}`";

/// Why the keyring does not do what it is asked. Each needs something else from its owner.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyringError {
    /// No session bus, or nobody on it who keeps secrets.
    #[error("there is no keyring in this session: {0}")]
    None(String),
    /// It runs, and has nothing to keep a secret in.
    #[error("the keyring has no collection to keep the token in, and making one was refused")]
    NoCollection,
    /// It has to be opened by its owner, who did not.
    #[error("the keyring is locked and was not opened")]
    Locked,
    /// It opened, and the token is gone.
    #[error("the keyring does not hold the token any more")]
    Missing,
    /// Its owner was asked for something, or it hangs.
    #[error("the keyring did not answer within {} s", PATIENCE.as_secs())]
    Slow,
    /// Anything else.
    #[error("the keyring failed: {0}")]
    Failed(String),
    /// The file that says for which cluster a token is kept.
    #[error("`{}`: {error}", .path.display())]
    File {
        /// Which file or directory.
        path: PathBuf,
        /// What is wrong with it.
        error: io::Error,
    },
}

/// The same for the token of a server.
pub(crate) const ELSEWHERE_OF_SERVER: &str = "without a keyring, name the token in \
     `CFGCTL_TOKEN`, or in the file that `CFGCTL_TOKEN_FILE` names";

impl KeyringError {
    /// What to do about it: `again` is the command that keeps the token again, `elsewhere` says where
    /// else it can be named.
    pub(crate) fn hint(&self, again: &str, elsewhere: &str) -> String {
        match self {
            Self::NoCollection => {
                "make a default keyring with the password manager of your desktop".to_owned()
            }
            Self::Locked | Self::Slow => {
                "open it with the password manager of your desktop, then try again".to_owned()
            }
            Self::Missing => format!("`{again}` keeps it again"),
            Self::None(_) | Self::Failed(_) | Self::File { .. } => elsewhere.to_owned(),
        }
    }
}

/// What a token is kept for. The address belongs to it: whoever changes where a cluster or a server is
/// does not get the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) whose: Whose,
    pub(crate) address: String,
}

/// Whom a token is shown to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// The Consul of this cluster.
    Cluster(ClusterName),
    /// A server of cfgctl.
    Server,
}

impl Whose {
    /// What it is called in names of files and in the keyring, where no cluster is called nothing.
    fn name(&self) -> &str {
        match self {
            Self::Cluster(name) => name.as_str(),
            Self::Server => "",
        }
    }
}

/// The tokens that this user keeps.
#[derive(Clone, Debug)]
pub(crate) struct Keyring {
    /// The directory of the files; `None` for a user without a home, who keeps nothing.
    logins: Option<PathBuf>,
}

impl Login {
    /// The name of the file. No cluster name has a dot.
    fn file(&self) -> String {
        let digest = Digest::of(self.address.as_bytes()).to_string();
        let digits: String = digest.chars().skip("sha256:".len()).take(16).collect();
        format!("{}.{digits}", self.whose.name())
    }

    /// The user under which the keyring lists the token.
    fn user(&self) -> String {
        format!("{}@{}", self.whose.name(), self.address)
    }

    fn entry(&self) -> Result<Entry, KeyringError> {
        if let Err(error) = Entry::store_status() {
            return Err(KeyringError::None(cause(error)));
        }
        Entry::new(SERVICE, &self.user()).map_err(|error| failed(&error))
    }
}

impl Keyring {
    /// The keyring of this user. Nothing is asked yet.
    pub(crate) fn new(environment: &Environment) -> Self {
        let directory = environment.config_directory().ok();
        Self {
            logins: directory.map(|directory| directory.join("logins")),
        }
    }

    /// Keeps `token`, in place of one that is kept for the same.
    pub(crate) async fn keep(&self, login: Login, token: &str) -> Result<(), KeyringError> {
        let (directory, token) = (self.directory()?.to_owned(), token.to_owned());
        in_time(move || {
            let entry = login.entry()?;
            // Whether there is one tells a keyring that is locked from one that has nothing yet.
            match entry.get_password() {
                Ok(_) | Err(keyring::Error::NoEntry) => {}
                Err(error) => return Err(failed(&error)),
            }
            entry
                .set_password(&token)
                .map_err(|error| not_kept(&error))?;
            note(&directory, &login)
        })
        .await
    }

    /// Forgets every token that is kept for this, at this address or at any, and says for which
    /// addresses.
    pub(crate) async fn forget(
        &self,
        whose: Whose,
        address: Option<String>,
    ) -> Result<Vec<Login>, KeyringError> {
        let directory = self.directory()?.to_owned();
        in_time(move || {
            let mut logins = noted(&directory, &whose)?;
            logins.retain(|login| address.as_ref().is_none_or(|it| *it == login.address));
            // The files go first: from then on no token is used any more.
            for login in &logins {
                let path = directory.join(login.file());
                fs::remove_file(&path).map_err(|error| KeyringError::File { path, error })?;
            }
            for login in &logins {
                match login.entry()?.delete_credential() {
                    Ok(()) | Err(keyring::Error::NoEntry) => {}
                    Err(error) => return Err(failed(&error)),
                }
            }
            Ok(logins)
        })
        .await
    }

    fn directory(&self) -> Result<&Path, KeyringError> {
        self.logins.as_deref().ok_or_else(|| {
            let reason = "neither XDG_CONFIG_HOME nor HOME is set";
            KeyringError::None(reason.to_owned())
        })
    }
}

impl Keyring {
    /// The token that is kept for this, if one is. Whoever keeps none asks no keyring.
    pub(crate) async fn kept(&self, login: Login) -> Result<Option<String>, KeyringError> {
        let Some(directory) = &self.logins else {
            return Ok(None);
        };
        let path = directory.join(login.file());
        in_time(move || {
            match fs::symlink_metadata(&path) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(KeyringError::File { path, error }),
            }
            let token = login.entry()?.get_password();
            token.map(Some).map_err(|error| failed(&error))
        })
        .await
    }
}

#[async_trait]
impl KeptTokens for Keyring {
    async fn token(
        &self,
        cluster: &ClusterName,
        location: &str,
    ) -> Result<Option<AclToken>, String> {
        let login = Login {
            whose: Whose::Cluster(cluster.clone()),
            address: location.to_owned(),
        };
        let kept = self.kept(login).await;
        let token = kept.and_then(|kept| {
            let token = kept.map(|kept| AclToken::new(&kept).ok_or(KeyringError::Missing));
            token.transpose()
        });
        token.map_err(|error| {
            format!(
                "the token that `cfgctl cluster login {cluster}` kept cannot be had: {error}; \
                 `cfgctl cluster logout {cluster}` goes on without it"
            )
        })
    }
}

/// Does what may take long off the threads that others work on.
async fn in_time<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KeyringError> + Send + 'static,
) -> Result<T, KeyringError> {
    match tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(work)).await {
        Ok(Ok(result)) => result,
        Ok(Err(error)) => Err(KeyringError::Failed(error.to_string())),
        Err(_) => Err(KeyringError::Slow),
    }
}

/// Writes down that a token is kept. There is nothing secret in it.
fn note(directory: &Path, login: &Login) -> Result<(), KeyringError> {
    let path = directory.join(login.file());
    let write = || {
        fs::create_dir_all(directory)?;
        let line = format!("{}\n", login.address);
        let (existing, readers) = (Existing::Replaced, Readers::AsUsual);
        files::write(&path, line.as_bytes(), existing, readers)
    };
    write().map_err(|error| KeyringError::File {
        path: path.clone(),
        error,
    })
}

/// What was written down for this.
fn noted(directory: &Path, whose: &Whose) -> Result<Vec<Login>, KeyringError> {
    let failed = |error| KeyringError::File {
        path: directory.to_owned(),
        error,
    };
    let files = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        files => files.map_err(failed)?,
    };
    let mut logins = Vec::new();
    for file in files {
        let file = file.map_err(failed)?;
        let name = file.file_name();
        let of_it = |(first, _): (&str, &str)| first == whose.name();
        if name
            .to_str()
            .and_then(|name| name.split_once('.'))
            .is_some_and(of_it)
        {
            let address = fs::read_to_string(file.path()).map_err(failed)?;
            logins.push(Login {
                whose: whose.clone(),
                address: address.trim().to_owned(),
            });
        }
    }
    Ok(logins)
}

/// Why a token could not be read or deleted.
fn failed(error: &keyring::Error) -> KeyringError {
    match error {
        keyring::Error::NoEntry => KeyringError::Missing,
        keyring::Error::NoStorageAccess(_) => KeyringError::Locked,
        error => KeyringError::Failed(cause(error)),
    }
}

/// Why a new token could not be kept by a keyring that could be searched.
fn not_kept(error: &keyring::Error) -> KeyringError {
    match error {
        // Asked for a collection to be made, its owner said no or could not be asked.
        keyring::Error::NoStorageAccess(_) => KeyringError::NoCollection,
        error => KeyringError::Failed(cause(error)),
    }
}

/// The cause that an error of the keyring names; never the data that some variants hold.
fn cause(error: &keyring::Error) -> String {
    match error {
        keyring::Error::PlatformFailure(cause) | keyring::Error::NoStorageAccess(cause) => {
            cause.to_string()
        }
        error => error.to_string(),
    }
}
