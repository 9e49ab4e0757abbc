//! `cfgctl flag eval`.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Arg;
use serde::Serialize;
use serde_json::Value;

use crate::cli::declared::clusters;
use crate::cli::failure::{Exit, Failure};
use crate::cli::names::{PartOf, around, known, known_part, living};
use crate::cli::session::{STORE_CONTEXT, Session};
use crate::cli::ui::{Look, Report};
use crate::cli::views::overrides::held_by;
use crate::cli::views::table::{printable, shortened, table};
use crate::evaluate::{self, Context, Evaluation, TARGETING_KEY, evaluate, number_text};
use crate::model::value::Map;
use crate::model::{ClusterName, Flag, FlagName, Labels, ResourceId, Version};
use crate::plan::{Held, Source, source_of_flag};
use crate::render;

/// The largest file that is read; a context is far smaller.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Says which variant of a flag an application would get, and why
///
/// The answer is that of flagd: the variant, its value, and the reason, which is static, targeting
/// match, default, disabled or error; or that an override or a breaker holds the flag. Where
/// clusters have different answers, each is shown with its clusters.
#[derive(Clone, Debug, clap::Args)]
// Here `--context` is what the application knows; elsewhere it is where the store is.
#[command(arg = store_context())]
pub(crate) struct EvalArgs {
    /// The flag
    #[arg(value_name = "SET/FLAG")]
    flag: PartOf<FlagName>,

    /// A field of the context, as in `tier=beta` or `user.age=42`; may be given several times
    ///
    /// true, false, null, numbers and quoted texts are read as JSON, anything else as text;
    /// `targetingKey` is always text, as SDKs send it. A number is written `version=1.10`, which
    /// is 1.1, and a text that looks like one in quotes: `version='"1.10"'`.
    #[arg(long = "context", value_name = "FIELD=VALUE", value_parser = field)]
    fields: Vec<Field>,

    /// A JSON file with the context, or `-` for standard input; `--context` adds to it
    #[arg(long, value_name = "FILE")]
    context_file: Option<PathBuf>,

    /// Only in this cluster
    #[arg(long, value_name = "NAME")]
    cluster: Option<ClusterName>,
}

fn store_context() -> Arg {
    Arg::new(STORE_CONTEXT)
        .long("store-context")
        .value_name("NAME")
        .help("The context to use instead of the current one")
        .help_heading("Global options")
}

/// One field of a context.
#[derive(Clone, Debug)]
struct Field {
    /// From the outside in.
    path: Vec<String>,
    /// What was written for its value.
    text: String,
    value: Value,
}

fn field(input: &str) -> Result<Field, String> {
    let wanted = "a field is written `tier=beta`; `--store-context` names the context of the store";
    let (path, text) = input.split_once('=').ok_or(wanted)?;
    let path: Vec<String> = path.split('.').map(str::to_owned).collect();
    if path.iter().any(String::is_empty) {
        return Err("a part of the field's name is empty".to_owned());
    }
    let is_text = path == [TARGETING_KEY];
    let value = match serde_json::from_str(text) {
        Ok(value @ Value::String(_)) => value,
        Ok(value @ (Value::Null | Value::Bool(_) | Value::Number(_))) if !is_text => value,
        _ => Value::String(text.to_owned()),
    };
    let text = text.to_owned();
    Ok(Field { path, text, value })
}

