//! The one place where manifests are read from disk: bounded, and each file once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::limits::{Cost, Limits};
use super::node::Kind;
use super::{Finding, SourceId, Sources, Span, parse};

/// What a user calls standard input.
const STDIN: &str = "-";

/// Whether a directory is read with everything below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recursion {
    /// Only the files in the directory itself.
    Flat,
    /// The files in all directories below too.
    Recursive,
}

/// A file that was read.
pub(super) struct Text {
    /// Its text.
    pub(super) source: SourceId,
    /// The directory that relative paths in it start from, as the user would write it.
    pub(super) beside: PathBuf,
}

/// Reads files, and keeps what was read, what it cost and what was wrong.
pub(super) struct Reader<'c> {
    /// What relative paths start from; absolute.
    pub(super) cwd: &'c Path,
    pub(super) limits: Limits,
    pub(super) sources: Sources,
    pub(super) findings: Vec<Finding>,
    /// What the values of all files cost so far.
    pub(super) spent: Cost,
    files: usize,
    bytes: usize,
    entries: usize,
    /// Files and directories that were read, by their real paths.
    seen: BTreeSet<PathBuf>,
    schemas: BTreeMap<PathBuf, Option<(SourceId, Value)>>,
}

impl<'c> Reader<'c> {
    pub(super) fn new(cwd: &'c Path, limits: Limits) -> Self {
        Self {
            cwd,
            limits,
            sources: Sources::default(),
            findings: Vec::new(),
            spent: Cost::default(),
            files: 0,
            bytes: 0,
            entries: 0,
            seen: BTreeSet::new(),
            schemas: BTreeMap::new(),
        }
    }

    /// Everything that standard input says.
    pub(super) fn stdin(&mut self, input: &mut dyn Read) -> Option<Text> {
        self.named(Path::new(STDIN), input)
    }

    /// Everything that `input` says, under a name that is not that of a file.
    pub(super) fn named(&mut self, name: &Path, input: &mut dyn Read) -> Option<Text> {
        let source = self.read(input, name, None)?;
        Some(Text {
            source,
            beside: PathBuf::new(),
        })
    }

    /// The files that `path` names: itself, or the manifests in it. Files that were named before
    /// are left out.
    pub(super) fn files(&mut self, path: &Path, recursion: Recursion) -> Vec<PathBuf> {
        let mut found = Vec::new();
        match fs::metadata(self.cwd.join(path)) {
            Err(error) => {
                self.cannot_read(path, &error, None);
            }
            Ok(metadata) if metadata.is_dir() => {
                let before = self.entries;
                let fresh = self.walk(path, recursion, &mut found);
                if fresh == Walk::Done && found.is_empty() {
                    self.nothing_in(path, recursion, before);
                }
            }
            // A pipe is fine if the user names it: `-f <(generate)`.
            Ok(_) => {
                if self.is_new(path) {
                    found.push(path.to_owned());
                }
            }
        }
        found
    }

    /// The text of a file that [`Self::files`] found.
    pub(super) fn file(&mut self, name: &Path) -> Option<Text> {
        let source = self.open(name, None)?;
        Some(Text {
            source,
            beside: name.parent().map(Path::to_owned).unwrap_or_default(),
        })
    }

    /// The JSON Schema at `path`, which `at` names.
    pub(super) fn schema(
        &mut self,
        path: &str,
        beside: &Path,
        at: Span,
    ) -> Option<(SourceId, Value)> {
        let name = beside.join(path);
        let full = self.cwd.join(&name);
        let real = match fs::canonicalize(&full) {
            Ok(real) => real,
            Err(error) => {
                self.cannot_read(&name, &error, Some(at));
                return None;
            }
        };
        if let Some(known) = self.schemas.get(&real) {
            return known.clone();
        }
        let schema = self.open(&name, Some(at)).and_then(|source| {
            let value = self.schema_in(source, at)?;
            Some((source, value))
        });
        self.schemas.insert(real, schema.clone());
        schema
    }

