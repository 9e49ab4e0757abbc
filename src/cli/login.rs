//! `cfgctl login`, `cfgctl logout` and `cfgctl whoami`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::connect::{self, Connected, connect};
use super::failure::{Exit, Failure};
use super::files::{self, Existing, Readers};
use super::keyring::{ELSEWHERE_OF_SERVER, Keyring, KeyringError, Login, Whose};
use super::oidc::{Presented, exchanged};
use super::session::Session;
use super::token;
use super::view::{Canvas, View};
use super::views::table::{moment, printable};
use crate::api::report::{Identity, PrincipalKind, Report};

/// Keep the token of a server in the keyring of the operating system
///
/// The server is asked first whom it takes the holder for. The token is used for this server alone, when
/// neither `CFGCTL_TOKEN` nor `CFGCTL_TOKEN_FILE` names one.
///
/// With `--oidc` a person gets the token by consenting in a browser, wherever that runs. A pipeline gets it
/// for the JWT that its forge makes for each job (`--oidc-github`, `--oidc-token`, or without either the
/// variable `CFGCTL_OIDC_TOKEN`, or the file that `CFGCTL_OIDC_TOKEN_FILE` names): once in a job, as each JWT
/// is good for one login. It is kept in the file that `--keep-in` or `CFGCTL_TOKEN_FILE` names, where the
/// commands after it find it if the variable names it.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct LoginArgs {
    /// The server, `https://HOST[:PORT]`; left out: the one that is the store
    server: Option<String>,

    /// Read the token from this file instead of asking for it
    #[arg(long, value_name = "FILE", conflicts_with = "token_stdin")]
    token_file: Option<PathBuf>,

    /// Read the token from standard input instead of asking for it
    #[arg(long)]
    token_stdin: bool,

    /// Log in as a person, in a browser, at the issuer that the server knows people by
    #[arg(long, conflicts_with_all = ["token_file", "token_stdin"])]
    oidc: bool,

    /// Log in with the JWT in this file, or in standard input if it is `-`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["token_file", "token_stdin", "oidc"])]
    oidc_token: Option<PathBuf>,

    /// Log in with a JWT that the runner of GitHub Actions makes for a job with `id-token: write`
    #[arg(long, conflicts_with_all = ["token_file", "token_stdin", "oidc", "oidc_token"])]
    oidc_github: bool,

    /// Whom that JWT is for; left out: the one audience that the server knows for pipelines
    #[arg(long, value_name = "TEXT", requires = "oidc_github")]
    audience: Option<String>,

    /// Keep the token in this file, which its owner alone may read, instead of in the keyring
    #[arg(long, value_name = "FILE")]
    keep_in: Option<PathBuf>,
}

/// Forget the token that `login` kept
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct LogoutArgs {
    /// The server; left out: the one that is the store
    server: Option<String>,
}

/// Whom the store or server takes you for
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct WhoamiArgs {}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LoggedIn {
    server: String,
    identity: Identity,
    /// The file that keeps the token; left out: the keyring does.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LoggedOut {
    server: String,
    forgotten: bool,
}

pub(crate) async fn login(session: &Session, args: &LoginArgs) -> Result<Exit, Failure> {
    let address = server(session, args.server.as_deref())?;
    let presented = presented(session, args)?;
    let file = file(session, args, presented.as_ref());
    let text = match presented {
        None => read_token(session, args, &address).await?,
        Some(presented) => exchanged(session, presented, &address).await?,
    };
    let Connected { service, by } = connect::to_server(session, &address, Some(&text))?;
    let identity = service.identity(&by).await.map_err(|error| {
        let failure = Failure::from(error);
        Failure {
            error: failure.error.context("the token was not kept"),
            // Where else to name a token is not what is missing here.
            hints: match failure.exit {
                Exit::Denied => Vec::new(),
                _ => failure.hints,
            },
            ..failure
        }
    })?;
    keep(session, &address, file.as_deref(), &text).await?;
    let store = session.store_location().ok().map(|(store, _)| store);
    if store.is_none_or(|store| connect::server_address(&store).ok().as_deref() != Some(&address)) {
        session.ui.status(&format!(
            "commands use it with `--store {address}`; `cfgctl context set NAME --store {address}` \
             and `cfgctl context use NAME` make that the rule"
        ));
    }
    session.ui.report(&LoggedIn {
        server: address,
        identity,
        file,
    })?;
    Ok(Exit::Done)
}

/// What is exchanged for the token, as the arguments say, or without any of them the variables of a job;
/// `None`: the token itself is given.
fn presented(session: &Session, args: &LoginArgs) -> Result<Option<Presented>, Failure> {
    let environment = &session.environment;
    Ok(match &args.oidc_token {
        _ if args.oidc => Some(Presented::Person),
        _ if args.oidc_github => Some(Presented::Github(args.audience.clone())),
        Some(path) => Some(Presented::file(environment, path)?),
        None if args.token_file.is_some() || args.token_stdin => None,
        None => Presented::variables(environment)?,
    })
}

/// Keeps the token in this file, else in the keyring.
async fn keep(
    session: &Session,
    address: &str,
    file: Option<&Path>,
    text: &str,
) -> Result<(), Failure> {
    let environment = &session.environment;
    let mut winners = vec!["CFGCTL_TOKEN"];
    if let Some(path) = file {
        let line = format!("{text}\n");
        files::write(path, line.as_bytes(), Existing::Replaced, Readers::Owner)
            .map_err(|error| files::failure(path, error))?;
    } else {
        let login = Login {
            whose: Whose::Server,
            address: address.to_owned(),
        };
        let kept = Keyring::new(environment).keep(login, text).await;
        kept.map_err(|error| failed(&error))?;
        winners.push("CFGCTL_TOKEN_FILE");
    }
    let place = file.map_or("keyring", |_| "file");
    for variable in winners {
        if environment.variable(variable).is_some() {
            let note = format!("{variable} is set, and wins over the {place} as long as it is");
            session.ui.status(&note);
        }
    }
    Ok(())
}

