//! `cfgctl get`.

use super::connect::connect;
use super::failure::{Exit, Failure};
use super::session::Session;
use super::view::{Canvas, Output, View};
use super::views::overrides::hold_line;
use super::views::table::{age, printable, table};
use crate::api::ResourcesQuery;
use crate::api::report::{Report, ResourceItem, Resources};
use crate::model::ResourceId;
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

pub(crate) async fn get(session: &Session, args: &GetArgs) -> Result<Exit, Failure> {
    let connected = connect(session).await?;
    let names = args.names.clone();
    let query = ResourcesQuery { names };
    let found = connected.service.resources(&connected.by, &query).await?;
    if session.ui.output == Output::Yaml && !args.names.is_empty() {
        let manifests = found.items.iter().filter_map(|item| item.manifest.as_ref());
        let documents: Vec<String> = manifests.map(yaml::to_log).collect();
        session.ui.print(&documents.join("---\n"))?;
        return Ok(Exit::Done);
    }
    if found.items.is_empty() {
        session.looked_in(&connected.service.location());
    }
    session.ui.report(&found)?;
    Ok(Exit::Done)
}

/// Where a set goes, or the labels of a cluster.
fn about(item: &ResourceItem) -> String {
    match (&item.clusters, &item.labels) {
        (Some(clusters), _) if clusters.is_empty() => "all clusters".to_owned(),
        (Some(clusters), _) => clusters.to_string(),
        (None, Some(labels)) => {
            let labels = labels.iter();
            let labels: Vec<_> = labels
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            labels.join(",")
        }
        (None, None) => String::new(),
    }
}

impl View for Resources {
    const KIND: &'static str = <Self as Report>::KIND;

    fn table(&self, look: Canvas) -> String {
        let rows = self.items.iter().map(|item| {
            [
                item.name.to_string(),
                item.version.to_string(),
                age(item.changed, look.now),
                printable(&item.actor),
                about(item),
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
        let overridden: String = self.overridden.iter().map(hold_line).collect();
        if overridden.is_empty() {
            text
        } else {
            format!("{text}\n{overridden}")
        }
    }

    fn names(&self) -> Vec<String> {
        let items = self.items.iter();
        items.map(|item| item.name.to_string()).collect()
    }
}
