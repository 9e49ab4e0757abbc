//! Replacing one generation of a set by the next. A crash after any step leaves the old or the
//! new one in sight, and the next write clears away what is left over.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};

use super::tree::{DATA, Node, SNAPSHOT, Tree, at, is_generation, new_generation};
use crate::model::{EntryWrite, SnapshotWrite, Write};

/// What is renamed over [`DATA`].
const NEXT_DATA: &str = "..data_tmp";

/// One change from a generation to the next, decided in full.
#[derive(Debug)]
pub(super) struct Switch<'a> {
    /// The directory of the set.
    directory: PathBuf,
    /// Where what is kept is copied from.
    old: PathBuf,
    /// Whether there is no generation that a reader sees.
    is_first: bool,
    /// The name of the next generation.
    next: String,
    /// Everything in the next generation; nothing: the set goes.
    files: BTreeMap<PathBuf, Content<'a>>,
}

/// What a file of the next generation holds.
#[derive(Clone, Copy, Debug)]
enum Content<'a> {
    /// These bytes.
    New(&'a [u8]),
    /// What it holds in the old generation.
    Kept(Node),
}

impl<'a> Switch<'a> {
    /// The change that `write` makes to `tree`. Fails if a name would be a file and a directory.
    pub(super) fn new(directory: PathBuf, tree: &Tree, write: &'a Write) -> Result<Self, String> {
        let mut files: BTreeMap<PathBuf, Content<'a>> = tree
            .nodes
            .iter()
            .map(|(path, node)| (path.clone(), Content::Kept(*node)))
            .collect();
        match &write.snapshot {
            SnapshotWrite::Put { value, .. } => {
                files.insert(SNAPSHOT.into(), Content::New(value));
            }
            SnapshotWrite::Delete { .. } => {
                files.remove(Path::new(SNAPSHOT));
            }
        }
        for (key, entry) in &write.entries {
            match entry {
                EntryWrite::Put { value, .. } => {
                    files.insert(key.as_str().into(), Content::New(value));
                }
                EntryWrite::Delete { .. } => {
                    files.remove(Path::new(key.as_str()));
                }
                EntryWrite::Keep { .. } => {}
            }
        }
        for path in files.keys() {
            let mut above = path.ancestors().skip(1);
            if let Some(file) = above.find(|above| files.contains_key(*above)) {
                return Err(format!(
                    "`{}` would be a file, and a directory for `{}`",
                    file.display(),
                    path.display()
                ));
            }
        }
        let switch = Self {
            directory,
            old: tree.root.clone(),
            is_first: tree.generation.is_none(),
            next: new_generation(),
            files,
        };
        switch.check_names()?;
        Ok(switch)
    }

    /// Everything before the change is seen.
    pub(super) fn prepare(&self) -> io::Result<()> {
        self.write_files()?;
        self.link_names()?;
        self.link_next()
    }

    /// The change, in one rename.
    pub(super) fn commit(&self) -> io::Result<()> {
        let data = self.directory.join(DATA);
        if self.files.is_empty() {
            match fs::remove_file(&data) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        } else {
            fs::rename(self.directory.join(NEXT_DATA), &data)?;
        }
        sync(&self.directory)
    }

    /// Removes what was prepared and will not be seen: the disk may be full.
    pub(super) fn abandon(&self) {
        // What stays goes with the next write.
        _ = fs::remove_dir_all(self.directory.join(&self.next));
    }

