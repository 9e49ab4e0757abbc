//! Logins by OpenID Connect: a person's, who consents in a browser, and a pipeline's.

use std::fmt::Write as _;
use std::path::Path;

use super::connect;
use super::environment::Environment;
use super::failure::{Exit, Failure};
use super::session::Session;
use super::token;
use super::views::table::printable;
use crate::api::report::ServerInfo;
use crate::oidc::{DeviceError, IssuerUrl, Pending, of_github};

/// What somebody logs in with.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Presented {
    /// The consent of a person.
    Person,
    /// This JWT.
    Jwt(String),
    /// One that the runner of GitHub makes, for this audience, if it is said.
    Github(Option<String>),
}

impl Presented {
    /// The JWT in this file, or in standard input if it is `-`.
    pub(crate) fn file(environment: &Environment, path: &Path) -> Result<Self, Failure> {
        let jwt = if path == Path::new("-") {
            token::from_stdin()?.trim().to_owned()
        } else {
            token::from_file(&environment.directory.join(path))?
        };
        Ok(Self::Jwt(jwt))
    }

    /// The JWT that the variables of a job name, if they name one.
    pub(crate) fn variables(environment: &Environment) -> Result<Option<Self>, Failure> {
        if let Some(jwt) = environment.variable("CFGCTL_OIDC_TOKEN") {
            return Ok(Some(Self::Jwt(jwt.trim().to_owned())));
        }
        let path = environment.variable("CFGCTL_OIDC_TOKEN_FILE");
        path.map(|path| Self::file(environment, Path::new(path)))
            .transpose()
    }
}

/// The token that the server at `address` exchanges for what somebody logs in with.
pub(crate) async fn exchanged(
    session: &Session,
    source: Presented,
    address: &str,
) -> Result<String, Failure> {
    let server = connect::unknown_to(session, address)?;
    let jwt = match source {
        Presented::Jwt(jwt) => jwt,
        Presented::Github(audience) => {
            let audience = match audience {
                Some(audience) => audience,
                None => audience_of(&server.info().await?)?,
            };
            github(session, &audience).await?
        }
        Presented::Person => person(session, &server.info().await?, address).await?,
    };
    let made = server.exchange(&jwt).await?;
    Ok(made.text.expose().to_owned())
}

/// The one audience that a server knows for pipelines.
fn audience_of(info: &ServerInfo) -> Result<String, Failure> {
    let issuers = info.issuers.iter();
    let mut audiences: Vec<&str> = issuers
        .filter(|issuer| issuer.client_id.is_none())
        .map(|issuer| issuer.audience.as_str())
        .collect();
    audiences.sort_unstable();
    audiences.dedup();
    match audiences.as_slice() {
        [only] => Ok((*only).to_owned()),
        [] => Err(Failure::usage("the server knows no issuer for pipelines")
            .hint("`cfgctl serve --oidc FILE` names them")),
        _ => {
            let audiences = printable(&audiences.join(", "));
            Err(Failure::usage("the server knows several audiences")
                .hint(format!("name one with `--audience`: {audiences}")))
        }
    }
}

async fn github(session: &Session, audience: &str) -> Result<String, Failure> {
    let names = [
        "ACTIONS_ID_TOKEN_REQUEST_URL",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    ];
    let [Some(place), Some(token)] = names.map(|name| session.environment.variable(name)) else {
        let error = format!("`{}` and `{}` are not both set", names[0], names[1]);
        return Err(Failure::usage(error)
            .hint("GitHub sets them in a job with `permissions: {id-token: write}`"));
    };
    of_github(place, token, audience).await.map_err(|error| {
        let error = anyhow::Error::new(error);
        Failure::new(
            Exit::Unavailable,
            error.context("the runner makes no JWT for this job"),
        )
    })
}

/// Lets a person consent in a browser.
async fn person(session: &Session, info: &ServerInfo, address: &str) -> Result<String, Failure> {
    let mut issuers = info.issuers.iter();
    let found = issuers.find_map(|issuer| Some((issuer, issuer.client_id.as_deref()?)));
    let Some((issuer, client_id)) = found else {
        return Err(Failure::usage("the server knows no issuer for people")
            .hint("`cfgctl serve --oidc FILE` names one, with `people`"));
    };
    let name = printable(&issuer.issuer);
    let url = IssuerUrl::try_from(issuer.issuer.clone());
    let url = url.map_err(|error| {
        let error = anyhow::anyhow!(error).context(format!("the issuer `{name}` of the server"));
        Failure::new(Exit::Unavailable, error)
    })?;
    let failed = |error: DeviceError| {
        let exit = match error {
            DeviceError::Denied | DeviceError::Expired => Exit::Denied,
            DeviceError::Fetch(_) | DeviceError::Refused(_) => Exit::Unavailable,
        };
        let error = anyhow::Error::new(error);
        Failure::new(
            exit,
            error.context(format!("nobody is logged in at `{name}`")),
        )
    };
    let pending = Pending::begin(&url, client_id, &issuer.scopes).await;
    let pending = pending.map_err(failed)?;
    let device = &pending.device;
    let (place, code) = (printable(&device.address), printable(&device.code));
    let mut text = format!(
        "to log in to {}, open this in a browser, on any machine:\n  {place}\n\
         and enter the code\n  {code}\n",
        printable(address)
    );
    if let Some(whole) = &device.whole_address {
        _ = writeln!(text, "or open\n  {}", printable(whole));
    }
    text += "consent only to a code that you see here\n";
    session.ui.notice(&text);
    pending.consented().await.map_err(failed)
}
