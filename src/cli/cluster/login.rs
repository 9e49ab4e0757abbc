//! `cfgctl cluster login` and `cfgctl cluster logout`.

use std::time::Duration;

use serde::Serialize;

use super::described::connected;
use crate::api::ClusterQuery;
use crate::cli::connect::{self, AclToken, Recognised};
use crate::cli::declared::FileArgs;
use crate::cli::failure::{Exit, Failure};
use crate::cli::keyring::{ELSEWHERE, Keyring, KeyringError, Login, Whose};
use crate::cli::session::{Session, duration};
use crate::cli::token;
use crate::cli::view::{Canvas, View};
use crate::cli::views::table::printable;
use crate::model::{self, ClusterName, Connection};

/// Which cluster, and where its token comes from.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct LoginArgs {
    /// The cluster
    name: ClusterName,

    /// Read the token from standard input instead of asking for it
    #[arg(long)]
    token_stdin: bool,

    /// Keep the token without showing it to the cluster first
    #[arg(long)]
    no_check: bool,

    /// The longest wait for the cluster, as in `30s` or `2m`
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = duration)]
    timeout: Duration,

    #[command(flatten)]
    files: FileArgs,
}

/// Which cluster.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct LogoutArgs {
    /// The cluster
    name: ClusterName,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LoggedIn {
    cluster: String,
    address: String,
    checked: bool,
    /// The name of the token that is no secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    accessor: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LoggedOut {
    cluster: String,
    addresses: Vec<String>,
}

pub(super) async fn login(session: &Session, args: &LoginArgs) -> Result<Exit, Failure> {
    if args.token_stdin && args.files.read_stdin() {
        return Err(Failure::usage(
            "standard input cannot be both the token and the files",
        ));
    }
    if args.files.filenames.is_empty() && connect::is_server(&session.store_location()?.0) {
        let error = "the server reaches the clusters, and would not find a token that is kept here";
        return Err(Failure::usage(error)
            .hint("log in on the machine of the server, as whoever runs it there"));
    }
    let name = &args.name;
    let (connected, described) = connected(session, &args.files).await?;
    let query = ClusterQuery {
        name: name.clone(),
        described,
    };
    let cluster = connected.service.cluster(&connected.by, &query).await?;
    let Connection::Consul(spec) = cluster.connection else {
        return Err(Failure::usage(format!("cluster `{name}` is a directory"))
            .hint("only a Consul asks for a token"));
    };
    if spec.token.is_some() {
        let error = format!("the manifest of `{name}` says where its token is");
        return Err(Failure::usage(error)
            .hint("take `token` out of the manifest to use the keyring; it would win over it"));
    }

    // An address that cannot be used should show before anyone types a token.
    let location = connect::location(session, name, &spec, args.timeout)?;
    let token = read_token(session, args, &location).await?;
    let recognised = if args.no_check {
        None
    } else {
        Some(check(session, args, &spec, &token).await?)
    };

    let login = Login {
        whose: Whose::Cluster(name.clone()),
        address: location.clone(),
    };
    Keyring::new(&session.environment)
        .keep(login, token.expose())
        .await?;
    if recognised == Some(Recognised::NoAcls) {
        session.ui.status("this Consul asks nobody for a token");
    }
    for variable in ["CONSUL_HTTP_TOKEN_FILE", "CONSUL_HTTP_TOKEN"] {
        if session.environment.variable(variable).is_some() {
            let note = format!("{variable} is set, and wins over the keyring as long as it is");
            session.ui.status(&note);
        }
    }
    session.ui.report(&LoggedIn {
        cluster: name.to_string(),
        address: location,
        checked: recognised.is_some(),
        accessor: recognised.and_then(|recognised| match recognised {
            Recognised::Accessor(accessor) => Some(accessor),
            Recognised::NoAcls => None,
        }),
    })?;
    Ok(Exit::Done)
}

async fn read_token(
    session: &Session,
    args: &LoginArgs,
    location: &str,
) -> Result<AclToken, Failure> {
    let what = format!("{} at {}", args.name, printable(location));
    let text = token::typed(session, args.token_stdin, &what).await?;
    AclToken::new(&text).ok_or_else(|| Failure::usage("there is no token in what was given"))
}

async fn check(
    session: &Session,
    args: &LoginArgs,
    spec: &model::ConsulSpec,
    token: &AclToken,
) -> Result<Recognised, Failure> {
    let recognised = connect::recognise(session, &args.name, spec, args.timeout, token).await;
    let failure = match recognised {
        Ok(recognised) => return Ok(recognised),
        Err(failure) => failure,
    };
    let failure = Failure {
        error: failure.error.context("the token was not kept"),
        ..failure
    };
    Err(match failure.exit {
        Exit::Denied => failure,
        _ => failure.hint("`--no-check` keeps it without asking the cluster"),
    })
}

pub(super) async fn logout(session: &Session, args: &LogoutArgs) -> Result<Exit, Failure> {
    let keyring = Keyring::new(&session.environment);
    let whose = Whose::Cluster(args.name.clone());
    let logins = keyring.forget(whose, None).await.map_err(|error| {
        let failure = Failure::from(error);
        let left = "cfgctl does not use the token any more, but the keyring may still hold it";
        Failure {
            error: failure.error.context(left),
            ..failure
        }
    })?;
    session.ui.report(&LoggedOut {
        cluster: args.name.to_string(),
        addresses: logins.into_iter().map(|login| login.address).collect(),
    })?;
    Ok(Exit::Done)
}

impl From<KeyringError> for Failure {
    fn from(error: KeyringError) -> Self {
        let hint = error.hint("cfgctl cluster login", ELSEWHERE);
        Self::new(Exit::Unavailable, error).hint(hint)
    }
}

impl View for LoggedIn {
    const KIND: &'static str = "Login";

    fn table(&self, _: Canvas) -> String {
        let address = printable(&self.address);
        format!(
            "the token for {} at {address} is kept in the keyring\n",
            self.cluster
        )
    }

    fn names(&self) -> Vec<String> {
        vec![self.cluster.clone()]
    }
}

impl View for LoggedOut {
    const KIND: &'static str = "Logout";

    fn table(&self, _: Canvas) -> String {
        if self.addresses.is_empty() {
            return format!("no token was kept for {}\n", self.cluster);
        }
        let addresses = printable(&self.addresses.join(", "));
        format!(
            "the token for {} at {addresses} is forgotten\n",
            self.cluster
        )
    }

    fn names(&self) -> Vec<String> {
        vec![self.cluster.clone()]
    }
}
