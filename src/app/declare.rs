//! Declared changes: apply, rollback, delete, and what brings clusters to what is committed already.
//!
//! Targets are observed first and then the heads, so that a target that is ahead of them is a fault.
//! What is carried out is planned anew each time, and compared by its token with what was consented
//! to: nothing is kept between showing a plan and doing it.

use std::collections::{BTreeMap, BTreeSet};

use super::authorise::{Need, Purpose, Sight, lacks};
use super::run::Run;
use super::{alerts, expiry, names, present};
use crate::api::report::Outcome;
use crate::api::{
    About, Approval, Basis, Change, Error, ErrorKind, Event, PartName, Permission, PlanToken,
    Preview, Proposal, Request,
};
use crate::check::{self, Finding, Severity};
use crate::engine::{Question, Survey};
use crate::model::{
    Cause, Cluster, Consent, Content, Heads, Labels, Origin, Part, ResourceId, Role, Selector,
    SetName, Version,
};
use crate::plan::{ClusterScope, Desired, Permitted, Plan, Reach, approve};
use crate::store::{HeadsAt, Store, Which};

mod refusal;

use refusal::refusal;

/// What a request comes down to.
#[derive(Debug)]
struct Asked {
    desired: Desired,
    reach: Reach,
    cause: Cause,
    consents: BTreeSet<Consent>,
    checked: Checked,
    /// All heads, if they had to be read for this.
    all: Option<HeadsAt>,
}

/// What is to be said of what is declared.
#[derive(Debug, Default)]
struct Checked {
    /// What is found in it, and in what whoever asks may read.
    told: Vec<Finding>,
    /// What is found besides with what he may not read: it is told once the change is allowed, and
    /// to nobody else.
    withheld: Vec<Finding>,
}

/// A plan as it is now, and what consents to it; `P` says whether it may be carried out.
#[derive(Debug)]
struct Planned<P> {
    survey: Survey,
    plan: P,
    basis: Basis,
    token: PlanToken,
    undeclared: Vec<ResourceId>,
    cause: Cause,
    checked: Checked,
}

/// What `request` would do.
pub(super) async fn propose(run: &Run<'_>, request: &Request) -> Result<Proposal, Error> {
    let mut planned = planned(run, request).await?;
    if request.permission == Permission::Asked || run.access().is_everything() {
        let mut planned = planned.permit(run, request)?;
        if request.permission == Permission::Asked {
            planned.deny(run).await?;
        }
        return Ok(planned.proposal(planned.plan.get(), run.store()));
    }
    let (plan, heads) = (&planned.plan, &planned.survey.heads);
    let purpose = run.access().check_look(plan, &request.change, heads)?;
    if purpose != Purpose::Look {
        planned.checked = planned.checked.disclose(&planned.cause)?;
    }
    Ok(planned.proposal(&planned.plan, run.store()))
}

/// The error of a change that would be another one now than what was consented to.
pub(super) fn moved_on(basis: Basis) -> Error {
    let error = "what was shown does not hold any more; nothing was changed";
    Error::new(ErrorKind::Conflict, error).about(About {
        basis: Some(basis),
        ..About::default()
    })
}

/// Does what `request` asks for, if it still is what `approval` consents to.
pub(super) async fn carry_out(
    run: &Run<'_>,
    request: &Request,
    approval: &Approval,
) -> Result<Outcome, Error> {
    let mut planned = planned(run, request).await?.permit(run, request)?;
    if let Approval::Exactly(token) = approval
        && planned.token != *token
    {
        return Err(moved_on(planned.basis));
    }
    planned.deny(run).await?;
    let proposal = planned.proposal(planned.plan.get(), run.store());
    run.seen.tell(Event::Proposed(Box::new(proposal)));
    let Planned { survey, plan, .. } = planned;
    let approved = approve(plan).map_err(|plan| refusal(&plan, run.store()))?;
    let reports = run.deliver(&survey, &approved).await;
    let reports = reports.map_err(|error| run.sight().failed(error))?;
    let outcome = present::outcome(approved.plan(), &reports);
    Ok(expiry::finish(run, outcome, &survey.heads, &request.clusters).await)
}

