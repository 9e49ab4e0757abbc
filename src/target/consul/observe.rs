//! Reading one set as of one moment.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::{Method, StatusCode};

use super::super::TargetError;
use super::connection::Consul;
use super::http::{Answer, Failed, LISTING};
use super::wire::{KvPair, Operation, TxnAnswer};
use crate::model::{
    Auxiliary, AuxiliaryNames, Cell, Key, Limits, Observed, ObservedSnapshot, Place, Prefix, Read,
};
use crate::target::Target as _;

/// How often reading starts again because the set was written meanwhile.
const RESTARTS: usize = 10;

/// What lies at the snapshot key.
struct Head {
    pair: KvPair,
    read: Read,
}

impl Head {
    /// `found` holds its parts, if they are known yet.
    fn new(pair: KvPair, names: &AuxiliaryNames, found: &BTreeMap<String, KvPair>) -> Self {
        let part = |key: &str| found.get(key).map(|pair| pair.value.as_slice());
        let read = Read::new(&pair.value, names, part);
        Self { pair, read }
    }
}

/// Everything that is there of one set. What a token may not see is an error, although Consul
/// answers as if it were not there.
pub(super) async fn observe(consul: &Consul, place: &Place) -> Result<Observed, TargetError> {
    let snapshot_key = consul.snapshot_key(&place.set);
    let names = AuxiliaryNames::of(&snapshot_key);
    // What the snapshot names beyond the place is known when it has been read, and nearly always
    // there is nothing: then one transaction is enough.
    let mut keys = keys(place, None, &Auxiliary::default());
    for _ in 0..RESTARTS {
        let prefixes = prefixes(place, &names, &keys);
        let Some(mut found) = consul.trees(&snapshot_key, &prefixes).await? else {
            continue;
        };
        let head = found.remove(&snapshot_key);
        let head = head.map(|pair| Head::new(pair, &names, &found));
        let mut auxiliary = Auxiliary::default();
        for (key, pair) in &found {
            let (value, owner) = (pair.value.as_slice(), pair.owner());
            let part = |part: &str| found.get(part).map(|pair| pair.value.as_slice());
            auxiliary.insert(&names, Cell { key, value, owner }, pair.fence(), part);
        }
        keys = self::keys(place, head.as_ref(), &auxiliary);
        let was_asked_for = |key: &Key| prefixes.iter().any(|p| key.as_str().starts_with(p));
        if !keys.iter().all(was_asked_for) {
            continue;
        }
        let parts = head.iter().flat_map(|head| &head.read.parts);
        let lost = parts
            .map(String::as_str)
            .filter(|part| !found.contains_key(*part));
        let unseen = unseen(place, &keys, &found).chain(lost);
        let hidden = head.is_none().then_some(snapshot_key.as_str());
        let unseen: Vec<&str> = hidden.into_iter().chain(unseen).collect();
        consul.check_unseen(&unseen).await?;
        // Keys that are no `Key` were written by others and no plan of ours touches them.
        let entries = found
            .into_values()
            .filter(|pair| !names.holds(&pair.key))
            .filter_map(|pair| Some((pair.key.parse::<Key>().ok()?, pair)))
            .filter(|(key, _)| keys.contains(key) || below_any(place, key))
            .map(|(key, pair)| (key, pair.into_entry()))
            .collect();
        let snapshot = match head {
            None => ObservedSnapshot::Absent,
            Some(Head { pair, read }) => {
                auxiliary.named.extend(read.parts);
                ObservedSnapshot::Present {
                    fence: pair.fence(),
                    owner: pair.owner(),
                    document: Box::new(read.document),
                }
            }
        };
        return Ok(Observed {
            snapshot,
            entries,
            auxiliary,
        });
    }
    Err(TargetError::Moved {
        location: consul.location(),
        keys: vec![snapshot_key],
    })
}

/// The keys of the place and those that the snapshot or an unfinished delivery names.
fn keys(place: &Place, head: Option<&Head>, auxiliary: &Auxiliary) -> BTreeSet<Key> {
    let named = head.and_then(|head| head.read.document.as_ref().ok());
    let named = named
        .into_iter()
        .flat_map(|document| document.keys().keys());
    let named = named.chain(auxiliary.created());
    place.keys.iter().chain(named).cloned().collect()
}

fn below_any(place: &Place, key: &Key) -> bool {
    place.prefixes.iter().any(|prefix| prefix.contains(key))
}

/// Keys that were not found, and prefixes below which nothing was.
fn unseen<'a>(
    place: &'a Place,
    keys: &'a BTreeSet<Key>,
    found: &'a BTreeMap<String, KvPair>,
) -> impl Iterator<Item = &'a str> {
    let keys = keys.iter().map(Key::as_str);
    let prefixes = place.prefixes.iter().map(Prefix::as_str);
    let looks_empty = |prefix: &&str| !found.keys().any(|key| key.starts_with(prefix));
    keys.filter(|key| !found.contains_key(*key))
        .chain(prefixes.filter(looks_empty))
}

/// The fewest string prefixes whose trees hold all keys and prefixes, and the auxiliary keys.
fn prefixes(place: &Place, names: &AuxiliaryNames, keys: &BTreeSet<Key>) -> Vec<String> {
    let all: BTreeSet<&str> = keys
        .iter()
        .map(Key::as_str)
        .chain([names.parts.as_str(), names.delivering.as_str()])
        .chain(place.prefixes.iter().map(Prefix::as_str))
        .collect();
    let mut fewest: Vec<String> = Vec::new();
    // In this order a prefix comes right before everything that starts with it.
    for prefix in all {
        if fewest.last().is_none_or(|last| !prefix.starts_with(last)) {
            fewest.push(prefix.to_owned());
        }
    }
    fewest
}

