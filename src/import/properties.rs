//! What Spring Cloud Consul makes of a document in the format `PROPERTIES`.
//!
//! It decodes the bytes as UTF-8, encodes them as ISO-8859-1 and gives them to
//! `java.util.Properties.load`, which knows escapes; what lies beyond ISO-8859-1 becomes `?`.

use std::collections::BTreeMap;

/// Why a text is not read: a clause that repeats nothing of it.
pub(super) type Reason = String;

/// The properties of `text`, the last of each name.
pub(super) fn read(text: &str) -> Result<BTreeMap<String, String>, Reason> {
    if text.starts_with(BYTE_ORDER_MARK) {
        return Err(
            "it starts with a byte order mark, which Spring reads as `?`, a part of the first line"
                .to_owned(),
        );
    }
    let mut properties = BTreeMap::new();
    for (number, line) in lines(text) {
        let at = |reason: &str| format!("line {number}: {reason}");
        if line.chars().any(|character| character > '\u{ff}') {
            return Err(at(
                "a character that Spring reads as `?`, as it is not escaped",
            ));
        }
        let (name, value) = split(&line);
        let name = unescape(name).map_err(at)?;
        let value = unescape(value).map_err(at)?;
        properties.insert(name, value);
    }
    Ok(properties)
}

/// Whether every line of `text` that is no comment has a separator, so that it is likely meant to
/// be properties: to Java, any text is.
pub(super) fn looks_like(text: &str) -> bool {
    separators(text).is_some()
}

/// Whether no separator is the colon, which YAML has too.
pub(super) fn has_no_colons(text: &str) -> bool {
    separators(text).is_some_and(|separators| separators.iter().all(|found| *found == '='))
}

/// The first separator of every line, if there are lines and each has one.
fn separators(text: &str) -> Option<Vec<char>> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let separator = |line: &str| line.chars().find(|found| matches!(found, '=' | ':'));
    let found: Option<Vec<char>> = lines(text).map(|(_, line)| separator(&line)).collect();
    found.filter(|found| !found.is_empty())
}

/// What some editors put before a text in UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The lines with properties and their numbers; what goes on in the next line is one.
fn lines(text: &str) -> impl Iterator<Item = (usize, String)> {
    let text = text.replace("\r\n", "\n");
    let mut lines = text
        .split(['\n', '\r'])
        .map(|line| line.trim_start_matches(SPACES).to_owned())
        .collect::<Vec<_>>()
        .into_iter()
        .enumerate();
    std::iter::from_fn(move || {
        loop {
            let (index, mut line) = lines.next()?;
            if line.is_empty() || line.starts_with(['#', '!']) {
                continue;
            }
            while continues(&line) {
                line.pop();
                match lines.next() {
                    Some((_, next)) => line.push_str(&next),
                    None => break,
                }
            }
            return Some((index + 1, line));
        }
    })
}

const SPACES: [char; 3] = [' ', '\t', '\u{c}'];

/// Whether a line ends in an odd number of backslashes.
fn continues(line: &str) -> bool {
    let backslashes = line.len() - line.trim_end_matches('\\').len();
    backslashes % 2 == 1
}

/// The name and the value of a line, both still escaped.
fn split(line: &str) -> (&str, &str) {
    let mut escaped = false;
    let end = line.find(|character: char| {
        let ends = !escaped && (matches!(character, '=' | ':') || SPACES.contains(&character));
        escaped = character == '\\' && !escaped;
        ends
    });
    let (name, rest) = line.split_at(end.unwrap_or(line.len()));
    let rest = rest.trim_start_matches(SPACES);
    let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest);
    (name, rest.trim_start_matches(SPACES))
}

fn unescape(text: &str) -> Result<String, &'static str> {
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        let character = if character == '\\' {
            match rest.next() {
                Some('u') => {
                    let digits: String = rest.by_ref().take(4).collect();
                    let is_hex = digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_hexdigit());
                    let unit = u16::from_str_radix(&digits, 16).ok().filter(|_| is_hex);
                    units.push(unit.ok_or("`\\u` without four digits")?);
                    continue;
                }
                Some('t') => '\t',
                Some('n') => '\n',
                Some('f') => '\u{c}',
                Some('r') => '\r',
                Some(other) => other,
                None => continue,
            }
        } else {
            character
        };
        units.extend_from_slice(character.encode_utf16(&mut [0; 2]));
    }
    String::from_utf16(&units).map_err(|_| "half of a pair of `\\u` escapes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        read(text).unwrap().into_iter().collect()
    }

    fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(own).collect()
    }

    #[test]
    fn lines_are_read_as_java_reads_them() {
        let text = "# comment \\\n! another\n\n a = 1 \nb:2\nc 3\nd\n\
                    e = x, \\\n    y, \\\n  # no comment\nf\\ g\\:h=i\\=j\r\n\
                    k=\\u00fc\\ud83d\\ude00\\t\\q\nl=\u{fc}\na=4\n\n m = \\ n \n";
        assert_eq!(
            pairs(text),
            owned(&[
                ("a", "4"),
                ("b", "2"),
                ("c", "3"),
                ("d", ""),
                ("e", "x, y, # no comment"),
                ("f g:h", "i=j"),
                ("k", "ü😀\tq"),
                ("l", "ü"),
                ("m", " n "),
            ])
        );
    }

    #[test]
    fn what_java_would_spoil_or_refuse_is_refused_without_being_repeated() {
        for text in ["a=1\nb=\u{20ac}", "a=1\nb=\\u12", "a=1\nb=\\ud83d"] {
            let reason = read(text).unwrap_err();
            assert!(reason.starts_with("line 2: "), "{reason}");
            assert!(!reason.contains('\u{20ac}'), "{reason}");
        }
        // In a comment it does not matter.
        assert_eq!(pairs("# \u{20ac}\na=1"), owned(&[("a", "1")]));
    }

    #[test]
    fn any_text_is_properties_to_java_but_not_all_is_meant_so() {
        assert!(looks_like("# x\na=1\n\nb: 2\n"));
        assert!(!looks_like("some words"));
        assert!(!looks_like(""));
    }
}
