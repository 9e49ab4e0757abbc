//! Values that a publish target cannot hold.

use std::collections::BTreeMap;

use super::blame::Blame;
use super::error;
use super::rendering::{Rendering, where_in};
use crate::manifest::Finding;
use crate::render::RenderError;

pub(super) fn check(renderings: &[Rendering<'_>], findings: &mut Vec<Finding>) {
    for of_one_set in renderings.chunk_by(|a, b| a.name == b.name) {
        // One line is shown once, however many clusters it spoils.
        let mut found = BTreeMap::new();
        for rendering in of_one_set {
            let Some(blame) = Blame::of(rendering) else {
                continue;
            };
            for finding in (rendering.rendered.errors.iter()).filter_map(|e| refusal(e, blame)) {
                let key = (finding.at, finding.code, finding.message.clone());
                let (_, clusters) = found.entry(key).or_insert((finding, Vec::new()));
                clusters.extend(rendering.clusters.iter().copied());
            }
        }
        let reach = of_one_set.first().map_or(0, |rendering| rendering.reach);
        findings.extend(found.into_values().map(|(mut finding, clusters)| {
            finding.message += &where_in(clusters, reach);
            finding
        }));
    }
}

fn refusal(refused: &RenderError, blame: Blame<'_>) -> Option<Finding> {
    let target = blame.publish(refused.publish());
    let (code, at) = match refused {
        RenderError::Segment { path, .. } => ("key-unusable", blame.key(path)),
        RenderError::KeyTooLong { path, .. } if path.segments().is_empty() => {
            ("key-too-long", target)
        }
        RenderError::KeyTooLong { path, .. } => ("key-too-long", blame.key(path)),
        RenderError::SameProperty { path, .. } => ("property-twice", blame.key(path)),
        // Shown with all other keys that are written twice.
        RenderError::SameKey { .. } => return None,
    };
    let mut finding = error(code, at, refused.to_string());
    if let RenderError::SameProperty { other, .. } = refused {
        let other = (blame.key(other), "the other value".to_owned());
        finding.related.push(other);
    }
    if at != target {
        finding.related.push((target, "published here".to_owned()));
    }
    Some(finding)
}
