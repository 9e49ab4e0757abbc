//! `cfgctl cluster policy`.

use super::described::connected;
use crate::api::PolicyQuery;
use crate::api::report::{Policy, Report};
use crate::cli::declared::FileArgs;
use crate::cli::failure::{Exit, Failure};
use crate::cli::session::Session;
use crate::cli::view::{Canvas, View};
use crate::model::{ClusterName, SetName};

/// Which cluster, and for which sets.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct PolicyArgs {
    /// The cluster
    name: ClusterName,

    /// Only what this set needs, for a token of its own; may be given several times
    #[arg(long = "set", value_name = "SET")]
    sets: Vec<SetName>,

    #[command(flatten)]
    files: FileArgs,
}

pub(super) async fn policy(session: &Session, args: &PolicyArgs) -> Result<Exit, Failure> {
    let (connected, described) = connected(session, &args.files).await?;
    let query = PolicyQuery {
        cluster: args.name.clone(),
        sets: args.sets.clone(),
        described,
    };
    let found = connected.service.policy(&connected.by, &query).await?;
    session.ui.report(&found)?;
    Ok(Exit::Done)
}

impl View for Policy {
    const KIND: &'static str = <Self as Report>::KIND;

    fn table(&self, _: Canvas) -> String {
        self.hcl.clone()
    }

    fn names(&self) -> Vec<String> {
        self.rules.iter().map(|rule| rule.path.clone()).collect()
    }
}
