//! The one place where manifests are read from disk: bounded, and each file once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::limits::{Cost, Limits};
use super::node::Kind;
use super::words::closest;
use super::{Located, SourceId, Sources, Span, json, parse};

mod walk;

/// What a user calls standard input.
const STDIN: &str = "-";
/// What Windows puts before a text in UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

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
    pub(super) findings: Vec<Located>,
    /// What the values of all files cost so far.
    pub(super) spent: Cost,
    files: usize,
    bytes: usize,
    entries: usize,
    /// Directories that were not looked into.
    directories: usize,
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
            directories: 0,
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
                self.suggest(&full);
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
        if let Some((value, cost)) = json::read(text, self.limits, self.spent) {
            self.spent = self.spent.plus(cost);
            return Some(value);
        }
        let (documents, findings) = parse::documents(source, text, self.limits, &mut self.spent);
        let broken = !findings.is_empty();
        self.findings.extend(findings);
        match documents.as_slice() {
            [root] if matches!(root.kind, Kind::Map(_)) => root.value(),
            // What is wrong is said already.
            _ if broken => None,
            _ => {
                self.findings.push(
                    Located::error(
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

    /// Adds to the newest finding what `missing` was probably meant to be.
    fn suggest(&mut self, missing: &Path) {
        let names: Vec<String> = missing
            .parent()
            .and_then(|directory| fs::read_dir(directory).ok())
            .into_iter()
            .flatten()
            .take(self.limits.entries)
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect();
        let word = missing.file_name().unwrap_or_default().to_string_lossy();
        let meant = closest(&word, names.iter().map(String::as_str));
        if let (Some(meant), Some(finding)) = (meant, self.findings.last_mut()) {
            finding.label = Some(format!("did you mean `{meant}`?"));
        }
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
        if looks_like_utf_16(&bytes) {
            let message = format!("`{}` is not UTF-8, but looks like UTF-16", name.display());
            self.findings
                .push(Located::error("encoding", None, message).help("save it as UTF-8"));
            return None;
        }
        let (text, broken) = match String::from_utf8(bytes) {
            Ok(text) => (text, None),
            Err(error) => {
                let broken = error.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                (text, Some(broken))
            }
        };
        let mark = if text.starts_with(BYTE_ORDER_MARK) {
            BYTE_ORDER_MARK.len_utf8()
        } else {
            0
        };
        let text = text[mark..].to_owned();
        let broken = broken.map(|index| index.saturating_sub(mark));
        let hidden = text.find(|character: char| {
            character.is_control() && !matches!(character, '\t' | '\n' | '\r' | '\u{85}')
        });
        let source = self.sources.add(name.to_owned(), text);
        let finding = match (broken, hidden) {
            (Some(index), _) => Located::error(
                "encoding",
                Some(self.character_at(source, index)),
                "this byte is not UTF-8",
            )
            .help("save the file as UTF-8"),
            // The parser would take a NUL for the end of the file.
            (None, Some(index)) => Located::error(
                "control-character",
                Some(self.character_at(source, index)),
                "this is a control character, which YAML does not allow",
            )
            .help("take it out, or write it as an escape in double quotes: \"\\0\", \"\\x1b\""),
            (None, None) => return Some(source),
        };
        self.findings.push(finding);
        None
    }

    /// Where the character at byte `start` of a text stands.
    fn character_at(&self, source: SourceId, start: usize) -> Span {
        let (before, after) = self.sources.text(source).split_at(start);
        let line = before.rsplit('\n').next().unwrap_or_default();
        Span {
            source,
            line: before.matches('\n').count() + 1,
            column: line.chars().count() + 1,
            start,
            end: start + after.chars().next().map_or(0, char::len_utf8),
        }
    }

    fn too_large(&mut self, code: &'static str, name: &Path, at: Option<Span>, what: &str) {
        let message = format!("`{}` {what}", name.display());
        self.findings.push(
            Located::error(code, at, message)
                .help("that is more than cfgctl reads, and far more than a Consul holds"),
        );
    }

    fn cannot_read(&mut self, name: &Path, error: &io::Error, at: Option<Span>) {
        let finding = Located::error(
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

/// Text in UTF-16 starts with a mark, or has a zero in one of its first two bytes.
pub(crate) fn looks_like_utf_16(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..]
    )
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

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