impl Field {
    /// What nobody may have meant: a number that says something else than what was written, or
    /// that `targeting` takes for a version.
    fn doubt(&self, targeting: Option<&Value>) -> Option<String> {
        let Value::Number(number) = &self.value else {
            return None;
        };
        let Self { path, text, .. } = self;
        let path = path.join(".");
        let read = number_text(number.as_f64()?);
        let quoted = format!("write `{path}='\"{text}\"'` for the text");
        if read != *text {
            return Some(format!("`{path}={text}` is the number {read}; {quoted}"));
        }
        let is_version = targeting.is_some_and(|rule| evaluate::compares_versions(rule, &path));
        let what = "which the rule compares as a version";
        is_version.then(|| format!("`{path}={text}` is a number, {what}; {quoted}"))
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Evaluated {
    set: String,
    flag: String,
    version: Version,
    answers: Vec<Answer>,
}

/// What the flag is in some clusters.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    variant: Option<String>,
    value: Option<Value>,
    reason: Reason,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    breaker: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<Held>,
    clusters: Vec<ClusterName>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Reason {
    Static,
    TargetingMatch,
    Default,
    Disabled,
    Error,
    Override,
    Breaker,
}

pub(super) async fn eval(session: &Session, args: &EvalArgs) -> Result<Exit, Failure> {
    let about = context(args)?;
    let PartOf { set, name } = &args.flag;
    let heads = around(session.store().await?.as_ref(), [set]).await?;
    let (content, head) = living(&heads, set)?;
    let flag = known_part(&content.flags, "flag", set, name)?;

    for doubt in (args.fields.iter()).filter_map(|field| field.doubt(flag.targeting.as_ref())) {
        session.ui.status(&format!("warning: {doubt}"));
    }

    let mut places = clusters(&heads);
    if let Some(cluster) = &args.cluster {
        known(&heads, &ResourceId::Cluster(cluster.clone()))?;
        places.retain(|name, _| *name == cluster);
    }
    places.retain(|_, cluster| content.clusters.matches(&cluster.labels));
    if let (Some(cluster), true) = (&args.cluster, places.is_empty()) {
        return Err(Failure::usage(format!("{set} does not go to {cluster}"))
            .hint("`cfgctl cluster list` shows the clusters with their labels"));
    }

    let at = session.environment.now;
    let answer =
        |flag: &Flag, source: Source| Answer::new(evaluate(name, flag, &about, at), source);
    let mut answers: Vec<Answer> = Vec::new();
    for (cluster, place) in places {
        let labels: &Labels = &place.labels;
        let contents = render::contents(content, &head.overrides, labels);
        let source = source_of_flag(content, &head.overrides, labels, name);
        let found = answer(contents.flags.get(name).unwrap_or(flag), source);
        let known = answers.iter().position(|known| known.is_as(&found));
        let index = known.unwrap_or(answers.len());
        if known.is_none() {
            answers.push(found);
        }
        answers[index].clusters.push(cluster.clone());
    }
    if answers.is_empty() {
        answers.push(answer(flag, Source::Flag));
    }
    session.ui.report(&Evaluated {
        set: set.to_string(),
        flag: name.to_string(),
        version: head.version,
        answers,
    })?;
    Ok(Exit::Done)
}

/// The context of the file, with the fields of the command line laid over it.
fn context(args: &EvalArgs) -> Result<Context, Failure> {
    let mut context = match &args.context_file {
        Some(path) => file(path)?,
        None => Map::new(),
    };
    for Field { path, value, .. } in &args.fields {
        let Some((last, above)) = path.split_last() else {
            continue;
        };
        let mut map = &mut context;
        for segment in above {
            let inner = map
                .entry(segment.clone())
                .or_insert_with(|| Map::new().into());
            map = inner.as_object_mut().ok_or_else(|| {
                Failure::usage(format!(
                    "`{segment}` of the context is a value and has no fields"
                ))
            })?;
        }
        map.insert(last.clone(), value.clone());
    }
    Context::try_from(context).map_err(Failure::usage)
}

fn file(path: &Path) -> Result<Map, Failure> {
    let read = || -> anyhow::Result<Map> {
        let mut bytes = Vec::new();
        let bounded = MAX_FILE_BYTES + 1;
        if path.as_os_str() == "-" {
            std::io::stdin()
                .lock()
                .take(bounded)
                .read_to_end(&mut bytes)?;
        } else {
            std::fs::File::open(path)?
                .take(bounded)
                .read_to_end(&mut bytes)?;
        }
        anyhow::ensure!(
            bytes.len() as u64 <= MAX_FILE_BYTES,
            "it is larger than 1 MiB"
        );
        serde_json::from_slice(&bytes).context("a context is a JSON object")
    };
    read().map_err(|error| {
        let what = format!("could not read the context in `{}`", path.display());
        Failure::new(Exit::Usage, error.context(what))
    })
}

impl Answer {
    fn new(found: Evaluation, source: Source) -> Self {
        let Evaluation {
            variant,
            value,
            reason,
            error,
        } = found;
        let (reason, breaker, held) = match source {
            Source::Breaker { breaker, held } => {
                (Reason::Breaker, Some(breaker.to_string()), Some(held))
            }
            Source::Override { held, .. } => (Reason::Override, None, Some(held)),
            Source::Defaults | Source::Layer { .. } | Source::Flag => (reason.into(), None, None),
        };
        Self {
            variant,
            value,
            reason,
            error,
            breaker,
            held,
            clusters: Vec::new(),
        }
    }

    /// Whether it is the same answer, for whichever clusters.
    fn is_as(&self, other: &Self) -> bool {
        let Self {
            variant,
            value,
            reason,
            error,
            breaker,
            held,
            clusters: _,
        } = self;
        (variant, value, reason) == (&other.variant, &other.value, &other.reason)
            && (error, breaker, held) == (&other.error, &other.breaker, &other.held)
    }

    /// The reason, with what belongs to it.
    fn why(&self) -> String {
        let detail = |detail: &Option<String>| printable(detail.as_deref().unwrap_or_default());
        match self.reason {
            Reason::Static => "static".to_owned(),
            Reason::TargetingMatch => "targeting match".to_owned(),
            Reason::Default => "default".to_owned(),
            Reason::Disabled => "disabled".to_owned(),
            Reason::Error => format!("error: {}", detail(&self.error)),
            Reason::Override => "override".to_owned(),
            Reason::Breaker => format!("breaker {}", detail(&self.breaker)),
        }
    }
}

impl From<evaluate::Reason> for Reason {
    fn from(reason: evaluate::Reason) -> Self {
        match reason {
            evaluate::Reason::Static => Self::Static,
            evaluate::Reason::TargetingMatch => Self::TargetingMatch,
            evaluate::Reason::Default => Self::Default,
            evaluate::Reason::Disabled => Self::Disabled,
            evaluate::Reason::Error => Self::Error,
        }
    }
}

impl Report for Evaluated {
    const KIND: &'static str = "FlagEvaluation";

    fn table(&self, look: Look) -> String {
        let rows = self.answers.iter().map(|answer| {
            let clusters: Vec<&str> = answer.clusters.iter().map(ClusterName::as_str).collect();
            let value = answer.value.as_ref();
            [
                answer.variant.clone().unwrap_or_else(|| "-".to_owned()),
                value.map_or("(application)".to_owned(), |value| {
                    shortened(&value.to_string(), look)
                }),
                answer.why(),
                answer.held.as_ref().map_or("-".to_owned(), held_by),
                clusters.join(","),
            ]
        });
        table(
            look,
            ["VARIANT", "VALUE", "REASON", "SINCE", "CLUSTERS"],
            rows,
        )
    }

    fn names(&self) -> Vec<String> {
        let variants = self
            .answers
            .iter()
            .filter_map(|answer| answer.variant.clone());
        variants.collect()
    }
}
