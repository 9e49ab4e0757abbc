//! What is wrong with files, as people, programs and pipelines see it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;

use super::super::view::{Canvas, Output, View};
use super::github::{Annotation, FilePlace};
use super::junit::{self, Case, CaseFailure, Suite};
use super::markdown::{Comment, Section, code};
use super::table::count;
use crate::check::Severity;
use crate::manifest::{self, Loaded, Located, Manifest, SourceId, Sources, Span, Style};
use crate::model::ResourceKind;

/// What was read, and everything that is wrong with it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Validation<'a> {
    pub(crate) valid: bool,
    sets: usize,
    clusters: usize,
    #[serde(skip_serializing_if = "is_none")]
    grants: usize,
    findings: Vec<FindingView>,
    #[serde(skip)]
    loaded: &'a Loaded,
    /// What the files of annotations are relative to.
    #[serde(skip)]
    roots: Roots<'a>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands out references"
)]
fn is_none(count: &usize) -> bool {
    *count == 0
}

/// Where a repository lies, and where in it we are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Roots<'a> {
    /// The working directory.
    pub(crate) directory: &'a Path,
    /// The root of the repository, where the pipeline says it.
    pub(crate) workspace: Option<&'a Path>,
}

/// One thing that is wrong with files, for programs.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FindingView {
    severity: &'static str,
    code: Cow<'static, str>,
    message: String,
    at: Option<PlaceView>,
    related: Vec<PlaceView>,
    help: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
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

impl std::fmt::Display for PlaceView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

fn severity(finding: &Located) -> &'static str {
    match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

impl FindingView {
    pub(crate) fn new(finding: &Located, sources: &Sources) -> Self {
        let related = finding.related.iter();
        Self {
            severity: severity(finding),
            code: finding.code.clone(),
            message: finding.message.clone(),
            at: finding.at.map(|span| PlaceView::new(span, sources, None)),
            related: related
                .map(|(span, what)| PlaceView::new(*span, sources, Some(what.clone())))
                .collect(),
            help: finding.help.clone(),
        }
    }

    /// The message, and on further lines what helps.
    fn text(&self) -> String {
        let mut text = self.message.clone();
        for place in &self.related {
            let what = place.what.as_deref().unwrap_or_default();
            _ = write!(text, "\n{place}: {what}");
        }
        for help in &self.help {
            _ = write!(text, "\nhelp: {help}");
        }
        text
    }

    /// The same with its place in front.
    fn text_at_place(&self) -> String {
        match &self.at {
            Some(at) => format!("{at}: {}", self.text()),
            None => self.text(),
        }
    }
}

impl<'a> Validation<'a> {
    pub(crate) fn new(loaded: &'a Loaded, roots: Roots<'a>) -> Self {
        let of = |kind| {
            let ids = loaded.manifests.iter().map(|manifest| manifest.id.kind());
            ids.filter(|found| *found == kind).count()
        };
        let findings = loaded.findings.iter();
        Self {
            valid: !loaded.has_errors(),
            sets: of(ResourceKind::Set),
            clusters: of(ResourceKind::Cluster),
            grants: of(ResourceKind::Grant),
            findings: findings
                .map(|finding| FindingView::new(finding, &loaded.sources))
                .collect(),
            loaded,
            roots,
        }
    }

    /// Every finding with its view, worst first.
    fn sorted(&self) -> Vec<(&Located, &FindingView)> {
        let mut pairs: Vec<_> = self.loaded.findings.iter().zip(&self.findings).collect();
        // GitHub shows the first ten of a step.
        pairs.sort_by_key(|(finding, _)| {
            let place = finding.at.map(|span| (span.source, span.start));
            (std::cmp::Reverse(finding.severity), place)
        });
        pairs
    }

    /// What there is, where nothing is wrong.
    fn valid(&self) -> String {
        let (sets, clusters) = (count(self.sets, "set"), count(self.clusters, "cluster"));
        let mut text = format!("valid: {sets}, {clusters}");
        if self.grants > 0 {
            _ = write!(text, ", {}", count(self.grants, "grant"));
        }
        text
    }

    fn summary(&self) -> String {
        let of = |severity| {
            let findings = self.loaded.findings.iter();
            findings
                .filter(|finding| finding.severity == severity)
                .count()
        };
        let (errors, warnings) = (of(Severity::Error), of(Severity::Warning));
        let mut parts = Vec::new();
        if self.valid {
            parts.push(self.valid());
        } else {
            parts.push(count(errors, "error"));
        }
        if warnings > 0 {
            parts.push(count(warnings, "warning"));
        }
        parts.join(", ")
    }
}

impl View for Validation<'_> {
    const KIND: &'static str = "Validation";

    fn table(&self, _: Canvas) -> String {
        if !self.valid {
            return String::new();
        }
        format!("{}\n", self.valid())
    }

    fn names(&self) -> Vec<String> {
        if !self.valid {
            return Vec::new();
        }
        let ids = self.loaded.manifests.iter();
        ids.map(|manifest| manifest.id.to_string()).collect()
    }

    fn special(&self, output: Output) -> Option<String> {
        match output {
            Output::Markdown => Some(self.markdown()),
            Output::Github => Some(self.github()),
            Output::Junit => Some(junit::write(&self.suites())),
            Output::Table | Output::Wide | Output::Json | Output::Yaml | Output::Name => None,
        }
    }
}

