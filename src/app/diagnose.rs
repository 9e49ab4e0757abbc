//! Diagnosis: what every cluster holds, and how that differs from what it should.

use super::names::check_reach;
use super::run::Run;
use super::{declare, present};
use crate::api::report::{Drift, Status, StatusItem};
use crate::api::{Error, Event, LookQuery};
use crate::engine::{Question, Survey};
use crate::model::{Cause, ResourceId, Selector, Version};
use crate::plan::{Action, ClusterScope, Condition, Delivery, Desired, Plan, Reach};

/// Looks at `sets` in `clusters`, none of which should change.
pub(super) async fn look(
    run: &Run<'_>,
    sets: &Reach,
    clusters: &Selector,
) -> Result<(Survey, Plan), Error> {
    let nothing = Desired::nothing();
    // Nothing is carried out, so the origin is never written anywhere.
    let origin = run.origin(Cause::Apply, None);
    let question = Question {
        desired: &nothing,
        reach: sets,
        clusters: &ClusterScope::Matching(clusters.clone()),
        consents: &std::collections::BTreeSet::new(),
    };
    let (survey, plan) = run.look(&question, None, &origin).await?;
    declare::check_selector(clusters, &survey.heads, &nothing)?;
    Ok((survey, plan))
}

/// The same for an answer that is given without the clusters that cannot be looked at, which are
/// told.
pub(super) async fn glance(run: &Run<'_>, sets: Reach) -> Result<(Survey, Plan), Error> {
    let (survey, plan) = look(run, &sets, &Selector::default()).await?;
    let mut told = std::collections::BTreeSet::new();
    for delivery in &plan.deliveries {
        let Condition::Unseen(unseen) = &delivery.condition else {
            continue;
        };
        let cluster = &delivery.pair.cluster;
        if delivery.desired.is_some() && told.insert(cluster) {
            run.seen.tell(Event::Unseen {
                cluster: cluster.clone(),
                reason: unseen.reason.clone(),
            });
        }
    }
    Ok((survey, plan))
}

/// Which version of every set each cluster holds.
pub(super) async fn status(run: &Run<'_>, query: &LookQuery) -> Result<Status, Error> {
    check_reach(run.store(), &query.sets).await?;
    let (survey, plan) = look(run, &query.sets, &query.clusters).await?;
    run.tell_clocks(&survey.clocks(run.now()));
    let concerns = |delivery: &&Delivery| match delivery.condition {
        Condition::None => false,
        // Where the set should not be anyway, nothing is expected to be found.
        Condition::Unseen(_) => delivery.action != Action::Keep,
        _ => true,
    };
    Ok(Status {
        in_sync: plan.is_settled(),
        clusters: plan
            .deliveries
            .iter()
            .filter(concerns)
            .map(|delivery| {
                let id = ResourceId::Set(delivery.pair.set.clone());
                let head = survey.heads.get(&id).map(|head| head.version);
                item(delivery, head)
            })
            .collect(),
        overridden: present::overridden(&plan.deliveries),
    })
}

fn item(delivery: &Delivery, head: Option<Version>) -> StatusItem {
    let holds = delivery.holds.as_ref();
    StatusItem {
        set: delivery.pair.set.clone(),
        cluster: delivery.pair.cluster.clone(),
        head,
        holds: holds.map(|(version, _)| *version),
        state: present::state(&delivery.condition),
        reason: reason(&delivery.condition),
        since: holds.map(|(_, origin)| origin.at),
        actor: holds.map(|(_, origin)| origin.actor.clone()),
        drift: delivery.drift.len(),
        foreign: delivery.foreign.len(),
    }
}

/// Why it is as it is, and for a delivery that stopped half-way what to do: nothing else goes on by
/// itself there.
fn reason(condition: &Condition) -> Option<String> {
    let reason = present::condition_reason(condition)?;
    Some(match condition {
        Condition::Unfinished(_) => format!("{reason}; `cfgctl apply --resume` finishes it"),
        _ => reason,
    })
}

/// How clusters differ from what they should hold.
pub(super) async fn drift(run: &Run<'_>, query: &LookQuery) -> Result<Drift, Error> {
    check_reach(run.store(), &query.sets).await?;
    let (survey, plan) = look(run, &query.sets, &query.clusters).await?;
    let now = run.now();
    run.tell_clocks(&survey.clocks(now));
    Ok(present::drift(&plan, &survey.heads, &query.clusters, now))
}
