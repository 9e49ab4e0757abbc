//! Pure: schema and rules. Returns every finding, worst first.
//!
//! A person who fixes files wants the whole list at once, so nothing here stops early; and every
//! finding points at the line that has to change.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::manifest::{Finding, Manifest, Severity, Span};
use crate::model::{Cluster, ClusterName, ConfigSet, SetName};

mod blame;
mod flags;
mod gathered;
mod keys;
mod layers;
mod near;
mod rendering;
mod schema;
mod size;
mod unpublished;

/// Every set and cluster that there will be once the manifests are applied.
#[derive(Clone, Debug, Default)]
pub struct World<'a> {
    /// The sets.
    pub sets: BTreeMap<&'a SetName, SetView<'a>>,
    /// The clusters.
    pub clusters: BTreeMap<&'a ClusterName, ClusterView<'a>>,
}

/// One set, and where it is declared.
#[derive(Clone, Copy, Debug)]
pub struct SetView<'a> {
    /// What it says.
    pub set: &'a ConfigSet,
    /// `None`: it comes from the store, was checked when it was committed, and only matters where
    /// it meets others.
    pub manifest: Option<&'a Manifest>,
}

/// One cluster, and where it is declared.
#[derive(Clone, Copy, Debug)]
pub struct ClusterView<'a> {
    /// What it says.
    pub cluster: &'a Cluster,
    /// `None`: it comes from the store.
    pub manifest: Option<&'a Manifest>,
}

/// Everything that is wrong with the manifests of `world`: errors first, then by file and line.
/// The same world gives the same findings in the same order.
pub fn check(world: &World<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let renderings = rendering::all(world);

    layers::check(world, &mut findings);
    flags::check(world, &mut findings);
    schema::check(&renderings, &mut findings);
    unpublished::check(&renderings, &mut findings);
    keys::check(world, &renderings, &mut findings);
    size::check(world, &renderings, &mut findings);

    findings.sort_by(|a, b| {
        let place = |finding: &Finding| (finding.at.is_none(), finding.at, finding.code);
        (Reverse(a.severity), place(a), &a.message).cmp(&(
            Reverse(b.severity),
            place(b),
            &b.message,
        ))
    });
    findings
}

/// A finding of this severity; label, related places and help are added where there are any.
fn finding(severity: Severity, code: &'static str, at: Span, message: String) -> Finding {
    Finding {
        severity,
        code,
        message,
        at: Some(at),
        label: None,
        related: Vec::new(),
        help: Vec::new(),
        concealed: None,
    }
}

fn error(code: &'static str, at: Span, message: String) -> Finding {
    finding(Severity::Error, code, at, message)
}

fn warning(code: &'static str, at: Span, message: String) -> Finding {
    finding(Severity::Warning, code, at, message)
}

#[cfg(test)]
mod tests;
