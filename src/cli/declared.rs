//! From files to what is desired: read, checked on their own and against the store.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::PathBuf;

use super::failure::Failure;
use super::session::Session;
use super::source;
use super::views::validation::FindingView;
use crate::check::{self, Severity};
use crate::manifest::{self, Input, Loaded, Located, Manifest, Recursion, Sources, Style};
use crate::model::value::{Path, leaves};
use crate::model::{
    Cluster, ClusterName, Content, FLAGS_KEY, Heads, Home, Provenance, ResourceId, Source,
};
use crate::plan::Desired;

/// Which files to read.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct FileArgs {
    /// A file, a directory, or `-` for standard input; may be given several times
    #[arg(short, long = "filename", value_name = "FILE")]
    pub(crate) filenames: Vec<PathBuf>,

    /// Read directories with all that is below them
    #[arg(short = 'R', long)]
    pub(crate) recursive: bool,
}

impl FileArgs {
    /// Reads every file. What is wrong with them is in the findings.
    pub(crate) fn load(&self, session: &Session) -> Result<Loaded, Failure> {
        if self.filenames.is_empty() {
            return Err(Failure::usage("no files are named")
                .hint("name a file or directory with `-f`, or `-f -` for standard input"));
        }
        let recursion = if self.recursive {
            Recursion::Recursive
        } else {
            Recursion::Flat
        };
        let mut stdin = std::io::stdin().lock();
        let mut stdin: Option<&mut dyn Read> = Some(&mut stdin);
        let mut inputs = Vec::new();
        for name in &self.filenames {
            if name.as_os_str() != "-" {
                inputs.push(Input::Path(name.clone(), recursion));
            } else if let Some(stdin) = stdin.take() {
                inputs.push(Input::Stdin(stdin));
            }
        }
        Ok(manifest::load(inputs, &session.environment.directory))
    }

    /// Whether standard input is one of the files.
    pub(crate) fn read_stdin(&self) -> bool {
        self.filenames.iter().any(|name| name.as_os_str() == "-")
    }

    /// Reads and checks every file, shows what is wrong, and goes on only if nothing is broken.
    pub(crate) fn declared(&self, session: &Session, heads: &Heads) -> Result<Loaded, Failure> {
        checked(session, heads, self.load(session)?)
    }
}

/// Checks a content that is in no file, shows what is wrong, and goes on only if nothing is broken.
/// Only then is it written as a manifest, which findings call `name`, so that they have lines.
pub(crate) fn checked_content(
    session: &Session,
    heads: &Heads,
    name: &str,
    (id, content): (&ResourceId, &Content),
) -> Result<(), Failure> {
    let findings = check::declared([(id, content)], heads);
    if findings.is_empty() {
        return Ok(());
    }
    let mut loaded = manifest::written(name.into(), id, content);
    loaded.findings = manifest::locate(findings, &loaded.manifests);
    shown(session, &loaded)
}

fn checked(session: &Session, heads: &Heads, mut loaded: Loaded) -> Result<Loaded, Failure> {
    add_checks(&mut loaded, heads);
    shown(session, &loaded)?;
    Ok(loaded)
}

/// Shows what was found; a failure if something is broken.
fn shown(session: &Session, loaded: &Loaded) -> Result<(), Failure> {
    show(session, &loaded.findings, &loaded.sources);
    if loaded.has_errors() {
        return Err(invalid(loaded));
    }
    Ok(())
}

/// Checks what was read, and adds what is wrong with it.
pub(crate) fn add_checks(loaded: &mut Loaded, heads: &Heads) {
    let findings = if loaded.has_errors() {
        // Something is missing, so only what is certain is said: no warnings, and nothing about
        // what the store holds in its place.
        let mut findings = check_against(&loaded.manifests, &Heads::new());
        findings.retain(|finding| finding.severity == Severity::Error);
        findings
    } else {
        check_against(&loaded.manifests, heads)
    };
    loaded.findings.extend(findings);
}

