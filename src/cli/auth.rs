//! `cfgctl auth`: what somebody may do, and what decides about it.

use super::connect::connect;
use super::failure::{Exit, Failure};
use super::session::Session;
use super::view::{Canvas, View};
use super::views::table::{printable, table};
use crate::api::report::{AccessItem, AccessReport, Report};
use crate::api::{AccessQuery, AccessVerb};
use crate::model::{ClusterName, GrantName, ResourceId, Selector, Whom};

/// Who may do what: what grants allow, and which of them decides
#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum AuthCommand {
    /// Say whether something is allowed: ends with 0 if it is, and with 1 if it is not
    ///
    /// A set is asked about in every cluster that it goes to, and the answer is yes if it is yes in
    /// all of them. `others` are clusters that you may not read.
    CanI(CanIArgs),
    /// Show what is allowed, and by which grant
    Explain(AccessArgs),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Verb {
    /// See it
    Read,
    /// Switch its flags and breakers
    Switch,
    /// Bring clusters to what is committed of it (`apply --resume`, `drift --repair`)
    Resume,
    /// Declare it
    Apply,
    /// Give it an older content
    Rollback,
    /// Delete it
    Delete,
}

impl From<Verb> for AccessVerb {
    fn from(verb: Verb) -> Self {
        match verb {
            Verb::Read => Self::Read,
            Verb::Switch => Self::Switch,
            Verb::Resume => Self::Resume,
            Verb::Apply => Self::Apply,
            Verb::Rollback => Self::Rollback,
            Verb::Delete => Self::Delete,
        }
    }
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct CanIArgs {
    /// What is to be done
    #[arg(value_enum)]
    verb: Verb,

    /// The set, `cluster/NAME` or `grant/NAME`
    name: ResourceId,

    #[command(flatten)]
    of: OfArgs,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct AccessArgs {
    /// A set, `cluster/NAME` or `grant/NAME`; left out: all grants
    name: Option<ResourceId>,

    #[command(flatten)]
    of: OfArgs,
}

/// Where, and for whom.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct OfArgs {
    /// Only in this cluster
    #[arg(long, value_name = "NAME")]
    cluster: Option<ClusterName>,

    /// Ask for somebody else, as in `token:ci`, or `claims:iss=https://gitlab.com,project_id=42`; takes an
    /// admin of everything
    #[arg(long = "as", value_name = "SUBJECT")]
    subject: Option<Whom>,
}

impl OfArgs {
    fn query(&self, verb: Option<AccessVerb>, name: Option<ResourceId>) -> AccessQuery {
        AccessQuery {
            verb,
            name,
            cluster: self.cluster.clone(),
            subject: self.subject.clone(),
        }
    }
}

pub(crate) async fn auth(session: &Session, command: &AuthCommand) -> Result<Exit, Failure> {
    let query = match command {
        AuthCommand::CanI(args) => args
            .of
            .query(Some(args.verb.into()), Some(args.name.clone())),
        AuthCommand::Explain(args) => args.of.query(None, args.name.clone()),
    };
    let connected = connect(session).await?;
    let found = connected.service.access(&connected.by, &query).await?;
    session.ui.report(&found)?;
    Ok(match command {
        AuthCommand::CanI(_) if !found.allowed => Exit::Differences,
        AuthCommand::CanI(_) | AuthCommand::Explain(_) => Exit::Done,
    })
}

impl View for AccessReport {
    const KIND: &'static str = <Self as Report>::KIND;

    fn table(&self, look: Canvas) -> String {
        let subject = printable(&self.subject);
        if self.owner && self.items.is_empty() {
            return format!(
                "{subject} may do everything: whoever can write the store is its owner\n"
            );
        }
        if !self.items.is_empty() {
            let rows = self.items.iter().map(|item| self.row(item));
            let elsewhere = self.elsewhere.then(|| {
                let name = self.items.first().map(|item| item.name.to_string());
                [
                    name.unwrap_or_default(),
                    "others".to_owned(),
                    "no".to_owned(),
                    "-".to_owned(),
                    "-".to_owned(),
                ]
            });
            let rows = rows.chain(elsewhere);
            return table(look, ["NAME", "CLUSTER", "ALLOWED", "ROLE", "BY"], rows);
        }
        if self.grants.is_empty() {
            return format!("no grant is to {subject}, so nothing is allowed\n");
        }
        let rows = self.grants.iter().map(|grant| {
            [
                format!("grant/{}", grant.name),
                grant.role.to_string(),
                all(&grant.sets),
                all(&grant.clusters),
            ]
        });
        table(look, ["NAME", "ROLE", "SETS", "CLUSTERS"], rows)
    }

    fn names(&self) -> Vec<String> {
        if self.items.is_empty() {
            let grants = self.grants.iter();
            return grants
                .map(|grant| format!("grant/{}", grant.name))
                .collect();
        }
        let allowed = self.items.iter().filter(|item| item.allowed);
        allowed
            .map(|item| match &item.cluster {
                Some(cluster) => format!("{}/{cluster}", item.name),
                None => item.name.to_string(),
            })
            .collect()
    }
}

impl AccessReport {
    fn row(&self, item: &AccessItem) -> [String; 5] {
        let by = |grant: &GrantName| format!("grant/{grant}");
        [
            item.name.to_string(),
            item.cluster
                .as_ref()
                .map_or("-".to_owned(), ToString::to_string),
            if item.allowed { "yes" } else { "no" }.to_owned(),
            item.role.map_or("-".to_owned(), |role| role.to_string()),
            match &item.grant {
                Some(grant) => by(grant),
                None if self.owner => "owner".to_owned(),
                None => "-".to_owned(),
            },
        ]
    }
}

fn all(selector: &Selector) -> String {
    if selector.is_empty() {
        "all".to_owned()
    } else {
        selector.to_string()
    }
}
