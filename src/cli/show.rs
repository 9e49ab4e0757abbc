//! `cfgctl show`.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

use super::failure::{Exit, Failure};
use super::names::{SetAt, around, known, known_set, revision};
use super::session::Session;
use super::ui::{Look, Report};
use super::views::table::{moment, planned, printable};
use crate::manifest::manifest_of;
use crate::model::{ClusterName, Content, Document, Origin, ResourceId, Version};
use crate::render;
use crate::yaml;

/// Shows one revision of a set, or what a cluster gets of it
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// The set, or one revision of it, as in `checkout@7`
    #[arg(value_name = "SET[@VERSION]")]
    at: SetAt,

    /// Show the snapshot for this cluster instead of the manifest
    #[arg(long, value_name = "NAME")]
    cluster: Option<ClusterName>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    name: String,
    version: Version,
    origin: Origin,
    deleted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot: Option<Document>,
}

pub(crate) async fn show(session: &Session, args: &ShowArgs) -> Result<Exit, Failure> {
    let store = session.store().await?;
    let heads = around(store.as_ref(), [&args.at.set]).await?;
    let id = known_set(&heads, &args.at.set)?;
    let revision = match args.at.version {
        Some(version) => revision(store.as_ref(), &id, version).await?,
        None => known(&heads, &id)?.clone(),
    };
    let snapshot = match (&args.cluster, revision.content.set()) {
        (Some(name), Some(set)) => {
            let cluster_id = ResourceId::Cluster(name.clone());
            let cluster = known(&heads, &cluster_id)?.content.cluster();
            let cluster =
                cluster.ok_or_else(|| Failure::usage(format!("{cluster_id} was deleted")))?;
            if !set.clusters.matches(&cluster.labels) {
                return Err(Failure::usage(format!(
                    "{}@{} does not go to {name}: its clusters are `{}`",
                    args.at.set, revision.version, set.clusters
                )));
            }
            let rendered = render::snapshot(
                &args.at.set,
                set,
                &revision.overrides,
                revision.version,
                &revision.origin,
                name,
                &cluster.labels,
            );
            let snapshot = rendered.map_err(|errors| crate::plan::PlanError::Render {
                set: args.at.set.clone(),
                cluster: name.clone(),
                errors,
            })?;
            Some(snapshot.document)
        }
        _ => None,
    };
    let deleted = revision.content == Content::Deleted;
    session.ui.report(&Shown {
        name: id.to_string(),
        version: revision.version,
        origin: revision.origin,
        deleted,
        manifest: manifest_of(&id, &revision.content).filter(|_| snapshot.is_none()),
        snapshot,
    })?;
    Ok(Exit::Done)
}

impl Report for Shown {
    const KIND: &'static str = "Revision";

    fn table(&self, _: Look) -> String {
        let mut text = format!(
            "# {}@{}: {} by {}, {}\n",
            self.name,
            self.version,
            moment(self.origin.at),
            printable(&self.origin.actor),
            printable(&self.origin.cause.to_string())
        );
        if self.origin.planned.is_some() {
            _ = writeln!(text, "# planned {}", planned(&self.origin));
        }
        for line in self
            .origin
            .message
            .iter()
            .flat_map(|message| message.lines())
        {
            _ = writeln!(text, "# {}", printable(line));
        }
        if self.deleted {
            text.push_str("# deleted\n");
        }
        if let Some(manifest) = &self.manifest {
            text.push_str(&yaml::to_log(manifest));
        }
        if let Some(snapshot) = &self.snapshot {
            text.push_str(&yaml::to_log(&snapshot.to_json().into()));
        }
        text
    }

    fn names(&self) -> Vec<String> {
        vec![format!("{}@{}", self.name, self.version)]
    }
}