/// The failure of files that are invalid, once their findings have been shown.
fn invalid(loaded: &Loaded) -> Failure {
    let findings = loaded.findings.iter();
    Failure {
        findings: findings
            .map(|finding| FindingView::new(finding, &loaded.sources))
            .collect(),
        ..Failure::usage("the files are not valid; nothing was changed")
    }
}

/// Shows findings on standard error.
pub(crate) fn show(session: &Session, findings: &[Located], sources: &Sources) {
    if findings.is_empty() {
        return;
    }
    let style = if session.ui.colors_stderr() {
        Style::Color
    } else {
        Style::Plain
    };
    session.ui.notice(&manifest::show(findings, sources, style));
}

/// Checks manifests together with what the store holds besides them.
fn check_against(manifests: &[Manifest], heads: &Heads) -> Vec<Located> {
    let declared = (manifests.iter()).map(|manifest| (&manifest.id, &manifest.content));
    manifest::locate(check::declared(declared, heads), manifests)
}

/// The living resources of the store that no manifest declares.
pub(crate) fn undeclared(manifests: &[Manifest], heads: &Heads) -> Vec<ResourceId> {
    let declared: BTreeSet<&ResourceId> = manifests.iter().map(|manifest| &manifest.id).collect();
    heads
        .iter()
        .filter(|(id, head)| head.content != Content::Deleted && !declared.contains(id))
        .map(|(id, _)| id.clone())
        .collect()
}

/// What the manifests want.
pub(crate) fn desired(manifests: Vec<Manifest>) -> Desired {
    manifests
        .into_iter()
        .map(|manifest| (manifest.id, manifest.content))
        .collect()
}

/// Where in its file each value of every set stands.
pub(crate) fn provenances(session: &Session, loaded: &Loaded) -> BTreeMap<ResourceId, Provenance> {
    let directory = &session.environment.directory;
    let mut sources: BTreeMap<&std::path::Path, Option<Source>> = BTreeMap::new();
    let mut of = |manifest: &Manifest| {
        let set = manifest.content.set()?;
        let name = loaded.sources.name(manifest.places.value.source);
        let source = sources
            .entry(name)
            .or_insert_with(|| source::of(&directory.join(name)));
        let mut provenance =
            Provenance::new(name.to_string_lossy().into_owned()).with_source(source.clone());
        let within = |start: &[&str], path: &Path| {
            let segments = path.segments().iter().map(String::as_str);
            manifest
                .places
                .key(start.iter().copied().chain(segments))
                .line
        };
        for (path, _) in leaves(&set.values) {
            let line = within(&["spec", "values"], &path);
            provenance.add(Home::Defaults, &path, line);
        }
        for (index, layer) in set.layers.iter().enumerate() {
            let index = index.to_string();
            for (path, _) in leaves(&layer.values) {
                let line = within(&["spec", "layers", &index, "values"], &path);
                provenance.add(Home::Layer(&layer.name), &path, line);
            }
        }
        for name in set.flags.keys() {
            let path = Path::from_iter([name.as_str()]);
            let line = within(&["spec", "flags"], &path);
            provenance.add(Home::Flags, &path, line);
        }
        for (name, breaker) in &set.breakers {
            let trip = ["spec", "breakers", name.as_str(), "trip"];
            for (path, _) in leaves(&breaker.trip.values) {
                let line = within(&[&trip[..], &["values"]].concat(), &path);
                provenance.add(Home::Breaker(name), &path, line);
            }
            for flag in breaker.trip.flags.keys() {
                let path = Path::from_iter([FLAGS_KEY, flag.as_str()]);
                provenance.add(Home::Breaker(name), &path, within(&trip, &path));
            }
        }
        Some((manifest.id.clone(), provenance))
    };
    loaded.manifests.iter().filter_map(&mut of).collect()
}

/// The clusters that the store knows.
pub(crate) fn clusters(heads: &Heads) -> BTreeMap<&ClusterName, &Cluster> {
    heads
        .iter()
        .filter_map(|(id, head)| match id {
            ResourceId::Cluster(name) => Some((name, head.content.cluster()?)),
            ResourceId::Set(_) => None,
        })
        .collect()
}
