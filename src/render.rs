//! Pure: one revision for one cluster becomes its snapshot.
//!
//! Nothing here reads anything but its arguments: the same revision and the same cluster give the
//! same bytes on every machine, which is what makes a digest worth comparing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use crate::model::value::{self, Map, Path};
use crate::model::{
    ClusterName, ConfigSet, Contents, Key, Labels, Origin, Overrides, Place, Publish, SetName,
    Snapshot, SpringFormat, Version,
};
use crate::yaml;

mod contents;
mod flagd;
mod flat;
mod properties;

pub use contents::contents;
pub(crate) use contents::{Variation, layered};
pub(crate) use flagd::file as flag_file;
pub(crate) use flat::properties as spring_properties;

/// The one key below a context that Spring reads whole documents from.
const SPRING_DATA_KEY: &str = "data";

/// Values that a publish target cannot hold as its readers would read them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// A key of a map cannot become a part of a key or of a property name.
    #[error("`{}` cannot be part of a published key: {reason}", .segment.escape_debug())]
    Segment {
        /// Which of the set's publish targets.
        publish: usize,
        /// The value whose own key it is; list items count from 0.
        path: Path,
        /// The key.
        segment: String,
        /// The rule that is broken, a clause without a period.
        reason: &'static str,
    },
    /// The whole key of a value breaks a rule, though none of its segments does.
    #[error("a published key would have {bytes} bytes: {reason}")]
    KeyTooLong {
        /// Which of the set's publish targets.
        publish: usize,
        /// The value.
        path: Path,
        /// How long the key would be.
        bytes: usize,
        /// The rule that is broken, a clause without a period.
        reason: &'static str,
    },
    /// Two values would be one property; the application would see only one of them.
    #[error("`{path}` and `{other}` are both the property `{name}`")]
    SameProperty {
        /// Which of the set's publish targets.
        publish: usize,
        /// The later value.
        path: Path,
        /// The value that has the name already.
        other: Path,
        /// The name, as the application reads it.
        name: String,
    },
    /// Two publish targets of the set write the same key.
    #[error("two publish targets write the key `{key}`")]
    SameKey {
        /// The later publish target.
        publish: usize,
        /// The publish target that writes the key already.
        other: usize,
        /// The value that the later target writes there; empty for a whole document.
        path: Path,
        /// The key.
        key: Key,
    },
}

impl RenderError {
    /// The value that cannot be published; empty for the whole document.
    pub fn path(&self) -> &Path {
        match self {
            Self::Segment { path, .. }
            | Self::KeyTooLong { path, .. }
            | Self::SameProperty { path, .. }
            | Self::SameKey { path, .. } => path,
        }
    }

    /// Which of the set's publish targets cannot take it.
    pub fn publish(&self) -> usize {
        match self {
            Self::Segment { publish, .. }
            | Self::KeyTooLong { publish, .. }
            | Self::SameProperty { publish, .. }
            | Self::SameKey { publish, .. } => *publish,
        }
    }
}

/// What one cluster gets of one revision of the set `name`: what `set` and `overrides` say where
/// `labels` are, sealed with `version` and `origin`. Whether the set goes to this cluster is not
/// asked here.
pub fn snapshot(
    name: &SetName,
    set: &ConfigSet,
    overrides: &Overrides,
    version: Version,
    origin: &Origin,
    cluster_name: &ClusterName,
    labels: &Labels,
) -> Result<Snapshot, Vec<RenderError>> {
    let contents = Arc::new(contents(set, overrides, labels));
    let entries = Arc::new(entries(&set.publish, &contents)?);
    let set = (name, set);
    let cluster = cluster_name;
    Ok(sealed(set, version, origin, cluster, contents, entries))
}

/// The same of what is rendered already.
pub(crate) fn sealed(
    (name, set): (&SetName, &ConfigSet),
    version: Version,
    origin: &Origin,
    cluster: &ClusterName,
    contents: Arc<Contents>,
    entries: Arc<BTreeMap<Key, Vec<u8>>>,
) -> Snapshot {
    let (name, cluster) = (name.clone(), cluster.clone());
    let loose = loose(&set.publish);
    Snapshot::seal(name, cluster, version, origin, contents, entries, loose)
}

/// Below which keys may be delivered in batches. Where a publish target that must change at once
/// lies below one that need not, its word counts for both.
pub(crate) fn loose(publish: &[Publish]) -> BTreeSet<Key> {
    let places = publish.iter().map(|publish| match publish {
        Publish::Spring {
            context, atomic, ..
        } => (context, *atomic),
        Publish::Keys { prefix, atomic } => (prefix, *atomic),
        Publish::Flagd { key } => (key, true),
    });
    let (atomic, loose): (Vec<_>, Vec<_>) = places.partition(|(_, atomic)| *atomic);
    let overlaps = |a: &Key, b: &Key| a == b || a.below().contains(b) || b.below().contains(a);
    loose
        .into_iter()
        .map(|(loose, _)| loose)
        .filter(|loose| !atomic.iter().any(|(atomic, _)| overlaps(atomic, loose)))
        .cloned()
        .collect()
}

/// Every key that `publish` asks for, with its bytes; or all the reasons why there is no such
/// answer.
pub fn entries(
    publish: &[Publish],
    contents: &Contents,
) -> Result<BTreeMap<Key, Vec<u8>>, Vec<RenderError>> {
    let Rendered { entries, errors } = rendered(publish, contents);
    if errors.is_empty() {
        Ok(entries
            .into_iter()
            .map(|(key, entry)| (key, entry.bytes))
            .collect())
    } else {
        Err(errors)
    }
}

