//! How a write goes to a target that has limits: in one transaction if it fits, else in several,
//! of which the last one replaces the snapshot key and so decides what readers see.
//!
//! Every transaction first compares the snapshot key, so none of them gets through once anyone
//! else has delivered. What comes before the last one is invisible to whoever follows the snapshot
//! key (parts that nothing names yet, or names no more), or is loose by the set's own word. Any of
//! them may be the last one that arrives: the next write takes up from what is there then.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::parts::{AsideNames, Contents, mark};
use super::snapshot::MAX_DOCUMENT_BYTES;
use super::{Document, EntryWrite, Fence, Key, Limits, Oversize, Owner, SnapshotWrite, Write};

/// What the JSON of one operation takes beside its key and value, rounded up: braces, field
/// names, a 20-digit index and a 20-digit mark.
const OPERATION_BYTES: usize = 160;
/// Smaller parts are not worth a key; limits that leave no more are not those of a Consul.
const LEAST_PART_BYTES: usize = 1024;

/// What happens at once or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction<'a> {
    /// In order; the first one is about the snapshot key.
    pub operations: Vec<Operation<'a>>,
}

/// What happens to one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation<'a> {
    /// The key.
    pub key: Cow<'a, str>,
    /// What is done.
    pub act: Act<'a>,
    /// The state that the key must be in.
    pub expected: Expected<'a>,
}

/// What is done to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act<'a> {
    /// Nothing.
    Check,
    /// It gets this content and our mark.
    Put(Cow<'a, [u8]>),
    /// It is removed. That it is gone already is no failure.
    Delete,
}

/// The state that a key must be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected<'a> {
    /// It must not exist.
    Absent,
    /// As it was seen.
    At(&'a Fence),
    /// As an earlier transaction of the same write left it.
    Written,
}

impl<'a> Expected<'a> {
    fn seen(fence: Option<&'a Fence>) -> Self {
        fence.map_or(Self::Absent, Self::At)
    }
}

impl<'a> Operation<'a> {
    fn new(key: impl Into<Cow<'a, str>>, act: Act<'a>, expected: Expected<'a>) -> Self {
        let key = key.into();
        Self { key, act, expected }
    }

    fn value(&self) -> &[u8] {
        match &self.act {
            Act::Put(value) => value,
            Act::Check | Act::Delete => &[],
        }
    }

    /// What it takes in Consul's JSON, at the most.
    fn request_bytes(&self) -> usize {
        OPERATION_BYTES + escaped_bytes(&self.key) + self.value().len().div_ceil(3) * 4
    }
}

impl Transaction<'_> {
    /// Every limit that it exceeds.
    fn oversize(&self, limits: Limits) -> Vec<Oversize> {
        let Limits {
            operations,
            value_bytes,
            request_bytes,
        } = limits;
        let mut found = Vec::new();
        let needed = self.operations.len();
        if needed > operations {
            found.push(Oversize::Operations {
                needed,
                limit: operations,
            });
        }
        let mut bytes = 2;
        for operation in &self.operations {
            let value = operation.value().len();
            if value > value_bytes {
                found.push(Oversize::Value {
                    key: operation.key.clone().into_owned(),
                    bytes: value,
                    limit: value_bytes,
                });
            }
            bytes += operation.request_bytes();
        }
        if bytes > request_bytes {
            found.push(Oversize::Request {
                bytes,
                limit: request_bytes,
            });
        }
        found
    }
}

impl Write {
    /// The transactions that carry it out, in order, within `limits`; or every limit that stands
    /// in the way. `snapshot_key` is the name that the target gives to the snapshot key.
    pub fn transactions<'a>(
        &'a self,
        snapshot_key: &'a str,
        limits: Limits,
    ) -> Result<Vec<Transaction<'a>>, Vec<Oversize>> {
        if let SnapshotWrite::Put { value, .. } = &self.snapshot
            && value.len() > MAX_DOCUMENT_BYTES
        {
            return Err(vec![Oversize::Snapshot {
                bytes: value.len(),
                limit: MAX_DOCUMENT_BYTES,
            }]);
        }
        let layout = Layout {
            write: self,
            snapshot_key,
            names: AsideNames::of(snapshot_key),
            limits,
            cut: None,
            batched: false,
            mark: None,
        };
        let mut least = match layout.fitting() {
            Ok(fitting) => return Ok(fitting),
            Err(oversize) => oversize,
        };
        for layout in layout.larger() {
            match layout.fitting() {
                Ok(fitting) => return Ok(fitting),
                // What a person can do is in what is left when all else is done.
                Err(oversize) if oversize.len() < least.len() => least = oversize,
                Err(_) => {}
            }
        }
        Err(least)
    }

    /// Every limit that this write exceeds, whatever is done to make it fit.
    pub fn oversize(&self, snapshot_key: &str, limits: Limits) -> Vec<Oversize> {
        self.transactions(snapshot_key, limits)
            .err()
            .unwrap_or_default()
    }
}

