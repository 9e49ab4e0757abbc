//! `cfgctl flag on|off|set|unset`.

use jiff::SignedDuration;
use serde_json::Value;

use crate::cli::failure::{Exit, Failure};
use crate::cli::names::{PartOf, around, known_part, living};
use crate::cli::runtime::{
    Edited, LimitArgs, ReasonArgs, Scene, Switch, SwitchArgs, WhereArgs, carry_through, overridden,
};
use crate::cli::session::Session;
use crate::model::{Cause, Flag, FlagName, FlagOverride, Selector, Stamp};
use crate::plan::{Source, source_of_flag};

/// Holds a boolean flag at true, whatever its targeting says, until it is unset
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct OnArgs {
    #[command(flatten)]
    hold: HoldArgs,
}

/// Holds a boolean flag at false, whatever its targeting says, until it is unset
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct OffArgs {
    #[command(flatten)]
    hold: HoldArgs,
}

/// Holds a flag at one of its variants, whatever its targeting says, until it is unset
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct SetArgs {
    #[command(flatten)]
    hold: HoldArgs,

    /// The variant
    variant: String,
}

/// Takes back what a flag was set to by hand: what is declared holds again
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct UnsetArgs {
    /// The flag
    #[arg(value_name = "SET/FLAG")]
    flag: PartOf<FlagName>,

    #[command(flatten)]
    place: WhereArgs,

    #[command(flatten)]
    why: ReasonArgs,

    #[command(flatten)]
    switch: SwitchArgs,
}

#[derive(Clone, Debug, clap::Args)]
struct HoldArgs {
    /// The flag
    #[arg(value_name = "SET/FLAG")]
    flag: PartOf<FlagName>,

    #[command(flatten)]
    place: WhereArgs,

    #[command(flatten)]
    limit: LimitArgs,

    #[command(flatten)]
    why: ReasonArgs,

    #[command(flatten)]
    switch: SwitchArgs,
}

pub(super) async fn on(session: &Session, args: &OnArgs) -> Result<Exit, Failure> {
    hold(session, &args.hold, &Wanted::Boolean(true)).await
}

pub(super) async fn off(session: &Session, args: &OffArgs) -> Result<Exit, Failure> {
    hold(session, &args.hold, &Wanted::Boolean(false)).await
}

pub(super) async fn set(session: &Session, args: &SetArgs) -> Result<Exit, Failure> {
    hold(session, &args.hold, &Wanted::Variant(&args.variant)).await
}

/// What a flag should be held at.
enum Wanted<'a> {
    Boolean(bool),
    Variant(&'a str),
}

impl Wanted<'_> {
    /// The name of the variant of `flag`.
    fn of(&self, flag: &Flag, at: &PartOf<FlagName>) -> Result<String, Failure> {
        let PartOf { set, name } = at;
        let variants: Vec<&str> = flag.variants.keys().map(String::as_str).collect();
        match self {
            Self::Boolean(on) => match flag.variant_of(&Value::Bool(*on)) {
                Some(variant) => Ok(variant.to_owned()),
                None => Err(
                    Failure::usage(format!("`{name}` is not a boolean flag")).hint(format!(
                        "`cfgctl flag set {set}/{name} VARIANT`: {}",
                        variants.join(", ")
                    )),
                ),
            },
            Self::Variant(variant) if flag.variants.contains_key(*variant) => {
                Ok((*variant).to_owned())
            }
            Self::Variant(variant) => Err(Failure::usage(format!(
                "`{name}` has no variant `{}`",
                variant.escape_debug()
            ))
            .hint(format!("it has {}", variants.join(", ")))),
        }
    }
}