impl Planned<Plan> {
    /// The same, to be carried out, if whoever asks may do that.
    fn permit(self, run: &Run<'_>, request: &Request) -> Result<Planned<Permitted<Plan>>, Error> {
        let Self {
            survey,
            plan,
            basis,
            token,
            undeclared,
            cause,
            checked,
        } = self;
        let allowed = run.access().permit(plan, &request.change, &survey.heads)?;
        let mut checked = checked.disclose(&cause)?;
        checked.told.extend(allowed.warnings);
        Ok(Planned {
            survey,
            plan: allowed.plan,
            basis,
            token,
            undeclared,
            cause,
            checked,
        })
    }
}

impl Planned<Permitted<Plan>> {
    /// Refuses what may not be written of it. The token stays: who may write is no part of what is
    /// consented to.
    async fn deny(&mut self, run: &Run<'_>) -> Result<(), Error> {
        let denials = run.denials(&self.survey, self.plan.get()).await?;
        self.plan.deny(&denials);
        Ok(())
    }
}

impl<P> Planned<P> {
    fn proposal(&self, plan: &Plan, store: &dyn Store) -> Proposal {
        let is_refused = !plan.objections.is_empty();
        Proposal {
            preview: Preview::Plan(present::plan_report(plan)),
            cause: self.cause.clone(),
            changes: plan.has_changes(),
            undeclared: self.undeclared.clone(),
            warnings: self.checked.told.clone(),
            refusal: is_refused.then(|| refusal(plan, store)),
            token: self.token.clone(),
            basis: self.basis.clone(),
        }
    }
}

/// What follows from `request`, as things are now.
async fn planned(run: &Run<'_>, request: &Request) -> Result<Planned<Plan>, Error> {
    let Asked {
        mut desired,
        reach,
        cause,
        consents,
        checked,
        all,
    } = asked(run, request).await?;
    let origin = Origin {
        planned: request.planned.clone(),
        ..run.origin(cause.clone(), request.message.as_ref())
    };
    let (reach, clusters) = within(run, request, reach).await?;
    if let Some(all) = &all {
        run.sight().learn(&all.heads);
        // What may not be read is not there, and what is not there is not deleted.
        let is_there = |id: &ResourceId| run.sight().sees(id);
        (desired.contents).retain(|id, content| *content != Content::Deleted || is_there(id));
        run.access().check_places(&desired.contents, &all.heads)?;
        let asked = request.permission == Permission::Asked;
        let contents = &desired.contents;
        run.access().check_names(contents, &all.heads, asked)?;
    } else if let Reach::Named(sets) = &reach {
        let sets = sets.iter().cloned().map(ResourceId::Set);
        run.view().learn(sets).await;
    }
    run.sight().learn_new(&desired.contents);
    let question = Question {
        desired: &desired,
        reach: &reach,
        clusters: &clusters,
        consents: &consents,
    };
    if !run.store().exists() {
        run.seen.tell(Event::NoStore);
    }
    let unsure = all.as_ref().filter(|_| !checked.withheld.is_empty());
    let unsure = unsure.map(|all| all.heads.clone());
    let (survey, mut plan) = match (run.look(&question, all, &origin).await, unsure) {
        (Err(error), Some(heads)) if error.kind == ErrorKind::Invalid => {
            // There is no plan that would say what it takes, and why not is what was withheld.
            run.access().check_wherever(&desired.contents, &heads)?;
            checked.disclose(&cause)?;
            return Err(error);
        }
        (looked, _) => looked?,
    };
    run.sight().learn(&survey.heads);
    check_selector(
        &request.clusters,
        &run.sight().readable(&survey.heads),
        &desired,
    )?;
    run.tell_clocks(&survey.clocks(run.now()));
    if let Change::Reconcile(Reach::All) = &request.change {
        run.access().leave_to_others(&mut plan, &survey.heads);
    }
    alerts::forget_deleted(run.store(), &mut plan).await?;
    run.sign(&mut plan, request.key.as_ref());

    let basis = Basis::of(&plan, &survey.states());
    let token = plan.token(&basis);
    let undeclared = match &request.change {
        Change::Declare(declared) => undeclared(&declared.contents, &survey.heads),
        _ => Vec::new(),
    };
    Ok(Planned {
        survey,
        plan,
        basis,
        token,
        undeclared,
        cause,
        checked,
    })
}

