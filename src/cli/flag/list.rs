//! `cfgctl flag list` and `cfgctl flag get`.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::cli::failure::{Exit, Failure};
use crate::cli::names::{PartOf, around, known_part, living, living_or_all};
use crate::cli::session::Session;
use crate::cli::survey::{LookArgs, look};
use crate::cli::ui::{Look, Report};
use crate::cli::views::delivered::{Waiting, arrivals, delivered, in_short};
use crate::cli::views::overrides::lasts;
use crate::cli::views::table::{age, printable, table};
use crate::engine::clusters_of;
use crate::model::{
    ClusterName, ConfigSet, Contents, Flag, FlagName, Heads, Labels, Part, Revision, SetName,
};
use crate::plan::{Held, Plan, Source, source_of_flag};
use crate::render;
use crate::store::Which;

/// Lists flags: what is declared, what each cluster should have and has, and who switched it
///
/// What is declared and what should hold is what the store says. Every cluster is looked at as well,
/// all at once: one that does not answer within `--timeout` is told, and holds up the answer for no
/// longer.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// The set; left out: all
    #[arg(value_name = "SET")]
    set: Option<SetName>,

    #[command(flatten)]
    look: LookArgs,
}

/// Shows one flag: what is declared, what each cluster should have and has, and who switched it
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct GetArgs {
    /// The flag
    #[arg(value_name = "SET/FLAG")]
    flag: PartOf<FlagName>,

    #[command(flatten)]
    look: LookArgs,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Flags {
    flags: Vec<FlagView>,
}

/// One flag, as clusters with the same state have it.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct FlagView {
    set: String,
    flag: String,
    declared: Value,
    effective: Value,
    source: &'static str,
    held: Option<Held>,
    clusters: Vec<ClusterName>,
    /// The clusters that have it so.
    delivered: Vec<String>,
    /// The others, and how it is there.
    waiting: Vec<Waiting>,
    #[serde(skip)]
    words: [String; 3],
}

pub(super) async fn list(session: &Session, args: &ListArgs) -> Result<Exit, Failure> {
    let store = session.store().await?;
    let heads = store.heads(&Which::All).await?.heads;
    let sets = living_or_all(&heads, args.set.as_ref())?.into_iter();
    let sets = sets.filter(|(_, content, _)| !content.flags.is_empty());
    let sets = sets.map(|(name, ..)| name.clone()).collect();
    let (survey, plan) = look(session, store.as_ref(), sets, &args.look).await?;
    let heads = &survey.heads;
    let sets = living_or_all(heads, args.set.as_ref())?.into_iter();
    let flags =
        sets.flat_map(|(name, content, head)| views(heads, &plan, name, (content, head), None));
    let flags: Vec<_> = flags.collect();
    session.ui.report(&Flags { flags })?;
    Ok(Exit::Done)
}

pub(super) async fn get(session: &Session, args: &GetArgs) -> Result<Exit, Failure> {
    let store = session.store().await?;
    let PartOf { set, name } = &args.flag;
    let heads = around(store.as_ref(), [set]).await?;
    known_part(&living(&heads, set)?.0.flags, "flag", set, name)?;
    let sets = BTreeSet::from([set.clone()]);
    let (survey, plan) = look(session, store.as_ref(), sets, &args.look).await?;
    let (content, head) = living(&survey.heads, set)?;
    let flags = views(&survey.heads, &plan, set, (content, head), Some(name));
    session.ui.report(&Flags { flags })?;
    Ok(Exit::Done)
}