async fn hold(session: &Session, args: &HoldArgs, wanted: &Wanted<'_>) -> Result<Exit, Failure> {
    let store = session.store().await?;
    let PartOf { set, name } = &args.flag;
    let heads = around(store.as_ref(), [set]).await?;
    let (content, _) = living(&heads, set)?;
    let flag = known_part(&content.flags, "flag", set, name)?;
    let variant = wanted.of(flag, &args.flag)?;
    let reason = args.why.required(session, &args.switch).await?;
    let edit = |scene: &Scene<'_>| -> Result<Edited, Failure> {
        let flag = known_part(&scene.set.flags, "flag", set, name)?;
        let variant = wanted.of(flag, &args.flag)?;
        let limit = args.limit.limit(&scene.clocks)?;
        let since = scene.clocks.setting;
        let ends = limit.map(|limit| limit.ends(since, SignedDuration::ZERO, scene.witness));
        let (until, counted) = match ends {
            Some((until, counted)) => (Some(until), counted),
            None => (None, None),
        };
        let clusters = args.place.chosen(scene)?;
        let mut overrides = scene.overrides.clone();
        let last = overrides.flags.iter().rfind(|it| it.flag == *name);
        let same = last.is_some_and(|it| {
            (&it.variant, &it.clusters, it.until) == (&variant, &clusters, until)
        });
        if same {
            return Ok(Edited {
                overrides,
                note: Some(format!("{set}/{name} is held at `{variant}` already")),
                until,
            });
        }
        let stamp = Stamp {
            actor: session.environment.actor(),
            since,
            reason: reason.clone(),
        };
        let note = beneath(scene, name, &clusters);
        let held = FlagOverride {
            flag: name.clone(),
            variant,
            clusters,
            stamp,
            until,
            counted,
        };
        overrides.hold_flag(held).map_err(overridden)?;
        Ok(Edited {
            overrides,
            note,
            until,
        })
    };
    let switch = Switch {
        set,
        cause: Cause::Flag {
            flag: name.clone(),
            to: Some(variant.clone()),
        },
        reason: reason.clone(),
        question: &format!("Hold {set}/{name} at `{variant}`?"),
        edit: &edit,
    };
    carry_through(session, store.as_ref(), &switch, &args.switch).await
}

/// That an open breaker lies above what is set, if one does.
fn beneath(scene: &Scene<'_>, name: &FlagName, chosen: &Selector) -> Option<String> {
    let mut here = scene.clusters.values().filter(|cluster| {
        let labels = &cluster.labels;
        scene.set.clusters.matches(labels) && chosen.matches(labels)
    });
    here.find_map(|cluster| {
        match source_of_flag(scene.set, scene.overrides, &cluster.labels, name) {
            Source::Breaker { breaker, .. } => Some(format!(
                "breaker {breaker} is open and holds {name}; what is set here counts once it closes"
            )),
            _ => None,
        }
    })
}

pub(super) async fn unset(session: &Session, args: &UnsetArgs) -> Result<Exit, Failure> {
    let store = session.store().await?;
    let PartOf { set, name } = &args.flag;
    let heads = around(store.as_ref(), [set]).await?;
    known_part(&living(&heads, set)?.0.flags, "flag", set, name)?;
    let reason = args.why.required(session, &args.switch).await?;
    let edit = |scene: &Scene<'_>| -> Result<Edited, Failure> {
        known_part(&scene.set.flags, "flag", set, name)?;
        let mut overrides = scene.overrides.clone();
        let clusters = args.place.given();
        if !overrides.flags.iter().any(|it| it.flag == *name) {
            return Ok(Edited::new(
                overrides,
                Some(format!("{set}/{name} is not overridden")),
            ));
        }
        overrides.unset_flag(name, clusters).map_err(|error| {
            let hint = format!("`cfgctl flag list {set}` shows what is overridden where");
            overridden(error).hint(hint)
        })?;
        Ok(Edited::new(overrides, None))
    };
    let switch = Switch {
        set,
        cause: Cause::Flag {
            flag: name.clone(),
            to: None,
        },
        reason: reason.clone(),
        question: &format!("Let {set}/{name} be as it is declared?"),
        edit: &edit,
    };
    carry_through(session, store.as_ref(), &switch, &args.switch).await
}
