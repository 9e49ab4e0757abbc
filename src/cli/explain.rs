//! `cfgctl explain`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;

use super::declared::clusters;
use super::failure::{Exit, Failure};
use super::names::{SetAt, around, known, known_set};
use super::session::Session;
use super::ui::{Look, Report};
use super::views::overrides::held_by;
use super::views::table::{moment, planned, printable, shortened, table};
use crate::manifest::closest;
use crate::model::value::Path;
use crate::model::{BreakerName, ClusterName, Labels, ResourceId, Revision, Version};
use crate::plan::{self, Explanation, Source};

/// How far back the origin of a value is looked for, in revisions.
const SEARCHED: usize = 10_000;

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

/// A point in the history of a set.
#[derive(Clone, Copy, Debug)]
enum At {
    Version(Version),
    Time(Timestamp),
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

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Explained {
    set: String,
    version: Version,
    values: Vec<ExplainedValue>,
    #[serde(skip)]
    in_detail: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ExplainedValue {
    key: String,
    clusters: Vec<ClusterName>,
    #[serde(flatten)]
    explanation: Explanation,
}

pub(crate) async fn explain(session: &Session, args: &ExplainArgs) -> Result<Exit, Failure> {
    let store = session.store().await?;
    let heads = around(store.as_ref(), [&args.set.set]).await?;
    let id = known_set(&heads, &args.set.set)?;
    let history = since(store.history(&id, None, SEARCHED).await?, args)?;
    let newest = history
        .first()
        .ok_or_else(|| Failure::usage(format!("{id} did not exist then")))?;

    let all = clusters(&heads);
    let chosen: Vec<(&ClusterName, &Labels)> = match &args.cluster {
        Some(name) => {
            let cluster_id = ResourceId::Cluster(name.clone());
            known(&heads, &cluster_id)?;
            let cluster = all.get(name);
            let cluster =
                cluster.ok_or_else(|| Failure::usage(format!("{cluster_id} was deleted")))?;
            vec![(name, &cluster.labels)]
        }
        None => all
            .iter()
            .map(|(name, cluster)| (*name, &cluster.labels))
            .collect(),
    };
    let values = gathered(&history, &chosen, args.key.as_deref())?;
    if values.is_empty() {
        return Err(Failure::usage(format!(
            "{}@{} goes to none of these clusters",
            args.set.set, newest.version
        ))
        .hint("`cfgctl cluster list` shows the clusters with their labels"));
    }
    session.ui.report(&Explained {
        set: args.set.set.to_string(),
        version: newest.version,
        values,
        in_detail: args.key.is_some(),
    })?;
    Ok(Exit::Done)
}

/// The history from the revision on that is asked for, newest first.
fn since(history: Vec<Revision>, args: &ExplainArgs) -> Result<Vec<Revision>, Failure> {
    let wanted = match (args.set.version, args.at) {
        (Some(_), Some(_)) => {
            return Err(Failure::usage(
                "`SET@VERSION` and `--at` say the same thing twice",
            ));
        }
        (Some(version), None) => Some(At::Version(version)),
        (None, at) => at,
    };
    let skipped = |revision: &Revision| match wanted {
        None => false,
        Some(At::Version(version)) => revision.version > version,
        Some(At::Time(time)) => revision.origin.at > time,
    };
    let history: Vec<_> = history.into_iter().skip_while(skipped).collect();
    if let (Some(At::Version(version)), Some(first)) = (wanted, history.first())
        && first.version != version
    {
        let set = &args.set.set;
        return Err(Failure::usage(format!("{set} has no revision {version}"))
            .hint(format!("`cfgctl history {set}` lists them")));
    }
    Ok(history)
}

/// The explanations for every cluster; the same one for several clusters once.
fn gathered(
    history: &[Revision],
    chosen: &[(&ClusterName, &Labels)],
    key: Option<&str>,
) -> Result<Vec<ExplainedValue>, Failure> {
    let mut found: BTreeMap<Path, Vec<ExplainedValue>> = BTreeMap::new();
    for (name, labels) in chosen {
        for (path, explanation) in plan::explain(history, labels) {
            let key = path.to_string();
            let of_key = found.entry(path).or_default();
            match of_key
                .iter_mut()
                .find(|known| known.explanation == explanation)
            {
                Some(known) => known.clusters.push((*name).clone()),
                None => of_key.push(ExplainedValue {
                    key,
                    clusters: vec![(*name).clone()],
                    explanation,
                }),
            }
        }
    }
    let Some(key) = key else {
        return Ok(found.into_values().flatten().collect());
    };
    let below = format!("{key}.");
    let names: Vec<String> = found.keys().map(ToString::to_string).collect();
    let values: Vec<_> = found
        .into_values()
        .flatten()
        .filter(|value| value.key == key || value.key.starts_with(&below))
        .collect();
    if values.is_empty() && !names.is_empty() {
        let failure = Failure::usage(format!("there is no key `{key}`"));
        return Err(match near(key, &names) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure.hint("without a key, `cfgctl explain` shows all of them"),
        });
    }
    Ok(values)
}

/// The key that was probably meant: people leave out what stands before the last segment.
fn near<'a>(key: &str, names: &'a [String]) -> Option<&'a str> {
    let names = || names.iter().map(String::as_str);
    let below = format!(".{key}");
    if let Some(whole) = names().find(|name| name.ends_with(&below)) {
        return Some(whole);
    }
    closest(key, names()).or_else(|| {
        let last = |name: &'a str| name.rsplit('.').next().unwrap_or(name);
        let meant = closest(key, names().map(last))?;
        names().find(|name| last(name) == meant)
    })
}

