//! The evaluation of a flag: what an application would get, as flagd decides it.

use jiff::Timestamp;
use serde_json::Value;

use super::names::{around, clusters, known, known_part, living};
use crate::api::report::{Answer, AnswerReason, Evaluated};
use crate::api::{Error, EvaluateQuery};
use crate::evaluate::{self, Context, Evaluation, Reason, compares_versions};
use crate::model::value::{Map, leaves};
use crate::model::{Flag, ResourceId};
use crate::plan::{ValueSource, source_of_flag};
use crate::render;
use crate::store::Store;

/// What an application would get of a flag at the time `at`.
pub(super) async fn evaluate(
    store: &dyn Store,
    at: Timestamp,
    query: &EvaluateQuery,
) -> Result<Evaluated, Error> {
    let EvaluateQuery {
        set,
        flag: name,
        context,
        cluster,
    } = query;
    let about = Context::try_from(context.clone()).map_err(Error::invalid)?;
    let heads = around(store, [set]).await?;
    let (content, head) = living(&heads, set)?;
    let flag = known_part(&content.flags, "flag", set, name)?;

    let mut places = clusters(&heads);
    if let Some(cluster) = cluster {
        known(&heads, &ResourceId::Cluster(cluster.clone()))?;
        places.retain(|name, _| *name == cluster);
    }
    places.retain(|_, cluster| content.clusters.matches(&cluster.labels));
    if let (Some(cluster), true) = (cluster, places.is_empty()) {
        return Err(Error::invalid(format!("{set} does not go to {cluster}"))
            .hint("`cfgctl cluster list` shows the clusters with their labels"));
    }

    let answer = |flag: &Flag, source| answer(evaluate::evaluate(name, flag, &about, at), source);
    let mut answers: Vec<Answer> = Vec::new();
    for (cluster, place) in places {
        let labels = &place.labels;
        let contents = render::contents(content, &head.overrides, labels);
        let source = source_of_flag(content, &head.overrides, labels, name);
        let found = answer(contents.flags.get(name).unwrap_or(flag), source);
        match answers.iter_mut().find(|known| is_same(known, &found)) {
            Some(known) => known.clusters.push(cluster.clone()),
            None => answers.push(Answer {
                clusters: vec![cluster.clone()],
                ..found
            }),
        }
    }
    if answers.is_empty() {
        answers.push(answer(flag, ValueSource::Flag));
    }
    Ok(Evaluated {
        set: set.clone(),
        flag: name.clone(),
        version: head.version,
        numbers_as_versions: numbers_as_versions(flag, context),
        answers,
    })
}

/// The answer, for no cluster yet.
fn answer(found: Evaluation, source: ValueSource) -> Answer {
    let (reason, breaker, held) = match source {
        ValueSource::Breaker { breaker, held } => {
            (AnswerReason::Breaker, Some(breaker), Some(held))
        }
        ValueSource::Override { held, .. } => (AnswerReason::Override, None, Some(held)),
        ValueSource::Defaults | ValueSource::Layer { .. } | ValueSource::Flag => {
            (found.reason.into(), None, None)
        }
    };
    Answer {
        variant: found.variant,
        value: found.value,
        reason,
        error: found.error,
        breaker,
        held,
        clusters: Vec::new(),
    }
}

/// Whether it is the same answer, for whichever clusters.
fn is_same(one: &Answer, other: &Answer) -> bool {
    let Answer {
        variant,
        value,
        reason,
        error,
        breaker,
        held,
        clusters: _,
    } = one;
    (variant, value, reason) == (&other.variant, &other.value, &other.reason)
        && (error, breaker, held) == (&other.error, &other.breaker, &other.held)
}

/// The fields of `context` that are numbers, and that the rule of `flag` takes for versions.
fn numbers_as_versions(flag: &Flag, context: &Map) -> Vec<String> {
    let Some(rule) = &flag.targeting else {
        return Vec::new();
    };
    let numbers = leaves(context).into_iter();
    let numbers = numbers.filter(|(_, value)| matches!(value, Value::Number(_)));
    let fields = numbers.map(|(path, _)| path.segments().join("."));
    fields
        .filter(|field| compares_versions(rule, field))
        .collect()
}

