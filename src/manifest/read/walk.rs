//! Which files a path names.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Reader, Recursion};
use crate::manifest::Located;

/// How a walk through a directory ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Walk {
    /// Everything was looked at.
    Done,
    /// Something was left out, for a reason that is known or reported.
    Stopped,
}

impl Reader<'_> {
    /// The files that `path` names: itself, or the manifests in it. Files that were named before
    /// are left out.
    pub(in crate::manifest) fn files(&mut self, path: &Path, recursion: Recursion) -> Vec<PathBuf> {
        let mut found = Vec::new();
        match fs::metadata(self.cwd.join(path)) {
            Err(error) => {
                self.cannot_read(path, &error, None);
            }
            Ok(metadata) if metadata.is_dir() => {
                let before = self.directories;
                let fresh = self.walk(path, recursion, 0, &mut found);
                if fresh == Walk::Done && found.is_empty() {
                    self.nothing_in(path, self.directories > before);
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

    fn is_new(&mut self, path: &Path) -> bool {
        // What has no real path cannot be read either, which is reported when it is opened.
        fs::canonicalize(self.cwd.join(path)).map_or(true, |real| self.seen.insert(real))
    }

    /// Collects the manifests of a directory, sorted by name.
    fn walk(
        &mut self,
        directory: &Path,
        recursion: Recursion,
        depth: usize,
        found: &mut Vec<PathBuf>,
    ) -> Walk {
        // A directory that was seen before is a loop of links, and no mistake.
        if self.entries > self.limits.entries || !self.is_new(directory) {
            return Walk::Stopped;
        }
        if depth > self.limits.depth {
            let message = format!(
                "`{}` lies more than {} directories deep",
                directory.display(),
                self.limits.depth
            );
            self.findings
                .push(Located::error("too-deep", None, message));
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
                Located::error(
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
                Ok(metadata) if metadata.is_dir() => match recursion {
                    Recursion::Flat => self.directories += 1,
                    Recursion::Recursive => {
                        if self.walk(&path, recursion, depth + 1, found) == Walk::Stopped {
                            walk = Walk::Stopped;
                        }
                    }
                },
                _ if !is_manifest(&path) => {}
                Ok(metadata) if metadata.is_file() => {
                    if self.is_new(&path) {
                        found.push(path);
                    } else {
                        walk = Walk::Stopped;
                    }
                }
                Ok(_) => {
                    self.findings.push(Located::error(
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

    fn nothing_in(&mut self, directory: &Path, has_directories: bool) {
        let finding = Located::error(
            "no-manifests",
            None,
            format!("no manifests in `{}`", directory.display()),
        )
        .help("manifests are files that end in .yaml, .yml or .json");
        let finding = if has_directories {
            finding.help("directories below it are read with -R")
        } else {
            finding
        };
        self.findings.push(finding);
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
