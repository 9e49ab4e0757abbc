//! Keys that more than one set writes, or that lie where others read.

use std::collections::{BTreeMap, BTreeSet};

use super::blame;
use super::finding::{Finding, Severity, Spot};
use super::gathered::where_in;
use super::rendering::Rendering;
use super::world::World;
use crate::model::{ClusterName, Connection, Key, Prefix, Publish, SetName, SpringFormat};
use crate::render::RenderError;

pub(super) fn check(world: &World<'_>, renderings: &[Rendering<'_>], findings: &mut Vec<Finding>) {
    let mut clashes = Clashes {
        world,
        renderings,
        same: BTreeMap::new(),
        inside: BTreeMap::new(),
        reserved: BTreeMap::new(),
        covered: BTreeMap::new(),
    };
    clashes.within_one_set();
    for (content, clusters) in contents(renderings) {
        clashes.in_one_content(&content, &clusters);
    }
    clashes.with_our_own_keys();
    clashes.report(findings);
}

/// Which renderings clusters hold. Clusters that hold the same ones are looked at once.
fn contents<'a>(renderings: &[Rendering<'a>]) -> BTreeMap<Vec<usize>, Vec<&'a ClusterName>> {
    let mut held: BTreeMap<&ClusterName, Vec<usize>> = BTreeMap::new();
    for (index, rendering) in renderings.iter().enumerate() {
        for cluster in &rendering.clusters {
            held.entry(cluster).or_default().push(index);
        }
    }
    let mut contents: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (cluster, content) in held {
        contents.entry(content).or_default().push(cluster);
    }
    // The bare defaults of sets that go nowhere yet can at least be compared with themselves.
    for (index, rendering) in renderings.iter().enumerate() {
        if rendering.clusters.is_empty() {
            contents.insert(vec![index], Vec::new());
        }
    }
    contents
}

/// A publish target of a set, by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Target<'a> {
    set: &'a SetName,
    publish: usize,
}

/// The keys of a clash, and where it happens.
#[derive(Debug, Default)]
struct Clash<'a> {
    keys: BTreeSet<&'a Key>,
    clusters: BTreeSet<&'a ClusterName>,
}

struct Clashes<'a> {
    world: &'a World<'a>,
    renderings: &'a [Rendering<'a>],
    /// Two targets write the same key. The first one of a key is named with every other one, so
    /// that a thousand sets on one key are a thousand findings and not a million.
    same: BTreeMap<(Target<'a>, Target<'a>), Clash<'a>>,
    /// The first target writes keys below the context that the second one is for.
    inside: BTreeMap<(Target<'a>, Target<'a>), Clash<'a>>,
    /// A target writes keys where a cluster keeps ours.
    reserved: BTreeMap<(Target<'a>, &'a Key), Clash<'a>>,
    /// A target's context takes in all of our keys in a cluster.
    covered: BTreeMap<(Target<'a>, &'a Key), Clash<'a>>,
}

impl<'a> Clashes<'a> {
    /// Keys that one set writes twice.
    fn within_one_set(&mut self) {
        for rendering in self.renderings {
            for refused in &rendering.rendered.errors {
                if let RenderError::SameKey {
                    publish,
                    other,
                    key,
                    ..
                } = refused
                {
                    let target = |publish| Target {
                        set: rendering.name,
                        publish,
                    };
                    let pair = (target(*other), target(*publish));
                    let clash = self.same.entry(pair).or_default();
                    clash.keys.insert(key);
                    clash.clusters.extend(&rendering.clusters);
                }
            }
        }
    }

