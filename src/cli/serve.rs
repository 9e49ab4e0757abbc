//! `cfgctl serve`.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tracing_subscriber::filter::LevelFilter;

use super::connect::{self, AllowedPlaces, Offered};
use super::failure::{Exit, Failure};
use super::files::{self, Existing, Readers};
use super::interrupt::Interrupt;
use super::issuers;
use super::notify;
use super::session::Session;
use super::token;
use crate::api::Door;
use crate::model::TokenKind;
use crate::model::text::without_secrets;
use crate::notify::Notifier;
use crate::server::{Certificate, CheckpointKey, Pem, RATE, Reader, Server, Token};

/// Serves the store over HTTP, so that every command can be used through it
///
/// It knows whoever shows a token that `cfgctl token create` made. As long as there is no such token of
/// the kind `api`, or with `--recover`, it makes one for its owner at its start and prints it once, with
/// the command that uses it; `--token-file` names one. Whoever shows the token of the owner may do
/// everything, and is called `owner` in the history. Ctrl-C and SIGTERM end it: what is begun is
/// finished.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ServeArgs {
    /// Where to listen; other machines can only be listened to with a certificate
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8440")]
    #[arg(env = "CFGCTL_SERVE_LISTEN", hide_env_values = true)]
    listen: SocketAddr,

    /// A file that holds the token of the owner, and nothing else; also `CFGCTL_SERVE_TOKEN_FILE`
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// Make a token for the owner in any case: for whoever lost all others
    #[arg(long)]
    recover: bool,

    /// The certificate to show, in PEM, with those between it and its authority; it, its key
    /// and their files are looked at again every few seconds
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    #[arg(env = "CFGCTL_SERVE_TLS_CERT", hide_env_values = true)]
    tls_cert: Option<PathBuf>,

    /// The private key of the certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    #[arg(env = "CFGCTL_SERVE_TLS_KEY", hide_env_values = true)]
    tls_key: Option<PathBuf>,

    /// Let nobody in who shows no certificate of one of these authorities, in PEM; who he is and
    /// what he may do says his token all the same
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    #[arg(env = "CFGCTL_SERVE_TLS_CLIENT_CA", hide_env_values = true)]
    tls_client_ca: Option<PathBuf>,

    /// The private key, in PEM, that checkpoints of the log are signed with; made where it is not there.
    /// Left out: `checkpoint.key` beside the default store
    #[arg(long, value_name = "FILE")]
    #[arg(env = "CFGCTL_SERVE_CHECKPOINT_KEY", hide_env_values = true)]
    checkpoint_key: Option<PathBuf>,

    /// A file that names the issuers whose JWTs are exchanged for tokens, so that people and pipelines log
    /// in without a stored secret (OpenID Connect)
    #[arg(long, value_name = "FILE")]
    #[arg(env = "CFGCTL_SERVE_OIDC", hide_env_values = true)]
    oidc: Option<PathBuf>,

    /// How many requests a second may come with one token from one address, on average
    #[arg(long, value_name = "N", default_value_t = RATE)]
    #[arg(env = "CFGCTL_SERVE_RATE_LIMIT", hide_env_values = true)]
    rate_limit: NonZeroU32,

    /// A file that says who is told what happens, where and in which form
    #[arg(long, value_name = "FILE")]
    #[arg(env = "CFGCTL_SERVE_NOTIFY", hide_env_values = true)]
    notify: Option<PathBuf>,

    /// How often clusters are compared with what they should hold, so that drift is told: as in `5m`;
    /// left out: never
    #[arg(long, value_name = "DURATION", value_parser = super::session::duration)]
    #[arg(env = "CFGCTL_SERVE_LOOK_FOR_DRIFT", hide_env_values = true)]
    look_for_drift: Option<Duration>,

    /// Let pages of this origin, as in `https://shop.example.com`, ask for flags in browsers (OFREP); `*` lets
    /// those of all
    #[arg(long = "cors-origin", value_name = "ORIGIN", value_delimiter = ',', value_parser = origin)]
    #[arg(env = "CFGCTL_SERVE_CORS_ORIGIN", hide_env_values = true)]
    cors_origins: Vec<String>,

    /// How to write what there is to say while it serves, on standard error: as text, or as one JSON object
    /// a line
    #[arg(long = "log", value_name = "FORM", value_enum, default_value_t = LogForm::Text)]
    #[arg(env = "CFGCTL_SERVE_LOG", hide_env_values = true)]
    log: LogForm,

    /// Let clients declare clusters that name what lies below these directories of this machine:
    /// directory targets, token files, certificates
    #[arg(long, value_name = "PATH", value_delimiter = ',')]
    #[arg(env = "CFGCTL_SERVE_ALLOW_DIRECTORIES", hide_env_values = true)]
    allow_directories: Vec<PathBuf>,

    /// Let clients declare clusters whose token is in one of these variables of this process
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    #[arg(env = "CFGCTL_SERVE_ALLOW_VARIABLES", hide_env_values = true)]
    allow_variables: Vec<String>,
}

