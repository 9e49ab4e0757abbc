//! What is over by the clocks that answer is taken away by whatever runs next.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{ATTEMPTS, Outcomes, witness};
use crate::cli::declared::clusters;
use crate::cli::environment::Environment;
use crate::cli::failure::{Exit, Failure};
use crate::cli::names::around;
use crate::cli::session::Session;
use crate::cli::views::table::moment;
use crate::cli::works::Works;
use crate::engine::{Asked, EngineError, clusters_of, stagger};
use crate::model::{
    Cause, Clocks, Cluster, ClusterName, Heads, Origin, Overrides, ResourceId, Revision, Selector,
    SetName, Version, Witness,
};
use crate::store::{StoreError, Which};

/// Who takes away what is over.
const SYSTEM: &str = "cfgctl";

/// Takes away what is over by `heads`, reports how all of it went, and says what the command ends
/// with.
pub(crate) async fn finish(
    works: &Works<'_>,
    outcomes: Outcomes,
    heads: &Heads,
    clusters: &Selector,
) -> Result<Exit, Failure> {
    let ui = &works.session.ui;
    let now = Environment::time();
    let mut due = due(heads, now);
    // What else the store holds and is over: `heads` may be of one set alone.
    let over = works.store.heads(&Which::DueBefore(now)).await;
    let swept = match over {
        Ok(over) => {
            due.extend(self::due(&over.heads, now));
            sweep(works, &due, clusters).await
        }
        Err(error) => Err(error.into()),
    };
    let outcomes = match swept {
        Ok(swept) => outcomes.and(swept),
        Err(failure) => {
            not_swept(works.session, &failure);
            outcomes
        }
    };
    ui.report(&outcomes)?;
    if outcomes.is_denied() {
        ui.status(
            "not everything is delivered; what is left needs a token that may write: `cfgctl cluster \
             policy NAME` prints the least, then `cfgctl apply --resume`",
        );
    } else if outcomes.exit() == Exit::Incomplete {
        ui.status("not everything is delivered; `cfgctl apply --resume` finishes what is left");
    }
    Ok(works.interrupt.exit().unwrap_or(outcomes.exit()))
}

/// Says so. It is no failure of what was asked for, whose answer comes still.
pub(super) fn not_swept(session: &Session, failure: &Failure) {
    let why = failure.chain().join(": ");
    session
        .ui
        .status(&format!("what is over stays until the next command: {why}"));
}

/// Takes away every override of these sets whose time is over, in a revision of its own that nobody
/// who happens to run a command answers for. Of several processes that do it at once one succeeds,
/// and the others find nothing left to do.
pub(super) async fn sweep(
    works: &Works<'_>,
    due: &BTreeSet<SetName>,
    only: &Selector,
) -> Result<Option<Outcomes>, Failure> {
    let Some(first) = due.first() else {
        return Ok(None);
    };
    // Where clusters are may just have changed.
    let heads = around(works.store, due).await?;
    let asked: BTreeMap<_, _> = due
        .iter()
        .flat_map(|set| clusters_of(set, &heads))
        .filter(|(_, cluster)| only.matches(&cluster.labels))
        .collect();
    let answers = works.ask(Asked::AccessAndTime, first, &asked).await;
    let clocks = Clocks::of(Environment::time(), answers.clocks);
    let mut swept: Option<Outcomes> = None;
    for set in due {
        let Some(version) = end(works, set, &clocks).await? else {
            continue;
        };
        let passes = works.reconcile(set, only).await;
        let outcomes = Outcomes::reconciled(set, Some(version), passes);
        swept = Some(match swept {
            Some(others) => others.and(Some(outcomes)),
            None => outcomes,
        });
    }
    Ok(swept)
}

/// Commits what is left of the overrides of `set` once everything is taken away that is over.
async fn end(
    works: &Works<'_>,
    set: &SetName,
    clocks: &Clocks,
) -> Result<Option<Version>, Failure> {
    let id = ResourceId::Set(set.clone());
    for round in 1..=ATTEMPTS {
        let heads = around(works.store, [set]).await?;
        let Some(head) = heads.get(&id) else {
            return Ok(None);
        };
        let Some(Ended { overrides, lines }) = ended(set, head, &clusters(&heads), clocks) else {
            return Ok(None);
        };
        let origin = Origin {
            actor: SYSTEM.to_owned(),
            at: Environment::time(),
            ..works.session.origin(Cause::Expiry, Some(lines.join("; ")))
        };
        match works.override_set(set, head, overrides, origin).await {
            Ok(version) => {
                for line in lines {
                    works.session.ui.status(&line);
                }
                return Ok(Some(version));
            }
            Err(EngineError::Commit(StoreError::HeadsMoved(_))) => stagger(round).await,
            Err(error) => return Err(works.interrupt.explain(error.into())),
        }
    }
    let error = anyhow::anyhow!("others kept changing {set}");
    Err(Failure::new(Exit::Conflict, error))
}

/// The sets in which something may be over, or may be counted wrongly, by this machine's clock
/// alone.
pub(super) fn due(heads: &Heads, now: Timestamp) -> BTreeSet<SetName> {
    let is_due = |head: &Revision| {
        let over = head.overrides.next_expiry().is_some_and(|at| at <= now);
        over || head.overrides.is_miscounted(now)
    };
    heads
        .iter()
        .filter_map(|(id, head)| match id {
            ResourceId::Set(name) if is_due(head) => Some(name.clone()),
            _ => None,
        })
        .collect()
}

/// What is left once everything is taken away that is over.
struct Ended {
    overrides: Overrides,
    /// What is over, and what lasts until another time than was thought.
    lines: Vec<String>,
}

/// What is over of `set`, as far as `clocks` tell the time; `None`: nothing is.
fn ended(
    set: &SetName,
    head: &Revision,
    clusters: &BTreeMap<&ClusterName, &Cluster>,
    clocks: &Clocks,
) -> Option<Ended> {
    // Where some Consul could tell the time and none does, this machine alone is not believed.
    if witness(head.content.set(), clusters, clocks) == Witness::Missing {
        return None;
    }
    let mut overrides = head.overrides.clone();
    let recounted = overrides.recount(clocks.setting);
    let expired = overrides.expire(clocks.keeping);
    let recounted = recounted.into_iter().map(|(part, until)| {
        let until = moment(until);
        format!("counted anew: {part} of {set} lasts until {until}; its time was in doubt")
    });
    let expired = expired
        .iter()
        .map(|part| format!("expired: {part} of {set}"));
    let lines: Vec<String> = recounted.chain(expired).collect();
    (!lines.is_empty()).then_some(Ended { overrides, lines })
}