/// The flags of one set, or one of them.
fn views(
    heads: &Heads,
    plan: &Plan,
    set: &SetName,
    (content, head): (&ConfigSet, &Revision),
    only: Option<&FlagName>,
) -> Vec<FlagView> {
    let here: Vec<(&ClusterName, &Labels, Contents)> = clusters_of(set, heads)
        .map(|(name, cluster)| {
            let labels = &cluster.labels;
            let contents = render::contents(content, &head.overrides, labels);
            (name, labels, contents)
        })
        .collect();
    let mut views: Vec<FlagView> = Vec::new();
    let names = content.flags.iter();
    for (name, flag) in names.filter(|(name, _)| only.is_none_or(|only| only == *name)) {
        let first = views.len();
        for (cluster, labels, contents) in &here {
            let effective = contents.flags.get(name).unwrap_or(flag);
            let source = source_of_flag(content, &head.overrides, labels, name);
            let view = FlagView::new([set.as_str(), name.as_str()], flag, effective, source);
            let known = views
                .iter_mut()
                .skip(first)
                .find(|known| (&known.effective, &known.held) == (&view.effective, &view.held));
            match known {
                Some(known) => known.clusters.push((*cluster).clone()),
                None => views.push(FlagView {
                    clusters: vec![(*cluster).clone()],
                    ..view
                }),
            }
        }
        let part = Part::Flag(name.clone());
        for view in views.iter_mut().skip(first) {
            (view.delivered, view.waiting) = arrivals(plan, set, &part, &view.clusters);
        }
        if views.len() == first {
            let names = [set.as_str(), name.as_str()];
            views.push(FlagView::new(names, flag, flag, Source::Flag));
        }
    }
    views
}

impl FlagView {
    fn new([set, flag]: [&str; 2], declared: &Flag, effective: &Flag, source: Source) -> Self {
        let (word, source, held) = match source {
            Source::Breaker { breaker, held } => (format!("breaker {breaker}"), "breaker", held),
            Source::Override { held, .. } => ("override".to_owned(), "override", held),
            _ => {
                return Self {
                    set: set.to_owned(),
                    flag: flag.to_owned(),
                    declared: declared.to_manifest(),
                    effective: effective.to_manifest(),
                    source: "declared",
                    held: None,
                    clusters: Vec::new(),
                    delivered: Vec::new(),
                    waiting: Vec::new(),
                    words: [in_short(declared), in_short(effective), "-".to_owned()],
                };
            }
        };
        Self {
            set: set.to_owned(),
            flag: flag.to_owned(),
            declared: declared.to_manifest(),
            effective: effective.to_manifest(),
            source,
            held: Some(held),
            clusters: Vec::new(),
            delivered: Vec::new(),
            waiting: Vec::new(),
            words: [in_short(declared), in_short(effective), word],
        }
    }
}

impl Report for Flags {
    const KIND: &'static str = "Flags";

    fn table(&self, look: Look) -> String {
        let rows = self.flags.iter().map(|view| {
            let [declared, effective, source] = view.words.clone();
            let held = view.held.as_ref();
            let reason = held.and_then(|held| held.reason.as_deref());
            let clusters: Vec<&str> = view.clusters.iter().map(ClusterName::as_str).collect();
            let dash = || "-".to_owned();
            [
                format!("{}/{}", view.set, view.flag),
                declared,
                effective,
                clusters.join(","),
                delivered(clusters.len(), &view.waiting),
                source,
                held.map_or_else(dash, |held| age(held.since, look.now)),
                held.map_or_else(dash, |held| printable(&held.actor)),
                reason.map_or_else(dash, printable),
                held.map_or_else(dash, |held| lasts(held.until, look.now)),
            ]
        });
        let header = [
            "FLAG",
            "DECLARED",
            "EFFECTIVE",
            "CLUSTERS",
            "DELIVERED",
            "HELD BY",
            "SINCE",
            "BY",
            "REASON",
            "LASTS",
        ];
        let text = table(look, header, rows);
        if text.is_empty() {
            "no set declares a flag\n".to_owned()
        } else {
            text
        }
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = (self.flags.iter())
            .map(|view| format!("{}/{}", view.set, view.flag))
            .collect();
        names.dedup();
        names
    }
}
