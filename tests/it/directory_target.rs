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
    let target = Directory::new(&model::Directory { path }).expect("a target");
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
    let relative = model::Directory { path: "out".into() };
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
        let target = Directory::new(&model::Directory { path }).expect("a target");
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
