//! The least ACL policy with which a cluster can be used.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::authorise::{Need, View, lacks};
use super::clusters::{contents, described_as, may_administer};
use crate::api::report::{Policy, PolicyAccess, PolicyResource, PolicyRule};
use crate::api::{Described, Error, PolicyQuery};
use crate::model::{ClusterName, Connection, ConsulSpec, Labels, ResourceId, Role, SetName};
use crate::render;
use crate::store::{Store, Which};

/// Refuses a question that is not allowed: a policy names the keys of every set there.
pub(super) async fn may_ask(view: &View<'_>, query: &PolicyQuery) -> Result<(), Error> {
    let what = "the policy of a cluster";
    match &query.described {
        None => may_administer(view, &query.cluster, what).await,
        Some(_) if view.access().has(Role::Admin) => Ok(()),
        Some(_) => {
            let need = Need::Cluster(Role::Admin, Labels::new());
            Err(lacks(&need, what))
        }
    }
}

/// The least ACL policy with which a cluster can be used.
pub(super) async fn policy(store: &dyn Store, query: &PolicyQuery) -> Result<Policy, Error> {
    let PolicyQuery {
        cluster: name,
        sets,
        described,
    } = query;
    let stored;
    let described = if let Some(described) = described {
        described
    } else {
        let which = if sets.is_empty() {
            Which::All
        } else {
            Which::around(sets)
        };
        stored = contents(store.heads(&which).await?.heads);
        &stored
    };
    let cluster = described_as(described, name)?;
    let Connection::Consul(consul) = &cluster.connection else {
        return Err(Error::invalid(format!(
            "cluster `{name}` is a directory, which has no ACLs"
        )));
    };
    for set in sets {
        if !described.contains_key(&ResourceId::Set(set.clone())) {
            return Err(Error::absent(format!("there is no set `{set}`"))
                .hint("`cfgctl get` lists those of the store; `-f` takes them from files"));
        }
    }
    let rules = rules(described, consul, &cluster.labels, sets);
    if rules.is_empty() {
        return Err(Error::invalid("there are no sets, so nothing is needed"));
    }
    Ok(Policy {
        cluster: name.clone(),
        hcl: hcl(name, &rules),
        rules,
    })
}

/// The rules that `sets` need, or all sets if there are none, none of which covers another.
fn rules(
    described: &Described,
    consul: &ConsulSpec,
    labels: &Labels,
    sets: &[SetName],
) -> Vec<PolicyRule> {
    let mut keys: BTreeSet<String> = BTreeSet::new();
    let mut prefixes: BTreeMap<String, PolicyAccess> = BTreeMap::new();
    for (id, content) in described {
        let Some(name) = id.set() else { continue };
        if !sets.is_empty() && !sets.contains(name) {
            continue;
        }
        let here = content.set().filter(|set| set.clusters.matches(labels));
        // Parts and marks of deliveries lie beside the snapshot. A policy that named only what the
        // values need today would have to be changed on the day on which they grow.
        let own = consul.own_keys(name);
        let Some(set) = here else {
            // Looked at for what an earlier revision may have left here.
            prefixes.insert(own, PolicyAccess::Read);
            continue;
        };
        prefixes.insert(own, PolicyAccess::Write);
        let place = render::place(name, set);
        keys.extend(place.keys.iter().map(ToString::to_string));
        let published = place.prefixes.iter().map(ToString::to_string);
        prefixes.extend(published.map(|prefix| (prefix, PolicyAccess::Write)));
    }
    let is_covered = |path: &str, policy: PolicyAccess| {
        let mut others = prefixes.iter();
        others.any(|(other, covers)| {
            other != path && path.starts_with(other.as_str()) && *covers >= policy
        })
    };
    let rule = |resource, path: &String, policy| {
        let path = path.clone();
        (!is_covered(&path, policy)).then_some(PolicyRule {
            resource,
            path,
            policy,
        })
    };
    let keys = keys.iter();
    let keys = keys.filter_map(|path| rule(PolicyResource::Key, path, PolicyAccess::Write));
    let prefixes = prefixes.iter();
    let prefixes =
        prefixes.filter_map(|(path, policy)| rule(PolicyResource::KeyPrefix, path, *policy));
    keys.chain(prefixes).collect()
}

fn hcl(cluster: &ClusterName, rules: &[PolicyRule]) -> String {
    let mut text = format!(
        "# What cfgctl needs in cluster `{cluster}`, and nothing else.\n\
         # `agent_prefix \"\" {{ policy = \"read\" }}` is not needed: without it cfgctl cannot read the\n\
         # version of the Consul, and keeps to the smaller transactions of old versions.\n"
    );
    for rule in rules {
        let (resource, policy) = match (rule.resource, rule.policy) {
            (PolicyResource::Key, PolicyAccess::Read) => ("key", "read"),
            (PolicyResource::Key, PolicyAccess::Write) => ("key", "write"),
            (PolicyResource::KeyPrefix, PolicyAccess::Read) => ("key_prefix", "read"),
            (PolicyResource::KeyPrefix, PolicyAccess::Write) => ("key_prefix", "write"),
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{asked, refused};
    use super::*;
    use crate::plan::testing::*;

    #[test]
    fn a_policy_follows_from_the_sets_and_names_nothing_twice() {
        let (world, _) = delivered();
        world.apply(&sets(&[("cart", &set(json!({"c": 1})))]));
        world.apply(&deleted("cart"));
        let of = |cluster: &str, sets: &[&str]| {
            let query = PolicyQuery {
                cluster: cluster.parse().unwrap(),
                sets: sets.iter().map(|set| set.parse().unwrap()).collect(),
                described: None,
            };
            world.runtime.block_on(policy(world.store.as_ref(), &query))
        };
        let rules = |found: Policy| -> Vec<(String, PolicyAccess)> {
            let rules = found.rules.into_iter();
            rules.map(|rule| (rule.path, rule.policy)).collect()
        };

        let whole = asked(of("eu", &[]));
        assert!(
            whole
                .hcl
                .contains("key_prefix \"app/\" { policy = \"write\" }")
        );
        let shop = [
            ("app/".to_owned(), PolicyAccess::Write),
            ("cfgctl/shop/".to_owned(), PolicyAccess::Write),
        ];
        assert_eq!(rules(asked(of("eu", &["shop"]))), shop);
        let gone = ("cfgctl/cart/".to_owned(), PolicyAccess::Read);
        let [app, own] = shop;
        assert_eq!(rules(whole), [app, gone, own]);

        assert_eq!(
            refused(of("eu", &["card"])),
            "there is no set `card`; `cfgctl get` lists those of the store; \
             `-f` takes them from files"
        );
        assert_eq!(
            refused(of("ey", &[])),
            "there is no cluster `ey`; did you mean `eu`?"
        );
    }
}
