//! Writing one set, in one transaction where it fits.

use std::collections::BTreeMap;

use reqwest::{Method, StatusCode};

use super::super::{Progress, TargetError};
use super::connection::Consul;
use super::http::{Answer, Failed, SMALL_ANSWER};
use super::observe::not_json;
use super::wire::{self, Operation, TxnAnswer, TxnError};
use crate::model::{Act, AuxiliaryNames, Expected, Key, Limits, Oversize, Transaction, Write};
use crate::target::Target as _;

/// Carries out `write` up to its last transaction, which is what readers see of it.
pub(super) async fn write(
    consul: &Consul,
    write: &Write,
    progress: &Progress,
) -> Result<(), TargetError> {
    let snapshot_key = consul.snapshot_key(&write.set);
    let names = AuxiliaryNames::of(&snapshot_key);
    let is_own = |key: &&Key| key.as_str() == snapshot_key || names.holds(key.as_str());
    if let Some(key) = write.entries.keys().find(is_own) {
        return Err(TargetError::Configuration {
            location: consul.location(),
            reason: format!("`{key}` is cfgctl's own and cannot be published to"),
        });
    }
    let limits = consul.limits().await?;
    let transactions = write.transactions(&snapshot_key, limits);
    let transactions = transactions.map_err(|reasons| too_large(consul, reasons))?;
    let mut written = BTreeMap::new();
    progress.starts(transactions.len());
    for transaction in &transactions {
        if changes(transaction, &snapshot_key) {
            progress.turns();
        }
        carry_out(consul, transaction, limits, &mut written).await?;
        progress.advances();
    }
    Ok(())
}

/// Whether a transaction does more to a key than to compare it.
fn changes(transaction: &Transaction<'_>, key: &str) -> bool {
    let mut operations = transaction.operations.iter();
    operations.any(|operation| operation.key == key && operation.act != Act::Check)
}

/// Carries out all of one transaction, or nothing of it. `written` holds the states that earlier
/// ones left.
async fn carry_out(
    consul: &Consul,
    transaction: &Transaction<'_>,
    limits: Limits,
    written: &mut BTreeMap<String, u64>,
) -> Result<(), TargetError> {
    let operations = operations(consul, transaction, written)?;
    let body = crate::model::value::canonical(&operations);
    if body.len() > limits.request_bytes {
        // Only a namespace with a very long name makes a request longer than its estimate.
        let reason = Oversize::Request {
            bytes: body.len(),
            limit: limits.request_bytes,
        };
        return Err(too_large(consul, vec![reason]));
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
        Ok(states) => {
            written.extend(states);
            Ok(())
        }
        Err(error @ TargetError::Unknown { .. }) => Err(error),
        // An attempt that nobody answered may be what moved the keys.
        Err(error) if outcome.unsure => Err(unknown(consul, error)),
        Err(error) => Err(error),
    }
}

/// The operations of a transaction as Consul knows them.
fn operations<'a>(
    consul: &'a Consul,
    transaction: &'a Transaction<'_>,
    written: &BTreeMap<String, u64>,
) -> Result<Vec<Operation<'a>>, TargetError> {
    let operations = transaction.operations.iter().map(|operation| {
        let key = operation.key.as_ref();
        let index = match operation.expected {
            Expected::Absent => None,
            // No key of a Consul is in a state that a Consul cannot name.
            Expected::At(fence) => {
                Some(wire::index(fence).ok_or_else(|| moved(consul, vec![key.to_owned()]))?)
            }
            Expected::Written => {
                let index = written.get(key).copied();
                Some(index.ok_or_else(|| moved(consul, vec![key.to_owned()]))?)
            }
        };
        Ok(consul.scoped(match (&operation.act, index) {
            (Act::Put(value), index) => Operation::cas(key, value, index.unwrap_or(0)),
            (Act::Check | Act::Delete, None) => Operation::check_not_exists(key),
            (Act::Check, Some(index)) => Operation::check_index(key, index),
            (Act::Delete, Some(index)) => Operation::delete_cas(key, index),
        }))
    });
    operations.collect()
}

/// What the answer to a transaction says.
fn judge(
    consul: &Consul,
    operations: &[Operation<'_>],
    answer: &Answer,
    sent: usize,
) -> Result<BTreeMap<String, u64>, TargetError> {
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

/// The states of the keys that were put. An answer must name every one of them: a 200 alone may come
/// from anyone.
fn confirm(operations: &[Operation<'_>], answer: &Answer) -> Result<BTreeMap<String, u64>, String> {
    let parsed: TxnAnswer =
        serde_json::from_slice(&answer.body).map_err(|error| not_json(&error))?;
    let Some(results) = parsed.results else {
        return Err("a success without results".to_owned());
    };
    if parsed.errors.is_some_and(|errors| !errors.is_empty()) {
        return Err("a success with errors".to_owned());
    }
    // Deletes have no result, so results and operations are not in step.
    let done: BTreeMap<String, u64> = results
        .into_iter()
        .map(|result| (result.kv.key, result.kv.modify_index))
        .collect();
    let puts = operations.iter().filter(|operation| operation.is_put());
    match puts
        .map(Operation::key)
        .find(|key| !done.contains_key(*key))
    {
        Some(key) => Err(format!("a success without a result for `{key}`")),
        None => Ok(done),
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