/// Where to look for the set `name`: the exact keys that it writes whatever its values are, and
/// the prefixes that its other keys lie below. Keys that cannot exist are left out; [`entries`]
/// refuses them.
pub fn place(name: &SetName, set: &ConfigSet) -> Place {
    let mut place = Place {
        set: name.clone(),
        keys: BTreeSet::new(),
        prefixes: BTreeSet::new(),
    };
    for publish in &set.publish {
        match publish {
            Publish::Spring {
                context,
                format: SpringFormat::Yaml | SpringFormat::Properties,
                ..
            } => place.keys.extend(context.join(SPRING_DATA_KEY)),
            Publish::Spring {
                context,
                format: SpringFormat::KeyValue,
                ..
            } => {
                place.prefixes.insert(context.below());
            }
            Publish::Keys { prefix, .. } => {
                place.prefixes.insert(prefix.below());
            }
            Publish::Flagd { key } => {
                place.keys.insert(key.clone());
            }
        }
    }
    place
}

/// One key beside the snapshot key, and why it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Which of the set's publish targets asks for it.
    pub(crate) publish: usize,
    /// The value that lies there; empty for a whole document.
    pub(crate) path: Path,
    /// The bytes.
    pub(crate) bytes: Vec<u8>,
}

/// What can be published, and what cannot.
#[derive(Debug, Default)]
pub(crate) struct Rendered {
    pub(crate) entries: BTreeMap<Key, Entry>,
    pub(crate) errors: Vec<RenderError>,
}

/// As [`entries`], but keeps what there is besides the errors.
pub(crate) fn rendered(publish: &[Publish], contents: &Contents) -> Rendered {
    let mut rendered = Rendered::default();
    let values = contents.published();
    for (index, target) in publish.iter().enumerate() {
        match target {
            Publish::Spring {
                context, format, ..
            } => {
                rendered.spring(index, context, *format, &values);
            }
            Publish::Keys { prefix, .. } => rendered.leaves(index, prefix, &values),
            Publish::Flagd { key } => {
                let file = flagd::file(&contents.flags);
                rendered.put(index, key.clone(), Path::default(), file);
            }
        }
    }
    rendered
}

impl Rendered {
    /// The values as Spring Cloud Consul reads them below `context`.
    fn spring(&mut self, publish: usize, context: &Key, format: SpringFormat, values: &Map) {
        let rule = match format {
            SpringFormat::KeyValue => check_segment,
            SpringFormat::Yaml | SpringFormat::Properties => flat::check_name,
        };
        let flat = flat::flatten(values, rule);
        for (path, reason) in flat.refused {
            self.refuse_segment(publish, path, reason);
        }
        for (path, other, name) in flat.doubled {
            self.errors.push(RenderError::SameProperty {
                publish,
                path,
                other,
                name,
            });
        }
        let document = match format {
            SpringFormat::KeyValue => {
                for property in flat.properties {
                    let bytes = property.text().into_bytes();
                    self.put_below(publish, context, &property.key(), property.path(), bytes);
                }
                return;
            }
            SpringFormat::Yaml => yaml::to_string(&Value::Object(values.clone())),
            SpringFormat::Properties => properties::to_string(&flat.properties),
        };
        let bytes = document.into_bytes();
        self.put_below(publish, context, SPRING_DATA_KEY, Path::default(), bytes);
    }

    /// One key per leaf below `prefix`.
    fn leaves(&mut self, publish: usize, prefix: &Key, values: &Map) {
        // A bad key of a map is refused once, not once for each leaf below it.
        let mut refused = BTreeMap::new();
        for (path, value) in value::leaves(values) {
            let segments = path.segments();
            let bad = (segments.iter().enumerate())
                .find_map(|(depth, segment)| Some((depth, check_segment(segment)?)));
            if let Some((depth, reason)) = bad {
                refused.insert(segments[..=depth].iter().collect::<Path>(), reason);
                continue;
            }
            let below = segments.join("/");
            let bytes = match value {
                Value::Null => Vec::new(),
                Value::String(text) => text.clone().into_bytes(),
                _ => value::canonical(value),
            };
            self.put_below(publish, prefix, &below, path, bytes);
        }
        for (path, reason) in refused {
            self.refuse_segment(publish, path, reason);
        }
    }

    fn put_below(&mut self, publish: usize, above: &Key, below: &str, path: Path, bytes: Vec<u8>) {
        match above.join(below) {
            Ok(key) => self.put(publish, key, path, bytes),
            // Every segment was checked, so this is about the key as a whole.
            Err(error) => self.errors.push(RenderError::KeyTooLong {
                publish,
                path,
                bytes: above.as_str().len() + 1 + below.len(),
                reason: error.reason,
            }),
        }
    }

    fn put(&mut self, publish: usize, key: Key, path: Path, bytes: Vec<u8>) {
        if let Some(first) = self.entries.get(&key) {
            self.errors.push(RenderError::SameKey {
                publish,
                other: first.publish,
                path,
                key,
            });
            return;
        }
        let entry = Entry {
            publish,
            path,
            bytes,
        };
        self.entries.insert(key, entry);
    }

    fn refuse_segment(&mut self, publish: usize, path: Path, reason: &'static str) {
        self.errors.push(RenderError::Segment {
            publish,
            segment: path.segments().last().cloned().unwrap_or_default(),
            path,
            reason,
        });
    }
}

/// Why a key of a map cannot be a segment of a key, if it cannot.
fn check_segment(segment: &str) -> Option<&'static str> {
    match segment {
        "" => Some("it is empty"),
        "." | ".." => Some("Consul takes `.` and `..` for steps in a path"),
        _ if segment.contains('/') => Some("it has a slash"),
        _ if segment.contains(char::is_control) => Some("it has a control character"),
        _ if segment.trim() != segment => Some("it starts or ends with a space"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
