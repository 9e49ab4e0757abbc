//! Writing one set in one transaction.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};

use super::super::TargetError;
use super::Consul;
use super::http::{Answer, Failed, SMALL_ANSWER};
use super::observe::not_json;
use super::wire::{self, Operation, TxnAnswer, TxnError};
use crate::model::{EntryWrite, Fence, Oversize, SnapshotWrite, Write};
use crate::target::Target as _;

/// Carries out `write`, or nothing of it.
pub(super) async fn write(consul: &Consul, write: &Write) -> Result<(), TargetError> {
    let snapshot_key = consul.snapshot_key(&write.set);
    let limits = consul.limits().await?;
    let mut reasons = write.oversize(&snapshot_key, limits);
    let operations = operations(consul, write, &snapshot_key)?;
    let body = crate::model::value::canonical(&operations);
    if reasons.is_empty() && body.len() > limits.request_bytes {
        // Only a namespace with a very long name makes a request longer than its estimate.
        reasons.push(Oversize::Request {
            bytes: body.len(),
            limit: limits.request_bytes,
        });
    }
    if !reasons.is_empty() {
        return Err(too_large(consul, reasons));
    }
    // Repeating it is safe: every operation compares first.
    let outcome = consul
        .client
        .send(&Method::PUT, "txn", Some(&body), SMALL_ANSWER)
        .await;
    let verdict = match outcome.last {
        Ok(answer) if answer.is_busy() => Err(unknown(
            consul,
            format!("{}: {}", answer.status, answer.text()),
        )),
        Ok(answer) => judge(consul, &operations, &answer, body.len()),
        Err(Failed::Unsent(source)) => Err(TargetError::Unreachable {
            location: consul.location(),
            source,
        }),
        Err(Failed::Unanswered(source)) => Err(unknown(consul, source)),
        Err(Failed::NoToken(reason)) => Err(TargetError::Configuration {
            location: consul.location(),
            reason,
        }),
        Err(Failed::TooLong(limit)) => Err(unknown(
            consul,
            format!("an answer of more than {limit} bytes"),
        )),
    };
    match verdict {
        Ok(()) | Err(TargetError::Unknown { .. }) => verdict,
        // An attempt that nobody answered may be what moved the keys.
        Err(error) if outcome.unsure => Err(unknown(consul, error)),
        Err(error) => Err(error),
    }
}

/// The operations of a transaction, the snapshot key first.
fn operations<'a>(
    consul: &'a Consul,
    write: &'a Write,
    snapshot_key: &'a str,
) -> Result<Vec<Operation<'a>>, TargetError> {
    if write.entries.keys().any(|key| key.as_str() == snapshot_key) {
        return Err(TargetError::Configuration {
            location: consul.location(),
            reason: format!("`{snapshot_key}` is the snapshot key and cannot be published to"),
        });
    }
    // No key of a Consul is in a state that a Consul cannot name.
    let index = |key: &str, fence: &Fence| {
        wire::index(fence).ok_or_else(|| moved(consul, vec![key.to_owned()]))
    };
    let put = |key: &'a str, value: &'a [u8], expected: &Option<Fence>| {
        let expected = expected.as_ref().map(|fence| index(key, fence));
        Ok::<_, TargetError>(Operation::cas(
            key,
            value,
            expected.transpose()?.unwrap_or(0),
        ))
    };
    let mut operations = Vec::with_capacity(2 + write.entries.len());
    match &write.snapshot {
        SnapshotWrite::Put { value, expected } => {
            operations.push(put(snapshot_key, value, expected)?);
        }
        SnapshotWrite::Delete { expected } => {
            let index = index(snapshot_key, expected)?;
            // A delete alone would succeed if the key is gone already.
            operations.push(Operation::check_index(snapshot_key, index));
            operations.push(Operation::delete_cas(snapshot_key, index));
        }
    }
    for (key, entry) in &write.entries {
        let key = key.as_str();
        operations.push(match entry {
            EntryWrite::Put { value, expected } => put(key, value, expected)?,
            EntryWrite::Keep { expected } => Operation::check_index(key, index(key, expected)?),
            EntryWrite::Delete { expected } => Operation::delete_cas(key, index(key, expected)?),
        });
    }
    let scoped = operations
        .into_iter()
        .map(|operation| consul.scoped(operation));
    Ok(scoped.collect())
}

/// What the answer to a transaction says.
fn judge(
    consul: &Consul,
    operations: &[Operation<'_>],
    answer: &Answer,
    sent: usize,
) -> Result<(), TargetError> {
    match answer.status {
        StatusCode::OK => confirm(operations, answer).map_err(|reason| unknown(consul, reason)),
        StatusCode::CONFLICT => {
            let parsed: TxnAnswer = consul.json(answer)?;
            let stale = parsed.failed_keys(operations, |error| !TxnError::is_denied(error));
            let denied = parsed.denied_keys(operations);
            if stale.is_empty() && !denied.is_empty() {
                let keys = denied.join(", ");
                return Err(consul.denied(format!("no permission to write {keys}")));
            }
            if stale.is_empty() {
                return Err(consul.invalid("a conflict without a key"));
            }
            Err(moved(consul, stale))
        }
        StatusCode::PAYLOAD_TOO_LARGE => match oversize(&answer.text(), operations.len()) {
            Some(reason) => Err(too_large(consul, vec![reason])),
            None => Err(consul.invalid(format!(
                "a request of {sent} bytes is too large for it, or for a proxy before it: {}",
                answer.text()
            ))),
        },
        _ => Err(consul.refused(answer)),
    }
}

/// Whether an answer says that every key was put: a 200 alone may come from anyone.
fn confirm(operations: &[Operation<'_>], answer: &Answer) -> Result<(), String> {
    let parsed: TxnAnswer =
        serde_json::from_slice(&answer.body).map_err(|error| not_json(&error))?;
    let Some(results) = parsed.results else {
        return Err("a success without results".to_owned());
    };
    if parsed.errors.is_some_and(|errors| !errors.is_empty()) {
        return Err("a success with errors".to_owned());
    }
    // Deletes have no result, so results and operations are not in step.
    let done: BTreeSet<&str> = results
        .iter()
        .map(|result| result.kv.key.as_str())
        .collect();
    let puts = operations.iter().filter(|operation| operation.is_put());
    match puts.map(Operation::key).find(|key| !done.contains(key)) {
        Some(key) => Err(format!("a success without a result for `{key}`")),
        None => Ok(()),
    }
}

/// The limit that the text of a 413 names.
fn oversize(text: &str, needed: usize) -> Option<Oversize> {
    let numbers: Vec<usize> = text
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok())
        .collect();
    if text.contains("too many operations") {
        // `Transaction contains too many operations (65 > 64)`
        let limit = *numbers.get(1)?;
        return Some(Oversize::Operations { needed, limit });
    }
    if text.starts_with("Request body(") {
        // `Request body(600059 bytes) too large, max size: 524288 bytes. See …`
        let (bytes, limit) = (*numbers.first()?, *numbers.get(1)?);
        return Some(Oversize::Request { bytes, limit });
    }
    None
}

fn moved(consul: &Consul, keys: Vec<String>) -> TargetError {
    TargetError::Moved {
        location: consul.location(),
        keys,
    }
}

fn too_large(consul: &Consul, reasons: Vec<Oversize>) -> TargetError {
    TargetError::TooLarge {
        location: consul.location(),
        reasons,
    }
}

fn unknown(
    consul: &Consul,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> TargetError {
    TargetError::Unknown {
        location: consul.location(),
        source: source.into(),
    }
}
