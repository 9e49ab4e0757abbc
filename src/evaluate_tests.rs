use serde_json::json;

use super::language::{MAX_RULE_DEPTH, reads_time};
use super::*;
use crate::model::FlagState;

impl Evaluation {
    fn none(reason: Reason) -> Self {
        Self {
            variant: None,
            value: None,
            reason,
            error: None,
        }
    }
}

fn flag(targeting: Value) -> Flag {
    Flag {
        variants: ["on", "off", "true", "false", "1.5", "a,b"]
            .map(|name| (name.to_owned(), Value::String(format!("value of {name}"))))
            .into(),
        targeting: Some(targeting),
        ..Flag::boolean(false)
    }
}

fn context(value: Value) -> Context {
    let Value::Object(map) = value else {
        panic!("a context is a map");
    };
    map.try_into().unwrap()
}

fn evaluated(flag: &Flag, about: Value) -> Evaluation {
    let now = "2026-11-21T12:00:00Z".parse().unwrap();
    evaluate(&"express-pay".parse().unwrap(), flag, &context(about), now)
}

/// The variant that a rule chooses, the reason why it chooses none, or what went wrong.
fn chosen(targeting: Value, about: Value) -> String {
    let found = evaluated(&flag(targeting), about);
    match (found.reason, found.variant, found.error) {
        (Reason::TargetingMatch, Some(variant), None) => variant,
        (Reason::Error, None, Some(error)) => error,
        (reason, ..) => format!("{reason:?}"),
    }
}

#[test]
fn without_targeting_the_answer_is_always_the_same() {
    let found = evaluated(&Flag::boolean(true), json!({"tier": "beta"}));
    assert_eq!(found.variant.as_deref(), Some("on"));
    assert_eq!(found.value, Some(json!(true)));
    assert_eq!(found.reason, Reason::Static);
}

#[test]
fn a_disabled_flag_and_one_without_a_default_leave_it_to_the_application() {
    let disabled = Flag {
        state: FlagState::Disabled,
        ..Flag::boolean(true)
    };
    assert_eq!(
        evaluated(&disabled, json!({})),
        Evaluation::none(Reason::Disabled)
    );
    let without = Flag {
        default_variant: None,
        ..Flag::boolean(true)
    };
    assert_eq!(
        evaluated(&without, json!({})),
        Evaluation::none(Reason::Default)
    );
    let targeted = Flag {
        targeting: Some(json!({"var": "nothing"})),
        ..without
    };
    assert_eq!(
        evaluated(&targeted, json!({})),
        Evaluation::none(Reason::Default)
    );
}

#[test]
fn an_outcome_is_the_name_of_a_variant() {
    assert_eq!(chosen(json!({"var": "a"}), json!({"a": true})), "true");
    assert_eq!(chosen(json!({"var": "a"}), json!({"a": 1.5})), "1.5");
    assert_eq!(chosen(json!({"var": "a"}), json!({"a": ["a", "b"]})), "a,b");
    assert_eq!(chosen(json!({"var": "a"}), json!({})), "Default");
    let unknown = "there is no variant `blue`";
    assert_eq!(chosen(json!({"var": "a"}), json!({"a": "blue"})), unknown);
}

#[test]
fn flagd_adds_the_time_and_the_flag() {
    let rule = json!({"if": [
        {"and": [
            {"==": [{"var": "$flagd.flagKey"}, "express-pay"]},
            {"==": [{"var": "$flagd.timestamp"}, 1_795_262_400]},
        ]},
        "on",
        "off",
    ]});
    // Whatever somebody says in its place.
    let about = json!({"$flagd": {"flagKey": "other", "timestamp": 0}});
    assert_eq!(chosen(rule, about), "on");
}

#[test]
fn what_is_missing_is_compared_as_javascript_does() {
    let is = |rule: Value| {
        chosen(
            json!({"if": [rule, "on", "off"]}),
            json!({"n": 5, "list": []}),
        )
    };
    assert_eq!(is(json!({"==": [{"var": "email"}, ""]})), "off");
    assert_eq!(is(json!({"==": [{"var": "email"}, null]})), "on");
    assert_eq!(is(json!({"<": [{"var": "age"}, 18]})), "on");
    assert_eq!(is(json!({"==": ["beta", {"var": "n"}]})), "off");
    assert_eq!(is(json!({"all": [{"var": "roles"}, {"var": ""}]})), "on");
    assert_eq!(is(json!({"all": [{"var": "list"}, {"var": ""}]})), "off");
    let error = "a text that is no number cannot be compared with a number";
    assert!(is(json!({"==": [{"var": "n"}, "beta"]})).starts_with(error));
    assert!(is(json!({"in": ["a", {"var": "n"}]})).starts_with("`in` looks into a list or a text"));
}

