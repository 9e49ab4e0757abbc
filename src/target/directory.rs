//! A directory on this machine, switched from one snapshot to the next by renaming one link.
//!
//! A set lies in a directory of its own, in the layout of the kubelet's config maps:
//!
//! ```text
//! <path>/<set>/..data           -> ..0f3a…       the one link that decides what is seen
//! <path>/<set>/..0f3a…/         snapshot.json, and every key as a path below
//! <path>/<set>/snapshot.json    -> ..data/snapshot.json
//! <path>/<set>/config           -> ..data/config
//! ```
//!
//! A reader that wants a whole snapshot resolves `..data` once and reads below it. Files of others
//! below `..data` are carried over from one snapshot to the next.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;

use super::{Access, Health, Target, TargetError, expected};
use crate::model::{
    self, Auxiliary, Document, DocumentError, Key, Limits, Observed, ObservedEntry,
    ObservedSnapshot, Owner, Place, SetName, Write,
};

mod access;
mod switch;
mod tree;
mod turn;

use switch::Switch;
use tree::{Content, SNAPSHOT, Tree};
use turn::{Turn, Turns};

/// Held by whoever writes to any set of a directory. Never deleted: a lock on a file that is gone
/// keeps nobody out.
const LOCK: &str = ".cfgctl.lock";
/// How long a lock is waited for, 10 s in all: a write takes milliseconds, and a lock that waits for
/// ever would keep a program from ending.
const LOCK_WAIT: Duration = Duration::from_millis(20);
const LOCK_ATTEMPTS: u32 = 500;
/// How often reading starts again because a write switched meanwhile.
const RESTARTS: usize = 20;
/// How many names are read of the directory that the sets lie in: far more than any store has sets.
const MAX_NAMES: usize = 1_000_000;

/// A directory target.
#[derive(Clone, Debug)]
pub struct Directory {
    path: PathBuf,
    turns: Arc<Turns>,
}

impl Directory {
    /// The directory that `spec` names; it is made with the first write.
    ///
    /// Fails with [`TargetError::Configuration`] if the path is not absolute.
    pub fn new(spec: &model::DirectorySpec) -> Result<Self, TargetError> {
        let directory = Self {
            path: spec.path.clone(),
            turns: Arc::default(),
        };
        if !spec.path.is_absolute() {
            return Err(directory.configuration("the path is not absolute"));
        }
        Ok(directory)
    }

    fn set_directory(&self, set: &SetName) -> PathBuf {
        self.path.join(set.as_str())
    }

    fn read(&self, place: &Place, given_up: &GivenUp) -> Result<Observed, TargetError> {
        for key in &place.keys {
            self.check_name(key)?;
        }
        let directory = self.set_directory(&place.set);
        for _ in 0..RESTARTS {
            let generation = tree::generation(&directory).map_err(|error| self.failed(error))?;
            let observed = Tree::read(&directory, generation.as_deref())
                .and_then(|tree| observe(&tree, place, given_up));
            // A file that is missing in a generation which is no longer current says nothing.
            if tree::generation(&directory).map_err(|error| self.failed(error))? == generation {
                return observed.map_err(|error| self.failed(error));
            }
        }
        Err(TargetError::Moved {
            location: self.location(),
            keys: vec![self.snapshot_key(&place.set)],
        })
    }

