//! `cfgctl get`.

use serde::Serialize;
use serde_json::Value;

use super::failure::{Exit, Failure};
use super::names::known;
use super::session::Session;
use super::ui::{Look, Output, Report};
use super::views::table::{age, printable, table};
use crate::manifest::{manifest_of, yaml};
use crate::model::{Content, ResourceId, Revision, Version};

/// Lists what the store holds, or shows resources as manifests
///
/// `-o yaml` of one resource is a manifest which, applied again, changes nothing.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct GetArgs {
    /// Sets, or `cluster/NAME`; left out: everything
    #[arg(value_name = "NAME")]
    names: Vec<ResourceId>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Resources {
    items: Vec<ResourceItem>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceItem {
    name: String,
    version: Version,
    changed: jiff::Timestamp,
    actor: String,
    manifest: Option<Value>,
    #[serde(skip)]
    about: String,
}

pub(crate) async fn get(session: &Session, args: &GetArgs) -> Result<Exit, Failure> {
    let store = session.store().await?;
    let heads = store.heads().await?;
    let mut chosen: Vec<(&ResourceId, &Revision)> = Vec::new();
    for id in &args.names {
        let head = known(&heads, id)?;
        if head.content == Content::Deleted {
            return Err(Failure::usage(format!("{id} was deleted"))
                .hint(format!("`cfgctl history {id}` shows what it was")));
        }
        chosen.push((id, head));
    }
    if args.names.is_empty() {
        let living = heads
            .iter()
            .filter(|(_, head)| head.content != Content::Deleted);
        chosen.extend(living);
    }
    if session.ui.output == Output::Yaml && !args.names.is_empty() {
        let documents: Vec<String> = chosen
            .iter()
            .filter_map(|(id, head)| manifest_of(id, &head.content))
            .map(|manifest| yaml::to_string(&manifest))
            .collect();
        session.ui.print(&documents.join("---\n"))?;
        return Ok(Exit::Done);
    }
    session.ui.report(&Resources {
        items: chosen
            .into_iter()
            .map(|(id, head)| ResourceItem::new(id, head))
            .collect(),
    })?;
    Ok(Exit::Done)
}

impl ResourceItem {
    fn new(id: &ResourceId, head: &Revision) -> Self {
        let about = match &head.content {
            Content::Set(set) if set.clusters.is_empty() => "all clusters".to_owned(),
            Content::Set(set) => set.clusters.to_string(),
            Content::Cluster(cluster) => {
                let labels = cluster.labels.iter();
                let labels: Vec<_> = labels
                    .map(|(key, value)| format!("{key}={value}"))
                    .collect();
                labels.join(",")
            }
            Content::Deleted => String::new(),
        };
        Self {
            name: id.to_string(),
            version: head.version,
            changed: head.origin.at,
            actor: head.origin.actor.clone(),
            manifest: manifest_of(id, &head.content),
            about,
        }
    }
}

impl Report for Resources {
    const KIND: &'static str = "Resources";

    fn table(&self, look: Look) -> String {
        let rows = self.items.iter().map(|item| {
            [
                item.name.clone(),
                item.version.to_string(),
                age(item.changed, look.now),
                printable(&item.actor),
                item.about.clone(),
            ]
        });
        let text = table(
            look,
            ["NAME", "VERSION", "AGE", "BY", "LABELS / CLUSTERS"],
            rows,
        );
        if text.is_empty() {
            "the store is empty; `cfgctl apply -f` fills it\n".to_owned()
        } else {
            text
        }
    }

    fn names(&self) -> Vec<String> {
        self.items.iter().map(|item| item.name.clone()).collect()
    }
}
