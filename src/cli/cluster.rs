//! `cfgctl cluster`.

use std::sync::Arc;

use super::clocks::tell_of_clocks;
use super::connect::{self, Connected};
use super::declared::FileArgs;
use super::failure::{Exit, Failure};
use super::session::{ReachArgs, Session};
use super::view::{Canvas, View};
use super::views::table::{printable, table};
use crate::api::report::{ClusterCheck, ClusterState, Clusters, Fitness, Report};
use crate::api::{CheckQuery, Event, Observer};
use crate::model::ClusterName;

mod described;
mod login;
mod policy;

/// Clusters: what there is, and whether they are fit for use
#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum ClusterCommand {
    /// List the clusters that the store knows
    List,
    /// Check that clusters answer, and say what one write can carry
    ///
    /// Ends with 6 where the token may not write every set that goes there, with 7 where one does
    /// not answer, and with 2 where the connection is described wrongly.
    Check(CheckArgs),
    /// Keep the token of a cluster in the keyring of the operating system
    ///
    /// The token is used when neither the manifest nor the environment names one: the manifest's
    /// `token` comes first, then `CONSUL_HTTP_TOKEN_FILE`, `CONSUL_HTTP_TOKEN`, and the keyring. It
    /// belongs to the name and the address of the cluster, whichever store says them, and is
    /// never sent to another address.
    Login(login::LoginArgs),
    /// Forget the token that `login` kept, whatever the address of the cluster was
    Logout(login::LogoutArgs),
    /// Print the least ACL policy with which a cluster can be used
    ///
    /// The rules follow from the sets: what is published, and where. Tokens with this policy can
    /// do all that cfgctl does in that cluster, and nothing else.
    Policy(policy::PolicyArgs),
}

/// Which clusters to check.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// The clusters; left out: all
    #[arg(value_name = "NAME")]
    names: Vec<ClusterName>,

    /// Check the clusters of files instead of those of the store
    #[command(flatten)]
    files: FileArgs,

    #[command(flatten)]
    reach: ReachArgs,
}

pub(crate) async fn cluster(session: &Session, command: &ClusterCommand) -> Result<Exit, Failure> {
    match command {
        ClusterCommand::List => list(session).await,
        ClusterCommand::Check(args) => check(session, args).await,
        ClusterCommand::Login(args) => login::login(session, args).await,
        ClusterCommand::Logout(args) => login::logout(session, args).await,
        ClusterCommand::Policy(args) => policy::policy(session, args).await,
    }
}

async fn list(session: &Session) -> Result<Exit, Failure> {
    let connected = connect::connect(session).await?;
    let found = connected.service.clusters(&connected.by).await?;
    if found.items.is_empty() {
        session.looked_in(&connected.service.location());
    }
    session.ui.report(&found)?;
    Ok(Exit::Done)
}

async fn check(session: &Session, args: &CheckArgs) -> Result<Exit, Failure> {
    let (connected, described) = described::connected(session, &args.files).await?;
    let query = CheckQuery {
        names: args.names.iter().cloned().collect(),
        clusters: args.reach.clusters.clone(),
        described,
        pace: args.reach.pace(),
    };
    let ui = Arc::clone(&session.ui);
    let hear = move |event| {
        if let Event::Clocks(clocks) = event {
            tell_of_clocks(&ui, &clocks);
        }
    };
    // A signal ends the process at once: nothing is changed that would have to be finished.
    let seen = Observer::new(Arc::new(hear), Observer::nobody().stop());
    let Connected { service, by } = connected;
    let found = service.check_clusters(&by, &query, &seen).await?;
    session.ui.report(&found)?;
    Ok(exit(&found))
}