/// Where the token goes, if not into the keyring. A job has none, so what a pipeline gets goes where its
/// other commands look for it.
fn file(session: &Session, args: &LoginArgs, presented: Option<&Presented>) -> Option<PathBuf> {
    let environment = &session.environment;
    let variable = || environment.variable("CFGCTL_TOKEN_FILE").map(Path::new);
    let named = args.keep_in.as_deref().or_else(|| match presented? {
        Presented::Jwt(_) | Presented::Github(_) => variable(),
        Presented::Person => None,
    });
    named.map(|path| environment.directory.join(path))
}

/// The server that is named, or that is the store.
fn server(session: &Session, named: Option<&str>) -> Result<String, Failure> {
    let location = match named {
        Some(named) => named.to_owned(),
        None => session.store_location()?.0,
    };
    if !connect::is_server(&location) {
        let error = match named {
            Some(_) => "a server is `https://HOST[:PORT]`, or `http://` on this machine",
            None => "the store is no server, so there is nowhere to log in",
        };
        return Err(Failure::usage(error).hint("name one: `cfgctl login https://HOST[:PORT]`"));
    }
    connect::server_address(&location)
}

async fn read_token(session: &Session, args: &LoginArgs, address: &str) -> Result<String, Failure> {
    let text = if let Some(path) = &args.token_file {
        token::from_file(&session.environment.directory.join(path))?
    } else {
        token::typed(session, args.token_stdin, &printable(address)).await?
    };
    match text.trim() {
        "" => Err(Failure::usage("there is no token in what was given")),
        token => Ok(token.to_owned()),
    }
}

pub(crate) async fn logout(session: &Session, args: &LogoutArgs) -> Result<Exit, Failure> {
    let address = server(session, args.server.as_deref())?;
    let keyring = Keyring::new(&session.environment);
    let forgotten = keyring.forget(Whose::Server, Some(address.clone())).await;
    let forgotten = forgotten.map_err(|error| {
        let failure = failed(&error);
        let left = "cfgctl does not use the token any more, but the keyring may still hold it";
        Failure {
            error: failure.error.context(left),
            ..failure
        }
    })?;
    session.ui.report(&LoggedOut {
        server: address,
        forgotten: !forgotten.is_empty(),
    })?;
    Ok(Exit::Done)
}

pub(crate) async fn whoami(session: &Session, _: &WhoamiArgs) -> Result<Exit, Failure> {
    let Connected { service, by } = connect(session).await?;
    session.ui.report(&service.identity(&by).await?)?;
    Ok(Exit::Done)
}

/// Why the keyring does not do what it is asked, and what to do about each.
fn failed(error: &KeyringError) -> Failure {
    let hint = error.hint("cfgctl login", ELSEWHERE_OF_SERVER);
    Failure::new(Exit::Unavailable, anyhow::anyhow!("{error}")).hint(hint)
}

impl View for LoggedIn {
    const KIND: &'static str = "ServerLogin";

    fn table(&self, look: Canvas) -> String {
        let server = printable(&self.server);
        let identity = self.identity.table(look);
        let place = match &self.file {
            Some(file) => format!("`{}`", printable(&file.display().to_string())),
            None => "the keyring".to_owned(),
        };
        format!("{identity}the token for {server} is kept in {place}\n")
    }

    fn names(&self) -> Vec<String> {
        vec![self.identity.subject.clone()]
    }
}

impl View for LoggedOut {
    const KIND: &'static str = "ServerLogout";

    fn table(&self, _: Canvas) -> String {
        let server = printable(&self.server);
        if self.forgotten {
            format!("the token for {server} is forgotten\n")
        } else {
            format!("no token was kept for {server}\n")
        }
    }

    fn names(&self) -> Vec<String> {
        vec![self.server.clone()]
    }
}

impl View for Identity {
    const KIND: &'static str = <Self as Report>::KIND;

    fn table(&self, _: Canvas) -> String {
        let subject = printable(&self.subject);
        let how = match (self.principal, &self.token) {
            (PrincipalKind::Local, _) => "runs cfgctl beside the store".to_owned(),
            (PrincipalKind::Owner, _) => {
                "holds the token that the server was started with".to_owned()
            }
            (PrincipalKind::System, _) => "cfgctl itself".to_owned(),
            (PrincipalKind::Token, None) => "holds a token that was just revoked".to_owned(),
            (PrincipalKind::Token, Some(token)) => {
                let of = token.cluster.as_ref();
                let of = of.map_or_else(String::new, |cluster| format!(" of {cluster}"));
                let ends = match token.expires {
                    Some(expires) => format!("expires {}", moment(expires)),
                    None => "never expires".to_owned(),
                };
                format!("{}{of}, id {}, {ends}", token.kind, token.id)
            }
        };
        let mut text = format!("{subject} ({how})\n");
        if let Some(login) = &self.login {
            for group in &login.groups {
                _ = writeln!(text, "  {}", printable(group.as_str()));
            }
            for (name, value) in login.claims.iter() {
                _ = writeln!(text, "  {}: {}", printable(name), printable(value));
            }
        }
        text
    }

    fn names(&self) -> Vec<String> {
        vec![self.subject.clone()]
    }
}
