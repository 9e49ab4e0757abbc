//! Many processes at one store in a file, and processes that are killed.
//!
//! The other processes are this test binary again, as [`child`].

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cfgctl::model::{Commit, Version};
use cfgctl::store::sqlite::Sqlite;
use cfgctl::store::{Store, StoreError, Which};
use rusqlite::Connection;

use crate::store_contract::fixture::{commit, id, revision, versions, versions_of};

/// Resources that a killed child changes together.
const TOGETHER: [&str; 3] = ["cluster/eu", "set/a", "set/z"];

/// Starts this test binary again as [`child`], to do `role` to the store at `path`.
fn spawn(role: &str, path: &Path) -> Child {
    let mut child = command().spawn().unwrap();
    tell(&mut child, role, path);
    child
}

/// This test binary as [`child`], not started yet.
pub(crate) fn command() -> Command {
    // Not by its path, which another user may not be allowed to walk.
    let mut command = Command::new("/proc/self/exe");
    command
        .args([
            "--exact",
            "store_processes::child",
            "--ignored",
            "--nocapture",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

/// Says to `child` what to do to the store at `path`.
pub(crate) fn tell(child: &mut Child, role: &str, path: &Path) {
    let mut stdin = child.stdin.take().unwrap();
    write!(stdin, "{role}\n{}", path.display()).unwrap();
}

/// What a child says about its store, one line each, after a mark that the test harness does not
/// print.
fn say(text: &str) {
    let mut stdout = io::stdout().lock();
    write!(stdout, "\n> {text}\n").unwrap();
    stdout.flush().unwrap();
}

/// The whole lines in `output` that a child said; a kill may have cut the last one.
pub(crate) fn said(output: &str) -> Vec<&str> {
    output
        .split_inclusive('\n')
        .filter_map(|line| line.strip_prefix("> ")?.strip_suffix('\n'))
        .collect()
}

#[test]
#[ignore = "the other process of the tests here; it does what its standard input says"]
fn child() {
    let mut input = String::new();
    io::stdin().read_to_string(&mut input).unwrap();
    let Some((role, path)) = input.split_once('\n') else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let store = match Sqlite::create(Path::new(path)) {
        Ok(store) => store,
        Err(error) => return say(&format!("refused: {error}")),
    };
    match role {
        "open" => say("open"),
        "read and commit" => {
            let heads = runtime.block_on(store.heads(&Which::All)).unwrap();
            say(&format!("{} heads", heads.heads.len()));
            let refused = runtime.block_on(store.commit(&commit(&[("set/a", 1, 2)])));
            say(&refused.unwrap_err().to_string());
        }
        "commit for ever" => runtime.block_on(commit_for_ever(&store)),
        "commit 50 times" => {
            let conflicts = runtime.block_on(commit_50_times(&store));
            say(&format!("{conflicts} conflicts"));
        }
        other => panic!("{other}"),
    }
}

/// Commits next versions of [`TOGETHER`], and says each when the store has confirmed it.
async fn commit_for_ever(store: &dyn Store) {
    let heads = store.heads(&Which::All).await.unwrap().heads;
    let head = heads.get(&id(TOGETHER[0]));
    let mut number = head.map_or(0, |head| head.version.get());
    loop {
        let changes = TOGETHER.map(|name| (name, number, number + 1));
        store.commit(&commit(&changes)).await.unwrap();
        number += 1;
        say(&number.to_string());
    }
}

/// Adds 50 revisions to one set that others add to as well.
async fn commit_50_times(store: &dyn Store) -> usize {
    let shop = id("set/shop");
    let mut conflicts = 0;
    let mut done = 0;
    while done < 50 {
        let heads = store.heads(&Which::All).await.unwrap().heads;
        let expected = heads.get(&shop).map(|head| head.version);
        let next = expected.map_or(Version::FIRST, Version::next);
        let made = revision(&shop, next.get(), &std::process::id().to_string());
        let commit = Commit {
            expected: [(shop.clone(), expected)].into(),
            revisions: [(shop.clone(), made)].into(),
            ..Commit::default()
        };
        match store.commit(&commit).await {
            Ok(_) => done += 1,
            Err(StoreError::HeadsMoved(_)) => conflicts += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    conflicts
}

/// Asserts what must hold of a store whose writer was killed after it confirmed `confirmed`.
async fn assert_whole(path: &Path, confirmed: u64) -> u64 {
    let store = Sqlite::create(path).unwrap();
    let heads = store.heads(&Which::All).await.unwrap().heads;
    let found: Vec<_> = versions(&heads).into_values().collect();
    let newest = found.first().copied().unwrap_or(0);
    assert!(newest >= confirmed, "{newest} < {confirmed}");
    assert!(found.is_empty() || found == [newest; 3], "{found:?}");
    for name in TOGETHER {
        let history = store.history(&id(name), None, usize::MAX).await.unwrap();
        let all: Vec<_> = (1..=newest).rev().collect();
        assert_eq!(versions_of(&history), all, "{name}");
        for kept in history {
            let number = kept.version.get();
            let made = revision(&id(name), number, &format!("{name} {number}"));
            assert_eq!(kept, made);
        }
    }
    drop(store);
    assert_intact(path);
    newest
}

fn assert_intact(path: &Path) {
    let connection = Connection::open(path).unwrap();
    let verdict: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(verdict, "ok");
    let broken = connection
        .prepare("PRAGMA foreign_key_check")
        .unwrap()
        .exists([])
        .unwrap();
    assert!(!broken, "a reference leads nowhere");
}

/// Waits at most `longest`, a random time.
fn wait_up_to(longest: Duration) {
    let nanos = u64::try_from(longest.as_nanos()).unwrap();
    std::thread::sleep(Duration::from_nanos(fastrand::u64(0..=nanos)));
}

#[tokio::test]
async fn a_kill_while_committing_leaves_every_commit_whole() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let mut newest = 0;
    for _ in 0..35 {
        let mut child = spawn("commit for ever", &path);
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut output = String::new();
        // Not before it is at work, or the kills would all hit its start.
        while said(&output).is_empty() && stdout.read_line(&mut output).unwrap() > 0 {}
        wait_up_to(Duration::from_millis(20));
        child.kill().unwrap();
        child.wait().unwrap();
        stdout.read_to_string(&mut output).unwrap();
        let confirmed = said(&output).last().unwrap().parse().unwrap();
        assert!(confirmed > newest);
        newest = assert_whole(&path, confirmed).await;
    }
}

#[tokio::test]
async fn a_kill_while_a_store_is_made_leaves_none_or_a_whole_one() {
    let directory = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let mut child = spawn("open", &directory.path().join("measured.db"));
    child.wait().unwrap();
    let life = start.elapsed();
    for round in 0..30 {
        let path = directory.path().join(format!("{round}/store.db"));
        let mut child = spawn("commit for ever", &path);
        // Around the time at which a child makes its store.
        std::thread::sleep(life / 3);
        wait_up_to(life);
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        let output = String::from_utf8(output.stdout).unwrap();
        let confirmed = said(&output).last().map_or(0, |said| said.parse().unwrap());
        assert_whole(&path, confirmed).await;
    }
}

#[tokio::test]
async fn four_processes_of_fifty_commits_make_two_hundred_revisions() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let children: Vec<_> = (0..4).map(|_| spawn("commit 50 times", &path)).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    let store = Sqlite::create(&path).unwrap();
    let history = store
        .history(&id("set/shop"), None, usize::MAX)
        .await
        .unwrap();
    assert_eq!(versions_of(&history), (1..=200).rev().collect::<Vec<_>>());
    drop(store);
    assert_intact(&path);
}

#[test]
fn many_processes_may_make_one_store_at_once() {
    let directory = tempfile::tempdir().unwrap();
    for round in 0..5 {
        let path = directory.path().join(format!("{round}/deep/store.db"));
        let children: Vec<_> = (0..4).map(|_| spawn("open", &path)).collect();
        for child in children {
            let output = child.wait_with_output().unwrap();
            let output = String::from_utf8(output.stdout).unwrap();
            assert_eq!(said(&output), ["open"], "{output}");
        }
        assert_intact(&path);
    }
}
