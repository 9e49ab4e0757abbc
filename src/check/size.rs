//! Whether what a cluster gets fits into the transactions of its Consul.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::blame::Blame;
use super::finding::Finding;
use super::gathered::Gathered;
use super::rendering::Rendering;
use super::world::World;
use crate::model::value::{self, Path};
use crate::model::{
    Auxiliary, BreakerState, BreakerStatus, Cause, ClusterName, Connection, Consent, Contents,
    EntryWrite, Key, LimitOverrides, Limits, Origin, Oversize, Snapshot, SnapshotWrite, Version,
    Write,
};
use crate::render;

/// What stands in for an actor and a message that are not known yet: longer than most.
const ACTOR_BYTES: usize = 64;
const MESSAGE_BYTES: usize = 256;

pub(super) fn check(world: &World<'_>, renderings: &[Rendering<'_>], findings: &mut Vec<Finding>) {
    for of_one_set in renderings.chunk_by(|a, b| a.name == b.name) {
        let mut found = Gathered::default();
        // What does not fit as it is declared is not said again with other numbers.
        let mut told: BTreeMap<_, BTreeSet<&ClusterName>> = BTreeMap::new();
        for rendering in of_one_set {
            let Some(blame) = Blame::of(rendering) else {
                continue;
            };
            // What cannot be rendered has no size.
            if !rendering.rendered.errors.is_empty() {
                continue;
            }
            for group in groups(world, rendering) {
                for finding in misfits(rendering, &group, blame) {
                    let (at, help) = (finding.at.clone(), finding.help.clone());
                    let told = told.entry((at, finding.code.clone(), help)).or_default();
                    let clusters = group.clusters.iter().copied();
                    let clusters: Vec<_> = clusters.filter(|it| told.insert(it)).collect();
                    if !clusters.is_empty() {
                        found.add(finding, rendering, &clusters);
                    }
                }
            }
        }
        let reach = of_one_set.first().map_or(0, |rendering| rendering.reach);
        findings.extend(found.findings(reach));
    }
}

/// Clusters with the same limits.
struct Group<'a> {
    overrides: LimitOverrides,
    clusters: Vec<&'a ClusterName>,
    /// The one whose snapshot is the largest: name and prefix are part of what is sent.
    longest: (&'a Key, &'a ClusterName),
}

/// The clusters to which `rendering` is new and that have limits, grouped by them. A directory has none.
fn groups<'a>(world: &World<'a>, rendering: &Rendering<'a>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for &cluster in &rendering.new {
        let view = world.clusters.get(cluster);
        let Some(Connection::Consul(consul)) = view.map(|view| &view.cluster.connection) else {
            continue;
        };
        let names = (&consul.prefix, cluster);
        let length =
            |(prefix, name): (&Key, &ClusterName)| prefix.as_str().len() + name.as_str().len();
        let same = |group: &&mut Group<'_>| group.overrides == consul.limits;
        match groups.iter_mut().find(same) {
            Some(group) => {
                group.clusters.push(cluster);
                if length(names) > length(group.longest) {
                    group.longest = names;
                }
            }
            None => groups.push(Group {
                overrides: consul.limits,
                clusters: vec![cluster],
                longest: names,
            }),
        }
    }
    groups
}

/// Every limit that the first write to one of these clusters would exceed.
fn misfits(rendering: &Rendering<'_>, group: &Group<'_>, blame: Blame<'_>) -> Vec<Finding> {
    let LimitOverrides {
        operations,
        value_bytes,
        request_bytes,
    } = group.overrides;
    let limits = Limits {
        operations: operations.unwrap_or(Limits::CONSUL_1_14.operations),
        value_bytes: value_bytes.unwrap_or(Limits::CONSUL.value_bytes),
        request_bytes: request_bytes.unwrap_or(Limits::CONSUL.request_bytes),
    };
    let (prefix, cluster) = group.longest;
    if operations.is_none_or(|most| most >= Limits::CONSUL.operations)
        && is_small(rendering, group.longest, limits)
    {
        return Vec::new();
    }
    let snapshot_key = format!("{prefix}/{}/snapshot", rendering.name);
    let write = first_write(rendering, cluster);
    let mut found: Vec<_> = (write.oversize(&snapshot_key, limits).iter())
        .map(|oversize| misfit(oversize, rendering, blame))
        .collect();

    let old = Limits {
        operations: Limits::CONSUL.operations,
        ..limits
    };
    if operations.is_none() && found.is_empty() {
        let needs = write.oversize(&snapshot_key, old);
        found.extend(
            needs
                .iter()
                .filter_map(|oversize| many_keys(oversize, rendering, blame)),
        );
    }
    found
}

