use std::fs;
use std::os::unix::fs::symlink;

use super::*;
use crate::manifest::Style;
use crate::manifest::load::{Loaded, ManifestSource, load_within};
use crate::manifest::report::show;

fn set(name: &str) -> String {
    format!(
        "apiVersion: cfgctl.dev/v1\nkind: ConfigSet\nmetadata: {{name: {name}}}\nspec: {{values: {{}}}}\n"
    )
}

fn load(at: &Path, names: &[&str], recursion: Recursion) -> Loaded {
    let inputs = names
        .iter()
        .map(|name| ManifestSource::Path(PathBuf::from(name), recursion))
        .collect();
    load_within(inputs, at, Limits::default())
}

fn names(loaded: &Loaded) -> Vec<&str> {
    loaded
        .manifests
        .iter()
        .map(|manifest| manifest.id.name())
        .collect()
}

fn shown(loaded: &Loaded) -> String {
    show(&loaded.findings, &loaded.sources, Style::Plain)
}

#[test]
fn a_directory_is_read_in_the_order_of_names_without_what_is_no_manifest() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    fs::create_dir_all(at.join("sub/.hidden")).unwrap();
    for (file, name) in [
        ("c.yaml", "c"),
        ("a.yml", "a"),
        ("b.JSON", "b"),
        ("sub/d.yaml", "d"),
    ] {
        fs::write(at.join(file), set(name)).unwrap();
    }
    for file in [
        ".x.yaml",
        "x.schema.json",
        "x.schema.yaml",
        "notes.txt",
        "x.yaml~",
        "sub/.hidden/x.yaml",
    ] {
        fs::write(at.join(file), "broken: [").unwrap();
    }
    let flat = load(at, &["."], Recursion::Flat);
    assert_eq!(flat.findings, []);
    assert_eq!(names(&flat), ["a", "b", "c"]);
    let recursive = load(at, &["."], Recursion::Recursive);
    assert_eq!(recursive.findings, []);
    assert_eq!(names(&recursive), ["a", "b", "c", "d"]);
}

#[test]
fn links_in_a_circle_end_and_a_file_named_twice_is_read_once() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    fs::create_dir(at.join("sub")).unwrap();
    fs::write(at.join("sub/a.yaml"), set("a")).unwrap();
    symlink("..", at.join("sub/loop")).unwrap();
    symlink("a.yaml", at.join("sub/link.yaml")).unwrap();
    let loaded = load(
        at,
        &[".", "sub/a.yaml", "sub", "./sub/../sub/a.yaml"],
        Recursion::Recursive,
    );
    assert_eq!(loaded.findings, []);
    assert_eq!(names(&loaded), ["a"]);
}

#[test]
fn a_directory_without_manifests_and_a_path_to_nowhere_are_errors() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    fs::create_dir_all(at.join("empty")).unwrap();
    fs::create_dir_all(at.join("parent/child")).unwrap();
    fs::write(at.join("parent/child/a.yaml"), set("a")).unwrap();
    symlink("nowhere", at.join("empty/broken.txt")).unwrap();
    let loaded = load(at, &["empty", "parent", "gone.yaml"], Recursion::Flat);
    insta::assert_snapshot!(shown(&loaded), @r#"
    error[no-manifests]: no manifests in `empty`
     |
     = help: manifests are files that end in .yaml, .yml or .json

    error[no-manifests]: no manifests in `parent`
     |
     = help: manifests are files that end in .yaml, .yml or .json
     = help: directories below it are read with -R

    error[unreadable]: cannot read `gone.yaml`: there is no such file

    3 errors
    "#);
}

#[test]
fn a_broken_link_and_a_pipe_in_a_directory_are_errors_and_stop_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    symlink("nowhere", at.join("a.yaml")).unwrap();
    symlink("/dev/null", at.join("b.yaml")).unwrap();
    fs::write(at.join("c.yaml"), set("c")).unwrap();
    let loaded = load(at, &["."], Recursion::Flat);
    assert_eq!(names(&loaded), ["c"]);
    insta::assert_snapshot!(shown(&loaded), @r#"
    error[unreadable]: cannot read `./a.yaml`: there is no such file

    error[unreadable]: `./b.yaml` is not a regular file

    2 errors
    "#);
}

