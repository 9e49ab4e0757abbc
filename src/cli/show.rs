//! `cfgctl show`.

use std::fmt::Write as _;

use super::connect::connect;
use super::failure::{Exit, Failure};
use super::names::NameAt;
use super::session::Session;
use super::view::{Canvas, View};
use super::views::table::{moment, planned, printable};
use crate::api::RevisionQuery;
use crate::api::report::{Report, RevisionReport};
use crate::model::ClusterName;
use crate::yaml;

/// Shows one revision of a set, a cluster or a grant, or what a cluster gets of a set
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// A set, `cluster/NAME` or `grant/NAME`, or one revision of it, as in `checkout@7`
    #[arg(value_name = "NAME[@VERSION]")]
    at: NameAt,

    /// Show the snapshot of the set for this cluster instead of the manifest
    #[arg(long, value_name = "NAME")]
    cluster: Option<ClusterName>,
}

pub(crate) async fn show(session: &Session, args: &ShowArgs) -> Result<Exit, Failure> {
    let connected = connect(session).await?;
    let query = RevisionQuery {
        name: args.at.name.clone(),
        version: args.at.version,
        cluster: args.cluster.clone(),
    };
    let found = connected.service.revision(&connected.by, &query).await?;
    session.ui.report(&found)?;
    Ok(Exit::Done)
}

impl View for RevisionReport {
    const KIND: &'static str = <Self as Report>::KIND;

    fn table(&self, _: Canvas) -> String {
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