/// How far `request` goes for whoever asks: clusters are brought to what is committed where he may
/// do that, and no others are looked at.
async fn within(
    run: &Run<'_>,
    request: &Request,
    reach: Reach,
) -> Result<(Reach, ClusterScope), Error> {
    let matching = ClusterScope::Matching(request.clusters.clone());
    if run.access().is_everything() || !matches!(request.change, Change::Reconcile(_)) {
        return Ok((reach, matching));
    }
    if !run.access().has(Role::Operator) {
        let need = Need::Cluster(Role::Operator, Labels::new());
        let what = "to bring clusters to what is committed";
        return Err(lacks(&need, what));
    }
    let operated = run.view().at(Role::Operator);
    let heads = operated.heads(&Which::All).await?.heads;
    let reach = match reach {
        Reach::All => Reach::Named(heads.keys().filter_map(ResourceId::set).cloned().collect()),
        reach @ Reach::Named(_) => reach,
    };
    let clusters = names::clusters(&heads).into_iter();
    let clusters = clusters.filter(|(_, cluster)| request.clusters.matches(&cluster.labels));
    let clusters = clusters.map(|(name, _)| name.clone()).collect();
    Ok((reach, ClusterScope::Named(clusters)))
}

/// What `request` comes down to, with what is needed of the store for that.
async fn asked(run: &Run<'_>, request: &Request) -> Result<Asked, Error> {
    let (store, seen) = (run.store(), run.view());
    let mut asked = Asked {
        desired: Desired {
            dropped: dropped(seen, &request.dropped).await?,
            ..Desired::nothing()
        },
        reach: Reach::Named(BTreeSet::new()),
        cause: Cause::Apply,
        consents: request.consents.clone(),
        checked: Checked::default(),
        all: None,
    };
    match &request.change {
        Change::Declare(declared) => {
            let all = store.heads(&Which::All).await?;
            asked.checked = checked(run, &all.heads, &declared.contents)?;
            asked.all = Some(all);
            asked.desired.contents.clone_from(&declared.contents);
            asked.desired.provenances.clone_from(&declared.provenances);
        }
        Change::Rollback { name, to } => {
            let id = name.clone();
            let old = older(seen, name, *to).await?;
            let (to, content, provenance) = (old.version, old.content, old.provenance);
            // Clusters and other sets are those of today, so it is checked like a new one.
            let contents = BTreeMap::from([(id.clone(), content)]);
            let all = store.heads(&Which::All).await?;
            asked.cause = Cause::Rollback { to };
            asked.checked = checked(run, &all.heads, &contents)
                .map_err(|error| of_version(error, &asked.cause))?;
            asked.all = Some(all);
            asked.desired.contents = contents;
            asked
                .desired
                .provenances
                .extend(provenance.map(|it| (id, it)));
        }
        Change::Delete(names) => {
            let heads = known_heads(seen, names).await?;
            for id in names {
                names::known(&heads, id)?;
                asked.desired.contents.insert(id.clone(), Content::Deleted);
            }
            asked.all = Some(store.heads(&Which::All).await?);
            asked.cause = Cause::Delete;
            // Asking for it in so many words is consent.
            asked.consents.insert(Consent::AllowDeletes);
        }
        Change::Reconcile(reach) => {
            names::check_reach(seen, reach).await?;
            asked.reach = reach.clone();
        }
        Change::Flag(_) | Change::Breaker(_) => {
            let error = "a switch is no declared change";
            return Err(Error::new(ErrorKind::Bug, error));
        }
    }
    Ok(asked)
}

