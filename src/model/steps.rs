//! How a write goes to a target that has limits: in one transaction if it fits, else in several,
//! of which one replaces the snapshot key and so decides what readers see.
//!
//! Every transaction first compares the snapshot key, so none of them gets through once anyone
//! else has delivered. What comes before that one is invisible to whoever follows the snapshot key
//! (parts that nothing names yet, or names no more), or is loose by the set's own word; what comes
//! after it is waste. Any of them may be the last one that arrives: the next write takes up from
//! what is there then.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::auxiliary::Mark;
use super::parts::{self, AuxiliaryNames, Table};
use super::snapshot::MAX_DOCUMENT_BYTES;
use super::transaction::{OPERATION_BYTES, escaped_bytes};
use super::{
    Act, Digest, Document, EntryWrite, Expected, Fence, Key, Limits, Oversize, Owner,
    SnapshotWrite, Step, Transaction, Write, value,
};

/// Smaller parts are not worth a key; limits that leave no more are not those of a Consul.
const LEAST_PART_BYTES: usize = 1024;

impl Write {
    /// The transactions that carry it out, in order, within `limits`; or every limit that stands
    /// in the way. `snapshot_key` is the name that the target gives to the snapshot key.
    pub fn transactions<'a>(
        &'a self,
        snapshot_key: &'a str,
        limits: Limits,
    ) -> Result<Vec<Transaction<'a>>, Vec<Oversize>> {
        self.check_document()?;
        let layout = self.layout(snapshot_key, limits);
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

    /// Every limit that it exceeds where all of it has to be written at once.
    pub fn oversize_at_once(&self, snapshot_key: &str, limits: Limits) -> Vec<Oversize> {
        let layout = self.layout(snapshot_key, limits);
        let fitting = self.check_document().and_then(|()| layout.fitting());
        fitting.err().unwrap_or_default()
    }

    fn check_document(&self) -> Result<(), Vec<Oversize>> {
        match &self.snapshot {
            SnapshotWrite::Put { value, .. } if value.len() > MAX_DOCUMENT_BYTES => {
                Err(vec![Oversize::Snapshot {
                    bytes: value.len(),
                    limit: MAX_DOCUMENT_BYTES,
                }])
            }
            _ => Ok(()),
        }
    }

    fn layout<'a>(&'a self, snapshot_key: &'a str, limits: Limits) -> Layout<'a> {
        Layout {
            write: self,
            snapshot_key,
            names: AuxiliaryNames::of(snapshot_key),
            limits,
            contents: None,
            batched: false,
            resumes: false,
            mark: None,
        }
    }

    /// Every limit that this write exceeds, whatever is done to make it fit.
    pub fn oversize(&self, snapshot_key: &str, limits: Limits) -> Vec<Oversize> {
        self.transactions(snapshot_key, limits)
            .err()
            .unwrap_or_default()
    }
}

/// What stands in for bytes that are too many for one key, and the parts that they are cut into.
#[derive(Clone, Debug)]
struct Cut<'a> {
    table: Vec<u8>,
    parts: BTreeMap<String, Cow<'a, [u8]>>,
}

/// One way to spread a write over transactions.
#[derive(Clone, Debug)]
struct Layout<'a> {
    write: &'a Write,
    snapshot_key: &'a str,
    names: AuxiliaryNames,
    limits: Limits,
    /// The document, if it is cut.
    contents: Option<Cut<'a>>,
    /// Whether loose keys go first, in batches.
    batched: bool,
    /// Whether a delivery in batches of the same document was stopped there.
    resumes: bool,
    /// What says so while it lasts, and the list of the keys that it makes. A removal needs no
    /// mark: the snapshot names its keys until the last of them is gone.
    mark: Option<Cut<'a>>,
}

impl<'a> Layout<'a> {
    /// Other ways, in the order in which they should be tried: the fewer keys are not changed at
    /// once, the better.
    fn larger(&self) -> Vec<Self> {
        let document = match &self.write.snapshot {
            SnapshotWrite::Put { value, .. } => Document::parse(value).ok(),
            SnapshotWrite::Delete { .. } => None,
        };
        let document = document.as_ref();
        let cut = document.and_then(|document| {
            let contents = Some(self.contents(document)?);
            Some(Self {
                contents,
                ..self.clone()
            })
        });
        let loose = !self.write.loose.is_empty();
        let batched = |layout: &Self| {
            let mark = match document {
                Some(document) => Some(self.begun(document)?),
                None => None,
            };
            loose.then(|| Self {
                batched: true,
                resumes: document.is_some_and(|document| self.has_begun(document)),
                mark,
                ..layout.clone()
            })
        };
        let both = cut.as_ref().and_then(batched);
        [cut, batched(self), both].into_iter().flatten().collect()
    }

