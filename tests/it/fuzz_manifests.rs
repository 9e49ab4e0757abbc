//! Manifests that nobody would write: whatever is in a file, reading, checking and rendering it end
//! in an answer.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use cfgctl::check::{Finding, Severity, World, check};
use cfgctl::manifest::{self, Loaded, ManifestSource, Recursion, Style};
use cfgctl::model::{Cause, Heads, Origin, Version};
use cfgctl::render;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::Config;

/// What YAML and our manifests give a meaning to, and what trips readers of either.
const TOKENS: &[&str] = &[
    "---\n",
    "...\n",
    "%YAML 1.1\n",
    "%TAG ! x\n",
    "\t",
    "\r",
    "\u{feff}",
    "\u{0}",
    "\u{85}",
    "\u{2028}",
    "é",
    "𝄞",
    "&a ",
    "*a",
    "<<: *a\n",
    "<<: [*a, *a]\n",
    "!!binary ",
    "!!float ",
    "!x ",
    "? ",
    ": ",
    "- ",
    ", ",
    "{",
    "}",
    "[",
    "]",
    "[[[[[[[[",
    "{a: {a: {a: ",
    "|\n",
    ">-\n",
    "|9\n",
    "'",
    "\"",
    "\"\\x",
    "\"\\ud800\"",
    "#",
    "@",
    "`",
    "~",
    "null",
    "true",
    "no",
    "1e999",
    ".nan",
    "-.inf",
    "0x7f",
    "017",
    "1_000",
    "-0",
    "18446744073709551616",
    "9223372036854775807",
    "apiVersion: cfgctl.dev/v1\n",
    "kind: Cluster\n",
    "kind: ConfigSet\n",
    "metadata:\n",
    "spec:\n",
    "  values:\n",
    "values: {a: 1}\n",
    "layers:\n",
    "  publish:\n",
    "- spring: {context: a}\n",
    "- keys: {prefix: a}\n",
    "- {name: l, when: {a: b}, values: {a: 2}}\n",
    "schema: {$ref: '#'}\n",
    "schema: {pattern: '(a*)*$'}\n",
    "format: key-value",
    "consul: {address: ",
    "a/../b",
    "/",
    "a=b,c!=d",
    "x in (a, b)",
    "limits: {operations: 0}\n",
];

