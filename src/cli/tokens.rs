//! `cfgctl token`: tokens that a server knows people, pipelines and agents by.

use std::time::Duration;

use jiff::Timestamp;

use super::connect::{Connected, connect, connect_to_be};
use super::failure::{Exit, Failure};
use super::session::Session;
use super::view::{Canvas, View};
use super::views::table::{age, moment, printable, table};
use crate::api::report::{NewToken, Report, RevokedTokens, TokenItem, TokenState, Tokens};
use crate::api::{Lasting, Message, TokenOrder, TokenRevocation, TokenRotation};
use crate::model::{ClusterName, SetName, TokenKind, TokenName, parse_duration};

/// Tokens: what a server knows people, pipelines and agents by
#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token, and print it: it is shown once, and kept nowhere
    ///
    /// The token alone goes to standard output, so that `T=$(cfgctl token create ci)` holds it.
    Create(CreateArgs),
    /// List the tokens, without anything secret of them
    List,
    /// Make a token that takes over from those of its name, and print it
    ///
    /// The others stay valid for a while, so that whoever uses them can change over.
    Rotate(RotateArgs),
    /// End tokens: whoever shows one is unknown from then on, at every server of the store
    Revoke(RevokeArgs),
}

/// What the new token is.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct CreateArgs {
    /// What it is called: grants allow things to `token:NAME`
    name: TokenName,

    /// What it is for: `api` for whatever grants allow, `alerts` for webhooks alone, `agent` for the
    /// snapshots and reports of one cluster, `app` for what clusters get of one set
    #[arg(long, value_name = "KIND", default_value = "api")]
    kind: TokenKind,

    /// The set that a token of the kind `app` is for
    #[arg(long, value_name = "NAME")]
    set: Option<SetName>,

    /// The cluster that a token of the kind `agent` is for, or the only one that one of the kind `app` may
    /// ask about
    #[arg(long, value_name = "NAME")]
    cluster: Option<ClusterName>,

    /// How long it is valid, as in `90d` or `12h`, a year at most; or `never`: until it is revoked
    #[arg(long, value_name = "DURATION", default_value = "90d", value_parser = lasting)]
    expires: Lasting,

    /// What it is for; kept with it and in the log
    #[arg(short, long, value_name = "TEXT")]
    message: Option<Message>,
}

/// What takes over from what.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct RotateArgs {
    /// What the tokens are called
    name: TokenName,

    /// How long the new one is valid, as in `90d`, or `never`; left out: as long as the old one was to be
    #[arg(long, value_name = "DURATION", value_parser = lasting)]
    expires: Option<Lasting>,

    /// How long the old ones stay valid, at most
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = overlap)]
    overlap: Duration,

    /// Why; kept in the log
    #[arg(short, long, value_name = "TEXT")]
    message: Option<Message>,
}

/// Which tokens end.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct RevokeArgs {
    /// The id of a token, or the name of all that have it
    #[arg(value_name = "ID|NAME")]
    which: TokenName,

    /// Why; kept in the log
    #[arg(short, long, value_name = "TEXT")]
    message: Option<Message>,
}

/// Reads `90d`, `12h`, `never`.
fn lasting(input: &str) -> Result<Lasting, String> {
    if input == "never" {
        return Ok(Lasting::Forever);
    }
    let length = parse_duration(input).and_then(|length| Duration::try_from(length).ok());
    let length = length
        .ok_or("it is a number and a unit, such as `90d` or `12h`, up to a year; or `never`")?;
    Ok(Lasting::For(length))
}

/// Reads `24h`, `0s`.
fn overlap(input: &str) -> Result<Duration, String> {
    if input == "0s" || input == "0" {
        return Ok(Duration::ZERO);
    }
    let length = parse_duration(input).and_then(|length| Duration::try_from(length).ok());
    Ok(length.ok_or("it is a number and a unit, such as `24h`; `0s` ends them at once")?)
}

pub(crate) async fn token(session: &Session, command: &TokenCommand) -> Result<Exit, Failure> {
    match command {
        TokenCommand::Create(args) => create(session, args).await,
        TokenCommand::List => {
            let Connected { service, by } = connect(session).await?;
            let tokens = service.tokens(&by).await?;
            if tokens.items.is_empty() {
                session
                    .ui
                    .status("there are no tokens; `cfgctl token create NAME` makes one");
            }
            session.ui.report(&tokens)?;
            Ok(Exit::Done)
        }
        TokenCommand::Rotate(args) => rotate(session, args).await,
        TokenCommand::Revoke(args) => {
            let Connected { service, by } = connect(session).await?;
            let wanted = TokenRevocation {
                which: args.which.clone(),
                message: args.message.clone(),
            };
            session
                .ui
                .report(&service.revoke_token(&by, &wanted).await?)?;
            Ok(Exit::Done)
        }
    }
}

