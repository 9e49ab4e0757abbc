//! `cfgctl breaker alerts`.

use crate::api::AlertsQuery;
use crate::api::report::{Alerts, Report, UnmatchedAlert};
use crate::cli::connect::{Connected, connect};
use crate::cli::failure::{Exit, Failure};
use crate::cli::session::Session;
use crate::cli::view::{Canvas, View};
use crate::cli::views::table::{age, printable, table};
use crate::model::SetName;

/// Lists the alerts that fire for breakers, and those that trip nothing
///
/// Which fire says the store. Those that trip nothing are known to the server that was told of them,
/// since it was started, so they are listed with `--store https://...` alone.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct AlertsArgs {
    /// Only those of breakers of this set
    #[arg(value_name = "SET")]
    set: Option<SetName>,
}

pub(super) async fn alerts(session: &Session, args: &AlertsArgs) -> Result<Exit, Failure> {
    let Connected { service, by } = connect(session).await?;
    let query = AlertsQuery {
        set: args.set.clone(),
    };
    let found = service.alerts(&by, &query).await?;
    if found == Alerts::default() {
        session.looked_in(&service.location());
    }
    session.ui.report(&found)?;
    Ok(Exit::Done)
}

impl View for Alerts {
    const KIND: &'static str = <Self as Report>::KIND;

    fn table(&self, look: Canvas) -> String {
        let firing = self.firing.iter().map(|alert| {
            let since = alert.since.map(|since| age(since, look.now));
            [
                alert.breaker.clone(),
                if alert.clusters.is_empty() {
                    "all".to_owned()
                } else {
                    alert.clusters.to_string()
                },
                printable(&alert.name),
                since.unwrap_or_else(|| "-".to_owned()),
                alert.fingerprint.to_string(),
                if alert.open { "open" } else { "closed" }.to_owned(),
            ]
        });
        let header = [
            "BREAKER",
            "CLUSTERS",
            "ALERT",
            "FIRES SINCE",
            "FINGERPRINT",
            "STATE",
        ];
        let mut text = table(look, header, firing);
        if text.is_empty() {
            text.push_str("no alert fires for a breaker\n");
        }
        let unmatched = self.unmatched.iter().map(|alert| {
            let labels = alert.labels.iter();
            let labels: Vec<_> = labels
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            [
                printable(&labels.join(",")),
                why(alert),
                alert.status.as_str().to_owned(),
                age(alert.at, look.now),
                alert.count.to_string(),
            ]
        });
        let header = ["TRIPS NOTHING", "WHY", "STATUS", "LAST", "TIMES"];
        let unmatched = table(look, header, unmatched);
        if !unmatched.is_empty() {
            text.push('\n');
            text.push_str(&unmatched);
        }
        text
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.firing.iter().map(|it| it.breaker.clone()).collect();
        names.dedup();
        names
    }
}

/// Why an alert trips nothing.
fn why(alert: &UnmatchedAlert) -> String {
    let reasons = alert.reasons.iter();
    let reasons: Vec<_> = reasons
        .map(|(breaker, effect)| format!("{breaker} {effect}"))
        .collect();
    if reasons.is_empty() {
        "matches no breaker".to_owned()
    } else {
        printable(&reasons.join("; "))
    }
}
