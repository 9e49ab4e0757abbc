//! `cfgctl validate`.

use serde::Serialize;

use super::declared::{FileArgs, add_checks, show};
use super::failure::{Exit, Failure};
use super::session::Session;
use super::ui::{Look, Report};
use super::views::table::count;
use crate::manifest::{Finding, Severity, Sources, Span};
use crate::model::{Heads, ResourceKind};

/// Checks files, on their own and against each other, without a store or a cluster
///
/// Shows every mistake at once, each with its file, line and column.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ValidateArgs {
    #[command(flatten)]
    files: FileArgs,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Validation {
    valid: bool,
    sets: usize,
    clusters: usize,
    findings: Vec<FindingView>,
    #[serde(skip)]
    names: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FindingView {
    severity: &'static str,
    code: &'static str,
    message: String,
    at: Option<PlaceView>,
    related: Vec<PlaceView>,
    help: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PlaceView {
    file: String,
    line: usize,
    column: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    what: Option<String>,
}

impl PlaceView {
    fn new(span: Span, sources: &Sources, what: Option<String>) -> Self {
        Self {
            file: sources.name(span.source).to_string_lossy().into_owned(),
            line: span.line,
            column: span.column,
            what,
        }
    }
}

impl FindingView {
    fn new(finding: &Finding, sources: &Sources) -> Self {
        let related = finding.related.iter();
        Self {
            severity: match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            code: finding.code,
            message: finding.message.clone(),
            at: finding.at.map(|span| PlaceView::new(span, sources, None)),
            related: related
                .map(|(span, what)| PlaceView::new(*span, sources, Some(what.clone())))
                .collect(),
            help: finding.help.clone(),
        }
    }
}

pub(crate) fn validate(session: &Session, args: &ValidateArgs) -> Result<Exit, Failure> {
    let mut loaded = args.files.load(session)?;
    add_checks(&mut loaded, &Heads::new());
    let of = |kind| {
        let ids = loaded.manifests.iter().map(|manifest| manifest.id.kind());
        ids.filter(|found| *found == kind).count()
    };
    let valid = !loaded.has_errors();
    show(session, &loaded.findings, &loaded.sources);
    session.ui.report(&Validation {
        valid,
        sets: of(ResourceKind::Set),
        clusters: of(ResourceKind::Cluster),
        findings: loaded
            .findings
            .iter()
            .map(|finding| FindingView::new(finding, &loaded.sources))
            .collect(),
        names: loaded
            .manifests
            .iter()
            .map(|manifest| manifest.id.to_string())
            .collect(),
    })?;
    if valid {
        Ok(Exit::Done)
    } else {
        Err(Failure::usage("the files are not valid"))
    }
}

impl Report for Validation {
    const KIND: &'static str = "Validation";

    fn table(&self, _: Look) -> String {
        if !self.valid {
            return String::new();
        }
        format!(
            "valid: {}, {}\n",
            count(self.sets, "set"),
            count(self.clusters, "cluster")
        )
    }

    fn names(&self) -> Vec<String> {
        if !self.valid {
            return Vec::new();
        }
        self.names.clone()
    }
}