/// One way to spread a write over transactions.
#[derive(Clone, Debug)]
struct Layout<'a> {
    write: &'a Write,
    snapshot_key: &'a str,
    names: AsideNames,
    limits: Limits,
    /// The table of contents and the parts of a document that is cut.
    cut: Option<(Vec<u8>, BTreeMap<String, &'a [u8]>)>,
    /// Whether loose keys go first, in batches.
    batched: bool,
    /// What says so while it lasts; a removal leaves no mark.
    mark: Option<Vec<u8>>,
}

impl<'a> Layout<'a> {
    /// Other ways, in the order in which they should be tried: the fewer keys are not changed at
    /// once, the better.
    fn larger(&self) -> Vec<Self> {
        let document = match &self.write.snapshot {
            SnapshotWrite::Put { value, .. } => Document::parse(value).ok(),
            SnapshotWrite::Delete { .. } => None,
        };
        let cut = document.as_ref().and_then(|document| {
            let cut = Some(self.cut(document)?);
            Some(Self {
                cut,
                ..self.clone()
            })
        });
        let loose = !self.write.loose.is_empty();
        let batched = |layout: &Self| {
            let layout = Self {
                batched: true,
                mark: document.as_ref().map(mark),
                ..layout.clone()
            };
            loose.then_some(layout)
        };
        let both = cut.as_ref().and_then(batched);
        [cut, batched(self), both].into_iter().flatten().collect()
    }

    /// The table of contents and the parts of `document`, each as large as the limits allow.
    fn cut(&self, document: &Document) -> Option<(Vec<u8>, BTreeMap<String, &'a [u8]>)> {
        let SnapshotWrite::Put { value, .. } = &self.write.snapshot else {
            return None;
        };
        let key_bytes = escaped_bytes(&self.names.part(document.digest()));
        let beside = 2 + self.guard().request_bytes() + OPERATION_BYTES + key_bytes;
        let room = self.limits.request_bytes.saturating_sub(beside) / 4 * 3;
        let part_bytes = room.min(self.limits.value_bytes);
        (part_bytes >= LEAST_PART_BYTES)
            .then(|| Contents::cut(document, value, part_bytes, &self.names))
    }

