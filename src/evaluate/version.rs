//! Versions, as flagd reads and compares them.

use std::cmp::Ordering;

use semver::Version;

/// The longest text that is looked at.
const MAX_BYTES: usize = 256;

/// The version that `text` says: `1.2.3`, `v1.2.3-rc.1+build`, or as short as `1` or `1.2`.
fn version(text: &str) -> Option<Version> {
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let is_short = (text.split('.').count() <= 2)
        && (text.split('.'))
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    if is_short {
        let missing = if text.contains('.') { ".0" } else { ".0.0" };
        return Version::parse(&format!("{text}{missing}")).ok();
    }
    let text = text.trim();
    if text.len() > MAX_BYTES {
        return None;
    }
    Version::parse(text.strip_prefix('v').unwrap_or(text)).ok()
}

/// Whether two versions are to each other as `operator` says; `None` if that cannot be said.
pub(super) fn compare(a: &str, operator: &str, b: &str) -> Option<bool> {
    let (a, b) = (version(a)?, version(b)?);
    let order = a.cmp_precedence(&b);
    Some(match operator {
        "=" => order == Ordering::Equal,
        "!=" => order != Ordering::Equal,
        "<" => order == Ordering::Less,
        "<=" => order != Ordering::Greater,
        ">" => order == Ordering::Greater,
        ">=" => order != Ordering::Less,
        "^" => a.major == b.major,
        "~" => (a.major, a.minor) == (b.major, b.minor),
        _ => return None,
    })
}
