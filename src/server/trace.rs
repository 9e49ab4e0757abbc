//! Trace: what a request belongs to, as W3C Trace Context has it.

use std::fmt;

use axum::http::HeaderMap;
use axum::http::header::HeaderValue;

use crate::traces::{TRACEPARENT, Whereabouts, Work};

/// What a request belongs to, and what it is called there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trace(Whereabouts);

impl Trace {
    /// What `work` belongs to; where nobody is told of that, what the `sender` said, with a name of its own
    /// for this request; else something new.
    pub(super) fn of(sender: Option<Whereabouts>, work: &Work) -> Self {
        let made = || Whereabouts {
            trace: sender.map_or_else(new, |sender| sender.trace),
            // Zero is none.
            span: fastrand::u64(1..),
            flags: sender.map_or(0, |sender| sender.flags),
        };
        Self(work.whereabouts().unwrap_or_else(made))
    }

    /// The trace as a log names it.
    pub(super) fn id(&self) -> String {
        format!("{:032x}", self.0.trace)
    }

    pub(super) fn header(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.to_string()).ok()
    }
}

/// As a header says it.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What the sender of a request says that it belongs to.
pub(super) fn sender(headers: &HeaderMap) -> Option<Whereabouts> {
    let given = headers.get(TRACEPARENT)?;
    read(given.to_str().ok()?)
}

fn new() -> u128 {
    fastrand::u128(1..)
}

/// What stands in `text`. A later version may say more behind a dash.
fn read(text: &str) -> Option<Whereabouts> {
    let mut parts = text.split('-');
    let mut part = |length: usize| {
        let part = parts.next()?;
        let is_hex = part
            .bytes()
            .all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
        (part.len() == length && is_hex).then_some(part)
    };
    let (version, trace, span, flags) = (part(2)?, part(32)?, part(16)?, part(2)?);
    if version == "ff" || (version == "00" && parts.next().is_some()) {
        return None;
    }
    let trace = u128::from_str_radix(trace, 16).ok()?;
    let span = u64::from_str_radix(span, 16).ok()?;
    let flags = u8::from_str_radix(flags, 16).ok()?;
    (trace != 0 && span != 0).then_some(Whereabouts { trace, span, flags })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_taken_over_and_a_broken_one_is_none() {
        let trace = "0af7651916cd43dd8448eb211c80319c";
        let good = format!("00-{trace}-b7ad6b7169203331-01");
        let mut headers = HeaderMap::new();
        headers.insert(TRACEPARENT, good.parse().unwrap());
        let found = Trace::of(sender(&headers), &Work::default());
        assert_eq!((found.id().as_str(), found.0.flags), (trace, 1));
        let header = found.header().unwrap();
        let header = header.to_str().unwrap();
        assert!(header.starts_with(&format!("00-{trace}-")) && header.ends_with("-01"));
        assert_ne!(header, good);
        assert!(read(&format!("01-{trace}-b7ad6b7169203331-00-more")).is_some());
        for wrong in [
            "",
            trace,
            &format!("ff-{trace}-b7ad6b7169203331-01"),
            &format!("00-{trace}-b7ad6b7169203331-01-more"),
            &format!("00-{trace}-0000000000000000-01"),
            &format!("00-{}-b7ad6b7169203331-01", "0".repeat(32)),
            &format!("00-{}-b7ad6b7169203331-01", trace.to_uppercase()),
            &format!("00-{trace}-b7ad6b7169203331"),
            &format!("00-{trace}-b7ad6b716920333é-01"),
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
