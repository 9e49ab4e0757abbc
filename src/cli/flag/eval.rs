//! `cfgctl flag eval`.

use std::path::{Path, PathBuf};

use clap::Arg;
use serde_json::Value;

use crate::api::EvaluateQuery;
use crate::api::report::{Answer, AnswerReason, Evaluated, Report};
use crate::cli::connect::connect;
use crate::cli::failure::{Exit, Failure};
use crate::cli::input::{InputError, json};
use crate::cli::names::PartOf;
use crate::cli::session::{STORE_CONTEXT, Session};
use crate::cli::view::{Canvas, View};
use crate::cli::views::overrides::held_by;
use crate::cli::views::table::{printable, shortened, table};
use crate::evaluate::{TARGETING_KEY, number_text};
use crate::model::value::Map;
use crate::model::{BreakerName, ClusterName, FlagName};

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
    /// that is one of those that the rule takes for `versions`.
    fn doubt(&self, versions: &[String]) -> Option<String> {
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
        let what = "which the rule compares as a version";
        let is_version = versions.contains(&path);
        is_version.then(|| format!("`{path}={text}` is a number, {what}; {quoted}"))
    }
}

pub(super) async fn eval(session: &Session, args: &EvalArgs) -> Result<Exit, Failure> {
    let context = context(args)?;
    let connected = connect(session).await?;
    let query = EvaluateQuery {
        set: args.flag.set.clone(),
        flag: args.flag.name.clone(),
        context,
        cluster: args.cluster.clone(),
    };
    let found = connected.service.evaluate(&connected.by, &query).await?;
    let fields = args.fields.iter();
    for doubt in fields.filter_map(|field| field.doubt(&found.numbers_as_versions)) {
        session.ui.status(&format!("warning: {doubt}"));
    }
    session.ui.report(&found)?;
    Ok(Exit::Done)
}

/// The context of the file, with the fields of the command line laid over it.
fn context(args: &EvalArgs) -> Result<Map, Failure> {
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
    Ok(context)
}

fn file(path: &Path) -> Result<Map, Failure> {
    let read = json(path, MAX_FILE_BYTES).map_err(|error| match error {
        InputError::NotThis(error) => {
            anyhow::Error::new(error).context("a context is a JSON object")
        }
        error => error.into(),
    });
    read.map_err(|error| {
        let what = format!("could not read the context in `{}`", path.display());
        Failure::new(Exit::Usage, error.context(what))
    })
}

/// The reason, with what belongs to it.
fn why(answer: &Answer) -> String {
    match answer.reason {
        AnswerReason::Static => "static".to_owned(),
        AnswerReason::TargetingMatch => "targeting match".to_owned(),
        AnswerReason::Default => "default".to_owned(),
        AnswerReason::Disabled => "disabled".to_owned(),
        AnswerReason::Error => {
            let error = answer.error.as_deref().unwrap_or_default();
            format!("error: {}", printable(error))
        }
        AnswerReason::Override => "override".to_owned(),
        AnswerReason::Breaker => {
            let breaker = answer.breaker.as_ref().map(BreakerName::as_str);
            format!("breaker {}", breaker.unwrap_or_default())
        }
    }
}

impl View for Evaluated {
    const KIND: &'static str = <Self as Report>::KIND;

    fn table(&self, look: Canvas) -> String {
        let rows = self.answers.iter().map(|answer| {
            let clusters: Vec<&str> = answer.clusters.iter().map(ClusterName::as_str).collect();
            let value = answer.value.as_ref();
            [
                answer.variant.clone().unwrap_or_else(|| "-".to_owned()),
                value.map_or("(application)".to_owned(), |value| {
                    shortened(&value.to_string(), look)
                }),
                why(answer),
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
