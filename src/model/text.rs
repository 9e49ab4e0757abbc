//! Text from outside, made fit to be shown: on a terminal, in a log, and to a forge that carries
//! out what it reads in a log.
//!
//! Three things are kept from it: to move the cursor or to hide (control characters, what turns
//! the direction of text, what has no width: two names that look alike must not be two), to make
//! lines of its own, and to give away what an address holds beside the place.

use std::fmt::Write as _;
use std::ops::Range;

/// What stands for the end of a line where there is room for one line only.
const LINE_END: char = '⏎';

/// What a forge carries out wherever it stands in a line of a log.
const COMMANDS: [&str; 3] = ["##[", "##vso[", "##teamcity["];

/// What GitHub carries out at the start of a line, after spaces.
const COMMAND: &str = "::";

/// What stands for a secret.
const HIDDEN: &str = "***";

/// `text` on one line, without anything that a terminal would obey, that turns its direction
/// around or that is not seen. Said of what it made itself, it changes nothing.
pub fn printable(text: &str) -> String {
    // Nearly all text is as it should be, and a diff has thousands of lines.
    if !text.contains(is_obeyed) && !text.contains("##") {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for (index, c) in text.char_indices() {
        if c == '\n' {
            out.push(LINE_END);
        } else {
            push(c, &text[index..], &mut out);
        }
    }
    out
}

/// Whether a line of an output may begin with what a forge carries out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// None may: all of it is there to be read.
    Read,
    /// They may: they are commands of our own.
    Obeyed,
}

/// A whole output: its lines and its styles stay, and nothing else that is obeyed. What was made
/// [`printable`] part by part is not changed but where a line begins as a command does.
pub fn guarded(text: &str, lines: Lines) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for line in text.split_inclusive('\n') {
        let (line, end) = match line.strip_suffix('\n') {
            Some(line) => (line, "\n"),
            None => (line, ""),
        };
        guard(line, lines, &mut out);
        out.push_str(end);
    }
    out
}

fn guard(line: &str, lines: Lines, out: &mut String) {
    let mut rest = line;
    if lines == Lines::Read {
        let begins = beginning(line);
        if starts_command(&line[begins..]) {
            out.push_str(&guarded(&line[..begins], Lines::Obeyed));
            out.push_str("\\u{3a}");
            rest = &line[begins + 1..];
        }
    }
    if !rest.contains(is_obeyed) && !rest.contains("##") {
        out.push_str(rest);
        return;
    }
    let mut styled = 0;
    for (index, c) in rest.char_indices() {
        if index < styled {
            out.push(c);
        } else if let Some(length) = style(&rest[index..]) {
            styled = index + length;
            out.push(c);
        } else {
            push(c, &rest[index..], out);
        }
    }
}

/// Where a line begins behind spaces and styles.
fn beginning(line: &str) -> usize {
    let mut at = 0;
    while let Some(first) = line[at..].chars().next() {
        if let Some(length) = style(&line[at..]) {
            at += length;
        } else if first.is_whitespace() {
            at += first.len_utf8();
        } else {
            break;
        }
    }
    at
}

/// The length of the style of a terminal that `text` begins with: `ESC [ 1 ; 31 m`.
fn style(text: &str) -> Option<usize> {
    let codes = text.strip_prefix("\u{1b}[")?;
    let end = codes.find(|c: char| !c.is_ascii_digit() && c != ';' && c != ':')?;
    codes[end..].starts_with('m').then_some(2 + end + 1)
}

/// Writes `c`, with which `rest` begins.
fn push(c: char, rest: &str, out: &mut String) {
    if is_obeyed(c) {
        out.extend(c.escape_default());
    } else if c == '#' && begins_command(rest) {
        out.push_str("\\u{23}");
    } else {
        out.push(c);
    }
}

/// No command has a name that starts with a colon: `:::` is how excerpts name another file.
fn starts_command(line: &str) -> bool {
    let name = line.strip_prefix(COMMAND);
    name.is_some_and(|name| !name.starts_with(':'))
}

fn begins_command(text: &str) -> bool {
    let begins = |command: &&str| {
        let start = text.get(..command.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(command))
    };
    COMMANDS.iter().any(begins)
}