    /// Clashes between everything that some clusters hold.
    fn in_one_content(&mut self, content: &[usize], clusters: &[&'a ClusterName]) {
        let renderings = self.renderings;
        let held = || content.iter().filter_map(|&index| renderings.get(index));
        let mut keys: Vec<(&'a Key, Target<'a>)> = held()
            .flat_map(|rendering| {
                (rendering.rendered.entries.iter()).map(|(key, entry)| {
                    let (set, publish) = (rendering.name, entry.publish);
                    (key, Target { set, publish })
                })
            })
            .collect();
        keys.sort_unstable();
        // A set writes the same key whether its breakers are open or not.
        keys.dedup();

        for group in keys.chunk_by(|(a, _), (b, _)| a == b) {
            if let [(key, first), others @ ..] = group {
                for (_, other) in others {
                    let clash = self.same.entry((*first, *other)).or_default();
                    clash.keys.insert(key);
                    clash.clusters.extend(clusters);
                }
            }
        }

        for (context, owners) in contexts(held()) {
            let start = keys.partition_point(|(key, _)| key.as_str() < context.as_str());
            let below = keys[start..]
                .iter()
                .take_while(|(key, _)| context.contains(key));
            for (key, writer) in below {
                // Named with one owner only, for the same reason as above.
                if let Some(owner) = owners.iter().find(|owner| *owner != writer) {
                    let clash = self.inside.entry((*writer, *owner)).or_default();
                    clash.keys.insert(key);
                    clash.clusters.extend(clusters);
                }
            }
        }
    }

    /// Clashes with the keys that cfgctl itself keeps in a cluster.
    fn with_our_own_keys(&mut self) {
        for rendering in self.renderings {
            let mut prefixes: BTreeMap<&Key, Vec<&ClusterName>> = BTreeMap::new();
            for cluster in &rendering.clusters {
                let view = self.world.clusters.get(cluster);
                if let Some(Connection::Consul(consul)) = view.map(|view| &view.cluster.connection)
                {
                    prefixes.entry(&consul.prefix).or_default().push(cluster);
                }
            }
            for (prefix, clusters) in prefixes {
                let ours = prefix.below();
                for (key, entry) in &rendering.rendered.entries {
                    if ours.contains(key) {
                        let (set, publish) = (rendering.name, entry.publish);
                        let target = Target { set, publish };
                        let clash = self.reserved.entry((target, prefix)).or_default();
                        clash.keys.insert(key);
                        clash.clusters.extend(&clusters);
                    }
                }
                for (context, owners) in contexts(std::iter::once(rendering)) {
                    if ours.as_str().starts_with(context.as_str()) {
                        for owner in owners {
                            let clash = self.covered.entry((owner, prefix)).or_default();
                            clash.clusters.extend(&clusters);
                        }
                    }
                }
            }
        }
    }

    fn report(&self, findings: &mut Vec<Finding>) {
        findings.extend(
            self.same
                .iter()
                .filter_map(|(pair, clash)| self.same_key(*pair, clash)),
        );
        findings.extend(
            (self.inside.iter()).filter_map(|(pair, clash)| self.inside_context(*pair, clash)),
        );
        for (&(target, prefix), clash) in &self.reserved {
            let message = format!(
                "set `{}` writes {}, where cfgctl keeps its own keys{}",
                target.set,
                several(&clash.keys),
                self.where_in(target, clash)
            );
            findings.extend(self.against_cluster("key-reserved", target, prefix, clash, message));
        }
        for (&(target, prefix), clash) in &self.covered {
            let message = format!(
                "cfgctl's own keys below `{prefix}/` would be properties of the application of \
                 set `{}`{}",
                target.set,
                self.where_in(target, clash)
            );
            findings.extend(self.against_cluster("key-reserved", target, prefix, clash, message));
        }
    }

    fn same_key(
        &self,
        (first, other): (Target<'a>, Target<'a>),
        clash: &Clash<'_>,
    ) -> Option<Finding> {
        // The one that can be changed comes first.
        let (first, other) = match self.place(other) {
            Some(_) => (first, other),
            None => (other, first),
        };
        let keys = several(&clash.keys);
        let message = if first.set == other.set {
            format!("two publish targets of set `{}` write {keys}", other.set)
        } else {
            format!(
                "set `{}` writes {keys}, and so does set `{}`",
                other.set, first.set
            )
        };
        let message = message + &self.where_in(other, clash);
        let finding = self.against_target("key-twice", other, first, message)?;
        Some(finding.help("publish one of the two somewhere else"))
    }

    fn inside_context(
        &self,
        (writer, owner): (Target<'a>, Target<'a>),
        clash: &Clash<'_>,
    ) -> Option<Finding> {
        let message = format!(
            "set `{}` writes {} where every key is a property of the application of set `{}`{}",
            writer.set,
            several(&clash.keys),
            owner.set,
            self.where_in(writer, clash)
        );
        let mut finding = self.against_target("key-in-context", writer, owner, message)?;
        if writer.set == owner.set {
            // It may be meant so: it is the same application.
            finding.severity = Severity::Warning;
        }
        Some(finding)
    }

    /// A finding at `target`, or if that comes from the store, at `other`.
    fn against_target(
        &self,
        code: &'static str,
        target: Target<'a>,
        other: Target<'a>,
        message: String,
    ) -> Option<Finding> {
        let stored = |set: &SetName| format!("set `{set}` is in the store already");
        match (self.place(target), self.place(other)) {
            (Some(at), Some(related)) => {
                let what = format!("set `{}` publishes here", other.set);
                Some(Finding::error(code, at, message).related(related, what))
            }
            (Some(at), None) => Some(Finding::error(code, at, message).help(stored(other.set))),
            (None, Some(at)) => Some(Finding::error(code, at, message).help(stored(target.set))),
            // Neither is about to change.
            (None, None) => None,
        }
    }

    /// A finding at `target`, or if that comes from the store, at the first cluster that does not.
    fn against_cluster(
        &self,
        code: &'static str,
        target: Target<'a>,
        prefix: &Key,
        clash: &Clash<'_>,
        message: String,
    ) -> Option<Finding> {
        let cluster = clash.clusters.iter().find_map(|name| {
            let is_declared = self.world.clusters.get(name)?.standing.is_declared();
            is_declared.then(|| Spot::in_cluster(name, ["spec", "consul", "prefix"]))
        });
        let finding = match (self.place(target), cluster) {
            (Some(at), Some(cluster)) => Finding::error(code, at, message)
                .related(cluster, format!("`{prefix}` is ours here")),
            (Some(at), None) | (None, Some(at)) => Finding::error(code, at, message),
            (None, None) => return None,
        };
        Some(finding.help("publish somewhere else, or give the cluster another `prefix`"))
    }

    fn place(&self, target: Target<'_>) -> Option<Spot> {
        let view = self.world.sets.get(target.set)?;
        (view.standing.is_declared()).then(|| blame::publish(target.set, view.set, target.publish))
    }

    fn where_in(&self, target: Target<'_>, clash: &Clash<'_>) -> String {
        let start = self
            .renderings
            .partition_point(|rendering| rendering.name < target.set);
        let reach = self
            .renderings
            .get(start)
            .map_or(0, |rendering| rendering.reach);
        where_in(clash.clusters.iter().copied(), reach)
    }
}

/// The contexts below which every key is a property, and which targets they are for.
fn contexts<'a>(
    renderings: impl Iterator<Item = &'a Rendering<'a>>,
) -> BTreeMap<Prefix, BTreeSet<Target<'a>>> {
    let mut contexts: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for rendering in renderings {
        for (publish, target) in rendering.view.set.publish.iter().enumerate() {
            if let Publish::Spring {
                context,
                format: SpringFormat::KeyValue,
                ..
            } = target
            {
                let set = rendering.name;
                let owner = Target { set, publish };
                contexts.entry(context.below()).or_default().insert(owner);
            }
        }
    }
    contexts
}

/// `` `a/b` and 3 more keys ``.
fn several(keys: &BTreeSet<&Key>) -> String {
    match (keys.first(), keys.len()) {
        (Some(first), 1) => format!("`{first}`"),
        (Some(first), 2) => format!("`{first}` and 1 more key"),
        (Some(first), count) => format!("`{first}` and {} more keys", count - 1),
        (None, _) => "nothing".to_owned(),
    }
}
