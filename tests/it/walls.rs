//! The walls that a single crate lacks: which module may know what.
//!
//! It reads the sources without their comments, texts and tests, and looks at every path in them:
//! `use crate::{plan, store::Store}` mentions `crate::plan` and `crate::store::Store`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

/// The layers, lowest first. A module knows those below its own, and never one beside it.
const LAYERS: &[&[&str]] = &[
    &["model"],
    &["yaml"],
    &["evaluate", "render"],
    &["check"],
    &["manifest"],
    &["import", "plan"],
    &["traces"],
    &["store", "target"],
    &["engine"],
    &["api"],
    &["wire"],
    &["oidc"],
    &["app", "client", "notify", "server"],
    &["cli"],
];

/// What decides and never does: the same arguments give the same answer.
const PURE: &[&str] = &[
    "model", "yaml", "evaluate", "render", "check", "import", "plan",
];

/// What pure modules may not mention.
const IMPURE: &[&str] = &[
    "async",
    "await",
    "async_trait",
    "futures_util",
    "tokio",
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "fastrand",
];

/// What only some files may mention; a name without `.rs` stands for a module and all below it.
const HIDDEN: &[(&str, &[&str])] = &[
    (
        "std::fs",
        &[
            "manifest",
            "store::sqlite",
            "target::directory",
            "target::consul::credentials",
            "cli",
        ],
    ),
    ("std::env", &["cli", "main"]),
    (
        "reqwest",
        &[
            "target::consul",
            "client",
            "notify",
            "oidc",
            "traces::collector",
        ],
    ),
    (
        "rustls",
        &[
            "target::consul",
            "client::http",
            "notify::send",
            "oidc::fetch",
            "server",
            "traces::collector",
        ],
    ),
    ("tokio_rustls", &["server"]),
    ("axum", &["server"]),
    ("hyper", &["server"]),
    ("hyper_util", &["server"]),
    ("http_body_util", &["server"]),
    ("subtle", &["server"]),
    (
        "ring",
        &[
            "app::tokens",
            "notify::sign",
            "oidc::jws",
            "server::views::ticket",
            "wire::note",
        ],
    ),
    ("governor", &["server::rate"]),
    ("prometheus_client", &["server::metrics"]),
    (
        "tracing",
        &["notify", "server", "cli::serve", "traces::collector"],
    ),
    ("opentelemetry", &["traces"]),
    ("opentelemetry_http", &["traces"]),
    ("opentelemetry_otlp", &["traces"]),
    ("opentelemetry_sdk", &["traces"]),
    ("tracing_subscriber", &["cli::serve"]),
    ("rusqlite", &["store::sqlite"]),
    ("serde_saphyr", &["manifest"]),
    ("datalogic_rs", &["evaluate"]),
    ("jsonschema", &["check::schema"]),
    ("keyring", &["cli"]),
    ("anyhow", &["cli", "main"]),
    ("clap", &["cli", "main"]),
    ("clap_complete", &["cli", "main"]),
    ("clap_mangen", &["cli", "main"]),
    ("comfy_table", &["cli", "main"]),
    ("dialoguer", &["cli", "main"]),
    ("indicatif", &["cli", "main"]),
    ("similar", &["app::present", "cli", "main"]),
    ("anstream", &["cli", "main"]),
];

/// What a module may not know although it lies no higher: whoever has nothing but finished snapshots
/// runs the side of the targets as it is.
const APART: &[(&str, &[&str])] = &[
    ("plan::decide", &["crate::plan::reconcile"]),
    (
        "plan::reconcile",
        &[
            "crate::plan::decide",
            "crate::render",
            "crate::model::ConfigSet",
            "crate::model::Heads",
            "crate::model::Overrides",
            "crate::model::Revision",
        ],
    ),
];

/// A file that is longer has more than one subject, unless it is a list of tests.
const MAX_LINES: usize = 530;

