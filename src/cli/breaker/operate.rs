//! `cfgctl breaker trip|reset|hold|disable|enable`.

use jiff::SignedDuration;

use crate::cli::failure::{Exit, Failure};
use crate::cli::names::{PartOf, around, known_part, living};
use crate::cli::runtime::{
    Edited, LimitArgs, ReasonArgs, Scene, Switch, SwitchArgs, WhereArgs, carry_through, overridden,
};
use crate::cli::session::Session;
use crate::model::{Breaker, BreakerName, Cause, Operation, Selector, Stamp, TripRequest, Tripped};

/// What every operation takes.
#[derive(Clone, Debug, clap::Args)]
struct OperationArgs {
    /// The breaker
    #[arg(value_name = "SET/BREAKER")]
    breaker: PartOf<BreakerName>,

    #[command(flatten)]
    why: ReasonArgs,

    #[command(flatten)]
    switch: SwitchArgs,
}

/// Opens a breaker: what it declares is in force in every cluster, or in some
///
/// It reads no files and waits for nobody: clusters that cannot be reached get it later, with
/// `cfgctl apply --resume`. It closes as the breaker declares, or after `--for`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct TripArgs {
    #[command(flatten)]
    operation: OperationArgs,

    #[command(flatten)]
    place: WhereArgs,

    #[command(flatten)]
    limit: LimitArgs,
}

/// Closes a breaker, whoever opened it: what is declared holds again
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ResetArgs {
    #[command(flatten)]
    operation: OperationArgs,

    #[command(flatten)]
    place: WhereArgs,
}

/// Holds a breaker open until a person resets it: neither alerts nor timers close it
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct HoldArgs {
    #[command(flatten)]
    operation: OperationArgs,

    #[command(flatten)]
    place: WhereArgs,
}

/// Closes a breaker and keeps it closed: trips are recorded and ignored
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DisableArgs {
    #[command(flatten)]
    operation: OperationArgs,
}

/// Lets a disabled breaker be tripped again
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct EnableArgs {
    #[command(flatten)]
    operation: OperationArgs,
}

pub(super) async fn trip(session: &Session, args: &TripArgs) -> Result<Exit, Failure> {
    let PartOf { set, name } = &args.operation.breaker;
    let edit = |scene: &Scene<'_>, declared: &Breaker, stamp: Stamp| {
        let clusters = args.place.chosen(scene)?;
        separable(scene, declared, &clusters)?;
        let limit = args.limit.limit(&scene.clocks)?;
        let mut overrides = scene.overrides.clone();
        let since = stamp.since;
        let request = TripRequest {
            clusters: clusters.clone(),
            stamp,
            keeping: scene.clocks.keeping,
            witness: scene.witness,
            limit,
        };
        let tripped = overrides
            .trip(name, declared, request)
            .map_err(overridden)?;
        let note = tripped_note(tripped, &format!("{set}/{name}"), declared);
        let mut openings = overrides.openings.iter();
        let opening = openings.find(|it| it.breaker == *name && it.clusters == clusters);
        let until = opening.and_then(|opening| opening.until);
        let note = match tripped {
            Tripped::Extended if until.is_none() => {
                format!("{note}, until a person resets it")
            }
            Tripped::AlreadyOpen | Tripped::Raised if limit.is_some() => {
                format!("{note}; it lasts for longer than that, and the limit changes nothing")
            }
            _ => note,
        };
        let ends = |least| limit.map(|limit| limit.ends(since, least, scene.witness).0);
        let least = declared.min_open.unwrap_or_default();
        let note = if ends(least) == ends(SignedDuration::ZERO) {
            note
        } else {
            format!("{note}; it stays open for {least:#} at the least")
        };
        Ok(Edited {
            until,
            note: Some(note),
            overrides,
        })
    };
    operate(session, &args.operation, Operation::Trip, "Trip it?", &edit).await
}

/// What a person should know about a trip.
fn tripped_note(tripped: Tripped, breaker: &str, declared: &Breaker) -> String {
    match tripped {
        Tripped::Opened => match &declared.description {
            Some(description) => format!("{breaker}: {description}"),
            None => format!("{breaker} opens"),
        },
        Tripped::Latched => format!(
            "{breaker} was tripped more than {} times within an hour: it stays open until a \
             person resets it",
            declared.max_trips_per_hour.unwrap_or_default()
        ),
        Tripped::Extended => format!("{breaker} is open already, and stays so for longer"),
        Tripped::Raised => {
            format!("{breaker} is open already, and lies on top of the others from now on")
        }
        Tripped::AlreadyOpen => format!("{breaker} is open already"),
        Tripped::Ignored => {
            format!("{breaker} is disabled: the trip is recorded, and changes nothing")
        }
    }
}

