//! `cfgctl get`.

use serde::Serialize;
use serde_json::Value;

use super::declared::clusters;
use super::failure::{Exit, Failure};
use super::names::known;
use super::session::Session;
use super::ui::{Look, Output, Report};
use super::views::overrides::HoldView;
use super::views::table::{age, printable, table};
use crate::manifest::manifest_of;
use crate::model::{Content, Heads, ResourceId, Revision, Version};
use crate::plan;
use crate::store::Which;
use crate::yaml;

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
    /// What is switched by hand in any of them.
    overridden: Vec<HoldView>,
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
    let heads = store.heads(&Which::All).await?.heads;
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
            .map(|manifest| yaml::to_log(&manifest))
            .collect();
        session.ui.print(&documents.join("---\n"))?;
        return Ok(Exit::Done);
    }
    if chosen.is_empty() {
        session.looked_in(store.as_ref());
    }
    let overridden = overridden(&heads, &chosen);
    session.ui.report(&Resources {
        overridden,
        items: chosen
            .into_iter()
            .map(|(id, head)| ResourceItem::new(id, head))
            .collect(),
    })?;
    Ok(Exit::Done)
}

/// What is switched by hand in these sets.
fn overridden(heads: &Heads, chosen: &[(&ResourceId, &Revision)]) -> Vec<HoldView> {
    let clusters = clusters(heads);
    let sets = chosen.iter().filter_map(|(id, head)| match id {
        ResourceId::Set(name) => Some((name, head.content.set()?, &head.overrides)),
        ResourceId::Cluster(_) => None,
    });
    HoldView::gathered(sets.flat_map(|(name, set, overrides)| {
        let here = clusters.iter();
        let here = here.filter(|(_, cluster)| set.clusters.matches(&cluster.labels));
        here.flat_map(move |(cluster, place)| {
            let holds = plan::holds(set, overrides, &place.labels);
            holds.into_iter().map(move |hold| (name, *cluster, hold))
        })
    }))
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
            return "the store is empty; `cfgctl apply -f` fills it\n".to_owned();
        }
        let overridden: String = self.overridden.iter().map(HoldView::line).collect();
        if overridden.is_empty() {
            text
        } else {
            format!("{text}\n{overridden}")
        }
    }

    fn names(&self) -> Vec<String> {
        self.items.iter().map(|item| item.name.clone()).collect()
    }
}
