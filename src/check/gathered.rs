//! The same fault in many clusters is one finding.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::finding::{Finding, Spot};
use super::rendering::Rendering;
use super::world::Standing;
use crate::model::{BreakerName, ClusterName};

/// Findings of one set. One place is shown once, however many clusters it spoils.
#[derive(Debug, Default)]
pub(super) struct Gathered<'a>(BTreeMap<Fault, Seen<'a>>);

/// Place, code and message: what makes two findings the same.
type Fault = (Spot, Cow<'static, str>, String);

#[derive(Debug)]
struct Seen<'a> {
    finding: Finding,
    clusters: BTreeSet<&'a ClusterName>,
}

impl<'a> Gathered<'a> {
    /// Adds what is found in `clusters` of a rendering.
    pub(super) fn add(
        &mut self,
        finding: Finding,
        rendering: &Rendering<'a>,
        clusters: &[&'a ClusterName],
    ) {
        let finding = at_home(finding, rendering, clusters);
        let key = (
            finding.at.clone(),
            finding.code.clone(),
            finding.message.clone(),
        );
        let seen = self.0.entry(key).or_insert_with(|| {
            let mut finding = finding;
            // What is so without any open breaker too was found then, and comes first.
            finding.message += &while_open(&rendering.open);
            Seen {
                finding,
                clusters: BTreeSet::new(),
            }
        });
        seen.clusters.extend(clusters);
    }

    /// The findings by place. Each says where it is so, if that is not in all `reach` clusters
    /// that get the set.
    pub(super) fn findings(self, reach: usize) -> impl ExactSizeIterator<Item = Finding> {
        self.0.into_values().map(move |seen| {
            let mut finding = seen.finding;
            finding.message += &where_in(seen.clusters, reach);
            finding
        })
    }
}

/// The same where it can be mended. What is wrong with a set of the store is so because a cluster
/// changes, and is said there.
pub(super) fn at_home(
    finding: Finding,
    rendering: &Rendering<'_>,
    clusters: &[&ClusterName],
) -> Finding {
    let Rendering { name, view, .. } = rendering;
    let (Standing::Stored, Some(cluster)) = (view.standing, clusters.first()) else {
        return finding;
    };
    let whole = format!("set `{name}`");
    let message = if finding.message.contains(&whole) {
        finding.message
    } else {
        format!("{whole}: {}", finding.message)
    };
    Finding {
        at: Spot::in_cluster(cluster, ["metadata", "name"]),
        message,
        related: Vec::new(),
        ..finding
    }
    .help(format!("{whole} is in the store already"))
}

/// ` while breaker x is open`; nothing if none is.
fn while_open(open: &[&BreakerName]) -> String {
    match open {
        [] => String::new(),
        [name] => format!(" while breaker `{name}` is open"),
        _ => " while all breakers are open".to_owned(),
    }
}

/// ` (in eu-west, eu-east and 3 more)`: where something is so. Nothing, if that is in all `reach`
/// clusters that it could be in.
pub(super) fn where_in<'a>(
    clusters: impl IntoIterator<Item = &'a ClusterName>,
    reach: usize,
) -> String {
    const SHOWN: usize = 3;
    let names: Vec<_> = clusters.into_iter().map(ClusterName::as_str).collect();
    if names.len() == reach {
        return String::new();
    }
    let shown = names[..names.len().min(SHOWN)].join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => format!(" (in {shown})"),
        more => format!(" (in {shown} and {more} more)"),
    }
}