/// Refuses to trip a breaker in some clusters that has to be tripped in others with them.
fn separable(scene: &Scene<'_>, declared: &Breaker, clusters: &Selector) -> Result<(), Failure> {
    if clusters.is_empty() || declared.separately.is_empty() {
        return Ok(());
    }
    let here = scene.clusters.iter().filter(|(_, cluster)| {
        scene.set.clusters.matches(&cluster.labels)
            && clusters.matches(&cluster.labels)
            && !declared.separately.matches(&cluster.labels)
    });
    let together: Vec<String> = here.map(|(name, _)| name.to_string()).collect();
    if together.is_empty() {
        return Ok(());
    }
    let message = format!(
        "it may not be tripped alone in {}: only in clusters with `{}`",
        together.join(", "),
        declared.separately
    );
    Err(Failure::usage(message).hint("without `--clusters` it is tripped everywhere"))
}

pub(super) async fn reset(session: &Session, args: &ResetArgs) -> Result<Exit, Failure> {
    let PartOf { set, name } = &args.operation.breaker;
    let edit = |scene: &Scene<'_>, _: &Breaker, _: Stamp| {
        let mut overrides = scene.overrides.clone();
        let is_open = overrides.openings.iter().any(|it| it.breaker == *name);
        if !is_open {
            return Ok(Edited::new(
                overrides,
                Some(format!("{set}/{name} is not open")),
            ));
        }
        let reset = overrides.reset(name, args.place.given());
        reset.map_err(|error| {
            overridden(error).hint(format!("`cfgctl breaker show {set}/{name}` says where"))
        })?;
        Ok(Edited::new(overrides, Some(format!("{set}/{name} closes"))))
    };
    let operation = Operation::Reset;
    operate(session, &args.operation, operation, "Reset it?", &edit).await
}

pub(super) async fn hold(session: &Session, args: &HoldArgs) -> Result<Exit, Failure> {
    let PartOf { set, name } = &args.operation.breaker;
    let edit = |scene: &Scene<'_>, declared: &Breaker, stamp: Stamp| {
        let clusters = args.place.chosen(scene)?;
        separable(scene, declared, &clusters)?;
        let mut overrides = scene.overrides.clone();
        overrides
            .hold_open(name, clusters, stamp)
            .map_err(overridden)?;
        let note = format!("{set}/{name} stays open until a person resets it");
        Ok(Edited::new(overrides, Some(note)))
    };
    let operation = Operation::Hold;
    operate(session, &args.operation, operation, "Hold it open?", &edit).await
}

pub(super) async fn disable(session: &Session, args: &DisableArgs) -> Result<Exit, Failure> {
    let PartOf { set, name } = &args.operation.breaker;
    let edit = |scene: &Scene<'_>, _: &Breaker, stamp: Stamp| {
        let mut overrides = scene.overrides.clone();
        overrides.disable(name, stamp).map_err(overridden)?;
        let note = format!("{set}/{name} is closed, and trips of it are ignored");
        Ok(Edited::new(overrides, Some(note)))
    };
    let operation = Operation::Disable;
    operate(session, &args.operation, operation, "Disable it?", &edit).await
}

pub(super) async fn enable(session: &Session, args: &EnableArgs) -> Result<Exit, Failure> {
    let PartOf { set, name } = &args.operation.breaker;
    let edit = |scene: &Scene<'_>, _: &Breaker, _: Stamp| {
        let mut overrides = scene.overrides.clone();
        overrides.enable(name);
        let note = format!("{set}/{name} can be tripped");
        Ok(Edited::new(overrides, Some(note)))
    };
    let operation = Operation::Enable;
    operate(session, &args.operation, operation, "Enable it?", &edit).await
}

/// Makes an edit of the breaker as it is declared.
type Edit<'a> = &'a (dyn Fn(&Scene<'_>, &Breaker, Stamp) -> Result<Edited, Failure> + Sync);

async fn operate(
    session: &Session,
    args: &OperationArgs,
    operation: Operation,
    question: &str,
    edit: Edit<'_>,
) -> Result<Exit, Failure> {
    let store = session.store().await?;
    let PartOf { set, name } = &args.breaker;
    // Nobody is asked why before it is known that there is such a breaker.
    let heads = around(store.as_ref(), [set]).await?;
    known_part(&living(&heads, set)?.0.breakers, "breaker", set, name)?;
    let reason = args.why.optional(session, &args.switch).await?;
    let edit = |scene: &Scene<'_>| -> Result<Edited, Failure> {
        let declared = known_part(&scene.set.breakers, "breaker", set, name)?;
        let stamp = Stamp {
            actor: session.environment.actor(),
            since: scene.clocks.setting,
            reason: reason.clone(),
        };
        edit(scene, declared, stamp)
    };
    let switch = Switch {
        set,
        cause: Cause::Breaker {
            breaker: name.clone(),
            operation,
        },
        reason: reason.clone(),
        question,
        edit: &edit,
    };
    carry_through(session, store.as_ref(), &switch, &args.switch).await
}
