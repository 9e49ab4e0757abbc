//! Reading one generation of a set, without following links inside it.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::model::{Digest, Fence, Key, Limits};

/// The file that holds the document of a snapshot.
pub(super) const SNAPSHOT: &str = "snapshot.json";
/// The link that decides which generation is seen.
pub(super) const DATA: &str = "..data";
/// Digits in the name of a generation: 64 random bits.
const GENERATION_DIGITS: usize = 16;

/// The longest file that is read: no value of ours is longer.
const MAX_FILE_BYTES: u64 = Limits::DIRECTORY.value_bytes as u64;
/// How much is read of one generation: more than fits into one write.
const MAX_BYTES: u64 = Limits::DIRECTORY.request_bytes as u64;
/// How many files and directories a generation may have: ours, the directories they lie in, and as
/// many of others.
const MAX_NODES: usize = 4 * Limits::DIRECTORY.operations;

/// A value and its state.
pub(super) type Found = (Content, Fence);

/// What is in a file.
#[derive(Debug)]
pub(super) enum Content {
    /// All of it.
    Read(Vec<u8>),
    /// More than cfgctl ever writes: how many bytes.
    TooLarge(u64),
}

/// What lies in one generation.
#[derive(Debug)]
pub(super) struct Tree {
    /// The name of the generation; `None`: nothing was ever written.
    pub(super) generation: Option<String>,
    /// Where it lies; meaningless without a generation.
    pub(super) root: PathBuf,
    /// Every file and link below, by its path from there.
    pub(super) nodes: BTreeMap<PathBuf, Node>,
    /// How many bytes may still be read.
    room: Cell<u64>,
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

/// Opens a regular file; anything else is refused with these words. A link leads elsewhere, and a
/// pipe may make whoever opens it wait for ever.
pub(super) fn open(
    options: &mut OpenOptions,
    path: &Path,
    otherwise: &str,
) -> io::Result<(File, Metadata)> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file = options
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() {
        Ok((file, metadata))
    } else {
        Err(io::Error::new(ErrorKind::InvalidData, otherwise))
    }
}

