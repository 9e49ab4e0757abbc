//! What our token may do there, found out without writing.
//!
//! A Consul looks at the permissions of every operation of a transaction before it carries out
//! any, and names those that are denied. An operation that cannot succeed anyway thus tells
//! whether it would be allowed, for any version and without `acl:read`.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::{Method, StatusCode};

use super::super::{Access, TargetError};
use super::connection::Consul;
use super::http::SMALL_ANSWER;
use super::wire::{Operation, TxnAnswer};
use crate::model::{Key, SetName};
use crate::target::Target as _;

/// An index that no key ever has, and that those can read which keep numbers as floats.
const NO_INDEX: u64 = 1 << 53;
/// How many keys are named that the token may not write; more say nothing new.
const NAMED: usize = 3;

/// A read that fails: nothing has index 0 for `check-index`.
fn futile_read(key: &str) -> Operation<'_> {
    Operation::check_index(key, 0)
}

/// A write that fails.
fn futile_write(key: &str) -> Operation<'_> {
    Operation::cas(key, b"", NO_INDEX)
}

/// Which of `sets` may not be written, and why.
pub(super) async fn denials(
    consul: &Consul,
    sets: &BTreeMap<SetName, BTreeSet<Key>>,
) -> Result<BTreeMap<SetName, String>, TargetError> {
    let keys: Vec<(&SetName, String)> = sets
        .iter()
        .flat_map(|(set, keys)| {
            let snapshot = std::iter::once(consul.snapshot_key(set));
            let keys = snapshot.chain(keys.iter().map(ToString::to_string));
            keys.map(move |key| (set, key))
        })
        .collect();
    let names = keys.iter().map(|(_, key)| key.as_str()).collect();
    let denied = consul.denied_keys(names, futile_write).await?;
    let mut by_set: BTreeMap<&SetName, Vec<&str>> = BTreeMap::new();
    for (set, key) in keys.iter().filter(|(_, key)| denied.contains(key.as_str())) {
        by_set.entry(set).or_default().push(key);
    }
    let said = by_set.into_iter().map(|(set, keys)| {
        let shown = keys.iter().take(NAMED).map(|key| format!("`{key}`"));
        let shown: Vec<_> = shown.collect();
        let more = match keys.len() - shown.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let keys = shown.join(", ") + &more;
        (set.clone(), format!("the token may not write {keys}"))
    });
    Ok(said.collect())
}

/// What the token may do with `sets`, and what it may not, in words; without sets, what it may do
/// below our prefix.
pub(super) async fn access(
    consul: &Consul,
    sets: &BTreeMap<SetName, BTreeSet<Key>>,
) -> Result<(Access, Vec<String>), TargetError> {
    if sets.is_empty() {
        let key = format!("{}/permission-check", consul.prefix);
        let unreadable = !consul
            .denied_keys(vec![&key], futile_read)
            .await?
            .is_empty();
        let unwritable = !consul
            .denied_keys(vec![&key], futile_write)
            .await?
            .is_empty();
        let may_not = |verb: &str| format!("the token may not {verb} below `{}/`", consul.prefix);
        let notes = [(unreadable, "read"), (unwritable, "write")];
        let notes = notes.into_iter().filter(|(denied, _)| *denied);
        let access = match (unreadable, unwritable) {
            (true, _) => Access::None,
            (false, true) => Access::ReadOnly,
            (false, false) => Access::Full,
        };
        return Ok((access, notes.map(|(_, verb)| may_not(verb)).collect()));
    }
    let snapshots: Vec<_> = sets.keys().map(|set| consul.snapshot_key(set)).collect();
    let names = snapshots.iter().map(String::as_str).collect();
    let unreadable = consul.denied_keys(names, futile_read).await?.len();
    let denials = denials(consul, sets).await?;
    let access = match denials.len() {
        0 => Access::Full,
        _ if unreadable == sets.len() => Access::None,
        denied if denied == sets.len() => Access::ReadOnly,
        _ => Access::Partial,
    };
    let notes = denials.iter().map(|(set, why)| format!("{set}: {why}"));
    Ok((access, notes.collect()))
}

impl Consul {
    /// Those of `keys` that we may not do this to. It must be something that fails for any key.
    pub(super) async fn denied_keys<'k>(
        &self,
        keys: Vec<&'k str>,
        futile: fn(&'k str) -> Operation<'k>,
    ) -> Result<BTreeSet<&'k str>, TargetError> {
        let mut denied = BTreeSet::new();
        for part in keys.chunks(self.operations_per_read()) {
            let namespace = self.client.namespace.as_deref();
            let operations: Vec<_> = part
                .iter()
                .map(|key| futile(key).in_namespace(namespace))
                .collect();
            let body = crate::model::value::canonical(&operations);
            // The address of a read, so that logs and proxies do not take it for a write.
            let answer = self
                .read(&Method::PUT, "txn?consistent", Some(&body), SMALL_ANSWER)
                .await?;
            if answer.status != StatusCode::CONFLICT {
                return Err(self.refused(&answer));
            }
            let answer: TxnAnswer = self.json(&answer)?;
            let errors = answer.errors.unwrap_or_default();
            let failed = |index: usize| errors.iter().any(|error| error.op_index == index);
            let found = errors.iter().filter(|error| error.is_denied());
            let found: Vec<_> = found
                .filter_map(|error| part.get(error.op_index).copied())
                .collect();
            // Permissions come first; where all are given, everything fails for what it is.
            if found.is_empty() && !(0..part.len()).all(failed) {
                return Err(self.invalid("a conflict that does not name what failed"));
            }
            denied.extend(found);
        }
        Ok(denied)
    }
}
