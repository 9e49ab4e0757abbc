//! Values that a publish target cannot hold.

use super::blame::Blame;
use super::finding::Finding;
use super::gathered::Gathered;
use super::rendering::Rendering;
use crate::render::RenderError;

pub(super) fn check(renderings: &[Rendering<'_>], findings: &mut Vec<Finding>) {
    for of_one_set in renderings.chunk_by(|a, b| a.name == b.name) {
        let mut found = Gathered::default();
        for rendering in of_one_set {
            let Some(blame) = Blame::of(rendering) else {
                continue;
            };
            for refused in &rendering.rendered.errors {
                if let Some(finding) = refusal(refused, blame) {
                    found.add(finding, rendering, &rendering.new);
                }
            }
        }
        let reach = of_one_set.first().map_or(0, |rendering| rendering.reach);
        findings.extend(found.findings(reach));
    }
}

fn refusal(refused: &RenderError, blame: Blame<'_>) -> Option<Finding> {
    let target = blame.publish(refused.publish());
    let (code, at) = match refused {
        RenderError::Segment { path, .. } => ("key-unusable", blame.key(path)),
        RenderError::KeyTooLong { path, .. } if path.segments().is_empty() => {
            ("key-too-long", target.clone())
        }
        RenderError::KeyTooLong { path, .. } => ("key-too-long", blame.key(path)),
        RenderError::SameProperty { path, .. } => ("property-twice", blame.key(path)),
        // Shown with all other keys that are written twice.
        RenderError::SameKey { .. } => return None,
    };
    let mut finding = Finding::error(code, at, refused.to_string());
    if let RenderError::SameProperty { other, .. } = refused {
        finding = finding.related(blame.key(other), "the other value");
    }
    if finding.at != target {
        finding = finding.related(target, "published here");
    }
    Some(finding.help(match refused {
        RenderError::SameProperty { .. } => "give one of the two another name",
        _ => "rename the key, or publish it in another way",
    }))
}
