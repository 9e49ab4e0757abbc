//! What is the directory target's own: names, links and locks of a file system.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::time::Duration;

use cfgctl::model::{self, Place};
use cfgctl::target::directory::Directory;
use cfgctl::target::{Access, Target, TargetError};

use crate::support::delivery::{key, place, snapshot, write};

struct Scene {
    target: Directory,
    home: tempfile::TempDir,
}

fn scene() -> Scene {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().to_path_buf();
    let target = Directory::new(&model::DirectorySpec { path }).expect("a target");
    Scene { target, home }
}

async fn deliver(target: &Directory, version: u64, names: &[&str]) -> Result<(), TargetError> {
    let entries: Vec<_> = names.iter().map(|name| (*name, &b"x"[..])).collect();
    let next = snapshot(&"shop".parse().expect("a name"), version, &entries);
    let observed = target.observe(&place(next.document.set(), "app")).await?;
    target.write(&write(&observed, &next)).await
}

fn names(path: &std::path::Path) -> Vec<String> {
    let items = fs::read_dir(path).expect("a directory");
    let names = items.map(|item| item.expect("an item").file_name().into_string());
    let mut names: Vec<_> = names.map(|name| name.expect("a name")).collect();
    // Generations have random names.
    names.retain(|name| name == "..data" || !name.starts_with(".."));
    names.sort();
    names
}