/// One file of the crate.
struct Source {
    /// `plan::after`; `main` and `lib` for the two roots.
    module: String,
    /// What it is called in a message: `src/plan/after.rs`.
    file: String,
    lines: usize,
    /// Every path that its code mentions, from the root of the crate where it is in this crate.
    paths: Vec<String>,
    /// The same without what it passes on (`pub use`): a file that is only the face of those below
    /// it needs none of them.
    needs: Vec<String>,
    /// Whether it calls `commit` of a store.
    commits: bool,
    /// The types that it declares for more than the files beside it.
    types: Vec<String>,
    /// Its words and punctuation.
    tokens: Vec<String>,
}

static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| {
    let mut found = Vec::new();
    collect(Path::new(env!("CARGO_MANIFEST_DIR")), "src", &mut found);
    assert!(found.len() > 20, "these are not the sources");
    found
});

/// What is there for more than tests.
fn sources() -> impl Iterator<Item = &'static Source> {
    SOURCES.iter().filter(|source| !is_test(&source.module))
}

fn collect(root: &Path, below: &str, found: &mut Vec<Source>) {
    let entries = fs::read_dir(root.join(below)).expect("the sources can be read");
    for entry in entries {
        let entry = entry.expect("the sources can be read");
        let name = entry.file_name().into_string().expect("a plain name");
        let file = format!("{below}/{name}");
        if entry.path().is_dir() {
            collect(root, &file, found);
        } else if let Some(path) = file.strip_suffix(".rs") {
            let text = fs::read_to_string(entry.path()).expect("the sources are text");
            let module = path["src/".len()..].replace('/', "::");
            let tokens = tokens(without_tests(&text));
            found.push(Source {
                lines: text.lines().count(),
                types: types(&tokens),
                file,
                paths: paths(&tokens, &module),
                needs: paths(&without_reexports(&tokens), &module),
                commits: tokens
                    .windows(4)
                    .any(|it| it == ["store", ".", "commit", "("]),
                tokens,
                module,
            });
        }
    }
}

/// Whether a module is there for tests alone. Clippy sees to it that nothing follows `mod tests`.
fn is_test(module: &str) -> bool {
    module
        .split("::")
        .any(|segment| segment == "tests" || segment == "testing" || segment.ends_with("_tests"))
}

fn without_tests(text: &str) -> &str {
    text.find("#[cfg(test)]\nmod tests {")
        .map_or(text, |end| &text[..end])
}

/// Words and punctuation, without comments and what stands between quotes.
fn tokens(code: &str) -> Vec<String> {
    let chars: Vec<char> = code.chars().collect();
    let starts = |at: usize, what: &str| {
        let mut rest = chars.iter().skip(at);
        what.chars().all(|c| rest.next() == Some(&c))
    };
    let find = |from: usize, what: &str| (from..chars.len()).find(|at| starts(*at, what));
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        if starts(at, "//") {
            at = find(at, "\n").unwrap_or(chars.len());
        } else if starts(at, "/*") {
            at = find(at, "*/").map_or(chars.len(), |end| end + 2);
        } else if c == '"' {
            at += 1;
            while at < chars.len() && chars[at] != '"' {
                at += if chars[at] == '\\' { 2 } else { 1 };
            }
            at += 1;
        } else if c == '\'' {
            // A character, or a lifetime.
            let escaped = usize::from(starts(at + 1, "\\"));
            at += match find(at + 2 + escaped, "'") {
                Some(end) if escaped == 1 => end - at + 1,
                Some(end) if end == at + 2 => 3,
                _ => 1,
            };
        } else if c.is_alphanumeric() || c == '_' {
            let end =
                (at..chars.len()).find(|at| !chars[*at].is_alphanumeric() && chars[*at] != '_');
            let end = end.unwrap_or(chars.len());
            let word: String = chars[at..end].iter().collect();
            let hashes = chars[end..].iter().take_while(|c| **c == '#').count();
            if matches!(word.as_str(), "r" | "br") && starts(end + hashes, "\"") {
                let close = format!("\"{}", "#".repeat(hashes));
                at = find(end + hashes + 1, &close).map_or(chars.len(), |it| it + close.len());
            } else {
                tokens.push(word);
                at = end;
            }
        } else if starts(at, "::") {
            tokens.push("::".to_owned());
            at += 2;
        } else {
            if !c.is_whitespace() {
                tokens.push(c.to_string());
            }
            at += 1;
        }
    }
    tokens
}

