//! From files to what is declared: read, and what is found in it mapped back to lines.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use super::failure::Failure;
use super::session::Session;
use super::source;
use super::ui::Ui;
use super::views::validation::FindingView;
use crate::check::{self, Finding, Severity};
use crate::manifest::{self, Loaded, Located, Manifest, ManifestSource, Recursion, Sources, Style};
use crate::model::value::{Path, leaves};
use crate::model::{Content, FLAGS_KEY, Heads, Home, Provenance, ResourceId, Source};

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
                inputs.push(ManifestSource::Path(name.clone(), recursion));
            } else if let Some(stdin) = stdin.take() {
                inputs.push(ManifestSource::Stdin(stdin));
            }
        }
        Ok(manifest::load(inputs, &session.environment.directory))
    }

    /// Whether standard input is one of the files.
    pub(crate) fn read_stdin(&self) -> bool {
        self.filenames.iter().any(|name| name.as_os_str() == "-")
    }

    /// Reads every file, for the service to check with what is there besides. What cannot even be
    /// read is shown, with everything else that is certainly wrong.
    pub(crate) fn read(&self, session: &Session) -> Result<Arc<Loaded>, Failure> {
        let mut loaded = self.load(session)?;
        if loaded.has_errors() {
            add_checks(&mut loaded);
        }
        show(&session.ui, &loaded.findings, &loaded.sources);
        if loaded.has_errors() {
            return Err(invalid(&loaded.findings, &loaded.sources));
        }
        Ok(keep(loaded))
    }

    /// Reads and checks every file on its own, without a store.
    pub(crate) fn checked(&self, session: &Session) -> Result<Arc<Loaded>, Failure> {
        let mut loaded = self.load(session)?;
        add_checks(&mut loaded);
        show(&session.ui, &loaded.findings, &loaded.sources);
        if loaded.has_errors() {
            return Err(invalid(&loaded.findings, &loaded.sources));
        }
        Ok(keep(loaded))
    }
}

/// Keeps what was loaded until the process ends, which is soon: giving it back value by value takes
/// longer than much that is done with it.
pub(crate) fn keep(loaded: Loaded) -> Arc<Loaded> {
    let loaded = Arc::new(loaded);
    std::mem::forget(Arc::clone(&loaded));
    loaded
}

/// Shows what was found in what was loaded.
pub(crate) fn warn(ui: &Ui, loaded: &Loaded, findings: &[Finding]) {
    if !findings.is_empty() {
        let located = manifest::locate(findings.to_vec(), &loaded.manifests);
        show(ui, &located, &loaded.sources);
    }
}

/// The failure of what was loaded and found to be invalid, which is shown.
pub(crate) fn explain(ui: &Ui, loaded: &Loaded, findings: Vec<Finding>) -> Failure {
    let located = manifest::locate(findings, &loaded.manifests);
    show(ui, &located, &loaded.sources);
    invalid(&located, &loaded.sources)
}

/// Checks what was read on its own, and adds what is wrong with it.
pub(crate) fn add_checks(loaded: &mut Loaded) {
    let declared = (loaded.manifests.iter()).map(|manifest| (&manifest.id, &manifest.content));
    let mut findings = check::declared(declared, &Heads::new());
    if loaded.has_errors() {
        // Something is missing, so only what is certain is said: no warnings, and nothing about
        // what the store holds in its place.
        findings.retain(|finding| finding.severity == Severity::Error);
    }
    let located = manifest::locate(findings, &loaded.manifests);
    loaded.findings.extend(located);
}

/// The failure of files that are invalid, once their findings have been shown.
fn invalid(findings: &[Located], sources: &Sources) -> Failure {
    Failure {
        findings: findings
            .iter()
            .map(|finding| FindingView::new(finding, sources))
            .collect(),
        ..Failure::usage("the files are not valid; nothing was changed")
    }
}

/// Shows findings on standard error.
pub(crate) fn show(ui: &Ui, findings: &[Located], sources: &Sources) {
    if findings.is_empty() {
        return;
    }
    let style = if ui.colors_stderr() {
        Style::Color
    } else {
        Style::Plain
    };
    ui.notice(&manifest::show(findings, sources, style));
}

/// What the manifests say.
pub(crate) fn contents(loaded: &Loaded) -> BTreeMap<ResourceId, Content> {
    let manifests = loaded.manifests.iter();
    manifests
        .map(|manifest| (manifest.id.clone(), manifest.content.clone()))
        .collect()
}

/// Where in its file each value of every set stands.
pub(crate) fn provenances(session: &Session, loaded: &Loaded) -> BTreeMap<ResourceId, Provenance> {
    let directory = &session.environment.directory;
    let mut sources: BTreeMap<&std::path::Path, Option<Source>> = BTreeMap::new();
    let mut of = |manifest: &Manifest| {
        let set = manifest.content.set()?;
        let name = loaded.sources.name(manifest.places.whole().source);
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