/// How the log of a server is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum LogForm {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// Reads an origin as browsers send it.
fn origin(input: &str) -> Result<String, String> {
    let address = input.strip_prefix("https://");
    let address = address.or_else(|| input.strip_prefix("http://"));
    let is_host = |host: &str| {
        let is_of_it =
            |c: char| c.is_ascii_graphic() && !"/?#@\\".contains(c) && !c.is_ascii_uppercase();
        !host.is_empty() && host.chars().all(is_of_it)
    };
    if input == "*" || address.is_some_and(is_host) {
        return Ok(input.to_owned());
    }
    Err(
        "an origin is a scheme and a host, with a port if it has one, and nothing after it"
            .to_owned(),
    )
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
    let issuers = args.oidc.as_ref();
    let issuers = issuers.map(|path| issuers::load(&session.environment.directory.join(path)));
    let issuers = issuers.transpose()?;
    let Offered {
        service,
        door,
        upkeep,
        outbox,
        is_there,
    } = connect::for_others(session, places(session, args)?).await?;
    let owner = find_owner(session, args, door.as_ref()).await?;
    let store = service.location();
    let server = Server::bind(args.listen, certificate).await;
    let server = server.map_err(|error| {
        let error =
            anyhow::Error::new(error).context(format!("cannot listen on `{}`", args.listen));
        Failure::new(Exit::Unavailable, error)
            .hint("another port: `--listen 127.0.0.1:0` takes any")
    })?;
    let server = server.at_most(args.rate_limit);
    let server = server.open_to(args.cors_origins.iter().cloned());
    let (key, verifier) = checkpoint_key(session, args)?;
    let server = server.signing(key);
    let server = match issuers {
        Some(issuers) => server.trusting(issuers),
        None => server,
    };

    let told = args.notify.as_deref();
    let told = told
        .map(|path| notify::told(&session.environment, path))
        .transpose()?;
    let notifier = match told {
        Some(told) => Some(Notifier::begin(outbox, &told.source, told.receivers).await?),
        None => None,
    };
    let server = server.looking_for_drift(args.look_for_drift);

    let interrupt = Interrupt::listen();
    let begun = Begun {
        store,
        is_there,
        location: server.location(),
        verifier,
    };
    let owner = match args.log {
        LogForm::Text => {
            log_to_stderr(session);
            begun.tell(session, owner)
        }
        LogForm::Json => begun.log(session, owner),
    };
    let telling = notifier.map(|notifier| tokio::spawn(notifier.work()));
    server
        .serve(service, (door, upkeep), owner, interrupt.receiver())
        .await;
    if let Some(telling) = telling {
        telling.abort();
    }
    if args.log == LogForm::Json {
        tracing::info!("stopped");
    }
    Ok(Exit::Done)
}

/// What there is to say at the start.
struct Begun {
    store: String,
    is_there: bool,
    location: String,
    verifier: String,
}

/// What is said where [`Begun::is_there`] is not so.
const NOT_THERE: &str = "there is no store there yet: the first commit makes it";

impl Begun {
    /// Says it to a person, and whom the server is to know as its owner.
    fn tell(&self, session: &Session, owner: Owner) -> Option<Token> {
        let Self {
            store,
            location,
            verifier,
            is_there,
        } = self;
        let ui = &session.ui;
        ui.status(&format!("serving the store at `{store}` on {location}"));
        if !is_there {
            ui.status(NOT_THERE);
        }
        ui.status(&format!("checkpoints of its log are signed by {verifier}"));
        match owner {
            Owner::Known(token) => Some(token),
            Owner::New(token, text) => {
                self.show(session, &text);
                Some(token)
            }
            Owner::None => {
                ui.status(&format!(
                    "whoever has a token logs in with `cfgctl login {location}`; \
                     `cfgctl serve --recover` makes another one"
                ));
                None
            }
        }
    }

    /// The same as lines of JSON. A token is shown before the first of them, as text: it is for a person,
    /// and whoever keeps the lines keeps no secret.
    fn log(&self, session: &Session, owner: Owner) -> Option<Token> {
        let owner = match owner {
            Owner::Known(token) => Some(token),
            Owner::New(token, text) => {
                self.show(session, &text);
                Some(token)
            }
            Owner::None => None,
        };
        log_lines_to_stderr(session);
        let store = without_secrets(&self.store);
        let (location, verifier) = (self.location.as_str(), self.verifier.as_str());
        let (version, has_owner) = (env!("CARGO_PKG_VERSION"), owner.is_some());
        tracing::info!(version, store, location, verifier, has_owner, "serving");
        if !self.is_there {
            tracing::info!("{NOT_THERE}");
        }
        owner
    }

    /// Not a status: it is shown nowhere else, and goes away with this process.
    fn show(&self, session: &Session, token: &str) {
        let location = &self.location;
        session.ui.notice(&format!(
            "every command works through it, with the token that is shown only here and ends with this \
             server (`cfgctl token create NAME` makes one that stays):\n  \
             export CFGCTL_STORE={location} CFGCTL_TOKEN={token}\n"
        ));
    }
}

