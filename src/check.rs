//! Pure: schema and rules. Returns every finding, worst first.
//!
//! A person who fixes files wants the whole list at once, so nothing here stops early; and every
//! finding points at what has to change. Contents are checked, and not files: a finding names a
//! resource and the way through its manifest, and `manifest` knows the lines.

use std::cmp::Reverse;

use crate::model::{Content, Heads, ResourceId};

mod blame;
mod finding;
mod flags;
mod gathered;
mod keys;
mod layers;
mod near;
mod rendering;
mod schema;
mod size;
mod unpublished;
mod world;

pub use finding::{Finding, Related, Severity, Side, Spot};
pub use world::{ClusterView, SetView, Standing, World};

/// Everything that is wrong with `declared`, together with what `heads` hold besides: errors first,
/// then by resource and place. The same contents give the same findings in the same order.
pub fn declared<'a>(
    declared: impl IntoIterator<Item = (&'a ResourceId, &'a Content)>,
    heads: &'a Heads,
) -> Vec<Finding> {
    check(&World::new(declared, heads))
}

/// Everything that is wrong with what is new in `world`; sorted as [`declared`] sorts it.
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
        let worst = |finding: &Finding| Reverse(finding.severity);
        (worst(a), &a.at, &a.code, &a.message).cmp(&(worst(b), &b.at, &b.code, &b.message))
    });
    findings
}

#[cfg(test)]
mod tests;