/// What a check ends with. Which of several failures decides must not depend on who answered first.
fn exit(found: &ClusterCheck) -> Exit {
    let exit = |cluster: &ClusterState| match (cluster.error_kind, cluster.state) {
        (Some(kind), _) => Exit::from(kind),
        (None, Fitness::Ok) => Exit::Done,
        (None, Fitness::Partial | Fitness::ReadOnly | Fitness::Denied) => Exit::Denied,
        (None, Fitness::Failed) => Exit::Unavailable,
    };
    let exits = found.clusters.iter().map(exit);
    exits.max_by_key(|exit| *exit as u8).unwrap_or(Exit::Done)
}

fn fitness(state: Fitness) -> &'static str {
    match state {
        Fitness::Ok => "ok",
        Fitness::Partial => "partial",
        Fitness::ReadOnly => "read only",
        Fitness::Denied => "denied",
        Fitness::Failed => "failed",
    }
}

impl View for Clusters {
    const KIND: &'static str = <Self as Report>::KIND;

    fn table(&self, look: Canvas) -> String {
        let rows = self.items.iter().map(|item| {
            let labels = item.labels.iter();
            let labels: Vec<_> = labels
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            [
                item.name.to_string(),
                printable(&item.target),
                labels.join(","),
            ]
        });
        let text = table(look, ["NAME", "TARGET", "LABELS"], rows);
        if text.is_empty() {
            "the store knows no cluster; `cfgctl apply -f` brings them\n".to_owned()
        } else {
            text
        }
    }

    fn names(&self) -> Vec<String> {
        let items = self.items.iter();
        items.map(|item| item.name.to_string()).collect()
    }
}

impl View for ClusterCheck {
    const KIND: &'static str = <Self as Report>::KIND;

    fn table(&self, look: Canvas) -> String {
        let unlimited = |limit: usize| {
            if limit == usize::MAX {
                "any".to_owned()
            } else {
                limit.to_string()
            }
        };
        let rows = self.clusters.iter().map(|item| {
            let limits = item.limits.map(|limits| {
                format!(
                    "{} keys, {} bytes",
                    unlimited(limits.operations),
                    unlimited(limits.request_bytes)
                )
            });
            let mut notes = item.warnings.clone();
            notes.extend(item.error.clone());
            [
                item.name.to_string(),
                printable(&item.target),
                fitness(item.state).to_owned(),
                item.server.as_deref().map_or("-".to_owned(), printable),
                limits.unwrap_or("-".to_owned()),
                printable(&notes.join("; ")),
            ]
        });
        table(
            look,
            ["NAME", "TARGET", "STATE", "SERVER", "ONE WRITE", "NOTES"],
            rows,
        )
    }

    fn names(&self) -> Vec<String> {
        let clusters = self.clusters.iter();
        clusters.map(|item| item.name.to_string()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ErrorKind;

    fn state(state: Fitness, error_kind: Option<ErrorKind>) -> ClusterState {
        ClusterState {
            name: "eu".parse().unwrap(),
            target: "here".to_owned(),
            healthy: state == Fitness::Ok,
            state,
            server: None,
            limits: None,
            warnings: Vec::new(),
            error: None,
            error_kind,
        }
    }

    #[test]
    fn a_check_ends_with_the_worst_of_its_clusters() {
        let cases = [
            ((Fitness::Ok, None), Exit::Done),
            ((Fitness::Partial, None), Exit::Denied),
            ((Fitness::Failed, Some(ErrorKind::Invalid)), Exit::Usage),
            ((Fitness::Denied, Some(ErrorKind::Denied)), Exit::Denied),
            (
                (Fitness::Failed, Some(ErrorKind::Unavailable)),
                Exit::Unavailable,
            ),
        ];
        let check = |clusters: Vec<ClusterState>| ClusterCheck {
            healthy: false,
            clusters,
        };
        for ((found, kind), expected) in cases {
            let one = state(found, kind);
            let beside = state(Fitness::Ok, None);
            assert_eq!(
                exit(&check(vec![one, beside])),
                expected,
                "{found:?} {kind:?}"
            );
        }
        let all = cases.map(|((found, kind), _)| state(found, kind));
        assert_eq!(exit(&check(all.to_vec())), Exit::Unavailable);
    }
}
