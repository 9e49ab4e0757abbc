//! Flags: what is declared, what each cluster should have, and whether it has arrived.

use std::collections::BTreeSet;

use super::names::{around, known_part, living, living_or_all};
use super::run::Run;
use super::{diagnose, present};
use crate::api::report::{FlagItem, FlagSource, Flags};
use crate::api::{Error, FlagsQuery};
use crate::engine::clusters_of;
use crate::model::{
    ClusterName, ConfigSet, Contents, Flag, FlagName, Heads, Labels, Part, Revision, SetName,
};
use crate::plan::{Plan, Reach, ValueSource, source_of_flag};
use crate::render;
use crate::store::Which;

/// Answers `query`.
pub(super) async fn flags(run: &Run<'_>, query: &FlagsQuery) -> Result<Flags, Error> {
    let sets = sets(run, query).await?;
    let (survey, plan) = diagnose::glance(run, Reach::Named(sets)).await?;
    let heads = &survey.heads;
    let found = match (&query.set, &query.flag) {
        (Some(set), Some(flag)) => {
            let (content, head) = living(heads, set)?;
            known_part(&content.flags, "flag", set, flag)?;
            items(heads, &plan, set, (content, head), Some(flag))
        }
        (only, _) => living_or_all(heads, only.as_ref())?
            .into_iter()
            .flat_map(|(set, content, head)| items(heads, &plan, set, (content, head), None))
            .collect(),
    };
    Ok(Flags { flags: found })
}

/// The sets to look at.
async fn sets(run: &Run<'_>, query: &FlagsQuery) -> Result<BTreeSet<SetName>, Error> {
    let Some(set) = &query.set else {
        let heads = run.store().heads(&Which::All).await?.heads;
        let all = living_or_all(&heads, None)?.into_iter();
        let with_flags = all.filter(|(_, content, _)| !content.flags.is_empty());
        return Ok(with_flags.map(|(name, ..)| name.clone()).collect());
    };
    let heads = around(run.store(), [set]).await?;
    if let Some(flag) = &query.flag {
        known_part(&living(&heads, set)?.0.flags, "flag", set, flag)?;
    }
    let all = living_or_all(&heads, Some(set))?.into_iter();
    let with_flags = all.filter(|(_, content, _)| !content.flags.is_empty());
    Ok(with_flags.map(|(name, ..)| name.clone()).collect())
}

/// The flags of one set, or one of them.
fn items(
    heads: &Heads,
    plan: &Plan,
    set: &SetName,
    (content, head): (&ConfigSet, &Revision),
    only: Option<&FlagName>,
) -> Vec<FlagItem> {
    let here: Vec<(&ClusterName, &Labels, Contents)> = clusters_of(set, heads)
        .map(|(name, cluster)| {
            let labels = &cluster.labels;
            let contents = render::contents(content, &head.overrides, labels);
            (name, labels, contents)
        })
        .collect();
    let mut items: Vec<FlagItem> = Vec::new();
    let names = content.flags.iter();
    for (name, flag) in names.filter(|(name, _)| only.is_none_or(|only| only == *name)) {
        let first = items.len();
        for (cluster, labels, contents) in &here {
            let effective = contents.flags.get(name).unwrap_or(flag);
            let source = source_of_flag(content, &head.overrides, labels, name);
            let mut item = item(set, name, flag, effective, source);
            let known = items
                .iter_mut()
                .skip(first)
                .find(|known| (&known.effective, &known.held) == (&item.effective, &item.held));
            if let Some(known) = known {
                known.clusters.push((*cluster).clone());
            } else {
                item.clusters.push((*cluster).clone());
                items.push(item);
            }
        }
        let part = Part::Flag(name.clone());
        for item in items.iter_mut().skip(first) {
            (item.delivered, item.waiting) = present::arrivals(plan, set, &part, &item.clusters);
        }
        if items.len() == first {
            items.push(item(set, name, flag, flag, ValueSource::Flag));
        }
    }
    items
}

/// A flag, in no cluster yet.
fn item(
    set: &SetName,
    flag: &FlagName,
    declared: &Flag,
    effective: &Flag,
    source: ValueSource,
) -> FlagItem {
    let (source, breaker, held) = match source {
        ValueSource::Breaker { breaker, held } => (FlagSource::Breaker, Some(breaker), Some(held)),
        ValueSource::Override { held, .. } => (FlagSource::Override, None, Some(held)),
        ValueSource::Defaults | ValueSource::Layer { .. } | ValueSource::Flag => {
            (FlagSource::Declared, None, None)
        }
    };
    FlagItem {
        set: set.clone(),
        flag: flag.clone(),
        declared: declared.clone(),
        effective: effective.clone(),
        source,
        breaker,
        held,
        clusters: Vec::new(),
        delivered: Vec::new(),
        waiting: Vec::new(),
    }
}
