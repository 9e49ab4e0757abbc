//! `cfgctl explain`.

use std::fmt::Write as _;

use serde::Serialize;

use super::connect::connect;
use super::failure::{Exit, Failure};
use super::names::SetAt;
use super::session::Session;
use super::view::{Canvas, View};
use super::views::overrides::held_by;
use super::views::table::{moment, planned, printable, shortened, table};
use crate::api::report::{Explained, ExplainedValue, Report};
use crate::api::{At, ExplainQuery, Explanation, ValueSource};
use crate::model::{BreakerName, ClusterName};

/// Says where values come from: the layer, its file and line, and the revision that set them
///
/// Without KEY it shows every key, one line each. Where clusters have different values, each is
/// shown with its clusters.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ExplainArgs {
    /// The set, or one revision of it, as in `checkout@7`
    #[arg(value_name = "SET[@VERSION]")]
    set: SetAt,

    /// The key, as in `payment.timeoutMs`
    #[arg(value_name = "KEY")]
    key: Option<String>,

    /// Only in this cluster
    #[arg(long, value_name = "NAME")]
    cluster: Option<ClusterName>,

    /// As it was at a time, as in `2026-11-21T02:14:00Z`, or in a revision, as in `@7`
    #[arg(long, value_name = "TIME|@VERSION", value_parser = at)]
    at: Option<At>,
}

fn at(input: &str) -> Result<At, String> {
    match input.strip_prefix('@') {
        Some(version) => super::names::version(version).map(At::Version),
        None => input
            .parse()
            .map(At::Time)
            .map_err(|_| "a time is written `2026-11-21T02:14:00Z`, a revision `@7`".to_owned()),
    }
}

/// Explanations, of which a person sees all that there is to say, or one line each.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct ExplainedView<'a> {
    explained: &'a Explained,
    #[serde(skip)]
    in_detail: bool,
}

pub(crate) async fn explain(session: &Session, args: &ExplainArgs) -> Result<Exit, Failure> {
    let at = match (args.set.version, args.at) {
        (Some(_), Some(_)) => {
            return Err(Failure::usage(
                "`SET@VERSION` and `--at` say the same thing twice",
            ));
        }
        (Some(version), None) => Some(At::Version(version)),
        (None, at) => at,
    };
    let connected = connect(session).await?;
    let query = ExplainQuery {
        set: args.set.set.clone(),
        key: args.key.clone(),
        cluster: args.cluster.clone(),
        at,
    };
    let found = connected.service.explain(&connected.by, &query).await?;
    session.ui.report(&ExplainedView {
        explained: &found,
        in_detail: args.key.is_some(),
    })?;
    Ok(Exit::Done)
}

/// What sets it, and where that is written.
fn source(value: &ExplainedValue) -> String {
    printable(&value.explanation.words())
}

fn clusters(value: &ExplainedValue) -> String {
    let names: Vec<&str> = value.clusters.iter().map(ClusterName::as_str).collect();
    names.join(",")
}

fn detail(explained: &ExplainedValue) -> String {
    let Explanation {
        value,
        version,
        origin,
        ..
    } = &explained.explanation;
    let mut text = String::new();
    _ = writeln!(
        text,
        "{} = {}",
        printable(&explained.key),
        printable(&value.to_string())
    );
    _ = writeln!(text, "  in:      {}", clusters(explained));
    _ = writeln!(text, "  from:    {}", source(explained));
    _ = writeln!(
        text,
        "  since:   version {version}, {} by {}, {}",
        moment(origin.at),
        printable(&origin.actor),
        printable(&origin.cause.to_string())
    );
    if let ValueSource::Override { held, .. } | ValueSource::Breaker { held, .. } =
        &explained.explanation.source
    {
        _ = writeln!(text, "  held:    {}", held_by(held));
    }
    if !explained.explanation.beneath.is_empty() {
        let names: Vec<&str> = (explained.explanation.beneath.iter())
            .map(BreakerName::as_str)
            .collect();
        _ = writeln!(
            text,
            "  beneath: {}, open too; the one tripped last wins",
            names.join(", ")
        );
    }
    if origin.planned.is_some() {
        _ = writeln!(text, "  planned: {}", planned(origin));
    }
    for (index, line) in origin.message.iter().flat_map(|it| it.lines()).enumerate() {
        let word = if index == 0 { "message:" } else { "" };
        _ = writeln!(text, "  {word:<8} {}", printable(line));
    }
    text
}

impl View for ExplainedView<'_> {
    const KIND: &'static str = <Explained as Report>::KIND;

    fn table(&self, look: Canvas) -> String {
        if self.in_detail {
            return self.explained.values.iter().map(detail).collect();
        }
        let rows = self.explained.values.iter().map(|value| {
            let origin = &value.explanation.origin;
            [
                printable(&value.key),
                shortened(&value.explanation.value.to_string(), look),
                clusters(value),
                source(value),
                value.explanation.version.to_string(),
                printable(&origin.actor),
                moment(origin.at),
            ]
        });
        let header = [
            "KEY",
            "VALUE",
            "CLUSTERS",
            "FROM",
            "SINCE VERSION",
            "BY",
            "WHEN",
        ];
        table(look, header, rows)
    }

    fn names(&self) -> Vec<String> {
        let values = self.explained.values.iter();
        values.map(|value| value.key.clone()).collect()
    }
}