/// What checkpoints are signed with, and what checks that.
fn checkpoint_key(session: &Session, args: &ServeArgs) -> Result<(CheckpointKey, String), Failure> {
    let environment = &session.environment;
    let path = if let Some(path) = &args.checkpoint_key {
        environment.directory.join(path)
    } else {
        let directory = environment.data_directory().map_err(|failure| Failure {
            hints: vec!["name the key of checkpoints with `--checkpoint-key FILE`".to_owned()],
            ..failure
        })?;
        directory.join("checkpoint.key")
    };
    let bug = |what: &'static str| Failure::new(Exit::Bug, anyhow::anyhow!(what));
    if !path.exists() {
        let key = CheckpointKey::generate().ok_or_else(|| bug("there is no randomness"))?;
        let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        let made =
            made.and_then(|()| files::write(&path, key.as_bytes(), Existing::Kept, Readers::Owner));
        match made {
            // Another server was faster: its key is as good.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => made.map_err(|error| files::failure(&path, error))?,
        }
    }
    let key = CheckpointKey::from_pem(&files::read_small(&path)?).ok_or_else(|| {
        Failure::usage(format!("`{}` holds no Ed25519 key in PEM", path.display())).hint(
            "`openssl genpkey -algorithm ed25519` makes one; so does a start without the file",
        )
    })?;
    let verifier = key
        .verifier()
        .ok_or_else(|| bug("the key has no public half"))?;
    Ok((key, verifier))
}

/// Whom the server knows as its owner.
enum Owner {
    /// Whoever has this token already.
    Known(Token),
    /// Whoever reads this text, which nobody knows yet.
    New(Token, String),
    /// Nobody: others can log in.
    None,
}

async fn find_owner(
    session: &Session,
    args: &ServeArgs,
    door: &dyn Door,
) -> Result<Owner, Failure> {
    let variable = session.environment.variable("CFGCTL_SERVE_TOKEN_FILE");
    let named = args.token_file.as_deref().or(variable.map(Path::new));
    let random = || {
        let made = Token::random();
        let made = made.map(|(token, text)| Owner::New(token, text));
        made.ok_or_else(|| Failure::new(Exit::Bug, anyhow::anyhow!("there is no randomness")))
    };
    if args.recover {
        return random();
    }
    let Some(path) = named else {
        let (keys, now) = (door.keys().await?, door.now());
        // Whether one of them is an admin grants say; `--recover` is for whoever finds none that is. What
        // somebody got by a login is over soon.
        let can_log_in = keys.tokens.values().any(|key| {
            let token = &key.token;
            token.kind == TokenKind::Api && token.login.is_none() && !token.is_over(now)
        });
        return if can_log_in {
            Ok(Owner::None)
        } else {
            random()
        };
    };
    let text = token::from_file(&session.environment.directory.join(path))?;
    let token = Token::new(&text).map_err(|error| {
        let error = anyhow::Error::new(error);
        Failure::new(Exit::Usage, error.context("the token file holds no token"))
            .hint("`openssl rand -hex 32` prints one")
    })?;
    Ok(Owner::Known(token))
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
    let (chain, key) = (chain.clone(), key.clone());
    let (chain_path, key_path) = (chain.clone(), key.clone());
    let clients = args.tls_client_ca.clone();
    let read = move || {
        Ok::<_, Failure>(Pem {
            chain: files::read_small(&chain_path)?,
            key: files::read_small(&key_path)?,
            clients: clients.as_deref().map(files::read_small).transpose()?,
        })
    };
    let now = read()?;
    let again: Reader = Arc::new(move || read().map_err(|error| error.chain().join(": ")));
    let certificate = Certificate::renewed_by(now, again);
    let certificate = certificate.map_err(|error| {
        let (chain, key) = (chain.display(), key.display());
        let error = anyhow::Error::new(error).context(format!("`{chain}` and `{key}`"));
        Failure::new(Exit::Usage, error)
    })?;
    Ok(Some(certificate))
}

/// Everything that the server has to say goes to standard error, one line each.
fn log_to_stderr(session: &Session) {
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level(session))
        // A log is read by machines too, and is the same wherever it goes.
        .with_ansi(false)
        .with_target(false)
        .with_writer(std::io::stderr)
        .finish();
    // Nobody else sets one.
    _ = tracing::subscriber::set_global_default(subscriber);
}

/// The same as one JSON object a line, what a panic says among them.
fn log_lines_to_stderr(session: &Session) {
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_max_level(level(session))
        .with_target(false)
        .with_writer(std::io::stderr)
        .finish();
    // Nobody else sets one.
    _ = tracing::subscriber::set_global_default(subscriber);
    std::panic::set_hook(Box::new(|panic| {
        let error = without_secrets(&panic.to_string());
        tracing::error!(error, "this is a bug in cfgctl");
    }));
}

fn level(session: &Session) -> LevelFilter {
    if session.ui.is_quiet() {
        LevelFilter::WARN
    } else {
        LevelFilter::INFO
    }
}