#[tokio::test]
async fn a_relative_path_is_refused() {
    let relative = model::DirectorySpec { path: "out".into() };
    let error = Directory::new(&relative).unwrap_err();
    assert!(
        matches!(error, TargetError::Configuration { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_set_is_read_through_names_that_stay_the_same() {
    let Scene { target, home } = scene();
    deliver(&target, 1, &["app/a"]).await.unwrap();
    let set = home.path().join("shop");
    assert_eq!(names(&set), ["..data", "app", "snapshot.json"]);
    assert_eq!(fs::read(set.join("app/a")).unwrap(), b"x");
    assert_eq!(
        fs::read_link(set.join("app")).unwrap().to_str(),
        Some("..data/app")
    );
    deliver(&target, 2, &["app/b"]).await.unwrap();
    assert_eq!(names(&set), ["..data", "app", "snapshot.json"]);
    assert_eq!(names(&set.join("app")), ["b"]);
    assert_eq!(fs::read_dir(&set).unwrap().count(), 4, "one generation");
}

#[tokio::test]
async fn keys_that_would_lie_on_the_layout_are_refused() {
    let Scene { target, home } = scene();
    for name in ["snapshot.json", "snapshot.json/a", "..data/a", "..x"] {
        let error = deliver(&target, 1, &[name]).await.unwrap_err();
        assert!(
            matches!(error, TargetError::Configuration { .. }),
            "{error:?}"
        );
        let place = Place {
            keys: [key(name)].into(),
            ..place(&"shop".parse().unwrap(), "app")
        };
        let error = target.observe(&place).await.unwrap_err();
        assert!(
            matches!(error, TargetError::Configuration { .. }),
            "{error:?}"
        );
    }
    let error = deliver(&target, 1, &["app", "app/a"]).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("`app` would be a file, and a directory for `app/a`")
    );
    assert!(!home.path().join("shop").exists());
}

#[tokio::test]
async fn links_are_reported_and_not_followed() {
    let Scene { target, home } = scene();
    deliver(&target, 1, &["app/a"]).await.unwrap();
    fs::write(home.path().join("secret"), "secret").unwrap();
    let link = home.path().join("shop/..data/app/link");
    std::os::unix::fs::symlink("../../../secret", link).unwrap();
    let place = place(&"shop".parse().unwrap(), "app");
    let observed = target.observe(&place).await.unwrap();
    let entry = &observed.entries[&key("app/link")];
    assert_eq!(entry.value, b"../../../secret");
    assert_eq!(entry.owner, model::Owner::Other);
}

#[tokio::test]
async fn a_data_link_that_leads_elsewhere_is_not_believed() {
    let Scene { target, home } = scene();
    let set = home.path().join("shop");
    fs::create_dir(&set).unwrap();
    for elsewhere in ["/etc", "../other", "..2026_11_21"] {
        std::os::unix::fs::symlink(elsewhere, set.join("..data")).unwrap();
        let error = deliver(&target, 1, &["app/a"]).await.unwrap_err();
        assert!(matches!(error, TargetError::Invalid { .. }), "{error:?}");
        fs::remove_file(set.join("..data")).unwrap();
    }
    fs::write(set.join("..data"), "a file").unwrap();
    let error = deliver(&target, 1, &["app/a"]).await.unwrap_err();
    assert!(matches!(error, TargetError::Invalid { .. }), "{error:?}");
}

#[tokio::test]
async fn a_write_waits_for_the_lock_of_another() {
    let Scene { target, home } = scene();
    deliver(&target, 1, &[]).await.unwrap();
    let lock = File::open(home.path().join(".cfgctl.lock")).unwrap();
    lock.lock().unwrap();
    let holder = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let seen = fs::read_link(home.path().join("shop/..data")).unwrap();
        drop(lock);
        seen
    };
    let before = fs::read_link(home.path().join("shop/..data")).unwrap();
    let (seen, written) = tokio::join!(holder, deliver(&target, 2, &[]));
    written.unwrap();
    assert_eq!(seen, before, "nothing happened under the lock");
}

#[tokio::test]
async fn health_says_what_is_missing() {
    let Scene { home, .. } = scene();
    let health = async |name: &str| {
        let path = home.path().join(name);
        let target = Directory::new(&model::DirectorySpec { path }).expect("a target");
        let health = target.health(&BTreeMap::new()).await;
        health.map(|health| (health.access, health.warnings))
    };
    fs::write(home.path().join("file"), "").unwrap();
    fs::create_dir(home.path().join("fine")).unwrap();
    assert_eq!(health("fine").await.unwrap(), (Access::Full, Vec::new()));
    let new = "it does not exist yet; the first write makes it".to_owned();
    assert_eq!(health("new").await.unwrap(), (Access::Full, vec![new]));
    let file = health("file").await.unwrap_err();
    assert!(matches!(file, TargetError::Invalid { .. }), "{file:?}");
}

/// A file of this size that takes no room on the disk.
fn sparse(path: &std::path::Path, bytes: u64) {
    let file = File::create(path).expect("a file");
    file.set_len(bytes).expect("a size");
}

#[tokio::test]
async fn a_file_larger_than_any_of_ours_is_told_by_its_size_and_not_read() {
    let Scene { target, home } = scene();
    deliver(&target, 1, &["app/a"]).await.unwrap();
    let data = home.path().join("shop/..data");
    // Larger than the memory of any machine: who reads it does not come back.
    let huge = 1 << 40;
    sparse(&data.join("app/a"), huge);
    sparse(&data.join("app/theirs"), huge + 1);
    let at = place(&"shop".parse().unwrap(), "app");
    let observed = target.observe(&at).await.unwrap();
    let unread = |name: &str| {
        let entry = &observed.entries[&key(name)];
        assert!(entry.value.is_empty());
        (entry.unread, entry.owner)
    };
    assert_eq!(unread("app/a"), (Some(huge), model::Owner::Cfgctl));
    assert_eq!(unread("app/theirs"), (Some(huge + 1), model::Owner::Other));
    let document = observed.snapshot.document().expect("a snapshot");
    assert!(!observed.holds(document));

    // Ours is written anew, and theirs is kept without being copied.
    deliver(&target, 2, &["app/a"]).await.unwrap();
    let observed = target.observe(&at).await.unwrap();
    assert_eq!(observed.entries[&key("app/a")].value, b"x");
    let theirs = fs::metadata(data.join("app/theirs")).unwrap();
    assert_eq!(theirs.len(), huge + 1);
    assert_eq!(observed.entries[&key("app/theirs")].unread, Some(huge + 1));

    // A change of what is not read is noticed as well.
    sparse(&data.join("app/a"), huge);
    let observed = target.observe(&at).await.unwrap();
    let next = snapshot(&"shop".parse().unwrap(), 3, &[("app/a", b"y")]);
    sparse(&data.join("app/a"), huge + 5);
    let moved = target.write(&write(&observed, &next)).await.unwrap_err();
    assert!(matches!(moved, TargetError::Moved { .. }), "{moved:?}");

    sparse(&data.join("snapshot.json"), huge);
    let observed = target.observe(&at).await.unwrap();
    assert!(observed.snapshot.document().is_none());
    assert!(observed.snapshot.fence().is_some());
}

#[tokio::test]
async fn many_files_that_together_are_too_large_are_not_read() {
    let Scene { target, home } = scene();
    deliver(&target, 1, &["app/a"]).await.unwrap();
    let app = home.path().join("shop/..data/app");
    for n in 0..9 {
        sparse(&app.join(format!("theirs-{n}")), 16 * 1024 * 1024);
    }
    let at = place(&"shop".parse().unwrap(), "app");
    let error = target.observe(&at).await.unwrap_err();
    assert!(matches!(error, TargetError::Invalid { .. }), "{error:?}");
    assert!(
        error.to_string().contains("more than cfgctl reads"),
        "{error}"
    );
}

#[tokio::test]
async fn a_pipe_makes_nobody_wait() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    let Scene { target, home } = scene();
    deliver(&target, 1, &["app/a"]).await.unwrap();
    let at = place(&"shop".parse().unwrap(), "app");
    let pipe = |path: &std::path::Path| {
        mknodat(CWD, path, FileType::Fifo, Mode::RWXU, 0).expect("a pipe");
    };
    let file = home.path().join("shop/..data/app/a");
    fs::remove_file(&file).unwrap();
    pipe(&file);
    let error = target.observe(&at).await.unwrap_err();
    assert!(matches!(error, TargetError::Invalid { .. }), "{error:?}");
    assert!(
        error
            .to_string()
            .contains("app/a: neither a file nor a link"),
        "{error}"
    );
    fs::remove_file(&file).unwrap();

    let lock = home.path().join(".cfgctl.lock");
    fs::remove_file(&lock).unwrap();
    pipe(&lock);
    let error = deliver(&target, 2, &["app/a"]).await.unwrap_err();
    let said = format!("{error:?}");
    assert!(said.contains(".cfgctl.lock"), "{said}");
}

#[tokio::test]
async fn what_stands_in_place_of_the_next_link_is_cleared_or_named() {
    let Scene { target, home } = scene();
    deliver(&target, 1, &["app/a"]).await.unwrap();
    let next = home.path().join("shop/..data_tmp");
    fs::create_dir(&next).unwrap();
    deliver(&target, 2, &["app/a"]).await.unwrap();
    assert!(!next.exists());

    fs::create_dir(&next).unwrap();
    fs::write(next.join("theirs"), "theirs").unwrap();
    let error = deliver(&target, 3, &["app/a"]).await.unwrap_err();
    assert!(matches!(error, TargetError::Invalid { .. }), "{error:?}");
    let said = error.to_string();
    assert!(said.contains("shop/..data_tmp is in the way"), "{said}");
    assert!(said.contains("move it away"), "{said}");
    assert_eq!(fs::read(next.join("theirs")).unwrap(), b"theirs");
    let items = fs::read_dir(home.path().join("shop")).unwrap().count();
    assert_eq!(items, 5, "nothing of what was prepared stays");
}

#[tokio::test]
async fn a_link_in_place_of_the_directory_of_a_set_is_not_followed() {
    let Scene { target, home } = scene();
    let elsewhere = tempfile::tempdir().unwrap();
    let set = home.path().join("shop");
    let at = place(&"shop".parse().unwrap(), "app");
    for leads_to in [elsewhere.path(), std::path::Path::new("nowhere")] {
        std::os::unix::fs::symlink(leads_to, &set).unwrap();
        let error = target.observe(&at).await.unwrap_err();
        assert!(matches!(error, TargetError::Invalid { .. }), "{error:?}");
        let said = error.to_string();
        assert!(said.contains("shop: a link to"), "{said}");
        fs::remove_file(&set).unwrap();
    }
    fs::write(&set, "a file").unwrap();
    let error = target.observe(&at).await.unwrap_err();
    assert!(
        error.to_string().contains("shop: not a directory"),
        "{error}"
    );
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}