#[test]
fn a_name_that_is_only_ours_is_no_operator() {
    let error = "there is no operator `flagd:list`";
    assert_eq!(
        chosen(json!({"flagd:list": [{"var": "a"}]}), json!({})),
        error
    );
    assert_eq!(
        chosen(json!({"upper": ["a"]}), json!({})),
        "there is no operator `upper`"
    );
    assert_eq!(
        chosen(json!({"if": [1], "or": [1]}), json!({})),
        "an operation has one operator"
    );
}

#[test]
fn no_rule_and_no_context_is_too_much() {
    let nested = |depth: usize| (0..depth).fold(json!(true), |inner, _| json!({"!": inner}));
    assert_eq!(chosen(nested(MAX_RULE_DEPTH), json!({})), "true");
    let error = "the rule is nested deeper than 64 levels";
    assert_eq!(chosen(nested(MAX_RULE_DEPTH + 1), json!({})), error);
    assert_eq!(chosen(nested(1000), json!({})), error);

    let nested = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!([inner]));
    let context = |value: Value| {
        let map: Map = [("a".to_owned(), value)].into_iter().collect();
        Context::try_from(map).map(|_| ())
    };
    assert_eq!(context(nested(MAX_CONTEXT_DEPTH - 1)), Ok(()));
    assert_eq!(
        context(nested(MAX_CONTEXT_DEPTH)),
        Err(ContextError::TooDeep)
    );
    assert_eq!(context(nested(1000)), Err(ContextError::TooDeep));
    assert_eq!(context(json!("a".repeat(MAX_CONTEXT_BYTES - 8))), Ok(()));
    let large = context(json!("a".repeat(MAX_CONTEXT_BYTES)));
    assert_eq!(large, Err(ContextError::TooLarge(MAX_CONTEXT_BYTES + 8)));
}

#[test]
fn everyone_stays_in_their_bucket() {
    let rule = json!({"fractional": [["on", 25], ["off", 75]]});
    let mut on = 0;
    for user in 0..1000 {
        let about = json!({"targetingKey": format!("user-{user}")});
        let found = chosen(rule.clone(), about.clone());
        assert_eq!(found, chosen(rule.clone(), about));
        on += i32::from(found == "on");
    }
    assert!((200..300).contains(&on), "{on} of 1000");
    // Nobody asks.
    assert_eq!(chosen(rule, json!({})), "Default");
}

const TOO_MUCH: &str =
    "the rule asks for more than 64 MiB of lists and texts, or for as many steps";

#[test]
fn a_text_or_a_list_that_doubles_itself_ends() {
    let numbers: Vec<usize> = (0..40).collect();
    let doubled = |body: Value| json!({"reduce": [{"var": "n"}, body, "ab"]});
    let twice = json!([{"var": "accumulator"}, {"var": "accumulator"}]);
    for body in [
        json!({"cat": twice}),
        json!({"merge": twice}),
        twice.clone(),
        json!({"map": [twice, {"var": ""}]}),
        json!({"var": ["nothing", twice]}),
    ] {
        let found = chosen(doubled(body.clone()), json!({"n": numbers}));
        assert!(found.starts_with(TOO_MUCH), "{body}: {found}");
        // What is made is only asked for whether it is true.
        let rule = json!({"if": [doubled(body), "on", "off"]});
        let found = chosen(rule, json!({"n": numbers}));
        assert!(found.starts_with(TOO_MUCH), "{found}");
    }
}

#[test]
fn steps_within_steps_end() {
    let numbers: Vec<usize> = (1..=300).collect();
    let list = json!(numbers);
    for operator in ["map", "filter", "all"] {
        let nested = (0..4).fold(
            json!({"var": ""}),
            |body, _| json!({operator: [list, body]}),
        );
        let found = chosen(json!({"if": [nested, "on"]}), json!({}));
        assert!(found.starts_with(TOO_MUCH), "{operator}: {found}");
    }
}

#[test]
fn a_list_within_a_list_within_a_list_ends() {
    let numbers: Vec<usize> = (0..5000).collect();
    let rule = json!({"reduce": [{"var": "n"}, [{"var": "accumulator"}], 1]});
    let deep = "the rule makes a list that is nested too deeply";
    let found = chosen(rule, json!({"n": numbers}));
    assert!(found.starts_with(deep), "{found}");
}

#[test]
fn looking_at_the_same_again_and_again_ends() {
    let long = "a".repeat(60_000);
    for operand in [
        json!({"in": ["b", {"var": "s"}]}),
        json!({"===": [{"var": "s"}, {"var": "t"}]}),
        json!({"==": [{"var": "s"}, {"var": "t"}]}),
        json!({"+": [{"var": "s"}]}),
        json!({"var": {"var": "s"}}),
        json!({"starts_with": [{"var": "s"}, "b"]}),
        json!({"<": [{"var": "s"}, {"var": "s"}]}),
    ] {
        let many: Vec<Value> = vec![operand.clone(); 2000];
        let found = chosen(json!({"and": [{"or": many}, "on"]}), json!({"s": long}));
        let ends = [TOO_MUCH, "something that is no number", "Default", "false"];
        assert!(
            ends.iter().any(|end| found.starts_with(end)),
            "{operand}: {found}"
        );
    }
}

