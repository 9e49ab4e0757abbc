//! The refusal of a plan: what stands against it, and what answers that.

use std::collections::BTreeSet;

use crate::api::{About, Error, ErrorKind};
use crate::app::present;
use crate::model::{Consent, Part, SetName};
use crate::plan::{Objection, ObjectionReason, Plan};
use crate::store::Store;

/// What stands against the plan, as an error that names the flags which answer it.
pub(super) fn refusal(plan: &Plan, store: &dyn Store) -> Error {
    let overridden = overridden(plan);
    let is_denied = |it: &Objection| matches!(it.reason, ObjectionReason::Denied { .. });
    let kind = if plan.objections.iter().any(is_denied) {
        ErrorKind::Denied
    } else {
        ErrorKind::Refused
    };
    let hints: BTreeSet<_> = plan
        .objections
        .iter()
        .map(|it| hint(it, &overridden))
        .collect();
    let error = Error::new(kind, "the plan is refused; nothing was changed").about(About {
        objections: plan.objections.iter().map(present::objection).collect(),
        ..About::default()
    });
    let error = hints.into_iter().fold(error, Error::hint);
    if store.exists() {
        return error;
    }
    // Whoever mistyped its name must not be led to take over from the right one.
    let place = store.location();
    error.hint(format!(
        "there is no store at `{place}` yet: see that it is the one you mean first"
    ))
}

/// The names of everything that would be lost of what is switched by hand, with its kind where a set
/// loses a flag and a breaker of one name.
fn overridden(plan: &Plan) -> Vec<String> {
    let lost: Vec<(&SetName, &Part)> = (plan.objections.iter())
        .filter_map(|it| match &it.reason {
            ObjectionReason::Overridden { set, part } => Some((set, part)),
            _ => None,
        })
        .collect();
    let name = |(set, part): &(&SetName, &Part)| {
        let alike = |(other, it): &&(&SetName, &Part)| other == set && it.name() == part.name();
        let kind = match part {
            _ if lost.iter().filter(alike).count() == 1 => "",
            Part::Flag(_) => "flag/",
            Part::Breaker(_) => "breaker/",
        };
        format!("{set}/{kind}{}", part.name())
    };
    lost.iter().map(name).collect()
}

/// What answers an objection. `overridden` names everything that would be lost.
fn hint(objection: &Objection, overridden: &[String]) -> String {
    match (objection.reason.answer(), &objection.reason) {
        (Some(Consent::DropOverrides), _) => format!(
            "reset or unset it first, or pass `--drop-overrides {}`",
            overridden.join(",")
        ),
        (Some(keep @ Consent::KeepKeys), ObjectionReason::KeepsKeys { .. }) => format!(
            "`{}` removes our keys there first, `{}` leaves them there",
            Consent::RemoveKeys.flag(),
            keep.flag()
        ),
        (Some(keep @ Consent::KeepKeys), _) => format!(
            "try again when the cluster can be looked at, or pass `{}`: what is there stays there",
            keep.flag()
        ),
        (Some(consent @ Consent::MoveSource), _) => format!(
            "keep one of the two; if it is this one, pass `{}`",
            consent.flag()
        ),
        (Some(consent), _) => format!(
            "if that is what you want, pass `{}`; `--clusters` leaves clusters out",
            consent.flag()
        ),
        (None, ObjectionReason::Denied { .. }) => {
            "a token that may write is needed, as `cfgctl cluster \
             policy` prints it; `--clusters` leaves clusters out"
                .to_owned()
        }
        (None, _) => "make the set smaller, or raise the limits of the cluster".to_owned(),
    }
}
