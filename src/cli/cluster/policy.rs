//! `cfgctl cluster policy`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;

use super::{World, in_world, world};
use crate::cli::declared::FileArgs;
use crate::cli::failure::{Exit, Failure};
use crate::cli::session::Session;
use crate::cli::ui::{Look, Report};
use crate::model::{ClusterName, Connection, Consul, Labels, ResourceId, SetName};
use crate::render;

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

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Policy {
    cluster: String,
    rules: Vec<Rule>,
    /// The rules as Consul takes them.
    hcl: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    resource: Resource,
    path: String,
    policy: Access,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Resource {
    Key,
    KeyPrefix,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Access {
    Read,
    Write,
}

pub(super) async fn policy(session: &Session, args: &PolicyArgs) -> Result<Exit, Failure> {
    let world = world(session, &args.files).await?;
    let cluster = in_world(&world, &args.name)?;
    let Connection::Consul(consul) = &cluster.connection else {
        return Err(Failure::usage(format!(
            "cluster `{}` is a directory, which has no ACLs",
            args.name
        )));
    };
    for set in &args.sets {
        if !world.contains_key(&ResourceId::Set(set.clone())) {
            return Err(Failure::usage(format!("there is no set `{set}`"))
                .hint("`cfgctl get` lists those of the store; `-f` takes them from files"));
        }
    }
    let rules = rules(&world, consul, &cluster.labels, &args.sets);
    if rules.is_empty() {
        return Err(Failure::usage("there are no sets, so nothing is needed"));
    }
    session.ui.report(&Policy {
        cluster: args.name.to_string(),
        hcl: hcl(&args.name, &rules),
        rules,
    })?;
    Ok(Exit::Done)
}

/// The rules that `sets` need, or all sets if there are none, none of which covers another.
fn rules(world: &World, consul: &Consul, labels: &Labels, sets: &[SetName]) -> Vec<Rule> {
    let mut keys: BTreeSet<String> = BTreeSet::new();
    let mut prefixes: BTreeMap<String, Access> = BTreeMap::new();
    for (id, content) in world {
        let ResourceId::Set(name) = id else { continue };
        if !sets.is_empty() && !sets.contains(name) {
            continue;
        }
        let here = content.set().filter(|set| set.clusters.matches(labels));
        // Parts and marks of deliveries lie beside the snapshot. A policy that named only what the
        // values need today would have to be changed on the day on which they grow.
        let own = consul.own_keys(name);
        let Some(set) = here else {
            // Looked at for what an earlier revision may have left here.
            prefixes.insert(own, Access::Read);
            continue;
        };
        prefixes.insert(own, Access::Write);
        let place = render::place(name, set);
        keys.extend(place.keys.iter().map(ToString::to_string));
        let published = place.prefixes.iter().map(ToString::to_string);
        prefixes.extend(published.map(|prefix| (prefix, Access::Write)));
    }
    let is_covered = |path: &str, policy: Access| {
        let mut others = prefixes.iter();
        others.any(|(other, covers)| {
            other != path && path.starts_with(other.as_str()) && *covers >= policy
        })
    };
    let rule = |resource, path: &String, policy| {
        let path = path.clone();
        (!is_covered(&path, policy)).then_some(Rule {
            resource,
            path,
            policy,
        })
    };
    let keys = keys.iter();
    let keys = keys.filter_map(|path| rule(Resource::Key, path, Access::Write));
    let prefixes = prefixes.iter();
    let prefixes = prefixes.filter_map(|(path, policy)| rule(Resource::KeyPrefix, path, *policy));
    keys.chain(prefixes).collect()
}

fn hcl(cluster: &ClusterName, rules: &[Rule]) -> String {
    let mut text = format!(
        "# What cfgctl needs in cluster `{cluster}`, and nothing else.\n\
         # `agent_prefix \"\" {{ policy = \"read\" }}` is not needed: without it cfgctl cannot read the\n\
         # version of the Consul, and keeps to the smaller transactions of old versions.\n"
    );
    for rule in rules {
        let (resource, policy) = match (rule.resource, rule.policy) {
            (Resource::Key, Access::Read) => ("key", "read"),
            (Resource::Key, Access::Write) => ("key", "write"),
            (Resource::KeyPrefix, Access::Read) => ("key_prefix", "read"),
            (Resource::KeyPrefix, Access::Write) => ("key_prefix", "write"),
        };
        let path = quoted(&rule.path);
        // Writing to a string does not fail.
        _ = writeln!(text, "{resource} {path} {{ policy = \"{policy}\" }}");
    }
    text
}

/// A string of HCL. `${` would begin an expression.
fn quoted(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('$', "\\u0024");
    format!("\"{escaped}\"")
}

impl Report for Policy {
    const KIND: &'static str = "AclPolicy";

    fn table(&self, _: Look) -> String {
        self.hcl.clone()
    }

    fn names(&self) -> Vec<String> {
        self.rules.iter().map(|rule| rule.path.clone()).collect()
    }
}