#[test]
fn what_is_not_utf_8_is_refused_with_the_place() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    fs::write(at.join("a.yaml"), b"a: 1\nb: \xc3\xa4\xff\n").unwrap();
    fs::write(at.join("b.yaml"), b"\xff\xfea\0:\0").unwrap();
    fs::write(at.join("c.yaml"), b"a\0:\0").unwrap();
    fs::write(at.join("d.yaml"), b"\xef\xbb\xbf\xff").unwrap();
    fs::write(at.join("e.yaml"), b"a: 1\nb: \0\n").unwrap();
    fs::write(at.join("f.yaml"), b"\xef\xbb\xbfa: \x1b[2J").unwrap();
    let loaded = load(at, &["."], Recursion::Flat);
    insta::assert_snapshot!(shown(&loaded), @r#"
    error[encoding]: `./b.yaml` is not UTF-8, but looks like UTF-16
     |
     = help: save it as UTF-8

    error[encoding]: `./c.yaml` is not UTF-8, but looks like UTF-16
     |
     = help: save it as UTF-8

    error[encoding]: this byte is not UTF-8
     --> ./a.yaml:2:5
      |
    2 | b: ä�
      |     ^
      |
      = help: save the file as UTF-8

    error[encoding]: this byte is not UTF-8
     --> ./d.yaml:1:1
      |
    1 | �
      | ^
      |
      = help: save the file as UTF-8

    error[control-character]: this is a control character, which YAML does not allow
     --> ./e.yaml:2:4
      |
    2 | b: \u{0}
      |    ^^^^^
      |
      = help: take it out, or write it as an escape in double quotes: "\0", "\x1b"

    error[control-character]: this is a control character, which YAML does not allow
     --> ./f.yaml:1:4
      |
    1 | a: \u{1b}[2J
      |    ^^^^^^
      |
      = help: take it out, or write it as an escape in double quotes: "\0", "\x1b"

    6 errors
    "#);
}

#[test]
fn more_than_the_limits_is_refused_and_never_read_to_its_end() {
    let limits = Limits {
        files: 3,
        entries: 6,
        file_bytes: 200,
        bytes: 500,
        ..Limits::default()
    };
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    fs::write(at.join("large.yaml"), "#".repeat(201)).unwrap();
    let large = load_within(
        vec![
            ManifestSource::Path("large.yaml".into(), Recursion::Flat),
            ManifestSource::Path("/dev/zero".into(), Recursion::Flat),
            ManifestSource::Stdin(&mut std::io::repeat(b'#')),
        ],
        at,
        limits,
    );
    insta::assert_snapshot!(shown(&large), @r#"
    error[too-large]: `large.yaml` has more than 200 bytes
     |
     = help: that is more than cfgctl reads, and far more than a Consul holds

    error[too-large]: `/dev/zero` has more than 200 bytes
     |
     = help: that is more than cfgctl reads, and far more than a Consul holds

    error[too-large]: `-` has more than 200 bytes
     |
     = help: that is more than cfgctl reads, and far more than a Consul holds

    3 errors
    "#);

    fs::create_dir(at.join("many")).unwrap();
    for name in ["a", "b", "c", "d"] {
        fs::write(
            at.join(format!("many/{name}.yaml")),
            format!("{}{}", set(name), "#".repeat(90)),
        )
        .unwrap();
    }
    let many = load_within(
        vec![ManifestSource::Path("many".into(), Recursion::Flat)],
        at,
        limits,
    );
    assert_eq!(names(&many), ["a", "b"]);
    insta::assert_snapshot!(shown(&many), @r#"
    error[too-large]: `many/c.yaml` takes all files to more than 500 bytes
     |
     = help: that is more than cfgctl reads, and far more than a Consul holds

    error[too-many-files]: `many/d.yaml` makes more than 3 files
     |
     = help: that is more than cfgctl reads, and far more than a Consul holds

    2 errors
    "#);

    for name in ["e", "f", "g"] {
        fs::write(at.join(format!("many/{name}.yaml")), "").unwrap();
    }
    let entries = load_within(
        vec![ManifestSource::Path("many".into(), Recursion::Flat)],
        at,
        limits,
    );
    insta::assert_snapshot!(shown(&entries), @r#"
    error[too-many-files]: `many` takes the directories to more than 6 entries
     |
     = help: name the directory of the manifests itself

    1 error
    "#);
}
