//! `cfgctl breaker test`.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::api::AlertTestQuery;
use crate::api::report::{AlertTest, Report, TestedAlert};
use crate::cli::connect::{Connected, connect};
use crate::cli::failure::{Exit, Failure};
use crate::cli::input::json;
use crate::cli::names::PartOf;
use crate::cli::session::Session;
use crate::cli::view::{Canvas, View};
use crate::cli::views::overrides::effect_lines;
use crate::cli::views::table::printable;
use crate::model::BreakerName;
use crate::wire::{AlertMessage, WebhookBody};

/// The largest message that is read; those of Alertmanager with hundreds of alerts have less.
const MAX_BYTES: u64 = 16 << 20;

/// Shows what a message of alerts would do to a breaker, and does nothing
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct TestArgs {
    /// The breaker
    #[arg(value_name = "SET/BREAKER")]
    breaker: PartOf<BreakerName>,

    /// The message, as Alertmanager or Grafana sends it to a webhook; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    alert: PathBuf,
}

pub(super) async fn test(session: &Session, args: &TestArgs) -> Result<Exit, Failure> {
    let message = message(args)?;
    for bad in &message.unreadable {
        let reason = printable(&bad.reason);
        let place = bad.index + 1;
        session
            .ui
            .status(&format!("warning: alert {place} cannot be read: {reason}"));
    }
    let Connected { service, by } = connect(session).await?;
    let query = AlertTestQuery {
        set: args.breaker.set.clone(),
        breaker: args.breaker.name.clone(),
        alerts: message.alerts,
    };
    session
        .ui
        .report(&service.test_alerts(&by, &query).await?)?;
    Ok(Exit::Done)
}

fn message(args: &TestArgs) -> Result<AlertMessage, Failure> {
    let path = &args.alert;
    let read = json::<WebhookBody>(path, MAX_BYTES).map_err(anyhow::Error::new);
    let read = read.and_then(|body| Ok(AlertMessage::try_from(body)?));
    read.map_err(|error| {
        let what = format!("could not read a message of alerts in `{}`", path.display());
        Failure::new(Exit::Usage, error.context(what)).hint(
            "the least that one has is \
             `{\"alerts\": [{\"status\": \"firing\", \"labels\": {\"alertname\": \"NAME\"}}]}`",
        )
    })
}

impl View for AlertTest {
    const KIND: &'static str = <Self as Report>::KIND;

    fn table(&self, look: Canvas) -> String {
        let mut text = String::new();
        for alert in &self.alerts {
            lines(&mut text, &self.breaker, alert);
        }
        if self.alerts.is_empty() {
            text.push_str("the message has no alerts\n");
        }
        text.push('\n');
        effect_lines(&self.effects, look, &mut text);
        text
    }

    fn names(&self) -> Vec<String> {
        let told = self.alerts.iter().filter(|alert| !alert.told.is_empty());
        told.map(|alert| alert.name.clone()).collect()
    }
}

fn lines(text: &mut String, breaker: &str, alert: &TestedAlert) {
    let (name, status) = (printable(&alert.name), alert.status.as_str());
    for told in &alert.told {
        let place = if told.clusters.is_empty() {
            String::new()
        } else {
            format!(" in {}", told.clusters)
        };
        _ = writeln!(
            text,
            "alert {name} {status}: {breaker} {}{place}",
            told.effect
        );
    }
    if !alert.told.is_empty() {
        return;
    }
    let differing = alert.differing.iter().map(|(key, found)| match found {
        Some(found) => format!("its {} is {}", printable(key), printable(found)),
        None => format!("it has no {}", printable(key)),
    });
    let differing: Vec<String> = differing.collect();
    let why = match &differing[..] {
        [] => "the breaker waits for no alerts".to_owned(),
        differing => differing.join(", "),
    };
    _ = writeln!(
        text,
        "alert {name} {status}: does not match {breaker}: {why}"
    );
}