    fn schema_in(&mut self, source: SourceId, at: Span) -> Option<Value> {
        let text = self.sources.text(source);
        let (documents, findings) = parse::documents(source, text, self.limits, &mut self.spent);
        let broken = !findings.is_empty();
        self.findings.extend(findings);
        match documents.as_slice() {
            [root] if matches!(root.kind, Kind::Map(_)) => root.value(),
            // What is wrong is said already.
            _ if broken => None,
            _ => {
                self.findings.push(
                    Finding::error(
                        "schema-file",
                        Some(at),
                        format!(
                            "`{}` does not hold one JSON Schema",
                            self.sources.name(source).display()
                        ),
                    )
                    .help("a JSON Schema file holds one JSON or YAML map"),
                );
                None
            }
        }
    }

    fn is_new(&mut self, path: &Path) -> bool {
        // What has no real path cannot be read either, which is reported when it is opened.
        fs::canonicalize(self.cwd.join(path)).map_or(true, |real| self.seen.insert(real))
    }

    /// Collects the manifests of a directory, sorted by name.
    fn walk(&mut self, directory: &Path, recursion: Recursion, found: &mut Vec<PathBuf>) -> Walk {
        if !self.is_new(directory) {
            return Walk::Stopped;
        }
        let entries = match self.list(directory) {
            Ok(entries) => entries,
            Err(error) => {
                self.cannot_read(directory, &error, None);
                return Walk::Stopped;
            }
        };
        if self.entries > self.limits.entries {
            self.findings.push(
                Finding::error(
                    "too-many-files",
                    None,
                    format!(
                        "`{}` takes the directories to more than {} entries",
                        directory.display(),
                        self.limits.entries
                    ),
                )
                .help("name the directory of the manifests itself"),
            );
            return Walk::Stopped;
        }
        let mut walk = Walk::Done;
        for path in entries {
            match fs::metadata(self.cwd.join(&path)) {
                Ok(metadata) if metadata.is_dir() => {
                    // A directory that was seen before is a loop of links, and no mistake.
                    if recursion == Recursion::Recursive
                        && self.walk(&path, recursion, found) == Walk::Stopped
                        && self.entries > self.limits.entries
                    {
                        return Walk::Stopped;
                    }
                }
                _ if !is_manifest(&path) => {}
                Ok(metadata) if metadata.is_file() => {
                    if self.is_new(&path) {
                        found.push(path);
                    } else {
                        walk = Walk::Stopped;
                    }
                }
                Ok(_) => {
                    self.findings.push(Finding::error(
                        "unreadable",
                        None,
                        format!("`{}` is not a regular file", path.display()),
                    ));
                    walk = Walk::Stopped;
                }
                Err(error) => {
                    self.cannot_read(&path, &error, None);
                    walk = Walk::Stopped;
                }
            }
        }
        walk
    }