    /// The sets that have anything there, be it what others put in their place.
    fn names(&self, given_up: &GivenUp) -> Result<BTreeSet<SetName>, TargetError> {
        let failed = |error| self.failed(tree::at(&self.path, error));
        let items = match std::fs::read_dir(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeSet::new()),
            items => items.map_err(failed)?,
        };
        let mut names = BTreeSet::new();
        for (seen, item) in items.enumerate() {
            given_up.check().map_err(failed)?;
            if seen >= MAX_NAMES {
                let what = format!("more than {MAX_NAMES} names, which is more than cfgctl reads");
                return Err(failed(io::Error::new(ErrorKind::InvalidData, what)));
            }
            let name = item.map_err(failed)?.file_name();
            names.extend(name.to_str().and_then(|name| name.parse::<SetName>().ok()));
        }
        Ok(names)
    }

    fn replace(&self, write: &Write, given_up: &GivenUp) -> Result<(), TargetError> {
        for key in write.entries.keys() {
            self.check_name(key)?;
        }
        let failed = |error| self.failed(error);
        let snapshot_key = self.snapshot_key(&write.set);
        let reasons = write.oversize_at_once(&snapshot_key, Limits::DIRECTORY);
        if !reasons.is_empty() {
            let location = self.location();
            return Err(TargetError::TooLarge { location, reasons });
        }
        let turn = self.turn(&write.set, given_up)?;
        let directory = self.set_directory(&write.set);
        let generation = tree::generation(&directory).map_err(failed)?;
        let tree = Tree::read(&directory, generation.as_deref()).map_err(failed)?;
        let keys = self.moved(write, &tree, given_up).map_err(failed)?;
        if !keys.is_empty() {
            let location = self.location();
            return Err(TargetError::Moved { location, keys });
        }
        let switch =
            Switch::new(directory, &tree, write).map_err(|reason| self.configuration(&reason))?;
        // If nobody waits for it any more, what was told of it stays true.
        let prepared = switch.prepare().and_then(|()| given_up.check());
        prepared.map_err(|error| {
            switch.abandon();
            failed(error)
        })?;
        switch.commit().map_err(|error| TargetError::Unknown {
            location: self.location(),
            source: error.into(),
        })?;
        // What is left over goes with the next write.
        let _ = switch.clean_up();
        drop(turn);
        Ok(())
    }

    /// The keys of `write` that are not in their expected state.
    fn moved(&self, write: &Write, tree: &Tree, given_up: &GivenUp) -> io::Result<Vec<String>> {
        let snapshot_key = self.snapshot_key(&write.set);
        let mut fences = BTreeMap::new();
        if let Some((_, fence)) = tree.snapshot()? {
            fences.insert(snapshot_key.clone(), fence);
        }
        for key in write.entries.keys() {
            given_up.check()?;
            if let Some((_, fence)) = tree.entry(key)? {
                fences.insert(key.to_string(), fence);
            }
        }
        Ok(expected::moved(write, &snapshot_key, |key| {
            fences.get(key).cloned()
        }))
    }

    /// Waits until nobody else writes to `set` or, in another process, to any set of the directory,
    /// and keeps others out until dropped.
    fn turn(&self, set: &SetName, given_up: &GivenUp) -> Result<Turn, TargetError> {
        let failed = |error| self.failed(error);
        if !self.path.is_dir() {
            std::fs::create_dir_all(&self.path).map_err(failed)?;
            self.path
                .parent()
                .map_or(Ok(()), switch::sync)
                .map_err(failed)?;
        }
        let path = self.path.join(LOCK);
        let mut options = File::options();
        options.create(true).truncate(false).write(true);
        let (lock, _) = tree::open(&mut options, &path, "it is no file")
            .map_err(|error| failed(tree::at(&path, error)))?;
        for _ in 0..LOCK_ATTEMPTS {
            if let Some(turn) = self.turns.take(set, &lock).map_err(failed)? {
                return Ok(turn);
            }
            given_up.check().map_err(failed)?;
            std::thread::sleep(LOCK_WAIT);
        }
        Err(TargetError::Unreachable {
            location: self.location(),
            source: format!("someone else keeps {LOCK} locked").into(),
        })
    }

    /// Why the directory of a set may not be written, if it may not.
    fn refuses(&self, set: &Path) -> Option<String> {
        let refusal = access::refuses(&self.path, set, &self.path.join(LOCK))?;
        // Whatever else is wrong there, permission does not mend it.
        match self.failed(refusal) {
            TargetError::Denied { reason, .. } => Some(reason),
            _ => None,
        }
    }

    /// What may be done in the directory as a whole.
    fn access(&self) -> Result<(Access, Vec<String>), TargetError> {
        match self.path.metadata() {
            Ok(metadata) if !metadata.is_dir() => {
                let error = io::Error::new(ErrorKind::NotADirectory, "it is not a directory");
                Err(self.failed(error))
            }
            Err(error) if error.kind() != ErrorKind::NotFound => Err(self.failed(error)),
            found => Ok(match self.refuses(&self.path) {
                Some(refusal) => (Access::ReadOnly, vec![refusal]),
                None if found.is_ok() => (Access::Full, Vec::new()),
                None => {
                    let note = "it does not exist yet; the first write makes it";
                    (Access::Full, vec![note.to_owned()])
                }
            }),
        }
    }

    /// Refuses keys that would lie where the layout itself lies.
    fn check_name(&self, key: &Key) -> Result<(), TargetError> {
        let first = key.segments().next().unwrap_or_default();
        if first == SNAPSHOT || first.starts_with("..") {
            return Err(self.configuration(&format!(
                "`{key}` cannot be a file there: `{SNAPSHOT}` and names that start with `..` are its own"
            )));
        }
        Ok(())
    }

    fn configuration(&self, reason: &str) -> TargetError {
        TargetError::Configuration {
            location: self.location(),
            reason: reason.to_owned(),
        }
    }

    /// What an error means that came up before anything was switched.
    fn failed(&self, error: io::Error) -> TargetError {
        let location = self.location();
        match error.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => TargetError::Denied {
                location,
                reason: error.to_string(),
            },
            ErrorKind::InvalidData
            | ErrorKind::InvalidFilename
            | ErrorKind::NotADirectory
            | ErrorKind::IsADirectory
            | ErrorKind::DirectoryNotEmpty => TargetError::Invalid {
                location,
                reason: error.to_string(),
            },
            _ => TargetError::Unreachable {
                location,
                source: error.into(),
            },
        }
    }

    /// Runs what blocks on a thread that may.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self, &GivenUp) -> Result<T, TargetError> + Send + 'static,
    ) -> Result<T, TargetError> {
        let this = self.clone();
        let waits = Waits::default();
        let given_up = waits.0.clone();
        let done = tokio::task::spawn_blocking(move || work(&this, &given_up)).await;
        done.unwrap_or_else(|error| {
            // It panicked, or the runtime ends: nobody knows how far it came.
            Err(TargetError::Unknown {
                location: self.location(),
                source: error.into(),
            })
        })
    }
}

