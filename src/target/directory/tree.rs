//! Reading one generation of a set, without following links inside it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::SNAPSHOT;
use crate::model::{Digest, Fence, Key};

/// The link that decides which generation is seen.
pub(super) const DATA: &str = "..data";
/// Digits in the name of a generation: 64 random bits.
const GENERATION_DIGITS: usize = 16;

/// A value and its state.
pub(super) type Found = (Vec<u8>, Fence);

/// What lies in one generation.
#[derive(Debug)]
pub(super) struct Tree {
    /// The name of the generation; `None`: nothing was ever written.
    pub(super) generation: Option<String>,
    /// Where it lies; meaningless without a generation.
    pub(super) root: PathBuf,
    /// Every file and link below, by its path from there.
    pub(super) nodes: BTreeMap<PathBuf, Node>,
}

/// What a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// A regular file.
    File,
    /// A symbolic link, whose target is its content.
    Link,
}

/// A name for a new generation.
pub(super) fn new_generation() -> String {
    format!("..{:016x}", fastrand::u64(..))
}

/// Whether a name in a set's directory is one that [`new_generation`] gives.
pub(super) fn is_generation(name: &str) -> bool {
    name.strip_prefix("..").is_some_and(|digits| {
        digits.len() == GENERATION_DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// The generation that is seen now. A link that cfgctl did not make is an error.
pub(super) fn generation(directory: &Path) -> io::Result<Option<String>> {
    match fs::read_link(directory.join(DATA)) {
        Ok(target) => match target.to_str() {
            Some(name) if is_generation(name) => Ok(Some(name.to_owned())),
            _ => Err(io::Error::new(
                ErrorKind::InvalidData,
                format!(
                    "{DATA} points to {}, which cfgctl did not make",
                    target.display()
                ),
            )),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        // What `readlink` says of anything that is no link.
        Err(error) if error.kind() == ErrorKind::InvalidInput => Err(io::Error::new(
            ErrorKind::InvalidData,
            format!("{DATA} is not a link"),
        )),
        Err(error) => Err(error),
    }
}

impl Tree {
    /// Lists a generation of the set in `directory`.
    pub(super) fn read(directory: &Path, generation: Option<&str>) -> io::Result<Self> {
        let mut tree = Self {
            generation: generation.map(str::to_owned),
            root: directory.join(generation.unwrap_or_default()),
            nodes: BTreeMap::new(),
        };
        if generation.is_some() {
            collect(&tree.root, Path::new(""), &mut tree.nodes)?;
        }
        Ok(tree)
    }

    /// Every path that is a key, the snapshot excepted.
    pub(super) fn keys(&self) -> impl Iterator<Item = Key> {
        let paths = self
            .nodes
            .keys()
            .filter(|path| *path != Path::new(SNAPSHOT));
        paths.filter_map(|path| path.to_str()?.parse().ok())
    }

    /// The bytes and the state of the snapshot. Its state names the generation too, so that a
    /// snapshot which was replaced by an equal one has moved.
    pub(super) fn snapshot(&self) -> io::Result<Option<Found>> {
        let found = self.find(Path::new(SNAPSHOT))?;
        Ok(found.map(|(bytes, Fence(digest))| {
            let generation = self.generation.as_deref().unwrap_or_default();
            (bytes, Fence(format!("{digest} in {generation}")))
        }))
    }

    /// The bytes and the state of a key.
    pub(super) fn entry(&self, key: &Key) -> io::Result<Option<Found>> {
        self.find(Path::new(key.as_str()))
    }

    fn find(&self, path: &Path) -> io::Result<Option<Found>> {
        let whole = self.root.join(path);
        match self.nodes.get(path) {
            None => Ok(None),
            Some(Node::File) => {
                let bytes = fs::read(whole)?;
                let fence = Fence(Digest::of(&bytes).to_string());
                Ok(Some((bytes, fence)))
            }
            Some(Node::Link) => {
                let target = fs::read_link(whole)?.into_os_string();
                let bytes = target.as_bytes().to_vec();
                let fence = Fence(format!("link {}", Digest::of(&bytes)));
                Ok(Some((bytes, fence)))
            }
        }
    }
}

fn collect(root: &Path, below: &Path, nodes: &mut BTreeMap<PathBuf, Node>) -> io::Result<()> {
    for item in fs::read_dir(root.join(below))? {
        let item = item?;
        let path = below.join(item.file_name());
        let kind = item.file_type()?;
        if kind.is_dir() {
            collect(root, &path, nodes)?;
        } else if kind.is_symlink() {
            nodes.insert(path, Node::Link);
        } else if kind.is_file() {
            nodes.insert(path, Node::File);
        } else {
            let message = format!("{} is neither a file nor a link", path.display());
            return Err(io::Error::new(ErrorKind::InvalidData, message));
        }
    }
    Ok(())
}
