use super::*;

/// What is found about one flag with these fields, a line each, below `spec.flags.f`.
fn found_in(flag: &str) -> String {
    let flag = flag.replace('\n', "\n      ");
    found(&format!(
        "kind: ConfigSet\nmetadata: {{name: shop}}\nspec:\n  values: {{a: 1}}\n  flags:\n    f:\n      {flag}\n"
    ))
}

/// What is found in a rule of a flag with the variants `on` and `off`.
fn found_in_rule(rule: &str) -> String {
    found_in(&format!(
        "state: ENABLED\nvariants: {{\"on\": true, \"off\": false}}\ntargeting:\n  {rule}"
    ))
}

#[test]
fn flags_as_flagd_documents_them_are_fine() {
    let found = found(
        r#"kind: ConfigSet
metadata: {name: shop}
spec:
  values: {a: 1}
  flags:
    plain: true
    color:
      state: DISABLED
      variants: {red: "c05543", green: "2f5230", blue: "0d507b"}
      defaultVariant: red
      targeting:
        if:
          - {ends_with: [{var: email}, "@example.com"]}
          - fractional: [{cat: [{var: $flagd.flagKey}, {var: email}]}, [red, 50], [{var: color}, 20], [green, {var: weight}]]
          - {sem_ver: [{var: version}, ">=", 1.2.3]}
          - {or: [{var: wanted}, blue]}
          - null
      metadata: {team: shop, level: 3, beta: true}
    limit: {state: ENABLED, variants: {"1": 1, "true": 2.5}, targeting: {"if": [{"var": "a"}, 1, true]}}
    object: {state: ENABLED, variants: {one: {a: [1]}, two: {}}, defaultVariant: null}
    boolean: {state: ENABLED, variants: {"true": "yes", "false": "no"}, targeting: {"in": ["a", {"var": "list"}]}}
    unknown: {state: ENABLED, variants: {one: 1}, targeting: {"cat": ["o", {"var": "rest"}]}}
  breakers:
    paying:
      trip: {flags: {plain: false, color: green}}
  publish:
    - flagd: {key: flags/shop}
"#,
    );
    assert_eq!(found, "");
}