impl From<Reason> for AnswerReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Static => Self::Static,
            Reason::TargetingMatch => Self::TargetingMatch,
            Reason::Default => Self::Default,
            Reason::Disabled => Self::Disabled,
            Reason::Error => Self::Error,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{asked, refused};
    use super::*;
    use crate::model::{ConfigSet, FlagOverride, Stamp};
    use crate::plan::testing::*;

    fn declared() -> ConfigSet {
        let mut flag = Flag::boolean(false);
        flag.targeting = Some(json!({"if": [
            {"sem_ver": [{"var": "app.version"}, ">=", "2.0.0"]}, "on", "off"
        ]}));
        ConfigSet {
            clusters: selector("region!=mars"),
            flags: [("new".parse().unwrap(), flag)].into(),
            ..set(json!({"a": 1}))
        }
    }

    fn of(world: &World, context: Value, cluster: Option<&str>) -> Result<Evaluated, Error> {
        let query = EvaluateQuery {
            set: "shop".parse().unwrap(),
            flag: "new".parse().unwrap(),
            context: map(context),
            cluster: cluster.map(|name| name.parse().unwrap()),
        };
        let at = Timestamp::UNIX_EPOCH;
        world
            .runtime
            .block_on(evaluate(world.store.as_ref(), at, &query))
    }

    fn world() -> World {
        let world = World::new();
        world.apply(&described("mars", cluster("mars", "mars")));
        world.apply(&shop(&declared()));
        world
    }

    #[test]
    fn clusters_with_the_same_answer_stand_beside_it() {
        let found = asked(of(&world(), json!({"app": {"version": "2.1.0"}}), None));
        assert_eq!(found.answers.len(), 1);
        let answer = &found.answers[0];
        assert_eq!(answer.variant.as_deref(), Some("on"));
        assert_eq!(answer.reason, AnswerReason::TargetingMatch);
        assert_eq!(
            answer.clusters,
            ["eu".parse().unwrap(), "us".parse().unwrap()]
        );
        assert_eq!(found.numbers_as_versions, Vec::<String>::new());
    }

    #[test]
    fn whoever_holds_a_flag_in_one_cluster_answers_there() {
        let world = world();
        world.switch(|overrides| {
            overrides.flags.push(FlagOverride {
                flag: "new".parse().unwrap(),
                clusters: selector("region=us"),
                variant: "on".to_owned(),
                stamp: Stamp {
                    actor: "ops@laptop".to_owned(),
                    since: Timestamp::UNIX_EPOCH,
                    reason: None,
                },
                until: None,
                counted: None,
            });
        });
        let found = asked(of(&world, json!({}), None));
        let reasons: Vec<AnswerReason> = found.answers.iter().map(|it| it.reason).collect();
        assert_eq!(
            reasons,
            [AnswerReason::TargetingMatch, AnswerReason::Override]
        );
        let held = found.answers[1].held.as_ref().unwrap();
        assert_eq!(held.actor, "ops@laptop");
    }

    #[test]
    fn a_number_that_the_rule_takes_for_a_version_is_named() {
        let found = asked(of(
            &world(),
            json!({"app": {"version": 2.1, "age": 3}}),
            None,
        ));
        assert_eq!(found.numbers_as_versions, ["app.version"]);
    }

    #[test]
    fn a_cluster_that_does_not_get_the_set_has_no_answer() {
        assert_eq!(
            refused(of(&world(), json!({}), Some("mars"))),
            "shop does not go to mars; `cfgctl cluster list` shows the clusters with their labels"
        );
        let deep = (0..40).fold(json!(1), |inner, _| json!({"a": inner}));
        let error = "the context is nested deeper than 32 levels";
        assert_eq!(refused(of(&world(), deep, None)), error);
    }
}