    /// What lies in a directory and is not hidden, sorted by name.
    fn list(&mut self, directory: &Path) -> io::Result<Vec<PathBuf>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(self.cwd.join(directory))? {
            self.entries += 1;
            if self.entries > self.limits.entries {
                break;
            }
            let name = entry?.file_name();
            if !name.to_string_lossy().starts_with('.') {
                entries.push(directory.join(name));
            }
        }
        entries.sort();
        Ok(entries)
    }

    fn nothing_in(&mut self, directory: &Path, recursion: Recursion, entries_before: usize) {
        let finding = Finding::error(
            "no-manifests",
            None,
            format!("no manifests in `{}`", directory.display()),
        )
        .help("manifests are files that end in .yaml, .yml or .json");
        let finding = if recursion == Recursion::Flat && self.entries > entries_before {
            finding.help("directories below it are read with -R")
        } else {
            finding
        };
        self.findings.push(finding);
    }

    fn open(&mut self, name: &Path, at: Option<Span>) -> Option<SourceId> {
        match File::open(self.cwd.join(name)) {
            Ok(mut file) => self.read(&mut file, name, at),
            Err(error) => {
                self.cannot_read(name, &error, at);
                None
            }
        }
    }

    /// Reads at most one byte more than is allowed; `at` names the file in a manifest.
    fn read(&mut self, input: &mut dyn Read, name: &Path, at: Option<Span>) -> Option<SourceId> {
        self.files += 1;
        let allowed = self.limits.file_bytes.min(self.limits.bytes - self.bytes);
        if self.files > self.limits.files {
            let limit = self.limits.files;
            self.too_large(
                "too-many-files",
                name,
                at,
                &format!("makes more than {limit} files"),
            );
            return None;
        }
        let mut bytes = Vec::new();
        let bound = u64::try_from(allowed).unwrap_or(u64::MAX).saturating_add(1);
        if let Err(error) = input.take(bound).read_to_end(&mut bytes) {
            self.cannot_read(name, &error, at);
            return None;
        }
        if bytes.len() > allowed {
            let Limits {
                file_bytes,
                bytes: all,
                ..
            } = self.limits;
            let limit = if allowed == file_bytes {
                format!("has more than {file_bytes} bytes")
            } else {
                format!("takes all files to more than {all} bytes")
            };
            self.too_large("too-large", name, at, &limit);
            return None;
        }
        self.bytes += bytes.len();
        self.text(bytes, name)
    }

    fn text(&mut self, bytes: Vec<u8>, name: &Path) -> Option<SourceId> {
        if matches!(
            bytes.as_slice(),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..]
        ) {
            self.findings.push(
                Finding::error(
                    "encoding",
                    None,
                    format!("`{}` is not UTF-8, but looks like UTF-16", name.display()),
                )
                .help("save it as UTF-8"),
            );
            return None;
        }
        match String::from_utf8(bytes) {
            Ok(text) => {
                let text = match text.strip_prefix('\u{feff}') {
                    Some(rest) => rest.to_owned(),
                    None => text,
                };
                Some(self.sources.add(name.to_owned(), text))
            }
            Err(error) => {
                let start = error.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                let before = text.get(..start).unwrap_or_default();
                let line = before.rsplit('\n').next().unwrap_or_default();
                let span = Span {
                    line: before.matches('\n').count() + 1,
                    column: line.chars().count() + 1,
                    start,
                    end: start + '\u{fffd}'.len_utf8(),
                    source: self.sources.add(name.to_owned(), text),
                };
                self.findings.push(
                    Finding::error("encoding", Some(span), "this byte is not UTF-8")
                        .help("save the file as UTF-8"),
                );
                None
            }
        }
    }

    fn too_large(&mut self, code: &'static str, name: &Path, at: Option<Span>, what: &str) {
        let message = format!("`{}` {what}", name.display());
        self.findings.push(
            Finding::error(code, at, message)
                .help("that is more than cfgctl reads, and far more than a Consul holds"),
        );
    }

    fn cannot_read(&mut self, name: &Path, error: &io::Error, at: Option<Span>) {
        let finding = Finding::error(
            "unreadable",
            at,
            format!("cannot read `{}`: {}", name.display(), reason(error)),
        );
        self.findings.push(match at {
            Some(_) => finding.help("a relative path starts beside the manifest that names it"),
            None => finding,
        });
    }
}

/// How a walk through a directory ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Walk {
    /// Everything was looked at.
    Done,
    /// Something was left out, for a reason that is known or reported.
    Stopped,
}

/// The reason without the number that the system gives it.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "it is a directory".to_owned(),
        _ => error.to_string(),
    }
}

/// Whether a file in a directory is a manifest, by its name. Schemas lie beside them.
fn is_manifest(path: &Path) -> bool {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().to_lowercase())
        .unwrap_or_default();
    [".yaml", ".yml", ".json"].iter().any(|ending| {
        name.strip_suffix(ending)
            .is_some_and(|stem| !stem.ends_with(".schema"))
    })
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