/// The types among `tokens` that are `pub` or `pub(crate)`.
fn types(tokens: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for (at, word) in tokens.iter().enumerate() {
        let before = |back: usize| at.checked_sub(back).map(|at| tokens[at].as_str());
        let is_type = matches!(word.as_str(), "struct" | "enum" | "trait" | "type");
        let is_shown = before(1) == Some("pub")
            || (before(1), before(2), before(4)) == (Some(")"), Some("crate"), Some("pub"));
        if let (true, true, Some(name)) = (is_type, is_shown, tokens.get(at + 1)) {
            found.push(name.clone());
        }
    }
    found
}

/// The tokens without `pub use …;`, `pub(crate) use …;` and `mod …;`, and without for whom something
/// is there (`pub(in …)`): that is no need.
fn without_reexports(tokens: &[String]) -> Vec<String> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let word = |ahead: usize| tokens.get(at + ahead).map(String::as_str);
        let uses = match (word(0), word(1)) {
            (Some("mod"), _) => word(2) == Some(";"),
            (Some("pub"), Some("use")) => true,
            (Some("pub"), Some("(")) => {
                let close = (2..6).find(|ahead| word(*ahead) == Some(")"));
                close.is_some_and(|close| word(close + 1) == Some("use"))
            }
            _ => false,
        };
        if uses {
            while at < tokens.len() && tokens[at] != ";" {
                at += 1;
            }
        } else if (word(0), word(1), word(2)) == (Some("pub"), Some("("), Some("in")) {
            while at < tokens.len() && tokens[at] != ")" {
                at += 1;
            }
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// Every path among `tokens`, groups spread out.
fn paths(tokens: &[String], module: &str) -> Vec<String> {
    let mut found = Vec::new();
    // The prefixes of the groups that are open.
    let mut groups: Vec<String> = Vec::new();
    let mut plain_braces: Vec<usize> = vec![0];
    let mut path = String::new();
    for (at, token) in tokens.iter().enumerate() {
        let is_word = token.chars().all(|c| c.is_alphanumeric() || c == '_');
        if is_word || token == "::" {
            let continues = path.is_empty() || path.ends_with("::") || token == "::";
            if !continues {
                found.push(std::mem::take(&mut path));
            }
            if path.is_empty() {
                path.push_str(groups.last().map_or("", String::as_str));
            }
            path.push_str(token);
            continue;
        }
        let before_group = at > 0 && tokens[at - 1] == "::";
        match token.as_str() {
            "{" if before_group => {
                groups.push(std::mem::take(&mut path));
                plain_braces.push(0);
            }
            "{" => *plain_braces.last_mut().expect("one is open") += 1,
            "}" => match plain_braces.last_mut() {
                Some(0) => {
                    found.push(std::mem::take(&mut path));
                    groups.pop();
                    plain_braces.pop();
                }
                Some(open) => *open -= 1,
                None => {}
            },
            _ => {}
        }
        found.push(std::mem::take(&mut path));
    }
    found.push(path);
    let paths = found.into_iter().filter(|path| !path.is_empty());
    paths.map(|path| absolute(&path, module)).collect()
}

/// `super::store` in `plan` is `crate::store`.
fn absolute(path: &str, module: &str) -> String {
    let mut rest = path;
    let mut above: Vec<&str> = module.split("::").collect();
    if rest == "super" || rest.starts_with("super::") {
        while let Some(shorter) = rest.strip_prefix("super::") {
            rest = shorter;
            above.pop();
        }
        above.insert(0, "crate");
        above.push(rest);
        return above.join("::");
    }
    path.to_owned()
}

/// Whether `path` is `what` or lies in it.
fn mentions(path: &str, what: &str) -> bool {
    path.strip_prefix(what)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

fn assert_none(breaches: &[String]) {
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}

#[test]
fn modules_know_only_those_below_them() {
    let mut breaches = Vec::new();
    for source in sources() {
        let own = source.module.split("::").next().unwrap_or_default();
        if own == "lib" || own == "main" {
            continue;
        }
        let Some(height) = layer(own) else {
            breaches.push(format!("{} is in no layer", source.file));
            continue;
        };
        for path in &source.paths {
            let other = path
                .strip_prefix("crate::")
                .and_then(|rest| rest.split("::").next());
            let known = other.filter(|other| *other != own).and_then(layer);
            if known.is_some_and(|known| known >= height) {
                breaches.push(format!("{} mentions {path}", source.file));
            }
        }
    }
    assert_none(&breaches);
}

#[test]
fn what_decides_does_nothing_else() {
    let mut breaches = Vec::new();
    for source in sources() {
        if !PURE.iter().any(|pure| mentions(&source.module, pure)) {
            continue;
        }
        for path in &source.paths {
            if IMPURE.iter().any(|impure| mentions(path, impure)) {
                breaches.push(format!("{} mentions {path}", source.file));
            }
        }
    }
    assert_none(&breaches);
}

#[test]
fn a_dependency_is_known_where_it_belongs_and_nowhere_else() {
    let mut breaches = Vec::new();
    for source in sources() {
        for (hidden, homes) in HIDDEN {
            let at_home = homes.iter().any(|home| mentions(&source.module, home));
            let mut paths = source.paths.iter();
            if let (false, Some(path)) = (at_home, paths.find(|path| mentions(path, hidden))) {
                breaches.push(format!("{} mentions {path}", source.file));
            }
        }
    }
    assert_none(&breaches);
}

#[test]
fn what_is_decided_and_how_it_gets_there_do_not_know_each_other() {
    let mut breaches = Vec::new();
    for (module, unknown) in APART {
        let files: Vec<_> = sources()
            .filter(|it| mentions(&it.module, module))
            .collect();
        assert!(!files.is_empty(), "{module} is no file");
        for source in files {
            let known = |path: &&String| unknown.iter().any(|unknown| mentions(path, unknown));
            for path in source.paths.iter().filter(known) {
                breaches.push(format!("{} mentions {path}", source.file));
            }
        }
    }
    assert_none(&breaches);
}

/// What a command does is asked of the service: what lies behind it is known where it is connected.
const BEHIND_THE_SERVICE: &[&str] = &[
    "crate::app",
    "crate::client",
    "crate::engine",
    "crate::plan",
    "crate::render",
    "crate::store",
    "crate::target",
];

/// The files of the command line that connect: a token of the keyring and a variable of the
/// environment are things that targets ask for.
const CONNECTING: &[&str] = &["cli::connect", "cli::environment", "cli::keyring"];

#[test]
fn commands_know_the_service_and_nothing_behind_it() {
    let mut breaches = Vec::new();
    for source in sources() {
        let connects = CONNECTING.contains(&source.module.as_str());
        if connects || !mentions(&source.module, "cli") {
            continue;
        }
        for path in &source.paths {
            if BEHIND_THE_SERVICE.iter().any(|it| mentions(path, it)) {
                breaches.push(format!("{} mentions {path}", source.file));
            }
        }
    }
    assert_none(&breaches);
}

/// A type that others use means one thing, and so does its name. The arguments of a command are its
/// own, and two backends of one name stand behind two traits.
#[test]
fn two_types_have_two_names() {
    const ALIKE: &[&str] = &["Memory"];
    let mut homes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for source in sources() {
        for name in &source.types {
            homes.entry(name).or_default().push(&source.file);
        }
    }
    assert!(homes.len() > 200, "these are not the types");
    let breaches: Vec<_> = homes
        .into_iter()
        .filter(|(name, files)| files.len() > 1 && !name.ends_with("Args") && !ALIKE.contains(name))
        .map(|(name, files)| format!("`{name}` is declared in {}", files.join(", ")))
        .collect();
    assert_none(&breaches);
}

#[test]
fn one_file_commits() {
    let homes: Vec<&str> = sources()
        .filter(|source| !mentions(&source.module, "store") && source.commits)
        .map(|source| source.file.as_str())
        .collect();
    assert_eq!(homes, ["src/engine/commit.rs"]);
}

/// Who may do what is decided in one place, and nothing is carried out for anybody without it. What
/// only brings clusters to what is committed asks for nothing, and has one place too.
#[test]
fn one_file_permits() {
    let homes = |words: &[&str]| -> Vec<&str> {
        let has = |it: &&Source| it.tokens.windows(words.len()).any(|found| found == words);
        let files = sources().filter(has).map(|source| source.file.as_str());
        files.collect()
    };
    assert_eq!(homes(&["Permitted", "("]), ["src/app/authorise.rs"]);
    let unasked = ["approve_where_possible", "("];
    assert_eq!(homes(&unasked), ["src/engine/reconcile.rs", "src/plan.rs"]);
    assert_eq!(homes(&["Approved", "("]), ["src/plan.rs"]);
}

/// The files that a file needs, as positions in `known`.
fn needed(source: &Source, known: &[&Source]) -> Vec<usize> {
    let position = |module: &str| known.iter().position(|other| other.module == module);
    let mut needed = Vec::new();
    for path in &source.needs {
        // `plan::Pair` is in the file `plan`, `after::After` in `plan` is in the file `plan::after`.
        let below = format!("crate::{}::{path}", source.module);
        // A word alone is a name of something else.
        let below = Some(below).filter(|_| path.contains("::"));
        let mut candidates = [Some(path), below.as_ref()].into_iter().flatten();
        let found = candidates.find_map(|path| {
            let mut rest = path.strip_prefix("crate::")?;
            loop {
                if let Some(found) = position(rest) {
                    return Some(found);
                }
                rest = rest.rsplit_once("::")?.0;
            }
        });
        needed.extend(found.filter(|found| known[*found].module != source.module));
    }
    needed
}

#[test]
fn no_two_files_form_a_circle() {
    let known: Vec<&Source> = sources().collect();
    let needs: Vec<Vec<usize>> = known.iter().map(|it| needed(it, &known)).collect();
    let reaches_itself = |start: usize| {
        let mut seen = vec![false; known.len()];
        let mut open = needs[start].clone();
        while let Some(at) = open.pop() {
            if at == start {
                return true;
            }
            if !std::mem::replace(&mut seen[at], true) {
                open.extend(&needs[at]);
            }
        }
        false
    };
    let mut breaches = Vec::new();
    for (at, source) in known.iter().enumerate() {
        if reaches_itself(at) {
            breaches.push(format!("{} is part of a circle", source.file));
        }
    }
    assert_none(&breaches);
}

#[test]
fn files_are_short_and_none_is_called_mod() {
    let mut breaches = Vec::new();
    for source in SOURCES.iter() {
        if source.lines > MAX_LINES && !is_test(&source.module) {
            breaches.push(format!("{} has {} lines", source.file, source.lines));
        }
        if source.file.ends_with("/mod.rs") {
            breaches.push(format!(
                "{} should have the name of its module",
                source.file
            ));
        }
    }
    assert_none(&breaches);
}

#[test]
fn the_walls_see_through_groups_and_not_into_comments_and_texts() {
    let code = r##"
        //! crate::comment
        use crate::{model::{Key, Name}, store};
        use super::target::Target;
        /* std::fs */ const A: &str = "tokio::spawn \" std::env"; const C: char = '"';
        async fn f<'a>(x: &'a str) -> Point { Point { x, y: r#"std::net"# } }
    "##;
    let found = paths(&tokens(code), "plan");
    let has = |path: &str| found.iter().any(|it| it == path);
    for path in [
        "crate::model::Key",
        "crate::model::Name",
        "crate::store",
        "crate::target::Target",
        "async",
        "Point",
    ] {
        assert!(has(path), "{path} in {found:?}");
    }
    for hidden in ["comment", "std", "tokio", "net"] {
        assert!(
            !found.iter().any(|path| path.contains(hidden)),
            "{hidden} in {found:?}"
        );
    }
}