    fn has_begun(&self, document: &Document) -> bool {
        let begun = self.write.auxiliary.delivering.as_ref();
        begun.is_some_and(|begun| {
            begun.version == document.version() && begun.origin == *document.origin()
        })
    }

    /// How large parts may be, if limits leave any room for them.
    fn part_bytes(&self) -> Option<usize> {
        let key_bytes = escaped_bytes(&self.names.part(&Digest::of(&[])));
        let beside = 2 + self.guard().request_bytes() + OPERATION_BYTES + key_bytes;
        let room = self.limits.request_bytes.saturating_sub(beside) / 4 * 3;
        Some(room.min(self.limits.value_bytes)).filter(|bytes| *bytes >= LEAST_PART_BYTES)
    }

    fn contents(&self, document: &Document) -> Option<Cut<'a>> {
        let SnapshotWrite::Put { value, .. } = &self.write.snapshot else {
            return None;
        };
        let (parts, chunks) = parts::cut(value, self.part_bytes()?, &self.names);
        let chunks = chunks.into_iter();
        Some(Cut {
            table: Table::of(document, parts),
            parts: chunks.map(|(key, chunk)| (key, chunk.into())).collect(),
        })
    }

    /// The mark of a delivery of `document`. It remembers what earlier ones have left, too.
    fn begun(&self, document: &Document) -> Option<Cut<'a>> {
        let entries = self.write.entries.iter();
        let is_created = |(key, entry): &(&'a Key, &EntryWrite)| {
            matches!(entry, EntryWrite::Put { expected: None, .. })
                && self.write.loose.contains(*key)
        };
        let created = entries.filter(is_created).map(|(key, _)| key);
        let left = self.write.auxiliary.delivering.iter();
        let left = left.flat_map(|delivering| &delivering.created);
        let keys: BTreeSet<&Key> = created.chain(left).collect();
        let list = if keys.is_empty() {
            Vec::new()
        } else {
            value::canonical(&keys)
        };
        let (parts, chunks) = parts::cut(&list, self.part_bytes()?, &self.names);
        let chunks = chunks.into_iter();
        Some(Cut {
            table: Mark::of(document, parts),
            parts: chunks
                .map(|(key, chunk)| (key, chunk.to_vec().into()))
                .collect(),
        })
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
        let mut transactions = self.filled(&[self.guard()], self.auxiliary());
        if self.batched {
            let mut guards = vec![self.guard()];
            if let Some(mark) = &self.mark {
                let seen = self.write.auxiliary.delivering.as_ref();
                let seen = seen.map(|delivering| &delivering.fence);
                let begin = self.mark(Act::Put(mark.table.clone().into()), Expected::seen(seen));
                transactions.extend(self.filled(&guards, vec![begin]));
                guards.push(self.mark(Act::Check, Expected::Written));
            }
            let mut loose = self.entries(|key| self.write.loose.contains(key));
            if self.resumes {
                // It was compared when this delivery began, or written by it. To compare it again
                // would make each pass as long as the first, and a slow target never done.
                loose.retain(|step| step.act != Act::Check);
            }
            transactions.extend(self.filled(&guards, loose));
        }
        transactions.extend(self.turn());
        if matches!(self.write.snapshot, SnapshotWrite::Delete { .. }) {
            let gone = Step::new(self.snapshot_key, Act::Check, Expected::Absent);
            transactions.extend(self.filled(&[gone], self.named_parts()));
        }
        transactions
    }

    /// What every transaction but that of the snapshot key begins with.
    fn guard(&self) -> Step<'a> {
        let expected = Expected::seen(self.write.snapshot.expected());
        Step::new(self.snapshot_key, Act::Check, expected)
    }

    fn mark(&self, act: Act<'a>, expected: Expected<'a>) -> Step<'a> {
        Step::new(self.names.delivering.clone(), act, expected)
    }

    /// Whether a part is there already.
    fn is_there(&self, part: &str) -> Option<&'a Fence> {
        let seen = self.write.auxiliary.parts.get(part)?;
        (seen.intact && seen.owner == Owner::Cfgctl).then_some(&seen.fence)
    }

    /// Surplus parts go, new parts come. Those that something names stay until the next write:
    /// someone may just have read it.
    fn auxiliary(&self) -> Vec<Step<'a>> {
        let auxiliary = &self.write.auxiliary;
        let new: BTreeMap<_, _> = (self.contents.iter().chain(&self.mark))
            .flat_map(|cut| &cut.parts)
            .collect();
        let is_surplus =
            |part: &str| !auxiliary.named.contains(part) && !new.contains_key(&part.to_owned());
        let surplus = auxiliary.own_parts().filter(|(part, _)| is_surplus(part));
        let surplus =
            surplus.map(|(part, seen)| Step::new(part, Act::Delete, Expected::At(&seen.fence)));
        let put = new.iter().filter(|(part, _)| self.is_there(part).is_none());
        let put = put.map(|(part, bytes)| {
            let seen = auxiliary.parts.get(*part).map(|seen| &seen.fence);
            Step::new(
                (*part).clone(),
                Act::Put((*bytes).clone()),
                Expected::seen(seen),
            )
        });
        surplus.chain(put).collect()
    }

    fn entries(&self, wanted: impl Fn(&Key) -> bool) -> Vec<Step<'a>> {
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
                Step::new(key.as_str(), act, expected)
            })
            .collect()
    }

    /// The one that readers of the snapshot key see.
    fn turn(&self) -> Vec<Transaction<'a>> {
        let mut operations = Vec::new();
        let expected = Expected::seen(self.write.snapshot.expected());
        match &self.write.snapshot {
            SnapshotWrite::Put { value, .. } => {
                let value = match &self.contents {
                    Some(contents) => Cow::Owned(contents.table.clone()),
                    None => Cow::Borrowed(value.as_slice()),
                };
                operations.push(Step::new(self.snapshot_key, Act::Put(value), expected));
            }
            SnapshotWrite::Delete { expected: None } => {}
            SnapshotWrite::Delete { expected: Some(_) } => {
                operations.push(Step::new(self.snapshot_key, Act::Delete, expected));
            }
        }
        match (&self.mark, &self.write.auxiliary.delivering) {
            (Some(_), _) => operations.push(self.mark(Act::Delete, Expected::Written)),
            (None, Some(seen)) => {
                operations.push(self.mark(Act::Delete, Expected::At(&seen.fence)));
            }
            (None, None) => {}
        }
        // A part that was there may have been collected by someone else as surplus, and one that
        // was just put as well.
        let parts = self.contents.iter().flat_map(|cut| cut.parts.keys());
        operations.extend(parts.map(|part| {
            let expected = self.is_there(part).map_or(Expected::Written, Expected::At);
            Step::new(part.clone(), Act::Check, expected)
        }));
        operations.extend(self.entries(|key| !self.batched || !self.write.loose.contains(key)));

        // Only a put tells by itself whether the snapshot key is there. Where there is no room for
        // a check it comes right before: a delete that finds nothing only wants what is so already.
        let mut before = Vec::new();
        if matches!(self.write.snapshot, SnapshotWrite::Delete { .. }) {
            if operations.len() < self.limits.operations {
                operations.insert(0, self.guard());
            } else {
                before.push(self.guard());
            }
        }
        [before, operations]
            .into_iter()
            .filter(|operations| !operations.is_empty())
            .map(|operations| Transaction { operations })
            .collect()
    }

    /// The parts that go with the snapshot.
    fn named_parts(&self) -> Vec<Step<'a>> {
        let auxiliary = &self.write.auxiliary;
        let named = auxiliary
            .own_parts()
            .filter(|(part, _)| auxiliary.named.contains(*part));
        let delete = |(part, seen): (&'a str, &'a super::ObservedPart)| {
            Step::new(part, Act::Delete, Expected::At(&seen.fence))
        };
        named.map(delete).collect()
    }

    /// As few transactions as hold `operations`, each with `guards` before them.
    fn filled(&self, guards: &[Step<'a>], operations: Vec<Step<'a>>) -> Vec<Transaction<'a>> {
        let start = 2 + guards.iter().map(Step::request_bytes).sum::<usize>();
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
