//! `cfgctl get`.

use super::connect::connect;
use super::failure::{Exit, Failure};
use super::session::Session;
use super::view::{Canvas, Output, View};
use super::views::overrides::hold_line;
use super::views::table::{age, printable, table};
use crate::api::ResourcesQuery;
use crate::api::report::{Report, ResourceItem, Resources};
use crate::model::{ResourceId, ResourceKind, Selector};
use crate::yaml;

/// Lists what the store holds, or shows resources as manifests
///
/// `-o yaml` of one resource is a manifest which, applied again, changes nothing.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct GetArgs {
    /// Sets, `cluster/NAME` or `grant/NAME`; `grants` for all of them; left out: everything
    #[arg(value_name = "NAME")]
    names: Vec<ResourceId>,

    /// Only sets and clusters whose labels match, as in `team=payments`
    #[arg(
        short = 'l',
        long,
        value_name = "SELECTOR",
        default_value = "",
        hide_default_value = true
    )]
    selector: Selector,
}

impl GetArgs {
    fn query(&self) -> Result<ResourcesQuery, Failure> {
        let kind = match self.names.as_slice() {
            [ResourceId::Set(only)] => match only.as_str() {
                "grants" => Some(ResourceKind::Grant),
                _ => None,
            },
            _ => None,
        };
        let names = match kind {
            Some(_) => Vec::new(),
            None => self.names.clone(),
        };
        if !names.is_empty() && !self.selector.is_empty() {
            let error = "what is named is not chosen by its labels too";
            return Err(Failure::usage(error).hint("leave out the names, or `-l`"));
        }
        Ok(ResourcesQuery {
            names,
            kind,
            labels: self.selector.clone(),
        })
    }
}

pub(crate) async fn get(session: &Session, args: &GetArgs) -> Result<Exit, Failure> {
    let connected = connect(session).await?;
    let query = args.query()?;
    let found = connected.service.resources(&connected.by, &query).await?;
    if session.ui.output == Output::Yaml && !query.names.is_empty() {
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

/// The labels of a set and where it goes, the labels of a cluster, or what a grant allows.
fn about(item: &ResourceItem) -> String {
    let labels = item.labels.iter().flatten();
    let labels: Vec<_> = labels
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let labels = labels.join(",");
    let goes = match &item.clusters {
        Some(clusters) if clusters.is_empty() => "all clusters".to_owned(),
        Some(clusters) => clusters.to_string(),
        None => {
            return if labels.is_empty() {
                grant(item)
            } else {
                labels
            };
        }
    };
    if labels.is_empty() {
        goes
    } else {
        format!("{labels} / {goes}")
    }
}

/// What a grant allows, to how many.
fn grant(item: &ResourceItem) -> String {
    let spec = item.manifest.as_ref().map(|manifest| &manifest["spec"]);
    let Some((spec, role)) = spec.and_then(|spec| Some((spec, spec["role"].as_str()?))) else {
        return String::new();
    };
    let to = spec["to"].as_array().into_iter().flatten();
    let to: Vec<&str> = to
        .map(|recipient| recipient.as_str().unwrap_or("claims"))
        .collect();
    match to.as_slice() {
        [] => role.to_owned(),
        [only] => format!("{role}: {}", printable(only)),
        [first, others @ ..] => format!("{role}: {} and {} more", printable(first), others.len()),
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