    /// Removes what is no longer seen: links to nothing, and every other generation, also those
    /// of writes that crashed.
    pub(super) fn clean_up(&self) -> io::Result<()> {
        let names = self.names();
        for item in fs::read_dir(&self.directory)? {
            let item = item?;
            let name = item.file_name();
            let old = name.to_str().is_some_and(is_generation)
                && (self.files.is_empty() || name != OsStr::new(&self.next));
            if old {
                fs::remove_dir_all(item.path())?;
            } else if name == NEXT_DATA {
                self.clear_next()?;
            } else if !names.contains(&name) && self.is_ours(&name) {
                fs::remove_file(item.path())?;
            }
        }
        if !self.files.is_empty() {
            return Ok(());
        }
        match fs::remove_dir(&self.directory) {
            Ok(()) => self.directory.parent().map_or(Ok(()), sync),
            // Stays if others keep something there.
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The next generation, complete and on disk.
    fn write_files(&self) -> io::Result<()> {
        fs::create_dir_all(&self.directory).map_err(|error| at(&self.directory, error))?;
        if self.is_first {
            // Whoever wrote a generation that is seen has made the name of the directory last.
            self.directory.parent().map_or(Ok(()), sync)?;
        }
        if self.files.is_empty() {
            return Ok(());
        }
        let root = self.directory.join(&self.next);
        fs::create_dir(&root).map_err(|error| at(&root, error))?;
        let mut directories = BTreeSet::from([root.clone()]);
        for (path, content) in &self.files {
            let whole = root.join(path);
            if let Some(parent) = whole.parent() {
                fs::create_dir_all(parent).map_err(|error| at(parent, error))?;
                let inside = parent.ancestors().take_while(|above| *above != root);
                directories.extend(inside.map(Path::to_path_buf));
            }
            match content {
                Content::New(bytes) => {
                    let written = File::create_new(&whole).and_then(|mut file| {
                        file.write_all(bytes)?;
                        file.sync_all()
                    });
                    written.map_err(|error| at(&whole, error))?;
                }
                Content::Kept(Node::File) => keep(&self.old.join(path), &whole)?,
                Content::Kept(Node::Link) => {
                    symlink(fs::read_link(self.old.join(path))?, &whole)?;
                }
            }
        }
        directories.iter().try_for_each(|directory| sync(directory))
    }

    /// A visible link for every name of the next generation. Until the change they lead nowhere,
    /// so that all of it comes into sight at once.
    fn link_names(&self) -> io::Result<()> {
        for name in self.names() {
            if !self.is_ours(&name) {
                let link = self.directory.join(&name);
                symlink(Path::new(DATA).join(&name), &link).map_err(|error| at(&link, error))?;
            }
        }
        sync(&self.directory)
    }

    fn link_next(&self) -> io::Result<()> {
        self.clear_next()?;
        if self.files.is_empty() {
            return Ok(());
        }
        let next = self.directory.join(NEXT_DATA);
        symlink(&self.next, &next).map_err(|error| at(&next, error))
    }

    /// Removes what is left of a write that crashed, or an empty directory, which nobody misses.
    fn clear_next(&self) -> io::Result<()> {
        let next = self.directory.join(NEXT_DATA);
        let removed = match fs::symlink_metadata(&next) {
            Ok(metadata) if metadata.is_dir() => fs::remove_dir(&next),
            Ok(_) => fs::remove_file(&next),
            Err(error) => Err(error),
        };
        match removed {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => Err(io::Error::new(
                ErrorKind::InvalidData,
                format!(
                    "{} is in the way, a directory that cfgctl did not make: move it away",
                    next.display()
                ),
            )),
            other => other.map_err(|error| at(&next, error)),
        }
    }

    /// The first segments of all paths.
    fn names(&self) -> BTreeSet<OsString> {
        let first = |path: &PathBuf| match path.components().next() {
            Some(Component::Normal(name)) => Some(name.to_owned()),
            _ => None,
        };
        self.files.keys().filter_map(first).collect()
    }

    /// Whether a name in the set's directory is a visible link as [`Switch::link_names`] makes it.
    fn is_ours(&self, name: &OsStr) -> bool {
        let target = fs::read_link(self.directory.join(name));
        target.is_ok_and(|target| target == Path::new(DATA).join(name))
    }

    /// Fails if someone else's file lies where a visible link has to be.
    fn check_names(&self) -> Result<(), String> {
        let taken = |name: &OsString| {
            fs::symlink_metadata(self.directory.join(name)).is_ok() && !self.is_ours(name)
        };
        match self.names().into_iter().find(taken) {
            None => Ok(()),
            Some(name) => Err(format!(
                "{} is in the way: cfgctl did not make it",
                self.directory.join(name).display()
            )),
        }
    }
}

/// Gives the file at `old` a second name, so that one of any size costs nothing. Where the file
/// system has no such names it is copied.
fn keep(old: &Path, new: &Path) -> io::Result<()> {
    if fs::hard_link(old, new).is_ok() {
        return Ok(());
    }
    fs::copy(old, new).map_err(|error| at(old, error))?;
    sync(new)
}

/// Makes a file or directory outlive a power cut.
pub(super) fn sync(path: &Path) -> io::Result<()> {
    let synced = File::open(path).and_then(|file| file.sync_all());
    synced.map_err(|error| at(path, error))
}

#[cfg(test)]
mod tests {
    use super::super::tree::generation;
    use super::*;
    use crate::model::Fence;

    /// Every step of a write, in order.
    const STEPS: [fn(&Switch<'_>) -> io::Result<()>; 5] = [
        |switch| switch.write_files(),
        |switch| switch.link_names(),
        |switch| switch.link_next(),
        |switch| switch.commit(),
        |switch| switch.clean_up(),
    ];
    /// After how many steps the change is seen.
    const SEEN_AFTER: usize = 4;

    fn put(version: &str, keys: &[&str]) -> Write {
        let put = |key: &&str| {
            let write = EntryWrite::Put {
                value: version.as_bytes().to_vec(),
                expected: None,
            };
            (key.parse().unwrap(), write)
        };
        Write {
            loose: BTreeSet::new(),
            auxiliary: crate::model::Auxiliary::default(),
            set: "shop".parse().unwrap(),
            snapshot: SnapshotWrite::Put {
                value: version.as_bytes().to_vec(),
                expected: None,
            },
            entries: keys.iter().map(put).collect(),
        }
    }

    fn delete(keys: &[&str]) -> Write {
        let expected = || Fence(String::new());
        let delete = |key: &&str| {
            let expected = expected();
            (key.parse().unwrap(), EntryWrite::Delete { expected })
        };
        Write {
            loose: BTreeSet::new(),
            auxiliary: crate::model::Auxiliary::default(),
            set: "shop".parse().unwrap(),
            snapshot: SnapshotWrite::Delete {
                expected: Some(expected()),
            },
            entries: keys.iter().map(delete).collect(),
        }
    }

    /// Carries out the first `steps` steps of a write, as one that crashes does.
    fn run(directory: &Path, write: &Write, steps: usize) {
        let current = generation(directory).unwrap();
        let tree = Tree::read(directory, current.as_deref()).unwrap();
        let switch = Switch::new(directory.to_owned(), &tree, write).unwrap();
        STEPS[..steps]
            .iter()
            .for_each(|step| step(&switch).unwrap());
    }

    /// What a reader finds through the visible names.
    fn visible(directory: &Path) -> BTreeMap<String, String> {
        ["snapshot.json", "config/shop/data", "app", "new/a"]
            .into_iter()
            .filter_map(|name| {
                let text = fs::read_to_string(directory.join(name)).ok()?;
                Some((name.to_owned(), text))
            })
            .collect()
    }

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(directory)
            .unwrap()
            .map(|item| item.unwrap().file_name().into_string().unwrap())
            .filter(|name| !is_generation(name))
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_crash_after_any_step_shows_the_old_or_the_new_and_the_next_write_completes() {
        let old = put("1", &["config/shop/data", "app"]);
        let expected = |version: &str, names: &[&str]| -> BTreeMap<String, String> {
            let pair = |name: &&str| ((*name).to_owned(), version.to_owned());
            names.iter().map(pair).collect()
        };
        let before = expected("1", &["snapshot.json", "config/shop/data", "app"]);
        let mut new = put("2", &["config/shop/data", "new/a"]);
        let gone = EntryWrite::Delete {
            expected: Fence(String::new()),
        };
        new.entries.insert("app".parse().unwrap(), gone);
        let after = expected("2", &["snapshot.json", "config/shop/data", "new/a"]);
        for steps in 0..=STEPS.len() {
            let home = tempfile::tempdir().unwrap();
            let directory = home.path().join("shop");
            run(&directory, &old, STEPS.len());
            run(&directory, &new, steps);
            let seen = if steps < SEEN_AFTER { &before } else { &after };
            assert_eq!(visible(&directory), *seen, "after {steps} steps");
            run(&directory, &new, STEPS.len());
            assert_eq!(visible(&directory), after, "after {steps} steps and again");
            assert_eq!(
                names(&directory),
                ["..data", "config", "new", "snapshot.json"],
                "after {steps} steps and again"
            );
            assert_eq!(fs::read_dir(&directory).unwrap().count(), 5);
        }
    }

    #[test]
    fn a_delete_that_crashes_after_any_step_shows_all_or_nothing_and_can_be_repeated() {
        let keys = ["config/shop/data", "app"];
        for steps in 0..=STEPS.len() {
            let home = tempfile::tempdir().unwrap();
            let directory = home.path().join("shop");
            run(&directory, &put("1", &keys), STEPS.len());
            run(&directory, &delete(&keys), steps);
            let seen = if steps < SEEN_AFTER { 3 } else { 0 };
            assert_eq!(visible(&directory).len(), seen, "after {steps} steps");
            run(&directory, &delete(&keys), STEPS.len());
            assert!(!directory.exists(), "after {steps} steps and again");
        }
    }

    #[test]
    fn what_others_keep_in_the_directory_of_a_set_stays() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("shop");
        run(&directory, &put("1", &["app"]), STEPS.len());
        fs::write(directory.join("..data/theirs"), "x").unwrap();
        symlink("/nowhere", directory.join("..data/link")).unwrap();
        fs::write(directory.join("notes.txt"), "y").unwrap();
        run(&directory, &put("2", &["app"]), STEPS.len());
        run(&directory, &delete(&["app"]), STEPS.len());
        assert_eq!(fs::read_to_string(directory.join("theirs")).unwrap(), "x");
        let link = fs::read_link(directory.join("..data/link")).unwrap();
        assert_eq!(link, Path::new("/nowhere"));
        assert_eq!(names(&directory), ["..data", "link", "notes.txt", "theirs"]);
    }

    #[test]
    fn a_name_cannot_be_a_file_and_a_directory_nor_stand_where_someone_elses_does() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("shop");
        let refused = |write: &Write| {
            let tree = Tree::read(&directory, None).unwrap();
            Switch::new(directory.clone(), &tree, write).unwrap_err()
        };
        let error = refused(&put("1", &["a", "a/b/c"]));
        assert_eq!(error, "`a` would be a file, and a directory for `a/b/c`");
        fs::create_dir_all(directory.join("app")).unwrap();
        assert!(refused(&put("1", &["app"])).contains("in the way"));
    }
}