/// Whether a line of `text` would be carried out by a forge that reads it.
pub fn is_command(text: &str) -> bool {
    text.lines().any(|line| starts_command(line.trim_start()))
        || (text.contains("##")
            && text
                .char_indices()
                .any(|(at, _)| begins_command(&text[at..])))
}

/// `text` with `mark` in place of the `#` that what a forge carries out in a line begins with.
pub fn without_marks(text: &str, mark: &str) -> String {
    if !text.contains("##") {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for (index, c) in text.char_indices() {
        if c == '#' && begins_command(&text[index..]) {
            out.push_str(mark);
        } else {
            out.push(c);
        }
    }
    out
}

/// JSON with every character that [`printable`] makes visible written as an escape. The line ends
/// between values stay. It means the same.
pub fn escaped_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for (index, c) in json.char_indices() {
        // Two of them stand in texts only.
        if (is_obeyed(c) && c != '\n') || (c == '#' && begins_command(&json[index..])) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// Whether something else would be done with `c` than to show it.
fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// What an address may hold beside the place, in every address that stands in `text`: user and
/// password, query, fragment. In bytes, in order, without overlaps. Paths behind `sqlite://` have
/// none of these.
pub fn secrets(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(colon) = text[from..].find("://") {
        let start = from + colon + "://".len();
        let is_end = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`');
        let end = text[start..]
            .find(is_end)
            .map_or(text.len(), |length| start + length);
        if !text[..from + colon].ends_with("sqlite") {
            found.extend(beside_the_place(text, start..end));
        }
        from = end;
    }
    found
}

/// The same for what lies within `address`, which begins behind the scheme. A password may hold
/// anything, so too much is taken rather than too little.
fn beside_the_place(text: &str, address: Range<usize>) -> Vec<Range<usize>> {
    let Range { start, end } = address;
    let user = text[start..end].rfind('@').map(|at| start..start + at);
    let query = text[start..end].find(['?', '#']);
    let query = query.map(|at| start + at + 1..end);
    match (user, query) {
        (Some(user), Some(query)) if query.start <= user.end => {
            std::iter::once(start..end).collect()
        }
        (user, query) => user.into_iter().chain(query).collect(),
    }
}

/// `text` with `***` in place of all [`secrets`] in it.
pub fn without_secrets(text: &str) -> String {
    without(text, secrets(text))
}

/// What stands before the first colon, if it looks like the scheme of a URL (RFC 3986, 3.1). One
/// letter is none, as in the URL standard: it is a drive.
pub fn scheme(location: &str) -> Option<&str> {
    let (scheme, _) = location.split_once(':')?;
    let is_scheme = scheme.len() > 1
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    is_scheme.then_some(scheme)
}

/// An address or the location of a store, with `***` in place of what it holds beside the place.
pub fn place(location: &str) -> String {
    let Some(scheme) = scheme(location).filter(|scheme| *scheme != "sqlite") else {
        return location.to_owned();
    };
    let rest = &location[scheme.len() + 1..];
    let start = location.len() - rest.trim_start_matches('/').len();
    without(location, beside_the_place(location, start..location.len()))
}

fn without(text: &str, hidden: Vec<Range<usize>>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for range in hidden {
        out.push_str(&text[from..range.start]);
        if !range.is_empty() {
            out.push_str(HIDDEN);
        }
        from = range.end;
    }
    out.push_str(&text[from..]);
    out
}

/// `word` as a shell reads it back.
pub fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_read_them_otherwise() {
        assert_eq!(shell_word("stage=prod,region=eu"), "stage=prod,region=eu");
        assert_eq!(shell_word("region!=eu"), "'region!=eu'");
        assert_eq!(shell_word("it's"), r"'it'\''s'");
        assert_eq!(shell_word(""), "''");
    }

    /// Pieces that make trouble, and some that do not.
    fn hostile() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            any::<char>().prop_map(String::from),
            "[ a-z:#\\[\\]]{0,4}",
            Just("\n::error::x".to_owned()),
            Just("::".to_owned()),
            Just("##vso[task.setvariable variable=x]y".to_owned()),
            Just("##[error]".to_owned()),
            Just("\u{1b}[2J".to_owned()),
            Just("\u{1b}[31m".to_owned()),
            Just("\u{1b}]0;title\u{7}".to_owned()),
            Just("\r".to_owned()),
            Just("\u{9b}2J\u{202e}\u{2028}\u{2066}".to_owned()),
        ];
        prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    #[test]
    fn what_a_terminal_would_obey_is_written_out() {
        for (text, shown) in [
            ("a\n::error::b", "a⏎::error::b"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("\u{9b}\u{7f}\r\t", "\\u{9b}\\u{7f}\\r\\t"),
            (
                "\u{202e}abc\u{200b}\u{61c}",
                "\\u{202e}abc\\u{200b}\\u{61c}",
            ),
            ("##vso[x]##[y]### z", "\\u{23}#vso[x]\\u{23}#[y]### z"),
            ("grüße → 日本", "grüße → 日本"),
        ] {
            assert_eq!(printable(text), shown);
        }
    }

    #[test]
    fn an_output_keeps_its_lines_and_styles() {
        let styled = "\u{1b}[1;31merror\u{1b}[0m: a\n  b\n";
        assert_eq!(guarded(styled, Lines::Read), styled);
        assert_eq!(guarded("\u{1b}[2Ja\n", Lines::Read), "\\u{1b}[2Ja\n");
        assert_eq!(guarded("a\n ::b::c", Lines::Read), "a\n \\u{3a}:b::c");
        assert_eq!(guarded(" ::: a.yaml\n", Lines::Read), " ::: a.yaml\n");
        assert_eq!(guarded("\u{1b}[1m::b", Lines::Read), "\u{1b}[1m\\u{3a}:b");
        assert_eq!(guarded("::error ::b\n", Lines::Obeyed), "::error ::b\n");
    }

    #[test]
    fn what_an_address_holds_beside_the_place_is_not_shown() {
        for (text, shown) in [
            ("at http://h:8500?token=S now", "at http://h:8500?*** now"),
            ("`https://u:S@h/p#S`", "`https://***@h/p#***`"),
            ("http://h/#S http://u@h", "http://h/#*** http://***@h"),
            ("https://u:a?b@h", "https://***"),
            ("https://h:1/p", "https://h:1/p"),
            ("sqlite:///a?b", "sqlite:///a?b"),
            ("ana@example.com", "ana@example.com"),
        ] {
            assert_eq!(without_secrets(text), shown);
        }
        for (location, shown) in [
            ("https://u:S S@h", "https://***@h"),
            ("https:u:S@h", "https:***@h"),
            ("etcd://h?password=S\"'` S", "etcd://h?***"),
            ("sqlite:a@b?c", "sqlite:a@b?c"),
            ("./x:y@z", "./x:y@z"),
            ("http://h", "http://h"),
        ] {
            assert_eq!(place(location), shown);
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_a_line_or_is_obeyed(text in hostile()) {
            let shown = printable(&text);
            prop_assert!(!shown.contains(is_obeyed), "{shown:?}");
            prop_assert!(!is_command(&format!("x{shown}")), "{shown:?}");
            prop_assert_eq!(printable(&shown), shown);
        }

        #[test]
        fn no_output_is_obeyed(text in hostile()) {
            let shown = guarded(&text, Lines::Read);
            prop_assert!(!is_command(&shown), "{shown:?}");
            let plain = anstream::adapter::strip_str(&shown).to_string();
            prop_assert!(!plain.contains(|c| is_obeyed(c) && c != '\n'), "{shown:?}");
            prop_assert!(!is_command(&plain), "{plain:?}");
            prop_assert_eq!(guarded(&shown, Lines::Read), shown);
        }

        #[test]
        fn escaped_json_means_the_same(text in hostile()) {
            let value = serde_json::json!({ text.clone(): [text] });
            let json = escaped_json(&serde_json::to_string_pretty(&value).unwrap());
            prop_assert!(!json.contains(|c| is_obeyed(c) && c != '\n'), "{json:?}");
            prop_assert!(!is_command(&json), "{json:?}");
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap(), value);
        }

        #[test]
        fn secrets_lie_where_characters_begin(text in "(http://|[@?#:/ é\"a]){0,12}") {
            let shown = without_secrets(&text);
            prop_assert_eq!(without_secrets(&shown), shown);
        }
    }
}