/// An error that says which path it is about.
#[expect(clippy::needless_pass_by_value, reason = "it maps errors")]
pub(super) fn at(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn invalid(path: &Path, what: &str) -> io::Error {
    at(path, io::Error::new(ErrorKind::InvalidData, what))
}

/// The generation that is seen now. A link that cfgctl did not make is an error, and so is a link
/// in place of the set's directory: what it leads to was never ours to change.
pub(super) fn generation(directory: &Path) -> io::Result<Option<String>> {
    match fs::symlink_metadata(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(at(directory, error)),
        Ok(metadata) if metadata.is_dir() => {}
        Ok(metadata) if metadata.is_symlink() => {
            let target = fs::read_link(directory).unwrap_or_default();
            return Err(invalid(
                directory,
                &format!(
                    "a link to {}, which cfgctl did not make and does not follow: put a directory \
                     there, or remove the link",
                    target.display()
                ),
            ));
        }
        Ok(_) => return Err(invalid(directory, "not a directory: move it away")),
    }
    let data = directory.join(DATA);
    match fs::read_link(&data) {
        Ok(target) => match target.to_str() {
            Some(name) if is_generation(name) => Ok(Some(name.to_owned())),
            _ => Err(invalid(
                &data,
                &format!(
                    "it points to {}, which cfgctl did not make",
                    target.display()
                ),
            )),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        // What `readlink` says of anything that is no link.
        Err(error) if error.kind() == ErrorKind::InvalidInput => {
            Err(invalid(&data, "not a link, so cfgctl did not make it"))
        }
        Err(error) => Err(at(&data, error)),
    }
}

impl Tree {
    /// Lists a generation of the set in `directory`.
    pub(super) fn read(directory: &Path, generation: Option<&str>) -> io::Result<Self> {
        let mut tree = Self {
            generation: generation.map(str::to_owned),
            root: directory.join(generation.unwrap_or_default()),
            nodes: BTreeMap::new(),
            room: Cell::new(MAX_BYTES),
        };
        if generation.is_some() {
            let metadata = fs::symlink_metadata(&tree.root);
            if !metadata.map_err(|error| at(&tree.root, error))?.is_dir() {
                return Err(invalid(
                    &tree.root,
                    "not a directory, so cfgctl did not make it",
                ));
            }
            tree.nodes = nodes(&tree.root)?;
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
        Ok(found.map(|(content, Fence(state))| {
            let generation = self.generation.as_deref().unwrap_or_default();
            (content, Fence(format!("{state} in {generation}")))
        }))
    }

    /// The bytes and the state of a key.
    pub(super) fn entry(&self, key: &Key) -> io::Result<Option<Found>> {
        self.find(Path::new(key.as_str()))
    }

    fn find(&self, path: &Path) -> io::Result<Option<Found>> {
        let whole = self.root.join(path);
        let found = match self.nodes.get(path) {
            None => return Ok(None),
            Some(Node::File) => self.read_file(&whole),
            Some(Node::Link) => fs::read_link(&whole).map(|target| {
                let bytes = target.into_os_string().as_bytes().to_vec();
                let fence = Fence(format!("link {}", Digest::of(&bytes)));
                (Content::Read(bytes), fence)
            }),
        };
        found.map(Some).map_err(|error| at(&whole, error))
    }

    /// Sizes are looked at before anything is read, and reading stops where they were wrong: a
    /// file may grow meanwhile.
    fn read_file(&self, path: &Path) -> io::Result<Found> {
        // What was a file when it was listed may be a link or a pipe by now.
        let mut options = File::options();
        let (file, metadata) = open(options.read(true), path, "it is no file any more")?;
        if metadata.len() > MAX_FILE_BYTES {
            return Ok(too_large(&metadata, metadata.len()));
        }
        let limit = MAX_FILE_BYTES.min(self.room.get());
        let mut bytes = Vec::new();
        file.take(limit + 1).read_to_end(&mut bytes)?;
        let read = bytes.len() as u64;
        if read > limit && limit < MAX_FILE_BYTES {
            let message = format!(
                "the files there have more than {MAX_BYTES} bytes, which is more than cfgctl reads"
            );
            return Err(io::Error::new(ErrorKind::InvalidData, message));
        }
        if read > MAX_FILE_BYTES {
            return Ok(too_large(&metadata, read));
        }
        self.room.set(self.room.get() - read);
        let fence = Fence(Digest::of(&bytes).to_string());
        Ok((Content::Read(bytes), fence))
    }
}

/// A file that is not read. Its state is what the file system says of it.
fn too_large(metadata: &Metadata, bytes: u64) -> Found {
    let (inode, seconds, nanos) = (metadata.ino(), metadata.mtime(), metadata.mtime_nsec());
    let fence = Fence(format!("{bytes} bytes, {inode} at {seconds}.{nanos:09}"));
    (Content::TooLarge(bytes), fence)
}

/// Everything below `root` that is no directory.
fn nodes(root: &Path) -> io::Result<BTreeMap<PathBuf, Node>> {
    let mut nodes = BTreeMap::new();
    let mut pending = vec![PathBuf::new()];
    let mut seen = 0;
    while let Some(below) = pending.pop() {
        let directory = root.join(&below);
        let items = fs::read_dir(&directory).map_err(|error| at(&directory, error))?;
        for item in items {
            let item = item.map_err(|error| at(&directory, error))?;
            let path = below.join(item.file_name());
            let kind = item.file_type().map_err(|error| at(&item.path(), error))?;
            seen += 1;
            if seen > MAX_NODES {
                let what = format!("more than {MAX_NODES} files, which is more than cfgctl reads");
                return Err(invalid(root, &what));
            }
            if kind.is_dir() {
                pending.push(path);
            } else if kind.is_symlink() {
                nodes.insert(path, Node::Link);
            } else if kind.is_file() {
                nodes.insert(path, Node::File);
            } else {
                let what = "neither a file nor a link, so cfgctl did not make it: move it away";
                return Err(invalid(&item.path(), what));
            }
        }
    }
    Ok(nodes)
}