impl ExplainedValue {
    fn source(&self) -> String {
        let Explanation { source, place, .. } = &self.explanation;
        let source = match source {
            Source::Defaults => "defaults".to_owned(),
            Source::Layer { layer } => format!("layer {layer}"),
            Source::Flag => "flag".to_owned(),
            Source::Override { variant, .. } => format!("override {}", printable(variant)),
            Source::Breaker { breaker, .. } => format!("breaker {breaker}"),
        };
        match place {
            Some(place) => format!("{source} ({})", printable(place)),
            None => source,
        }
    }

    fn names(&self) -> String {
        let names: Vec<&str> = self.clusters.iter().map(ClusterName::as_str).collect();
        names.join(",")
    }

    fn detail(&self) -> String {
        let Explanation {
            value,
            version,
            origin,
            ..
        } = &self.explanation;
        let mut text = String::new();
        _ = writeln!(
            text,
            "{} = {}",
            printable(&self.key),
            printable(&value.to_string())
        );
        _ = writeln!(text, "  in:      {}", self.names());
        _ = writeln!(text, "  from:    {}", self.source());
        _ = writeln!(
            text,
            "  since:   version {version}, {} by {}, {}",
            moment(origin.at),
            printable(&origin.actor),
            printable(&origin.cause.to_string())
        );
        if let Source::Override { held, .. } | Source::Breaker { held, .. } =
            &self.explanation.source
        {
            _ = writeln!(text, "  held:    {}", held_by(held));
        }
        if !self.explanation.beneath.is_empty() {
            let names: Vec<&str> = (self.explanation.beneath.iter())
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
}

impl Report for Explained {
    const KIND: &'static str = "Explanation";

    fn table(&self, look: Look) -> String {
        if self.in_detail {
            return self.values.iter().map(ExplainedValue::detail).collect();
        }
        let rows = self.values.iter().map(|value| {
            let origin = &value.explanation.origin;
            [
                printable(&value.key),
                shortened(&value.explanation.value.to_string(), look),
                value.names(),
                value.source(),
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
        self.values.iter().map(|value| value.key.clone()).collect()
    }
}
