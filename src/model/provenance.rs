//! Where the values of a revision were written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::value::Path;
use super::{BreakerName, LayerName};

/// Lines by the path of a leaf, as [`Path`] writes it.
type Lines = BTreeMap<String, usize>;

/// The file that a revision was applied from, and the line of each of its values.
///
/// It says how a revision came to be and is no part of its content: the same values from another
/// file are no change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Provenance {
    file: String,
    /// What tells the file from others on any machine; nothing where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<Source>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    values: Lines,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    layers: BTreeMap<LayerName, Lines>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    flags: Lines,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    breakers: BTreeMap<BreakerName, Lines>,
}

/// Where a file comes from, on whatever machine it is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Source {
    /// The repository, as `host/group/name`; left out where there is none, or none that others know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// The file: from the root of its repository, or absolute if it is in none.
    pub path: String,
}

impl Source {
    fn is_in_repository(&self) -> bool {
        !std::path::Path::new(&self.path).is_absolute()
    }

    /// The repository without its host, which has many names and none of its own.
    fn repository_path(&self) -> Option<Vec<&str>> {
        let segments = self.repository.as_ref()?.split('/').skip(1);
        // Azure names one repository differently over https and over ssh.
        let segments = segments.filter(|segment| !["_git", "v3"].contains(segment));
        Some(segments.collect())
    }
}

/// Both names as a person reads them; with the repositories where these differ.
fn names(before: &Source, after: &Source) -> (String, String) {
    let full = |source: &Source| match &source.repository {
        Some(repository) => format!("{} of {repository}", source.path),
        None => source.path.clone(),
    };
    if before.repository == after.repository {
        (before.path.clone(), after.path.clone())
    } else {
        (full(before), full(after))
    }
}

/// The part of a set that a value is declared in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home<'a> {
    /// The defaults.
    Defaults,
    /// A layer.
    Layer(&'a LayerName),
    /// The flags; the path is the name of one.
    Flags,
    /// What changes while a breaker is open.
    Breaker(&'a BreakerName),
}

impl Provenance {
    /// Nothing but the file so far.
    pub fn new(file: String) -> Self {
        Self {
            file,
            ..Self::default()
        }
    }

    /// The same, from this source.
    #[must_use]
    pub fn with_source(self, source: Option<Source>) -> Self {
        Self { source, ..self }
    }

    /// The same, still from where `before` was.
    #[must_use]
    pub(crate) fn staying_with(self, before: Option<&Self>) -> Self {
        let source = before.and_then(|before| before.source.clone());
        Self { source, ..self }
    }

    /// Whether it is known where it was written.
    pub(crate) fn has_source(&self) -> bool {
        self.source.is_some()
    }

    /// Both places, if this was written elsewhere than `before`, as far as that is known: another
    /// checkout, another working directory or another address of the same repository is no other
    /// place.
    pub(crate) fn moved_from(&self, before: &Self) -> Option<(String, String)> {
        let (was, is) = (before.source.as_ref()?, self.source.as_ref()?);
        let same_path = match (was.is_in_repository(), is.is_in_repository()) {
            (true, true) | (false, false) => was.path == is.path,
            // A checkout, and the same files without their history.
            (true, false) => is.path.ends_with(&format!("/{}", was.path)),
            (false, true) => was.path.ends_with(&format!("/{}", is.path)),
        };
        // Outside of repositories, whoever copies files elsewhere names them as before.
        let in_repositories = was.is_in_repository() && is.is_in_repository();
        let same_name = !in_repositories && before.file == self.file;
        let same_repository = match (was.repository_path(), is.repository_path()) {
            (Some(was), Some(is)) => was == is,
            _ => true,
        };
        let same = same_repository && (same_path || same_name);
        (!same).then(|| names(was, is))
    }

    /// Adds that the value at `path` of `home` stands on `line`, from 1.
    pub fn add(&mut self, home: Home<'_>, path: &Path, line: usize) {
        let lines = match home {
            Home::Defaults => &mut self.values,
            Home::Layer(layer) => self.layers.entry(layer.clone()).or_default(),
            Home::Flags => &mut self.flags,
            Home::Breaker(breaker) => self.breakers.entry(breaker.clone()).or_default(),
        };
        lines.insert(path.to_string(), line);
    }

    /// Where the value at `path` of `home` stands: `FILE:LINE`.
    pub fn find(&self, home: Home<'_>, path: &Path) -> Option<String> {
        let lines = match home {
            Home::Defaults => &self.values,
            Home::Layer(layer) => self.layers.get(layer)?,
            Home::Flags => &self.flags,
            Home::Breaker(breaker) => self.breakers.get(breaker)?,
        };
        let line = lines.get(&path.to_string())?;
        Some(format!("{}:{line}", self.file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(file: &str, repository: Option<&str>, path: &str) -> Provenance {
        Provenance::new(file.to_owned()).with_source(Some(Source {
            repository: repository.map(str::to_owned),
            path: path.to_owned(),
        }))
    }

    #[test]
    fn another_checkout_is_no_other_source() {
        let mine = at("a/x.yaml", Some("host/shop/config"), "conf/a/x.yaml");
        for same in [
            at("../x.yaml", Some("host/shop/config"), "conf/a/x.yaml"),
            at("x.yaml", Some("ssh.host/shop/config"), "conf/a/x.yaml"),
            at("x.yaml", None, "conf/a/x.yaml"),
            at("x.yaml", None, "/builds/17/conf/a/x.yaml"),
            at("a/x.yaml", None, "/srv/a/x.yaml"),
            Provenance::new("b/x.yaml".to_owned()),
        ] {
            assert_eq!(same.moved_from(&mine), None, "{same:?}");
            assert_eq!(mine.moved_from(&same), None, "{same:?}");
        }
        let release = at("conf/x.yaml", None, "/srv/1/conf/x.yaml");
        assert_eq!(
            at("conf/x.yaml", None, "/srv/2/conf/x.yaml").moved_from(&release),
            None
        );
        assert_eq!(
            at("x.yaml", None, "/srv/1/conf/x.yaml").moved_from(&release),
            None
        );
    }

    #[test]
    fn another_file_or_repository_is_another_source() {
        let mine = at("a/x.yaml", Some("host/shop/config"), "a/x.yaml");
        let moved = |other: Provenance| other.moved_from(&mine).expect("another source");
        let (was, is) = moved(at("b/x.yaml", Some("host/shop/config"), "b/x.yaml"));
        assert_eq!((was.as_str(), is.as_str()), ("a/x.yaml", "b/x.yaml"));
        // Relative names say nothing inside of repositories.
        moved(at("a/x.yaml", Some("host/shop/config"), "b/x.yaml"));
        let (was, is) = moved(at("a/x.yaml", Some("host/fork/config"), "a/x.yaml"));
        assert_eq!(was, "a/x.yaml of host/shop/config");
        assert_eq!(is, "a/x.yaml of host/fork/config");
        let mine = at("a/x.yaml", None, "/home/ana/a/x.yaml");
        assert!(
            at("b/x.yaml", None, "/home/ana/b/x.yaml")
                .moved_from(&mine)
                .is_some()
        );
    }
}