#[test]
fn a_default_within_a_default_is_not_doubled() {
    let nested = (0..21).fold(json!("p"), |path, _| json!({"var": [path, "q"]}));
    assert_eq!(chosen(nested, json!({"p": "p"})), "there is no variant `p`");
}

#[test]
fn the_deepest_rule_is_still_evaluated() {
    let wrappers: [fn(&Value) -> Value; 4] = [
        |inner| json!({"+": [inner]}),
        |inner| json!({"cat": [inner]}),
        |inner| json!({"var": [{"cat": ["b", inner]}, "off"]}),
        |inner| json!({"if": [{"map": [[1], inner]}, "on"]}),
    ];
    for wrap in wrappers {
        let mut rule = json!({"var": ["a", "1.5"]});
        while !deeper_than(&wrap(&rule), MAX_RULE_DEPTH) {
            rule = wrap(&rule);
        }
        let found = chosen(rule, json!({"a": 1.5}));
        assert!(["1.5", "off", "on"].contains(&found.as_str()), "{found}");
    }
}

#[test]
fn rules_over_large_lists_are_evaluated() {
    let people: Vec<Value> = (0..900)
        .map(|n| json!({"name": format!("user-{n}"), "roles": ["admin", n]}))
        .collect();
    let names: Vec<String> = (0..900).map(|n| format!("user-{n}")).collect();
    let about = json!({"people": people});
    let rule = json!({"if": [{"all": [{"var": "people"},
        {"or": [{"in": [{"var": "name"}, names]}, {"in": ["none", {"var": "roles"}]}]}]}, "on", "off"]});
    assert_eq!(chosen(rule, about.clone()), "on");
    let rule = json!({"if": [{">": [{"reduce": [
        {"map": [{"filter": [{"var": "people"}, {"in": ["admin", {"var": "roles"}]}]},
            {"var": "roles.1"}]},
        {"+": [{"var": "current"}, {"var": "accumulator"}]}, 0]}, 1000]}, "on", "off"]});
    assert_eq!(chosen(rule, about), "on");
}

#[test]
fn a_rule_that_looks_at_the_time_is_known() {
    for rule in [
        json!({">": [{"var": "$flagd.timestamp"}, 5]}),
        json!({"if": [{"!": [{"var": ["$flagd"]}]}, "on", "off"]}),
        json!({"var": {"cat": ["$flagd.", "timestamp"]}}),
        json!({"var": ""}),
        json!({"var": []}),
    ] {
        assert!(reads_time(&rule), "{rule}");
    }
    for rule in [
        json!({"if": [{"==": [{"var": "tier"}, "$flagd.timestamp"]}, "on", "off"]}),
        json!({"fractional": [{"cat": [{"var": "$flagd.flagKey"}, {"var": "id"}]}, ["on", 1]]}),
        json!("on"),
    ] {
        assert!(!reads_time(&rule), "{rule}");
    }
}

#[test]
fn what_is_asked_with_one_context_is_answered_as_if_asked_alone() {
    let about = context(json!({"tier": "beta", "$flagd": {"flagKey": "mine"}, "age": 3}));
    let flags = [
        flag(json!({"if": [{"==": [{"var": "tier"}, "beta"]}, "on", "off"]})),
        flag(json!({"if": [{"==": [{"var": "$flagd.flagKey"}, "b"]}, "on", "off"]})),
        flag(json!({"+": ["a", 1]})),
        Flag::boolean(true),
        flag(json!({"cat": [{"var": "$flagd.flagKey"}, ""]})),
    ];
    let now = Timestamp::UNIX_EPOCH;
    let arena = Arena::default();
    let mut asker = Asker::new(&about, now, &arena);
    for (flag, name) in flags.iter().zip(["a", "b", "c", "d", "on"]) {
        let name = name.parse().unwrap();
        let rule = Targeted::of(flag);
        let found = asker.ask(&name, flag, &rule);
        let alone = evaluate(&name, flag, &about, now);
        assert_eq!(found.variant.map(ToOwned::to_owned), alone.variant);
        assert_eq!((found.reason, found.error), (alone.reason, alone.error));
        assert_eq!(rule.is_constant(), flag.targeting.is_none());
    }
}

#[test]
fn many_costly_rules_together_come_to_an_end() {
    let numbers: Vec<u32> = (0..2000).collect();
    let costly =
        flag(json!({"if": [{"all": [numbers, {"in": [{"var": ""}, numbers]}]}, "on", "off"]}));
    let (rule, name) = (Targeted::of(&costly), "costly".parse().unwrap());
    let arena = Arena::default();
    let mut asker = Asker::new(&context(json!({})), Timestamp::UNIX_EPOCH, &arena);
    let found: Vec<_> = (0..40).map(|_| asker.ask(&name, &costly, &rule)).collect();
    assert_eq!(found[0].variant, Some("on"));
    let last = found.last().and_then(|last| last.error.as_deref());
    assert_eq!(last, Some(TOO_MUCH));
}
