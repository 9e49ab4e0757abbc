//! Findings get the lines that they are about.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{Located, Manifest, Span};
use crate::check::{Finding, Side, Spot};
use crate::model::ResourceId;

/// What was found in the contents of `manifests`, with the lines that say it: errors first, then by
/// file and line. What is about another resource has no place.
pub fn locate(findings: Vec<Finding>, manifests: &[Manifest]) -> Vec<Located> {
    let manifests: BTreeMap<&ResourceId, &Manifest> = manifests
        .iter()
        .map(|manifest| (&manifest.id, manifest))
        .collect();
    let of = |spot: &Spot| manifests.get(&spot.resource)?.span(spot);
    let mut located: Vec<_> = findings
        .into_iter()
        .map(|finding| {
            let related = finding.related.into_iter();
            Located {
                severity: finding.severity,
                code: finding.code,
                message: finding.message,
                at: of(&finding.at),
                label: finding.label,
                related: related
                    .filter(|related| is_written(&related.at, &manifests))
                    .filter_map(|related| Some((of(&related.at)?, related.what)))
                    .collect(),
                help: finding.help,
                concealed: None,
            }
        })
        .collect();
    located.sort_by(|a, b| {
        let place =
            |finding: &Located| (Reverse(finding.severity), finding.at.is_none(), finding.at);
        (place(a), &a.code, &a.message).cmp(&(place(b), &b.code, &b.message))
    });
    located
}

impl Manifest {
    fn span(&self, spot: &Spot) -> Option<Span> {
        let path = spot.path.iter().map(String::as_str);
        match spot.side {
            Side::Key => Some(self.places.key(path)),
            Side::Value => Some(self.places.value(path)),
            // Only a schema can stand in a file of its own.
            Side::File => self.schema_file.map(|source| Span {
                source,
                line: 1,
                column: 1,
                start: 0,
                end: 0,
            }),
        }
    }
}

/// Whether there is a line for a part of a schema: none of one that stands in a file of its own.
fn is_written(spot: &Spot, manifests: &BTreeMap<&ResourceId, &Manifest>) -> bool {
    const SCHEMA: [&str; 2] = ["spec", "schema"];
    let is_part = spot.side == Side::Key && spot.path.starts_with(&SCHEMA.map(str::to_owned));
    let Some(manifest) = manifests.get(&spot.resource).filter(|_| is_part) else {
        return true;
    };
    let path = spot.path.iter().map(String::as_str);
    manifest.places.key(path) != manifest.places.key(SCHEMA)
}
