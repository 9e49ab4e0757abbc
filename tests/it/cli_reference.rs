//! Completions and man pages in the repository are those that the binary prints.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::cli::Cfgctl;
use crate::support::transcript::root;

const ADVICE: &str = "is not what the binary prints; run tests/regenerate and commit the result";

fn files(directory: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(directory)
        .unwrap_or_else(|error| panic!("{}: {error}; run tests/regenerate", directory.display()));
    entries
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read_to_string(entry.path()).unwrap())
        })
        .collect()
}

#[test]
fn the_completions_in_the_repository_are_those_of_the_binary() {
    let user = Cfgctl::new();
    let committed = files(&root().join("completions"));
    let shells = [
        ("bash", "cfgctl.bash"),
        ("zsh", "_cfgctl"),
        ("fish", "cfgctl.fish"),
    ];
    for (shell, file) in shells {
        let printed = user.ok(&["completions", shell]);
        assert!(
            committed.get(file) == Some(&printed),
            "completions/{file} {ADVICE}"
        );
    }
    assert_eq!(
        committed.len(),
        shells.len(),
        "completions/ holds something else"
    );
}

#[test]
fn the_man_pages_in_the_repository_are_those_of_the_binary() {
    let user = Cfgctl::new();
    let printed = user.directory().join("man");
    std::fs::create_dir(&printed).unwrap();
    user.ok(&["man", "--all", "man"]);
    let printed = files(&printed);
    let committed = files(&root().join("man"));
    let names = |pages: &BTreeMap<String, String>| pages.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&committed), names(&printed), "man/ {ADVICE}");
    for (name, page) in &printed {
        assert!(committed[name] == *page, "man/{name} {ADVICE}");
    }
}

#[test]
fn a_man_page_is_found_by_the_name_of_its_command() {
    let user = Cfgctl::new();
    assert!(user.ok(&["man"]).contains(".TH cfgctl 1"));
    let page = user.ok(&["man", "cluster", "check"]);
    assert!(page.contains("cfgctl-cluster-check 1"), "{page}");
    assert_eq!(user.run(&["man", "claster"]).code, Some(2));
    assert_eq!(
        user.run(&["man", "--all", "no/such/directory"]).code,
        Some(2)
    );
}

#[test]
fn bash_takes_the_completions() {
    let path = root().join("completions/cfgctl.bash");
    let status = std::process::Command::new("bash")
        .arg("-n")
        .arg(path)
        .status();
    assert!(status.unwrap().success());
}
