//! `cfgctl serve`.

use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Component, Path, PathBuf};

use super::connect::{self, AllowedPlaces};
use super::failure::{Exit, Failure};
use super::interrupt::Interrupt;
use super::session::Session;
use super::token;
use crate::server::{Certificate, Server, Token};

/// What the history calls whoever shows the token: `token:admin`.
const NAME: &str = "admin";
/// The largest file of a certificate or key.
const MAX_PEM_BYTES: u64 = 1024 * 1024;

/// Serves the store over HTTP, so that every command can be used through it
///
/// Without `--token-file` it makes a token at each start and prints it once, with the command that
/// uses it. Whoever shows the token may do everything, and is called `token:admin` in the history.
/// Ctrl-C and SIGTERM end it: what is begun is finished.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ServeArgs {
    /// Where to listen; other machines can only be listened to with a certificate
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8440")]
    listen: SocketAddr,

    /// A file that holds the token, and nothing else; also `CFGCTL_SERVE_TOKEN_FILE`
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// The certificate to show, in PEM, with those between it and its authority
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// The private key of the certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// Let clients declare clusters that name what lies below these directories of this machine:
    /// directory targets, token files, certificates
    #[arg(long, value_name = "PATH", value_delimiter = ',')]
    allow_directories: Vec<PathBuf>,

    /// Let clients declare clusters whose token is in one of these variables of this process
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    allow_variables: Vec<String>,
}

pub(crate) async fn serve(session: &Session, args: &ServeArgs) -> Result<Exit, Failure> {
    let certificate = certificate(args)?;
    if certificate.is_none() && !args.listen.ip().is_loopback() {
        let error = format!(
            "without a certificate nobody may listen on `{}`",
            args.listen
        );
        return Err(Failure::usage(error)
            .hint("name one with `--tls-cert` and `--tls-key`, or listen on 127.0.0.1"));
    }
    let (token, text) = find_token(session, args)?;
    let service = connect::for_others(session, places(session, args)?).await?;
    let store = service.location();
    let server = Server::bind(args.listen, certificate).await;
    let server = server.map_err(|error| {
        let error =
            anyhow::Error::new(error).context(format!("cannot listen on `{}`", args.listen));
        Failure::new(Exit::Unavailable, error)
            .hint("another port: `--listen 127.0.0.1:0` takes any")
    })?;

    let interrupt = Interrupt::listen();
    log_to_stderr(session);
    let location = server.location();
    let ui = &session.ui;
    ui.status(&format!("serving the store at `{store}` on {location}"));
    if let Some(text) = text {
        // Not a status: it is shown nowhere else, and goes away with this process.
        ui.notice(&format!(
            "every command works through it, with the token that is shown only here:\n  \
             export CFGCTL_STORE={location} CFGCTL_TOKEN={text}\n"
        ));
    }
    server.serve(service, token, interrupt.receiver()).await;
    Ok(Exit::Done)
}

/// The token, and its text where nobody knows that yet.
fn find_token(session: &Session, args: &ServeArgs) -> Result<(Token, Option<String>), Failure> {
    let variable = session.environment.variable("CFGCTL_SERVE_TOKEN_FILE");
    let named = args.token_file.as_deref().or(variable.map(Path::new));
    let Some(path) = named else {
        let (token, text) = Token::random(NAME)
            .ok_or_else(|| Failure::new(Exit::Bug, anyhow::anyhow!("there is no randomness")))?;
        return Ok((token, Some(text)));
    };
    let text = token::from_file(&session.environment.directory.join(path))?;
    let token = Token::new(NAME, &text).map_err(|error| {
        let error = anyhow::Error::new(error);
        Failure::new(Exit::Usage, error.context("the token file holds no token"))
            .hint("`openssl rand -hex 32` prints one")
    })?;
    Ok((token, None))
}

fn places(session: &Session, args: &ServeArgs) -> Result<AllowedPlaces, Failure> {
    let directories = args.allow_directories.iter().map(|path| {
        let path = std::path::absolute(session.environment.directory.join(path));
        let path = path.map_err(anyhow::Error::new)?;
        // What clients name is compared as it is written.
        if path.components().any(|part| part == Component::ParentDir) {
            let error = format!("`{}` leads up again", path.display());
            return Err(Failure::usage(error).hint("name the directory without `..`"));
        }
        Ok(path)
    });
    Ok(AllowedPlaces {
        directories: directories.collect::<Result<_, Failure>>()?,
        variables: args.allow_variables.iter().cloned().collect(),
    })
}

fn certificate(args: &ServeArgs) -> Result<Option<Certificate>, Failure> {
    let (Some(chain), Some(key)) = (&args.tls_cert, &args.tls_key) else {
        return Ok(None);
    };
    let certificate = Certificate::from_pem(&pem(chain)?, &pem(key)?);
    let certificate = certificate.map_err(|error| {
        let (chain, key) = (chain.display(), key.display());
        let error = anyhow::Error::new(error).context(format!("`{chain}` and `{key}`"));
        Failure::new(Exit::Usage, error)
    })?;
    Ok(Some(certificate))
}

fn pem(path: &Path) -> Result<Vec<u8>, Failure> {
    let read = || {
        let mut bytes = Vec::new();
        std::fs::File::open(path)?
            .take(MAX_PEM_BYTES)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|error: std::io::Error| {
        let error = anyhow::Error::new(error);
        let error = error.context(format!("could not read `{}`", path.display()));
        Failure::new(Exit::Usage, error)
    })
}

/// Everything that the server has to say goes to standard error, one line each.
fn log_to_stderr(session: &Session) {
    let level = if session.ui.is_quiet() {
        tracing_subscriber::filter::LevelFilter::WARN
    } else {
        tracing_subscriber::filter::LevelFilter::INFO
    };
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(session.ui.colors_stderr())
        .with_target(false)
        .with_writer(std::io::stderr)
        .finish();
    // Nobody else sets one.
    _ = tracing::subscriber::set_global_default(subscriber);
}