async fn create(session: &Session, args: &CreateArgs) -> Result<Exit, Failure> {
    let Connected { service, by } = connect_to_be(session).await?;
    let order = TokenOrder {
        name: args.name.clone(),
        kind: args.kind,
        set: args.set.clone(),
        cluster: args.cluster.clone(),
        lasts: args.expires,
        message: args.message.clone(),
    };
    show(session, &service.create_token(&by, &order).await?)
}

async fn rotate(session: &Session, args: &RotateArgs) -> Result<Exit, Failure> {
    let Connected { service, by } = connect(session).await?;
    let rotation = TokenRotation {
        name: args.name.clone(),
        lasts: args.expires,
        overlap: args.overlap,
        message: args.message.clone(),
    };
    show(session, &service.rotate_token(&by, &rotation).await?)
}

/// Shows a token for the only time.
fn show(session: &Session, made: &NewToken) -> Result<Exit, Failure> {
    let (ui, token) = (&session.ui, &made.token);
    if let Some(location) = &made.store_made {
        ui.status(&format!("made the store at `{location}`"));
    }
    let TokenItem { id, name, kind, .. } = token;
    let of = match (&token.set, &token.cluster) {
        (Some(set), Some(cluster)) => format!(" of {set} in {cluster}"),
        (Some(set), None) => format!(" of {set}"),
        (None, Some(cluster)) => format!(" of {cluster}"),
        (None, None) => String::new(),
    };
    let ends = ends(token.expires);
    ui.status(&format!(
        "token {name} ({kind}{of}, id {id}) {ends}; it is shown only now"
    ));
    for old in &made.replaces {
        let (id, ends) = (&old.id, self::ends(old.expires));
        ui.status(&format!("the one before it, {id}, {ends}"));
    }
    ui.report(made)?;
    Ok(Exit::Done)
}

fn ends(expires: Option<Timestamp>) -> String {
    match expires {
        Some(expires) => format!("is valid until {}", moment(expires)),
        None => "is valid until it is revoked".to_owned(),
    }
}

/// When a token ends, in a table.
fn end(item: &TokenItem) -> String {
    match (item.state, item.expires) {
        (_, None) => "never".to_owned(),
        (TokenState::Valid, Some(expires)) => moment(expires),
        (TokenState::Expired, Some(expires)) => format!("{} (over)", moment(expires)),
    }
}

fn rows(items: &[TokenItem], look: Canvas) -> String {
    let dash = || "-".to_owned();
    let rows = items.iter().map(|item| {
        let message = item.message.as_deref();
        [
            item.id.to_string(),
            item.name.to_string(),
            item.kind.to_string(),
            item.set.as_ref().map_or_else(dash, ToString::to_string),
            item.cluster.as_ref().map_or_else(dash, ToString::to_string),
            end(item),
            item.used.map_or_else(dash, |used| age(used, look.now)),
            printable(&item.by),
            age(item.at, look.now),
            message.map_or_else(dash, printable),
        ]
    });
    let header = [
        "ID", "NAME", "KIND", "SET", "CLUSTER", "EXPIRES", "USED", "BY", "AGE", "MESSAGE",
    ];
    table(look, header, rows)
}

fn ids(items: &[TokenItem]) -> Vec<String> {
    items.iter().map(|item| item.id.to_string()).collect()
}

impl View for Tokens {
    const KIND: &'static str = <Self as Report>::KIND;

    fn table(&self, look: Canvas) -> String {
        rows(&self.items, look)
    }

    fn names(&self) -> Vec<String> {
        ids(&self.items)
    }
}

impl View for NewToken {
    const KIND: &'static str = <Self as Report>::KIND;

    fn table(&self, _: Canvas) -> String {
        format!("{}\n", self.text.expose())
    }

    fn names(&self) -> Vec<String> {
        vec![self.token.id.to_string()]
    }
}

impl View for RevokedTokens {
    const KIND: &'static str = <Self as Report>::KIND;

    fn table(&self, _: Canvas) -> String {
        let lines = self.items.iter().map(|item| {
            let (name, id) = (&item.name, &item.id);
            format!("token {name} ({id}) is revoked\n")
        });
        lines.collect()
    }

    fn names(&self) -> Vec<String> {
        ids(&self.items)
    }
}