    fn fitting(&self) -> Result<Vec<Transaction<'a>>, Vec<Oversize>> {
        let transactions = self.transactions();
        let found: Vec<_> = (transactions.iter())
            .flat_map(|transaction| transaction.oversize(self.limits))
            .collect();
        if found.is_empty() {
            Ok(transactions)
        } else {
            Err(found)
        }
    }

    fn transactions(&self) -> Vec<Transaction<'a>> {
        let mut transactions = self.filled(&[self.guard()], self.aside());
        if self.batched {
            let mut guards = vec![self.guard()];
            if let Some(mark) = &self.mark {
                let seen = self.write.aside.delivering.as_ref();
                let seen = seen.map(|delivering| &delivering.fence);
                let begin = self.mark(Act::Put(mark.clone().into()), Expected::seen(seen));
                transactions.extend(self.filled(&guards, vec![begin]));
                guards.push(self.mark(Act::Check, Expected::Written));
            }
            let loose = self.entries(|key| self.write.loose.contains(key));
            transactions.extend(self.filled(&guards, loose));
        }
        transactions.push(self.last());
        transactions
    }

    /// What every transaction but the last one begins with.
    fn guard(&self) -> Operation<'a> {
        let expected = match &self.write.snapshot {
            SnapshotWrite::Put { expected, .. } => Expected::seen(expected.as_ref()),
            SnapshotWrite::Delete { expected } => Expected::At(expected),
        };
        Operation::new(self.snapshot_key, Act::Check, expected)
    }

    fn mark(&self, act: Act<'a>, expected: Expected<'a>) -> Operation<'a> {
        Operation::new(self.names.delivering.clone(), act, expected)
    }

    /// Whether a part of the new document is there already.
    fn is_there(&self, part: &str) -> Option<&'a Fence> {
        let seen = self.write.aside.parts.get(part)?;
        (seen.intact && seen.owner == Owner::Cfgctl).then_some(&seen.fence)
    }

    /// Surplus parts go, new parts come. Those that the snapshot names stay until the next write:
    /// someone may just have read it.
    fn aside(&self) -> Vec<Operation<'a>> {
        let aside = &self.write.aside;
        let is_new = |part: &str| {
            let cut = self.cut.as_ref();
            cut.is_some_and(|(_, parts)| parts.contains_key(part))
        };
        let surplus = (aside.parts.iter())
            .filter(|(part, seen)| {
                seen.owner == Owner::Cfgctl && !aside.named.contains(*part) && !is_new(part)
            })
            .map(|(part, seen)| {
                Operation::new(part.as_str(), Act::Delete, Expected::At(&seen.fence))
            });
        let parts = self.cut.iter().flat_map(|(_, parts)| parts);
        let new = parts
            .filter(|(part, _)| self.is_there(part).is_none())
            .map(|(part, bytes)| {
                let seen = aside.parts.get(part).map(|seen| &seen.fence);
                let put = Act::Put(Cow::Borrowed(*bytes));
                Operation::new(part.clone(), put, Expected::seen(seen))
            });
        surplus.chain(new).collect()
    }

    fn entries(&self, wanted: impl Fn(&Key) -> bool) -> Vec<Operation<'a>> {
        (self.write.entries.iter())
            .filter(|(key, _)| wanted(key))
            .map(|(key, entry)| {
                let (act, expected) = match entry {
                    EntryWrite::Put { value, expected } => (
                        Act::Put(Cow::Borrowed(value.as_slice())),
                        Expected::seen(expected.as_ref()),
                    ),
                    EntryWrite::Keep { expected } => (Act::Check, Expected::At(expected)),
                    EntryWrite::Delete { expected } => (Act::Delete, Expected::At(expected)),
                };
                Operation::new(key.as_str(), act, expected)
            })
            .collect()
    }

    /// The one that readers of the snapshot key see.
    fn last(&self) -> Transaction<'a> {
        let mut operations = Vec::new();
        match &self.write.snapshot {
            SnapshotWrite::Put { value, expected } => {
                let value = match &self.cut {
                    Some((contents, _)) => Cow::Owned(contents.clone()),
                    None => Cow::Borrowed(value.as_slice()),
                };
                let expected = Expected::seen(expected.as_ref());
                operations.push(Operation::new(self.snapshot_key, Act::Put(value), expected));
            }
            SnapshotWrite::Delete { expected } => {
                // A delete alone would succeed if the key is gone already.
                operations.push(self.guard());
                let expected = Expected::At(expected);
                operations.push(Operation::new(self.snapshot_key, Act::Delete, expected));
            }
        }
        match (&self.mark, &self.write.aside.delivering) {
            (Some(_), _) => operations.push(self.mark(Act::Delete, Expected::Written)),
            (None, Some(seen)) => {
                operations.push(self.mark(Act::Delete, Expected::At(&seen.fence)))
            }
            (None, None) => {}
        }
        // A part that was there may have been collected by someone else as surplus, and one that
        // was just put as well.
        let parts = self.cut.iter().flat_map(|(_, parts)| parts.keys());
        operations.extend(parts.map(|part| {
            let expected = self.is_there(part).map_or(Expected::Written, Expected::At);
            Operation::new(part.clone(), Act::Check, expected)
        }));
        operations.extend(self.entries(|key| !self.batched || !self.write.loose.contains(key)));
        if matches!(self.write.snapshot, SnapshotWrite::Delete { .. }) {
            let room = self.limits.operations.saturating_sub(operations.len());
            operations.extend(self.named_parts().take(room));
        }
        Transaction { operations }
    }

    /// What a removal takes away with the snapshot.
    fn named_parts(&self) -> impl Iterator<Item = Operation<'a>> {
        let aside = &self.write.aside;
        (aside.parts.iter())
            .filter(|(part, seen)| seen.owner == Owner::Cfgctl && aside.named.contains(*part))
            .map(|(part, seen)| {
                Operation::new(part.as_str(), Act::Delete, Expected::At(&seen.fence))
            })
    }

    /// As few transactions as hold `operations`, each with `guards` before them.
    fn filled(
        &self,
        guards: &[Operation<'a>],
        operations: Vec<Operation<'a>>,
    ) -> Vec<Transaction<'a>> {
        let start = 2 + guards.iter().map(Operation::request_bytes).sum::<usize>();
        let mut filled: Vec<Transaction<'a>> = Vec::new();
        let mut bytes = 0;
        for operation in operations {
            let more = operation.request_bytes();
            match filled.last_mut() {
                Some(last)
                    if last.operations.len() < self.limits.operations
                        && bytes + more <= self.limits.request_bytes =>
                {
                    bytes += more;
                    last.operations.push(operation);
                }
                _ => {
                    bytes = start + more;
                    let mut operations = guards.to_vec();
                    operations.push(operation);
                    filled.push(Transaction { operations });
                }
            }
        }
        filled
    }
}

/// How long a key is in JSON, at the most: some encoders escape more than they must.
fn escaped_bytes(key: &str) -> usize {
    key.chars()
        .map(|c| match c {
            '"' | '\\' | '<' | '>' | '&' => 6,
            c => c.len_utf8(),
        })
        .sum()
}