impl Validation<'_> {
    fn github(&self) -> String {
        let sources = &self.loaded.sources;
        let annotation = |(finding, view): (&Located, &FindingView)| {
            let file = finding
                .at
                .map(|span| self.roots.file(sources.name(span.source)));
            let place = finding
                .at
                .zip(file.as_deref())
                .map(|(span, file)| FilePlace {
                    file,
                    line: span.line,
                    column: span.column,
                    end_column: end_column(span, sources),
                });
            let annotation = Annotation {
                level: severity(finding),
                place,
                title: &finding.code,
                message: view.text(),
            };
            annotation.write()
        };
        self.sorted().into_iter().map(annotation).collect()
    }

    fn markdown(&self) -> String {
        let sources = &self.loaded.sources;
        let row = |(finding, view): (&Located, &FindingView)| {
            let place = view.at.as_ref().map_or(String::new(), PlaceView::to_string);
            vec![
                severity(finding).to_owned(),
                code(&place),
                code(&finding.code),
                code(&finding.message),
            ]
        };
        let mut by_file: BTreeMap<Option<SourceId>, Vec<Located>> = BTreeMap::new();
        for finding in &self.loaded.findings {
            let file = finding.at.map(|span| span.source);
            by_file.entry(file).or_default().push(finding.clone());
        }
        let sections = by_file.into_iter().map(|(file, findings)| {
            let name = file.map(|file| sources.name(file).to_string_lossy());
            let name = name.unwrap_or("what is in no file".into());
            Section {
                title: format!("{}: {}", code(&name), count(findings.len(), "finding")),
                language: "text",
                text: manifest::show(&findings, sources, Style::Plain),
            }
        });
        let comment = Comment {
            command: "validate",
            summary: format!("**cfgctl validate**: {}", self.summary()),
            header: &["Severity", "Place", "Code", "Finding"],
            rows: self.sorted().into_iter().map(row).collect(),
            sections: sections.collect(),
            about: "file",
            everything: "cfgctl validate",
        };
        comment.write()
    }

    /// Every file is a suite and every resource of it a test; what belongs to no resource fails a
    /// test of the file itself.
    fn suites(&self) -> Vec<Suite> {
        let sources = &self.loaded.sources;
        let manifests = self.loaded.manifests.iter();
        let mut files: BTreeSet<Option<SourceId>> = manifests
            .map(|manifest| Some(manifest.places.whole().source))
            .collect();
        let findings = self.loaded.findings.iter();
        files.extend(findings.map(|finding| finding.at.map(|span| span.source)));
        let suite = |file: Option<SourceId>| {
            let name = file.map(|file| sources.name(file).to_string_lossy().into_owned());
            let manifests = self.loaded.manifests.iter();
            let mut cases: Vec<Case> = manifests
                .filter(|manifest| Some(manifest.places.whole().source) == file)
                .map(|manifest| {
                    let belongs = |finding: &Located| contains(manifest, finding);
                    self.case(manifest.id.to_string(), belongs)
                })
                .collect();
            let belongs = |finding: &Located| {
                let mut manifests = self.loaded.manifests.iter();
                finding.at.map(|span| span.source) == file
                    && !manifests.any(|manifest| contains(manifest, finding))
            };
            let rest = self.case("the file as a whole".to_owned(), belongs);
            if !rest.failures.is_empty() || !rest.notes.is_empty() {
                cases.push(rest);
            }
            Suite {
                name: name.unwrap_or("cfgctl".to_owned()),
                cases,
            }
        };
        files.into_iter().map(suite).collect()
    }

    fn case(&self, name: String, belongs: impl Fn(&Located) -> bool) -> Case {
        let (mut failures, mut notes) = (Vec::new(), Vec::new());
        for (finding, view) in self.sorted() {
            if !belongs(finding) {
                continue;
            }
            match finding.severity {
                Severity::Error => failures.push(CaseFailure {
                    code: finding.code.clone().into_owned(),
                    message: view.text_at_place(),
                }),
                Severity::Warning => notes.push(format!("warning: {}", view.text_at_place())),
            }
        }
        Case {
            name,
            failures,
            notes,
        }
    }
}

impl Roots<'_> {
    /// A file as GitHub wants it: from the root of the repository.
    fn file(&self, name: &Path) -> String {
        let root = self.workspace.unwrap_or(self.directory);
        let clean: std::path::PathBuf = self.directory.join(name).components().collect();
        let file = clean.strip_prefix(root).unwrap_or(name);
        file.to_string_lossy().into_owned()
    }
}

/// Whether a finding is about this resource.
fn contains(manifest: &Manifest, finding: &Located) -> bool {
    let whole = manifest.places.whole();
    finding.at.is_some_and(|span| {
        span.source == whole.source && (whole.start..=whole.end).contains(&span.start)
    })
}

/// The column after the last, if the place ends in the line where it begins.
fn end_column(span: Span, sources: &Sources) -> Option<usize> {
    let text = sources.text(span.source).get(span.start..span.end)?;
    let is_one_line = !text.is_empty() && !text.contains('\n');
    is_one_line.then(|| span.column + text.chars().count())
}
