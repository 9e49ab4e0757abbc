//! What tells where a file comes from, on whatever machine it is read: where it lies in its git
//! repository, and which repository that is.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::model::Source;

/// More than any file holds in which git keeps such things.
const MAX_BYTES: u64 = 1024 * 1024;

/// Where the file at `path` comes from; nothing if there is no such file.
pub(crate) fn of(path: &Path) -> Option<Source> {
    let directory = fs::canonicalize(path.parent()?).ok()?;
    let real = directory.join(path.file_name()?);
    if !real.is_file() {
        return None;
    }
    let root = directory
        .ancestors()
        .find(|root| root.join(".git").exists());
    Some(match root {
        Some(root) => Source {
            repository: repository(root),
            path: real.strip_prefix(root).ok()?.to_string_lossy().into_owned(),
        },
        None => Source {
            repository: None,
            path: real.to_string_lossy().into_owned(),
        },
    })
}

/// The repository whose work tree is at `root`, as its remote names it.
fn repository(root: &Path) -> Option<String> {
    let git = root.join(".git");
    let git = if git.is_dir() {
        git
    } else {
        // A work tree beside the first one, or a submodule.
        let text = read(&git)?;
        root.join(text.trim().strip_prefix("gitdir:")?.trim())
    };
    let common = read(&git.join("commondir")).map(|common| git.join(common.trim()));
    let config: PathBuf = common.unwrap_or(git).join("config");
    named(&remote(&read(&config)?)?)
}

fn read(path: &Path) -> Option<String> {
    let mut text = String::new();
    let file = File::open(path).ok()?;
    file.take(MAX_BYTES).read_to_string(&mut text).ok()?;
    Some(text)
}

/// The address of the remote `origin` in a configuration of git, else of the first one.
fn remote(config: &str) -> Option<String> {
    let mut section = "";
    let mut first = None;
    for line in config.lines().map(str::trim) {
        if line.starts_with('[') {
            section = line;
            continue;
        }
        let url = line.split_once('=').filter(|(key, _)| key.trim() == "url");
        let Some((_, url)) = url.filter(|_| section.starts_with("[remote ")) else {
            continue;
        };
        let url = url.trim().trim_matches('"').to_owned();
        if section == "[remote \"origin\"]" {
            return Some(url);
        }
        first = first.or(Some(url));
    }
    first
}

/// `host/group/name`, whichever way `url` names it, and without whatever is secret in it. Nothing
/// if it is a place on this machine.
fn named(url: &str) -> Option<String> {
    let (rest, after_host) = match url.split_once("://") {
        Some(("file", _)) => return None,
        Some((_, rest)) => (rest, '/'),
        // `git@host:group/name`
        None => (url, ':'),
    };
    let rest = rest.split(['?', '#']).next()?;
    let (host, path) = rest.split_once(after_host)?;
    if host.contains('/') {
        return None;
    }
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let host = host.split(':').next()?.to_ascii_lowercase();
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    (!host.is_empty() && !path.is_empty()).then(|| format!("{host}/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_has_one_name_however_it_is_reached() {
        for url in [
            "https://github.com/shop/config.git",
            "https://x-access-token:s3cr3t@GitHub.com/shop/config",
            "git@github.com:shop/config.git",
            "ssh://git@github.com:22/shop/config.git",
            "https://github.com/shop/config/?token=s3cr3t",
        ] {
            assert_eq!(
                named(url).as_deref(),
                Some("github.com/shop/config"),
                "{url}"
            );
        }
        for url in [
            "/srv/git/config.git",
            "../config",
            "file:///srv/config",
            "",
            "./a:b",
        ] {
            assert_eq!(named(url), None, "{url}");
        }
    }

    #[test]
    fn the_remote_origin_comes_first() {
        let config = "[core]\n\turl = no\n[remote \"fork\"]\n\turl = a:b\n\tfetch = x\n\
                      [remote \"origin\"]\n\turl = c:d\n";
        assert_eq!(remote(config).as_deref(), Some("c:d"));
        assert_eq!(remote("[remote \"fork\"]\nurl=a:b").as_deref(), Some("a:b"));
        assert_eq!(remote("[core]\nurl = no\n"), None);
    }

    #[test]
    fn a_file_is_named_from_the_root_of_its_work_tree() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        fs::create_dir_all(at("tree/.git")).unwrap();
        fs::create_dir_all(at("tree/conf/eu")).unwrap();
        fs::write(at("tree/conf/eu/shop.yaml"), "").unwrap();
        let config = "[remote \"origin\"]\n url = git@host:shop/config.git\n";
        fs::write(at("tree/.git/config"), config).unwrap();
        let expected = Source {
            repository: Some("host/shop/config".to_owned()),
            path: "conf/eu/shop.yaml".to_owned(),
        };
        assert_eq!(of(&at("tree/conf/eu/shop.yaml")), Some(expected.clone()));
        assert_eq!(
            of(&at("tree/conf/../conf/eu/shop.yaml")),
            Some(expected.clone())
        );

        // Another work tree of the same repository.
        fs::create_dir_all(at("tree/.git/worktrees/other")).unwrap();
        fs::write(at("tree/.git/worktrees/other/commondir"), "../..\n").unwrap();
        fs::create_dir_all(at("other/conf/eu")).unwrap();
        let git = at("tree/.git/worktrees/other");
        fs::write(at("other/.git"), format!("gitdir: {}\n", git.display())).unwrap();
        fs::write(at("other/conf/eu/shop.yaml"), "").unwrap();
        assert_eq!(of(&at("other/conf/eu/shop.yaml")), Some(expected));

        fs::write(at("alone.yaml"), "").unwrap();
        let alone = of(&at("alone.yaml")).unwrap();
        assert_eq!(alone.repository, None);
        assert!(Path::new(&alone.path).is_absolute(), "{alone:?}");
        assert_eq!(of(&at("missing.yaml")), None);
    }
}
