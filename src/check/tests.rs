use std::fmt::Write as _;

use super::*;
use crate::manifest::Severity;
use crate::model::{Content, ResourceId};
use fixture::fixture;

mod fixture;
mod flags;
mod keys;
mod layers;
mod schema;
mod size;

/// Four clusters, one of them a directory.
const CLUSTERS: &str = "\
kind: Cluster
metadata: {name: eu-west, labels: {region: eu, stage: prod}}
spec: {consul: {prefix: cfgctl}}
---
kind: Cluster
metadata: {name: eu-dev, labels: {region: eu, stage: dev}}
spec: {consul: {prefix: cfgctl}}
---
kind: Cluster
metadata: {name: us-east, labels: {region: us, stage: prod}}
spec: {consul: {prefix: ops/cfgctl}}
---
kind: Cluster
metadata: {name: laptop, labels: {region: home, stage: dev}}
spec: {directory: {path: /tmp/out}}
";

/// The world of `declared`, with what is in the store already.
fn world<'a>(declared: &'a [Manifest], stored: &'a [Manifest]) -> World<'a> {
    let mut world = World::default();
    let both = (stored.iter().map(|manifest| (manifest, None)))
        .chain(declared.iter().map(|manifest| (manifest, Some(manifest))));
    for (resource, manifest) in both {
        match (&resource.id, &resource.content) {
            (ResourceId::Set(name), Content::Set(set)) => {
                world.sets.insert(name, SetView { set, manifest });
            }
            (ResourceId::Cluster(name), Content::Cluster(cluster)) => {
                world
                    .clusters
                    .insert(name, ClusterView { cluster, manifest });
            }
            other => panic!("{other:?}"),
        }
    }
    world
}

/// Findings as text: `LINE:COLUMN code: message`, then everything else about them, indented.
fn shown(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let severity = match finding.severity {
            Severity::Error => "",
            Severity::Warning => "warning ",
        };
        let at = finding.at.unwrap();
        let Finding { code, message, .. } = finding;
        writeln!(
            text,
            "{}:{} {severity}{code}: {message}",
            at.line, at.column
        )
        .unwrap();
        if let Some(label) = &finding.label {
            writeln!(text, "  label: {label}").unwrap();
        }
        for (span, what) in &finding.related {
            writeln!(text, "  {}:{} {what}", span.line, span.column).unwrap();
        }
        for help in &finding.help {
            writeln!(text, "  help: {help}").unwrap();
        }
    }
    text
}

/// What is found in `yaml`, where the clusters are in the store already.
fn found(yaml: &str) -> String {
    shown(&check(&world(&fixture(yaml), &fixture(CLUSTERS))))
}

/// The same where the store has these sets too.
fn found_beside(yaml: &str, stored: &str) -> String {
    let stored = format!("{CLUSTERS}---\n{stored}");
    shown(&check(&world(&fixture(yaml), &fixture(&stored))))
}