/// One thing that goes wrong with a text.
#[derive(Clone, Debug)]
enum Mutation {
    /// Something is put in.
    Insert(Index, &'static str),
    /// A stretch is lost.
    Cut(Index, usize),
    /// A stretch is there twice.
    Repeat(Index, usize, usize),
    /// A byte is another.
    Flip(Index, u8),
    /// A line is pushed in or out.
    Indent(Index, usize),
}

fn mutations() -> impl Strategy<Value = Vec<Mutation>> {
    let at = any::<Index>;
    let mutation = prop_oneof![
        4 => (at(), prop::sample::select(TOKENS)).prop_map(|(at, token)| Mutation::Insert(at, token)),
        2 => (at(), 1..60_usize).prop_map(|(at, length)| Mutation::Cut(at, length)),
        2 => (at(), 1..200_usize, 1..4_usize)
            .prop_map(|(at, length, times)| Mutation::Repeat(at, length, times)),
        2 => (at(), any::<u8>()).prop_map(|(at, byte)| Mutation::Flip(at, byte)),
        2 => (at(), 0..12_usize).prop_map(|(at, spaces)| Mutation::Indent(at, spaces)),
    ];
    prop::collection::vec(mutation, 0..6)
}

fn stretch(bytes: &[u8], at: Index, length: usize) -> Range<usize> {
    let start = at.index(bytes.len() + 1);
    start..(start + length).min(bytes.len())
}

fn mutated(text: &[u8], mutations: &[Mutation]) -> Vec<u8> {
    let mut bytes = text.to_vec();
    for mutation in mutations {
        match *mutation {
            Mutation::Insert(at, token) => {
                let at = at.index(bytes.len() + 1);
                bytes.splice(at..at, token.bytes());
            }
            Mutation::Cut(at, length) => _ = bytes.drain(stretch(&bytes, at, length)),
            Mutation::Repeat(at, length, times) => {
                let range = stretch(&bytes, at, length);
                let copy = bytes[range.clone()].repeat(times);
                bytes.splice(range.end..range.end, copy);
            }
            Mutation::Flip(at, byte) if !bytes.is_empty() => {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            Mutation::Flip(..) => {}
            Mutation::Indent(at, spaces) => {
                let before = &bytes[..at.index(bytes.len() + 1)];
                let line = before
                    .iter()
                    .rposition(|byte| *byte == b'\n')
                    .map_or(0, |end| end + 1);
                let old = bytes[line..]
                    .iter()
                    .take_while(|byte| **byte == b' ')
                    .count();
                bytes.splice(line..line + old, " ".repeat(spaces).into_bytes());
            }
        }
    }
    bytes
}

/// Every fixture, good and bad, with the directory that its schemas lie in.
static CORPUS: LazyLock<Vec<(PathBuf, Vec<u8>)>> = LazyLock::new(|| {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut corpus = Vec::new();
    for directory in ["shop", "quickstart", "broken"].map(|name| fixtures.join(name)) {
        let files = fs::read_dir(&directory).expect("fixtures");
        let mut files: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
        files.sort();
        files.retain(|file| file.extension().is_some_and(|kind| kind == "yaml"));
        for file in files {
            corpus.push((directory.clone(), fs::read(file).expect("a fixture")));
        }
    }
    assert!(corpus.len() > 50, "the fixtures have moved");
    corpus
});

/// Does with `bytes` all that a command does before it looks at any cluster.
fn read(bytes: &[u8], directory: &Path, beside: Option<&Path>) -> Loaded {
    let mut reader = bytes;
    let mut inputs = vec![ManifestSource::Text("fuzzed".into(), &mut reader)];
    inputs.extend(beside.map(|path| ManifestSource::Path(path.to_owned(), Recursion::Flat)));
    let mut loaded = manifest::load(inputs, directory);
    if !loaded.has_errors() {
        let findings = check(&world(&loaded));
        let sent = serde_json::to_vec(&findings).expect("findings are plain data");
        let received: Vec<Finding> = serde_json::from_slice(&sent).expect("they were sent");
        assert_eq!(received, findings);
        let found = manifest::locate(received, &loaded.manifests);
        loaded.findings.extend(found);
    }
    if !loaded.has_errors() {
        render_everything(&loaded);
    }
    for style in [Style::Plain, Style::Color] {
        manifest::show(&loaded.findings, &loaded.sources, style);
    }
    loaded
}

fn world(loaded: &Loaded) -> World<'_> {
    static NOTHING: Heads = Heads::new();
    let manifests = loaded.manifests.iter();
    World::new(manifests.map(|it| (&it.id, &it.content)), &NOTHING)
}

/// What was checked without an error can be rendered wherever it goes.
fn render_everything(loaded: &Loaded) {
    let origin = Origin {
        actor: "fuzz".to_owned(),
        at: jiff::Timestamp::UNIX_EPOCH,
        cause: Cause::Apply,
        message: None,
        consents: BTreeSet::new(),
        planned: None,
    };
    let world = world(loaded);
    for (set, view) in &world.sets {
        for (cluster, place) in &world.clusters {
            let labels = &place.cluster.labels;
            if view.set.clusters.matches(labels) {
                let snapshot = render::snapshot(
                    set,
                    view.set,
                    &cfgctl::model::Overrides::default(),
                    Version::FIRST,
                    &origin,
                    cluster,
                    labels,
                );
                let snapshot = snapshot.expect("what was checked can be rendered");
                let place = render::place(set, view.set);
                for key in snapshot.entries.keys() {
                    let below = place.prefixes.iter().any(|prefix| prefix.contains(key));
                    assert!(
                        below || place.keys.contains(key),
                        "{key} is nowhere in {place:?}"
                    );
                }
            }
        }
    }
}

/// Findings point into the text that they are about.
fn assert_findings_fit(loaded: &Loaded) {
    for finding in &loaded.findings {
        let related = finding.related.iter().map(|(span, _)| *span);
        for span in finding.at.into_iter().chain(related) {
            let text = loaded.sources.text(span.source);
            assert!(text.get(span.start..span.end).is_some(), "{finding:?}");
        }
        assert!(
            !finding.message.is_empty() && finding.message.len() < 2_000,
            "{finding:?}"
        );
    }
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    #[test]
    fn any_bytes_are_read_to_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let loaded = read(&bytes, Path::new("/"), None);
        assert_findings_fit(&loaded);
        prop_assert!(loaded.has_errors() || !loaded.manifests.is_empty());
    }

    #[test]
    fn any_words_of_yaml_are_read_to_an_answer(
        words in prop::collection::vec(prop::sample::select(TOKENS), 0..40),
    ) {
        let loaded = read(words.concat().as_bytes(), Path::new("/"), None);
        assert_findings_fit(&loaded);
    }

    #[test]
    fn a_spoiled_manifest_is_read_to_an_answer(
        which in any::<Index>(),
        mutations in mutations(),
    ) {
        let (directory, text) = &CORPUS[which.index(CORPUS.len())];
        let bytes = mutated(text, &mutations);
        let clusters = directory.join("clusters.yaml");
        let beside = clusters.exists().then_some(clusters.as_path());
        // Alone, and where clusters give its layers a meaning.
        for beside in [None, beside] {
            assert_findings_fit(&read(&bytes, directory, beside));
        }
    }

    #[test]
    fn the_same_text_has_the_same_findings(which in any::<Index>(), mutations in mutations()) {
        let (directory, text) = &CORPUS[which.index(CORPUS.len())];
        let bytes = mutated(text, &mutations);
        let (one, two) = (read(&bytes, directory, None), read(&bytes, directory, None));
        prop_assert_eq!(&one.findings, &two.findings);
        prop_assert_eq!(&one.manifests, &two.manifests);
    }
}

#[test]
fn what_was_not_spoiled_is_read_as_it_is() {
    let mut codes = BTreeMap::new();
    for (directory, text) in CORPUS.iter() {
        let loaded = read(text, directory, None);
        let errors = loaded.findings.iter();
        let errors = errors.filter(|finding| finding.severity == Severity::Error);
        *codes.entry(directory.file_name()).or_insert(0) += errors.count();
    }
    let errors = |name: &str| codes.get(&Some(name.as_ref())).copied();
    assert_eq!((errors("shop"), errors("quickstart")), (Some(0), Some(0)));
    assert!(errors("broken") > Some(40));
}