impl Consul {
    /// Sends what only reads, and fails unless there is an answer that does not ask to come again.
    pub(super) async fn read(
        &self,
        method: &Method,
        path: &str,
        body: Option<&[u8]>,
        limit: usize,
    ) -> Result<Answer, TargetError> {
        let source = match self.client.send(method, path, body, limit).await.last {
            Ok(answer) if !answer.is_busy() => return Ok(answer),
            Ok(answer) => format!("{}: {}", answer.status, answer.text()).into(),
            Err(Failed::Unsent(source) | Failed::Unanswered(source)) => source,
            Err(Failed::NoToken(reason)) => {
                let location = self.location();
                return Err(TargetError::Configuration { location, reason });
            }
            Err(Failed::TooLong(limit)) => {
                return Err(self.invalid(format!("an answer of more than {limit} bytes")));
            }
        };
        Err(TargetError::Unreachable {
            location: self.location(),
            source,
        })
    }

    /// The snapshot key and everything below the prefixes, by key, as of one moment; `None` if
    /// the snapshot moved meanwhile.
    async fn trees(
        &self,
        snapshot_key: &str,
        prefixes: &[String],
    ) -> Result<Option<BTreeMap<String, KvPair>>, TargetError> {
        let mut found = BTreeMap::new();
        let mut indexes = BTreeSet::new();
        // The snapshot key is read with each part, so that all parts are of one moment.
        let room = self.operations_per_read() - 1;
        let empty: &[String] = &[];
        let parts = prefixes.chunks(room);
        for part in parts.chain(prefixes.is_empty().then_some(empty)) {
            let keys = std::iter::once(snapshot_key).chain(part.iter().map(String::as_str));
            let operations: Vec<_> = keys
                .map(|key| self.scoped(Operation::get_tree(key)))
                .collect();
            let answer = self.read_transaction(&operations).await?;
            if answer.status != StatusCode::OK {
                return Err(self.refused(&answer));
            }
            let answer: TxnAnswer = self.json(&answer)?;
            let results = answer
                .results
                .ok_or_else(|| self.invalid("a transaction without results"))?;
            let mut index = None;
            for result in results {
                if result.kv.key == snapshot_key {
                    index = Some(result.kv.modify_index);
                }
                found.insert(result.kv.key.clone(), result.kv);
            }
            indexes.insert(index);
        }
        Ok((indexes.len() == 1).then_some(found))
    }

    /// Consul leaves what a token may not read out of a listing without a word. Fails if one of
    /// these keys or prefixes, which were not found, may not be read.
    pub(super) async fn check_unseen(&self, unseen: &[&str]) -> Result<(), TargetError> {
        for part in unseen.chunks(self.operations_per_read()) {
            // Permissions are checked first and named by operation; index 0 then fails whether
            // the key exists or not.
            let operations: Vec<_> = part
                .iter()
                .map(|key| self.scoped(Operation::check_index(key, 0)))
                .collect();
            let answer = self.read_transaction(&operations).await?;
            if answer.status != StatusCode::CONFLICT {
                return Err(self.refused(&answer));
            }
            let answer: TxnAnswer = self.json(&answer)?;
            let denied = answer.denied_keys(&operations);
            if !denied.is_empty() {
                return Err(self.denied(format!("no permission to read {}", denied.join(", "))));
            }
            let failed = answer.failed_keys(&operations, |_| true);
            if let Some(key) = part.iter().find(|key| !failed.iter().any(|it| it == *key)) {
                return Err(self.invalid(format!("a conflict that says nothing of `{key}`")));
            }
        }
        Ok(())
    }

    async fn read_transaction(&self, operations: &[Operation<'_>]) -> Result<Answer, TargetError> {
        let body = crate::model::value::canonical(&operations);
        self.read(&Method::PUT, "txn?consistent", Some(&body), LISTING)
            .await
    }

    /// Reads count like writes, and any Consul takes this many.
    pub(super) fn operations_per_read(&self) -> usize {
        let known = self.overrides.operations;
        known.unwrap_or(Limits::CONSUL.operations).max(2)
    }

    pub(super) fn scoped<'a>(&'a self, operation: Operation<'a>) -> Operation<'a> {
        operation.in_namespace(self.client.namespace.as_deref())
    }

    pub(super) fn json<T: serde::de::DeserializeOwned>(
        &self,
        answer: &Answer,
    ) -> Result<T, TargetError> {
        serde_json::from_slice(&answer.body).map_err(|error| self.invalid(not_json(&error)))
    }
}

/// Where JSON stops making sense; what is there may be a secret.
pub(super) fn not_json(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    format!("not the JSON of a Consul from line {line}, column {column} on")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_below_another_prefix_is_not_asked_for_twice() {
        let key = |text: &str| text.parse::<Key>().unwrap();
        let place = Place {
            set: "shop".parse().unwrap(),
            keys: ["config/shop/data", "flags/shop", "flags/shop2", "a"]
                .into_iter()
                .map(key)
                .collect(),
            prefixes: [key("config/shop").below(), key("app").below()].into(),
        };
        let names = AuxiliaryNames::of("cfgctl/shop/snapshot");
        assert_eq!(
            prefixes(&place, &names, &place.keys),
            [
                "a",
                "cfgctl/shop/delivering",
                "cfgctl/shop/parts/",
                "config/shop/",
                "flags/shop"
            ]
        );
    }
}