#[test]
fn the_rarer_type_of_variants_is_the_wrong_one() {
    insta::assert_snapshot!(found_in("state: ENABLED\nvariants: {a: 1, c: false, b: true}"), @r"
    8:21 flag-variant-type: variants of flag `f` are of different types
      label: this is a number
      8:37 `b` is a boolean
    ");
}

#[test]
fn variants_are_of_one_type_that_flagd_has() {
    insta::assert_snapshot!(found_in(
        "state: ENABLED\nvariants: {z: true, b: 1, c: null, d: [1], e: {}, f: off, \"\": false}"
    ), @r"
    8:30 flag-variant-type: variants of flag `f` are of different types
      label: this is a number
      8:21 `z` is a boolean
    8:36 flag-variant-type: variant `c` of flag `f` has no type that flagd has
      help: a variant is a boolean, a string, a number or a map
    8:45 flag-variant-type: variant `d` of flag `f` has no type that flagd has
      help: a variant is a boolean, a string, a number or a map
    8:53 flag-variant-type: variants of flag `f` are of different types
      label: this is a map
      8:21 `z` is a boolean
    8:60 flag-variant-type: variants of flag `f` are of different types
      label: this is a string
      8:21 `z` is a boolean
    8:65 flag-variant-without-name: a variant of flag `f` has an empty name
    ");
    insta::assert_snapshot!(found_in("state: ENABLED\nvariants: {}\ndefaultVariant: a"), @r#"
    8:17 flag-without-variants: flag `f` has no variant
      help: name at least one, as in `{"on": true, "off": false}`
    "#);
}

#[test]
fn what_is_chosen_is_a_variant() {
    insta::assert_snapshot!(found_in(
        "state: ENABLED\nvariants: {blue: 1, red: 2}\ndefaultVariant: bleu"
    ), @r"
    9:23 flag-unknown-variant: the default of flag `f` is `bleu`, which is no variant
      help: did you mean `blue`?
    ");
    insta::assert_snapshot!(found_in_rule(
        r#"if: [{var: a}, oon, {var: b}, {if: [1, "on", 2]}, {var: c}, [], true]"#
    ), @r"
    10:24 flag-unknown-variant: flag `f`: the rule chooses `oon`, which is no variant
      help: did you mean `on`?
    10:54 flag-unknown-variant: flag `f`: the rule chooses `2`, which is no variant
      help: the variants are: off, on
    10:69 flag-unknown-variant: flag `f`: the rule chooses a list, which is no variant
    10:73 flag-unknown-variant: flag `f`: the rule chooses `true`, which is no variant
      help: the variants are: off, on
    ");
    insta::assert_snapshot!(found_in_rule(
        r#"if: [{var: a}, {fractional: [[grey, 1], ["off"], [null, 2]]}, {var: [b, default]}]"#
    ), @r"
    10:39 flag-unknown-variant: flag `f`: the rule chooses `grey`, which is no variant
      help: the variants are: off, on
    10:81 flag-unknown-variant: flag `f`: the rule chooses `default`, which is no variant
      help: the variants are: off, on
    ");
}

#[test]
fn a_condition_is_no_variant_unless_one_is_called_so() {
    insta::assert_snapshot!(found_in_rule(r#""==": [{var: tier}, beta]"#), @r#"
    10:9 flag-unknown-variant: flag `f`: `==` can be true, and no variant is called `true`
      help: choose variants with `{if: [CONDITION, "on", "off"]}`
    "#);
    insta::assert_snapshot!(found_in_rule(r#"and: [{"==": [{var: tier}, beta]}, "on"]"#), @r#"
    10:16 flag-unknown-variant: flag `f`: `==` can be false, and no variant is called `false`
      help: choose variants with `{if: [CONDITION, "on", "off"]}`
    "#);
    insta::assert_snapshot!(found_in_rule(r#"or: [{"!": {var: tier}}, "off"]"#), @r#"
    10:15 flag-unknown-variant: flag `f`: `!` can be true, and no variant is called `true`
      help: choose variants with `{if: [CONDITION, "on", "off"]}`
    "#);
    insta::assert_snapshot!(found_in_rule("missing: [tier]"), @r"10:18 flag-unknown-variant: flag `f`: the rule chooses the list of `missing`, which is no variant");
    // What is false goes on to the next, and what is true comes first.
    assert_eq!(found_in_rule(r#"or: [false, "", 0, "on"]"#), "");
    assert_eq!(found_in_rule(r#"and: [true, grey, 1, "on"]"#), "");
}

#[test]
fn operators_are_those_of_flagd() {
    insta::assert_snapshot!(found_in_rule(
        "if: [{fractionl: []}, {upper: [a]}, {$ref: isBeta}, {a: 1, b: 2}, {}]"
    ), @r"
    10:15 flag-unknown-operator: flag `f`: there is no operator `fractionl`
      help: did you mean `fractional`?
    10:32 flag-unknown-operator: flag `f`: there is no operator `upper`
      help: https://flagd.dev/reference/flag-definitions/ lists the operators
    10:46 flag-reference: flag `f`: `$ref` names a rule that flags share, and manifests have none
      help: write the rule out where it is used
    10:61 flag-bad-rule: flag `f`: a rule has one operator, and this has 2
    10:75 flag-bad-rule: flag `f`: a rule needs an operator
    ");
}

#[test]
fn operators_take_what_flagd_gives_them() {
    insta::assert_snapshot!(found_in(
        r#"state: ENABLED
variants: {"on": true, "off": false}
targeting:
  if:
    - "==": [1]
    - "<": 1
    - missing: [1]
    - missing_some: [a]
    - starts_with: [a]
    - sem_ver: [{var: v}, "=>", 1.0.0]
    - sem_ver: [{var: v}, ">=", v1.0]
    - "*": [1]
    - cat: a
    - fractional: []
    - fractional: [{var: key}]
"#
    ), @r#"
    11:13 flag-bad-operands: flag `f`: `==` takes a list of 2 operands
    12:18 flag-bad-operands: flag `f`: `<` takes a list of 2 or 3 operands
    13:13 flag-bad-operands: flag `f`: `missing` takes a list of names
    14:13 flag-bad-operands: flag `f`: `missing_some` takes a number and a list of names
    15:13 flag-bad-operands: flag `f`: `starts_with` takes two texts, or rules that find them
    16:13 flag-bad-operands: flag `f`: `sem_ver` takes a version, one of = != < <= > >= ^ ~, and a version; a version is `1.2.3` or a `var`
    17:13 flag-bad-operands: flag `f`: `sem_ver` takes a version, one of = != < <= > >= ^ ~, and a version; a version is `1.2.3` or a `var`
    18:13 flag-bad-operands: flag `f`: `*` takes a list of 2 or more operands
    19:18 flag-bad-operands: flag `f`: `cat` takes a list of operands
    20:13 flag-bad-operands: flag `f`: `fractional` takes a list of buckets, as in `["on", 25], ["off", 75]`
    21:13 flag-bad-operands: flag `f`: `fractional` takes a list of buckets, as in `["on", 25], ["off", 75]`
    "#);
}

#[test]
fn weights_are_whole_and_not_too_many() {
    insta::assert_snapshot!(found_in_rule(
        r#"if: [1, {fractional: [["on", -1], ["off", 1.5], ["on", "5"]]}, {fractional: ["on", 5]}]"#
    ), @r#"
    10:38 flag-bad-weight: flag `f`: a weight is a whole number from 0 on, or a rule
    10:51 flag-bad-weight: flag `f`: a weight is a whole number from 0 on, or a rule
    10:64 flag-bad-weight: flag `f`: a weight is a whole number from 0 on, or a rule
    10:86 flag-bad-operands: flag `f`: `fractional` takes buckets, each a variant and its weight
      help: write a bucket as `["on", 25]`
    10:92 flag-bad-operands: flag `f`: `fractional` takes buckets, each a variant and its weight
      help: write a bucket as `["on", 25]`
    "#);
    insta::assert_snapshot!(found_in_rule(
        r#"fractional: [["on", 2147483647], ["off", 1]]"#
    ), @r"10:9 flag-bad-weight: flag `f`: the weights are 2147483648 together; 2147483647 is the limit");
}

#[test]
fn flagds_own_operators_on_items_are_a_warning() {
    insta::assert_snapshot!(found_in_rule(
        r#"if: [{some: [{var: emails}, {ends_with: [{var: ""}, "@a"]}]}, "on", "off"]"#
    ), @r"
    10:38 warning flag-operator-on-items: flag `f`: `ends_with` looks at the items of a list
      help: inside `some`, `map` and the like not every library of flagd evaluates it
    ");
}

#[test]
fn metadata_is_plain() {
    insta::assert_snapshot!(found_in(
        "state: ENABLED\nvariants: {a: 1}\nmetadata: {owner: {team: a}, tags: [a], ok: 1}"
    ), @r"
    9:25 flag-metadata: metadata `owner` of flag `f` is no plain value
      help: flagd passes on booleans, strings and numbers
    9:42 flag-metadata: metadata `tags` of flag `f` is no plain value
      help: flagd passes on booleans, strings and numbers
    ");
}

#[test]
fn a_breaker_holds_flags_at_variants_that_there_are() {
    let found = found(
        "\
kind: ConfigSet
metadata: {name: shop}
spec:
  values: {a: 1}
  flags:
    search-v2: true
    color: {state: ENABLED, variants: {red: r, blue: b}}
  breakers:
    paying:
      trip:
        flags:
          search-v3: false
          color: bleu
    again:
      trip: {flags: {color: true, nothing: x}}
",
    );
    insta::assert_snapshot!(found, @r"
    12:11 breaker-unknown-flag: breaker `paying` holds flag `search-v3`, which the set does not have
      help: did you mean `search-v2`?
    13:18 breaker-unknown-variant: breaker `paying` holds flag `color` at `bleu`, which is no variant
      7:5 the flag is here
      help: did you mean `blue`?
    15:29 breaker-unknown-variant: breaker `again` holds flag `color` at true, which no variant is
      7:5 the flag is here
      help: name the variant that it is held at
    15:35 breaker-unknown-flag: breaker `again` holds flag `nothing`, which the set does not have
      help: declare `nothing` in `spec.flags`
    ");
}

#[test]
fn flags_have_a_place_of_their_own_where_they_are_published() {
    let set = |flags: &str| {
        found(&format!(
            "kind: ConfigSet\nmetadata: {{name: shop}}\nspec:\n  values: {{flags: {{a: 1}}, breakers: 1}}\n{flags}"
        ))
    };
    assert_eq!(set(""), "");
    insta::assert_snapshot!(set("  flags: {a: true}\n"), @r"
    4:12 flags-key-taken: `flags` is where the flags are published beside the values
      5:3 the set has flags
      help: rename the value
    ");
}

#[test]
fn a_flag_file_without_flags_is_a_warning() {
    insta::assert_snapshot!(found(
        "kind: ConfigSet\nmetadata: {name: shop}\nspec:\n  values: {a: 1}\n  publish: [{flagd: {key: flags/shop}}]\n"
    ), @r"5:27 warning flagd-without-flags: the flag file is empty: the set has no flags");
}

#[test]
fn a_rule_that_never_ends_is_shown_where_it_grows() {
    let numbers: Vec<usize> = (0..300).collect();
    let numbers = serde_json::to_string(&numbers).unwrap();
    let rule = format!(
        r#"if: [{{map: [{numbers}, {{map: [{numbers}, {{map: [{numbers}, {{var: ""}}]}}]}}]}}, "on", "off"]"#
    );
    insta::assert_snapshot!(found_in_rule(&rule), @r"
    10:15 flag-costly-rule: flag `f`: the rule asks for more than 64 MiB of lists and texts, or for as many steps
      help: flagd evaluates a rule each time that an application asks for the flag
    ");
}

#[test]
fn rules_that_evaluators_answer_differently_are_warned_about() {
    insta::assert_snapshot!(found_in(
        r#"state: ENABLED
variants: {"on": true, "off": false}
targeting:
  if:
    - all: [{var: roles}, {"==": [{var: ""}, admin]}]
    - fractional: [{var: email}, ["on", 1], ["off", 1]]
    - "==": [{var: plan}, "2"]
    - "on"
    - "<": [{var: user.age}, 18]
    - "on"
    - "<=": [0, {var: [limit]}, 5]
    - "off"
"#
    ), @r"
    11:13 warning flag-evaluators-differ: flag `f`: a missing field is a list of which `all` holds to some libraries of flagd, and to others it is not
      help: say what is taken in its place: `{var: [FIELD, []]}`
    12:13 warning flag-evaluators-differ: flag `f`: whoever lacks the field that `fractional` goes by is answered differently by the libraries of flagd
      help: go by a text that is always there: `{cat: [{var: $flagd.flagKey}, {var: FIELD}]}`
    13:13 warning flag-evaluators-differ: flag `f`: some libraries of flagd take this text for equal to the number, and others do not
      help: write it as the field has it, and compare with `===`
    15:13 warning flag-evaluators-differ: flag `f`: a missing field is 0 here to some libraries of flagd, and to others it cannot be compared
      help: say what is taken in its place: `{var: [FIELD, 0]}`
    17:13 warning flag-evaluators-differ: flag `f`: a missing field is 0 here to some libraries of flagd, and to others it cannot be compared
      help: say what is taken in its place: `{var: [FIELD, 0]}`
    ");
}

#[test]
fn ordinary_rules_are_not_warned_about() {
    for rule in [
        r#"if: [{"==": [{var: tier}, beta]}, "on", "off"]"#,
        r#"if: [{"!=": [{var: age}, 18]}, "on", "off"]"#,
        r#"if: [{">": [{var: age}, 18]}, "on", "off"]"#,
        r#"if: [{">=": [{var: age}, 18]}, "on", "off"]"#,
        r#"if: [{"<": [{var: [age, 0]}, 18]}, "on", "off"]"#,
        r#"if: [{"<": [{var: $flagd.timestamp}, 1800000000]}, "on", "off"]"#,
        r#"if: [{all: [{var: [roles, []]}, {"==": [{var: ""}, admin]}]}, "on", "off"]"#,
        r#"if: [{some: [{var: roles}, {"==": [{var: ""}, admin]}]}, "on", "off"]"#,
        r#"if: [{in: [{var: country}, [de, fr]]}, "on", "off"]"#,
        r#"if: [{sem_ver: [{var: version}, ">=", "1.2.3"]}, "on", "off"]"#,
        r#"fractional: [["on", 25], ["off", 75]]"#,
        r#"fractional: [{var: targetingKey}, ["on", 25], ["off", 75]]"#,
        r#"fractional: [{cat: [{var: $flagd.flagKey}, {var: email}]}, ["on", 25], ["off", 75]]"#,
    ] {
        assert_eq!(found_in_rule(rule), "", "{rule}");
    }
}
