use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::*;
use crate::manifest::{Located, Manifest, locate};
use crate::model::{Cause, Origin, Overrides, Revision, Version};
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

/// Everything that is found in `declared`, with what is in the store already.
fn checked(declared: &[Manifest], stored: &[Manifest]) -> Vec<Located> {
    let heads: Heads = stored.iter().map(head).collect();
    let contents = declared
        .iter()
        .map(|manifest| (&manifest.id, &manifest.content));
    locate(super::declared(contents, &heads), declared)
}

/// The revision that committed a manifest.
fn head(manifest: &Manifest) -> (ResourceId, Revision) {
    let revision = Revision {
        version: Version::FIRST,
        content: manifest.content.clone(),
        overrides: Overrides::default(),
        origin: Origin {
            actor: "ops@laptop".to_owned(),
            at: "2026-11-21T02:14:00Z".parse().unwrap(),
            cause: Cause::Apply,
            message: None,
            consents: BTreeSet::new(),
            planned: None,
        },
        provenance: None,
    };
    (manifest.id.clone(), revision)
}

/// Findings as text: `LINE:COLUMN code: message`, then everything else about them, indented.
fn shown(findings: &[Located]) -> String {
    let mut text = String::new();
    for finding in findings {
        let severity = match finding.severity {
            Severity::Error => "",
            Severity::Warning => "warning ",
        };
        let at = finding.at.unwrap();
        let Located { code, message, .. } = finding;
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
    shown(&checked(&fixture(yaml), &fixture(CLUSTERS)))
}

/// The same where the store has these sets too.
fn found_beside(yaml: &str, stored: &str) -> String {
    let stored = format!("{CLUSTERS}---\n{stored}");
    shown(&checked(&fixture(yaml), &fixture(&stored)))
}