/// Set once nobody waits for the work any more. A thread that blocks ends only by itself.
#[derive(Clone, Debug, Default)]
struct GivenUp(Arc<AtomicBool>);

impl GivenUp {
    fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::Relaxed) {
            let message = "nobody waited for it any more";
            return Err(io::Error::new(ErrorKind::TimedOut, message));
        }
        Ok(())
    }
}

/// Someone who waits. Dropped, they do not any more.
#[derive(Default)]
struct Waits(GivenUp);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

/// What a generation holds of one set. Ours is what its document names.
fn observe(tree: &Tree, place: &Place, given_up: &GivenUp) -> io::Result<Observed> {
    let snapshot = tree.snapshot()?.map(|(content, fence)| {
        let document = match content {
            Content::Read(bytes) => Document::parse(&bytes),
            Content::TooLarge(bytes) => Err(DocumentError::TooLarge {
                bytes: usize::try_from(bytes).unwrap_or(usize::MAX),
            }),
        };
        let owner = match &document {
            Ok(_) => Owner::Cfgctl,
            Err(_) => Owner::Other,
        };
        (fence, owner, document)
    });
    let named = match &snapshot {
        Some((_, _, Ok(document))) => Some(document.keys()),
        _ => None,
    };
    let is_named = |key: &Key| named.is_some_and(|named| named.contains_key(key));
    let mut entries = BTreeMap::new();
    for key in tree.keys() {
        let wanted = place.keys.contains(&key)
            || is_named(&key)
            || place.prefixes.iter().any(|prefix| prefix.contains(&key));
        given_up.check()?;
        let Some((content, fence)) = wanted.then(|| tree.entry(&key)).transpose()?.flatten() else {
            continue;
        };
        let (value, unread) = match content {
            Content::Read(value) => (value, None),
            Content::TooLarge(bytes) => (Vec::new(), Some(bytes)),
        };
        let owner = if is_named(&key) {
            Owner::Cfgctl
        } else {
            Owner::Other
        };
        let entry = ObservedEntry {
            value,
            unread,
            fence,
            owner,
        };
        entries.insert(key, entry);
    }
    let snapshot = match snapshot {
        None => ObservedSnapshot::Absent,
        Some((fence, owner, document)) => ObservedSnapshot::Present {
            fence,
            owner,
            document: Box::new(document),
        },
    };
    Ok(Observed {
        snapshot,
        entries,
        auxiliary: Auxiliary::default(),
    })
}

#[async_trait]
impl Target for Directory {
    fn location(&self) -> String {
        self.path.display().to_string()
    }

    fn snapshot_key(&self, set: &SetName) -> String {
        format!("{set}/{SNAPSHOT}")
    }

    async fn limits(&self) -> Result<Limits, TargetError> {
        Ok(Limits::DIRECTORY)
    }

    async fn observe(&self, place: &Place) -> Result<Observed, TargetError> {
        let place = place.clone();
        self.blocking(move |this, given_up| this.read(&place, given_up))
            .await
    }

    async fn sets(&self, _: &BTreeSet<SetName>) -> Result<BTreeSet<SetName>, TargetError> {
        self.blocking(Self::names).await
    }

    async fn write(&self, write: &Write) -> Result<(), TargetError> {
        let write = write.clone();
        self.blocking(move |this, given_up| this.replace(&write, given_up))
            .await
    }

    async fn denials(
        &self,
        sets: &BTreeMap<SetName, BTreeSet<Key>>,
    ) -> Result<BTreeMap<SetName, String>, TargetError> {
        let sets: Vec<SetName> = sets.keys().cloned().collect();
        self.blocking(move |this, _| {
            let denied = sets.into_iter().filter_map(|set| {
                let refusal = this.refuses(&this.set_directory(&set))?;
                Some((set, refusal))
            });
            Ok(denied.collect())
        })
        .await
    }

    async fn health(&self, _: &BTreeMap<SetName, BTreeSet<Key>>) -> Result<Health, TargetError> {
        let (access, warnings) = self.blocking(|this, _| this.access()).await?;
        Ok(Health {
            server: "directory".to_owned(),
            limits: Limits::DIRECTORY,
            access,
            warnings,
        })
    }
}