/// Whether there is so much room that nothing has to be weighed, as with nearly every set. What is
/// not known exactly is taken for more than it is.
fn is_small(
    rendering: &Rendering<'_>,
    (prefix, cluster): (&Key, &ClusterName),
    limits: Limits,
) -> bool {
    // All that a snapshot has beside its contents and keys, and what one breaker, one key and one
    // operation take at the most beside their names and values.
    const DOCUMENT: usize = 4096;
    const BREAKER: usize = 2048;
    const KEY: usize = 128;
    const OPERATION: usize = 256;
    // The longest escape of a character.
    let escaped = |text: &str| 6 * text.len();
    let entries = &rendering.rendered.entries;
    let names = [prefix.as_str(), cluster.as_str(), rendering.name.as_str()];
    let names: usize = names.into_iter().map(escaped).sum();
    let breakers = rendering.view.set.breakers.keys();
    let breakers = breakers.map(|name| BREAKER + escaped(name.as_str()));
    // Each key is named with its digest, and once more if it is loose.
    let keys: usize = entries.keys().map(|key| KEY + escaped(key.as_str())).sum();
    let document = DOCUMENT
        + names
        + breakers.sum::<usize>()
        + value::canonical_bytes(&rendering.contents)
        + 2 * keys;
    let values = || std::iter::once(document).chain(entries.values().map(|it| it.bytes.len()));
    let largest = values().max().unwrap_or_default();
    let operations = entries.len() + 1;
    let request = keys + names + operations * OPERATION + values().sum::<usize>() / 3 * 4;
    // One more, if the last of them was rounded down.
    operations < Limits::CONSUL.operations
        && largest < limits.value_bytes
        && request + OPERATION < limits.request_bytes
}

/// What only a newer Consul takes.
fn many_keys(oversize: &Oversize, rendering: &Rendering<'_>, blame: Blame<'_>) -> Option<Finding> {
    let Oversize::Operations { needed, limit } = oversize else {
        return None;
    };
    let message = format!("set `{}` needs Consul 1.14 or later", rendering.name);
    let label = format!("{needed} operations in one transaction; before 1.14 the limit is {limit}");
    Some(
        Finding::warning("many-keys", blame.publish(0), message)
            .label(label)
            .help("state the limit as `spec.consul.limits.operations`"),
    )
}

/// The largest write that this content can need: everything is new.
fn first_write(rendering: &Rendering<'_>, cluster: &ClusterName) -> Write {
    let entries: BTreeMap<Key, Vec<u8>> = (rendering.rendered.entries.iter())
        .map(|(key, entry)| (key.clone(), entry.bytes.clone()))
        .collect();
    // The real origin is not known before the commit; this one is as long as a long one.
    let origin = Origin {
        actor: "a".repeat(ACTOR_BYTES),
        at: Timestamp::MAX,
        cause: Cause::Rollback { to: Version::FIRST },
        message: Some("m".repeat(MESSAGE_BYTES)),
        consents: BTreeSet::from([Consent::Adopt, Consent::AllowDeletes, Consent::AllowGrowth]),
        planned: None,
    };
    // A breaker says in every snapshot who touched it and why, whether it is open or not.
    let touched = BreakerStatus {
        state: BreakerState::ForcedOpen,
        actor: Some(origin.actor.clone()),
        since: Some(origin.at),
        until: Some(origin.at),
        reason: origin.message.clone(),
    };
    let breakers = rendering.view.set.breakers.keys();
    let contents = Contents {
        breakers: breakers
            .map(|name| (name.clone(), touched.clone()))
            .collect(),
        ..rendering.contents.clone()
    };
    let snapshot = Snapshot::seal(
        rendering.name.clone(),
        cluster.clone(),
        Version::new(u64::MAX).unwrap_or(Version::FIRST),
        &origin,
        contents,
        entries,
        render::loose(&rendering.view.set.publish),
    );
    let value = snapshot.document.to_bytes();
    let expected = None;
    let loose = snapshot.entries.keys();
    let loose = loose.filter(|key| snapshot.document.is_loose(key));
    Write {
        loose: loose.cloned().collect(),
        auxiliary: Auxiliary::default(),
        set: rendering.name.clone(),
        snapshot: SnapshotWrite::Put { value, expected },
        entries: (Arc::unwrap_or_clone(snapshot.entries).into_iter())
            .map(|(key, value)| {
                (
                    key,
                    EntryWrite::Put {
                        value,
                        expected: None,
                    },
                )
            })
            .collect(),
    }
}

fn misfit(oversize: &Oversize, rendering: &Rendering<'_>, blame: Blame<'_>) -> Finding {
    let whole = blame.key(&Path::default());
    let (code, at, help) = match oversize {
        Oversize::Snapshot { .. } => ("too-large", whole.clone(), "split the set"),
        Oversize::Operations { .. } => (
            "too-many-keys",
            blame.publish(0),
            "publish one document in place of many keys, split the set, or let the keys arrive in \
             batches with `atomic: false`",
        ),
        Oversize::Value { key, .. } => {
            let entry = key.parse::<Key>().ok();
            let entry = entry.and_then(|key| rendering.rendered.entries.get(&key));
            let at = match entry {
                Some(entry) if entry.path.segments().is_empty() => blame.publish(entry.publish),
                Some(entry) => blame.key(&entry.path),
                // The snapshot itself.
                None => whole.clone(),
            };
            (
                "too-large",
                at,
                "split the set; Consul's `kv_max_value_size` is the limit",
            )
        }
        Oversize::Request { .. } => (
            "too-large",
            whole.clone(),
            "split the set, or publish it fewer times; Consul's `txn_max_req_len` is the limit",
        ),
    };
    let message = match oversize {
        Oversize::Value { bytes, limit, .. } if at == whole => format!(
            "the snapshot of set `{}` has {bytes} bytes, the limit for one value is {limit}",
            rendering.name
        ),
        Oversize::Value { .. } | Oversize::Snapshot { .. } => {
            format!("set `{}`: {oversize}", rendering.name)
        }
        Oversize::Operations { .. } | Oversize::Request { .. } => {
            format!("set `{}` {oversize}", rendering.name)
        }
    };
    Finding::error(code, at, message).help(help)
}
