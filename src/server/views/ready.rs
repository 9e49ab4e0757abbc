//! Flags that are ready to be asked for: what a snapshot says of them, with all that does not depend on
//! who asks done once.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::super::tag::tag_of;
use crate::evaluate::{Arena, Asker, Context, Reason, Targeted, Verdict};
use crate::model::value::canonical;
use crate::model::{Document, Flag, FlagName};
use crate::render::flag_file;

/// The flags of one snapshot.
#[derive(Debug)]
pub(in crate::server) struct Ready {
    flags: BTreeMap<FlagName, Entry>,
    /// All answers as one list, where no context makes a difference.
    constant: Option<Vec<u8>>,
    reads_time: bool,
    /// What the flags are known again by, wherever they are asked for.
    seal: String,
    /// What is said of all of them together.
    about: Vec<u8>,
    /// When the revision was made that they are of.
    pub(super) changed: Timestamp,
    /// The same flags as flagd reads them.
    pub(super) file: Bytes,
    pub(super) file_tag: HeaderValue,
}

/// One flag, with its answers as they are sent.
#[derive(Debug)]
struct Entry {
    flag: Flag,
    rule: Targeted,
    /// What is answered where targeting chooses this variant.
    chosen: BTreeMap<String, Vec<u8>>,
    /// What is answered where it chooses none, or there is no targeting; `None`: an error.
    otherwise: Option<Vec<u8>>,
}

/// What is wrong with a flag.
pub(super) struct Failed(pub(super) String);

impl Ready {
    /// Those of `document`.
    pub(in crate::server) fn of(document: &Document) -> Self {
        let found = &document.contents().flags;
        let file = flag_file(found);
        let (set, cluster) = (document.set().as_str(), document.cluster().as_str());
        let mut seal = Sha256::new();
        for part in [set.as_bytes(), cluster.as_bytes(), &file] {
            seal.update(Sha256::digest(part));
        }
        let flags = found.iter();
        let flags: BTreeMap<FlagName, Entry> = flags
            .map(|(name, flag)| (name.clone(), Entry::of(name, flag)))
            .collect();
        let mut ready = Self {
            constant: None,
            reads_time: flags.values().any(|it| it.rule.reads_time()),
            seal: URL_SAFE_NO_PAD.encode(seal.finalize()),
            about: canonical(&json!({"flagSetId": set, "cluster": cluster})),
            changed: document.origin().at,
            file_tag: tag_of(&file),
            file: file.into(),
            flags,
        };
        if ready.flags.values().all(|it| it.rule.is_constant()) {
            // Whoever asks, and whenever.
            let list = ready.list(&Context::default(), Timestamp::UNIX_EPOCH);
            ready.constant = Some(list);
        }
        ready
    }

    /// What the flags are known again by.
    pub(super) fn seal(&self) -> &str {
        &self.seal
    }

    /// The tag of all answers for `context` with this `more` beside them; `None`: they may change with
    /// the time.
    pub(super) fn tag(&self, context: &Context, more: &str) -> Option<HeaderValue> {
        if self.reads_time {
            return None;
        }
        let mut said = canonical(&(&self.seal, more));
        if self.constant.is_none() {
            said.extend(canonical(context.fields()));
        }
        Some(tag_of(&said))
    }

    /// What one flag is; `None`: there is no such flag.
    pub(super) fn one(
        &self,
        name: &str,
        context: &Context,
        now: Timestamp,
    ) -> Option<Result<Vec<u8>, Failed>> {
        let name: FlagName = name.parse().ok()?;
        let entry = self.flags.get(&name)?;
        let arena = Arena::default();
        let mut asker = Asker::new(context, now, &arena);
        let found = entry.ask(&name, &mut asker);
        Some(found.map(<[u8]>::to_vec))
    }

    /// What all of them are, as the answer in bulk, with `streams` of what becomes of them.
    pub(super) fn bulk(
        &self,
        context: &Context,
        now: Timestamp,
        streams: Option<&Value>,
    ) -> Vec<u8> {
        let mut body = b"{\"flags\":".to_vec();
        match &self.constant {
            Some(list) => body.extend_from_slice(list),
            None => body.extend(self.list(context, now)),
        }
        body.extend_from_slice(b",\"metadata\":");
        body.extend_from_slice(&self.about);
        if let Some(streams) = streams {
            body.extend_from_slice(b",\"eventStreams\":");
            body.extend(canonical(streams));
        }
        body.push(b'}');
        body
    }

    fn list(&self, context: &Context, now: Timestamp) -> Vec<u8> {
        let arena = Arena::default();
        let mut asker = Asker::new(context, now, &arena);
        let mut list = Vec::with_capacity(64 + 128 * self.flags.len());
        list.push(b'[');
        for (name, entry) in &self.flags {
            if list.len() > 1 {
                list.push(b',');
            }
            match entry.ask(name, &mut asker) {
                Ok(answer) => list.extend_from_slice(answer),
                Err(Failed(details)) => {
                    let failure = json!({
                        "key": name,
                        "errorCode": "PARSE_ERROR",
                        "errorDetails": details,
                    });
                    list.extend(canonical(&failure));
                }
            }
        }
        list.push(b']');
        list
    }
}

impl Entry {
    fn of(name: &FlagName, flag: &Flag) -> Self {
        let rule = Targeted::of(flag);
        let chosen = flag.variants.keys();
        let chosen = chosen.map(|variant| {
            let answer = answer(name, flag, Some(variant), Reason::TargetingMatch);
            (variant.clone(), answer)
        });
        let choice = Verdict::otherwise(flag);
        let otherwise = choice.error.is_none();
        let otherwise = otherwise.then(|| answer(name, flag, choice.variant, choice.reason));
        Self {
            chosen: if rule.is_constant() {
                BTreeMap::new()
            } else {
                chosen.collect()
            },
            otherwise,
            rule,
            flag: flag.clone(),
        }
    }

    /// Its answer to whoever asks.
    fn ask(&self, name: &FlagName, asker: &mut Asker<'_>) -> Result<&[u8], Failed> {
        let choice = asker.ask(name, &self.flag, &self.rule);
        let answer = match (choice.reason, choice.variant) {
            (Reason::Error, _) => None,
            (Reason::TargetingMatch, variant) => self.chosen.get(variant.unwrap_or_default()),
            _ => self.otherwise.as_ref(),
        };
        let error = || Failed(choice.error.unwrap_or_default());
        answer.map(Vec::as_slice).ok_or_else(error)
    }
}

/// The answer as it is sent. A variant stands in it always, as some clients read it always.
fn answer(name: &FlagName, flag: &Flag, variant: Option<&str>, reason: Reason) -> Vec<u8> {
    let mut answer = Map::new();
    answer.insert("key".to_owned(), json!(name));
    answer.insert("reason".to_owned(), json!(reason));
    answer.insert("variant".to_owned(), variant.unwrap_or_default().into());
    let value = variant.and_then(|variant| flag.variants.get(variant));
    if let Some(value) = value {
        answer.insert("value".to_owned(), number_as_meant(flag, value));
    }
    if !flag.metadata.is_empty() {
        answer.insert("metadata".to_owned(), flag.metadata.clone().into());
    }
    canonical(&answer)
}

/// A whole number among fractions is one of them: some clients tell `1` from `1.0`.
fn number_as_meant(flag: &Flag, value: &Value) -> Value {
    let has_fraction = flag.variants.values().any(Value::is_f64);
    match value.as_f64() {
        Some(number) if has_fraction => number.into(),
        _ => value.clone(),
    }
}

#[cfg(test)]
#[path = "ready_tests.rs"]
mod tests;