/// What is to be said of what is declared, if it is valid together with what the store holds besides
/// and whoever asks may read.
fn checked(
    run: &Run<'_>,
    heads: &Heads,
    contents: &BTreeMap<ResourceId, Content>,
) -> Result<Checked, Error> {
    // Files cannot say it; whoever writes a request can.
    for (id, content) in contents {
        if let Some(kind) = content.kind().filter(|kind| *kind != id.kind()) {
            let (id_kind, kind) = (id.kind().as_str(), kind.as_str());
            let error =
                format!("`{id}` is declared as a {kind}, and its name is that of a {id_kind}");
            return Err(Error::invalid(error));
        }
    }
    let mut told = check::declared(contents, heads);
    let mut withheld = Vec::new();
    if !told.is_empty() && !run.access().is_everything() {
        run.sight().learn(heads);
        let mut seen = check::declared(contents, &run.sight().readable(heads));
        // Nobody finds out what others have who may not do it anyway.
        let (known, others): (Vec<_>, Vec<_>) = told.into_iter().partition(|it| seen.contains(it));
        withheld = Sight::findings(others, &seen);
        // What is wrong only without the others is not wrong; what looks odd is said all the same.
        seen.retain(|it| it.severity != Severity::Error || known.contains(it));
        told = seen;
    }
    let told = valid(told)?;
    Ok(Checked { told, withheld })
}

impl Checked {
    /// The same with nothing withheld, where a change with this cause is allowed; refused if it is
    /// not valid together with what may not be read.
    fn disclose(self, cause: &Cause) -> Result<Self, Error> {
        if self.withheld.is_empty() {
            return Ok(self);
        }
        let found = self.told.into_iter().chain(self.withheld).collect();
        let told = valid(found).map_err(|error| of_version(error, cause))?;
        Ok(Self {
            told,
            withheld: Vec::new(),
        })
    }
}

/// These findings, if nothing of them is an error.
fn valid(findings: Vec<Finding>) -> Result<Vec<Finding>, Error> {
    if findings.iter().all(|it| it.severity != Severity::Error) {
        return Ok(findings);
    }
    let error = Error::invalid("what is declared is not valid; nothing was changed");
    Err(error.about(About {
        findings,
        ..About::default()
    }))
}

/// The error of what is declared, which may be an old revision.
fn of_version(mut error: Error, cause: &Cause) -> Error {
    if let Cause::Rollback { to } = cause {
        error.about.version = Some(*to);
    }
    error
}

/// The heads of these, or all of them where one is not there and others may be like it.
async fn known_heads(store: &dyn Store, names: &BTreeSet<ResourceId>) -> Result<Heads, Error> {
    let heads = store.heads(&Which::Named(names.clone())).await?.heads;
    if names.iter().all(|id| heads.contains_key(id)) {
        return Ok(heads);
    }
    Ok(store.heads(&Which::All).await?.heads)
}

/// The revision to go back to.
async fn older(
    store: &dyn Store,
    id: &ResourceId,
    to: Option<Version>,
) -> Result<crate::model::Revision, Error> {
    let heads = known_heads(store, &BTreeSet::from([id.clone()])).await?;
    names::known(&heads, id)?;
    let old = match to {
        Some(version) => names::revision(store, id, version).await?,
        None => previous(store, id).await?,
    };
    if old.content == Content::Deleted {
        let to = old.version;
        let name = names::short(id);
        return Err(
            Error::invalid(format!("revision {to} of `{name}` is its deletion"))
                .hint(format!("`cfgctl delete {name}` deletes it")),
        );
    }
    Ok(old)
}

/// How many revisions are read at once when one with another content is looked for.
const PAGE: usize = 50;
/// How many are searched in all; more is better named.
const SEARCHED: usize = 1000;

/// The newest revision whose content is another one than the head's, and is no deletion.
async fn previous(store: &dyn Store, id: &ResourceId) -> Result<crate::model::Revision, Error> {
    let mut head: Option<Content> = None;
    let mut before = None;
    for _ in 0..SEARCHED / PAGE {
        let page = store.history(id, before, PAGE).await?;
        let Some(last) = page.last() else { break };
        before = Some(last.version);
        for revision in page {
            match &head {
                None => head = Some(revision.content),
                Some(head) if *head != revision.content && revision.content != Content::Deleted => {
                    return Ok(revision);
                }
                Some(_) => {}
            }
        }
    }
    let name = names::short(id);
    let error = format!("`{name}` has no older content to go back to");
    let deletes = match id {
        ResourceId::Set(_) => format!("`cfgctl delete {name}` removes it from every cluster"),
        ResourceId::Cluster(_) | ResourceId::Grant(_) => {
            format!("`cfgctl delete {name}` deletes it")
        }
    };
    Err(Error::invalid(error).hint(deletes))
}

/// The living resources of the store that are not declared.
fn undeclared(contents: &BTreeMap<ResourceId, Content>, heads: &Heads) -> Vec<ResourceId> {
    heads
        .iter()
        .filter(|(id, head)| head.content != Content::Deleted && !contents.contains_key(id))
        .map(|(id, _)| id.clone())
        .collect()
}

/// Refuses a selector that matches none of the clusters that there are or will be: whoever mistypes
/// one must not be told that all is well.
pub(super) fn check_selector(
    clusters: &Selector,
    heads: &Heads,
    desired: &Desired,
) -> Result<(), Error> {
    let contents = heads.iter().map(|(id, head)| (id, &head.content));
    let mut there = contents
        .chain(&desired.contents)
        .filter_map(|(_, content)| content.cluster());
    let matches = |cluster: &Cluster| clusters.matches(&cluster.labels);
    if clusters.is_empty() || there.any(matches) {
        return Ok(());
    }
    Err(Error::invalid(format!("`{clusters}` matches no cluster"))
        .hint("`cfgctl cluster list` shows the clusters with their labels"))
}

/// What is switched by hand under these names; one that names nothing, or two things, is refused.
async fn dropped(
    store: &dyn Store,
    names: &BTreeSet<PartName>,
) -> Result<BTreeSet<(SetName, Part)>, Error> {
    let mut dropped = BTreeSet::new();
    if names.is_empty() {
        return Ok(dropped);
    }
    let sets = names.iter().map(|name| ResourceId::Set(name.set.clone()));
    let heads = store.heads(&Which::Named(sets.collect())).await?.heads;
    for name in names {
        let head = heads.get(&ResourceId::Set(name.set.clone()));
        let parts = head.map(|head| head.overrides.parts()).unwrap_or_default();
        let mut found = name.parts.iter().filter(|part| parts.contains(part));
        match (found.next(), found.next()) {
            (None, _) => {
                let error = format!("nothing named `{name}` is switched by hand");
                return Err(Error::absent(error)
                    .hint("`cfgctl flag list` and `cfgctl breaker list` show what is"));
            }
            (Some(part), None) => _ = dropped.insert((name.set.clone(), part.clone())),
            (Some(part), Some(_)) => {
                let (set, part) = (&name.set, part.name());
                let error = format!("`{name}` is a flag and a breaker, and both are switched");
                return Err(Error::invalid(error).hint(format!(
                    "write `{set}/flag/{part}` or `{set}/breaker/{part}`"
                )));
            }
        }
    }
    Ok(dropped)
}
