//! Everything that crosses the boundary survives JSON unchanged: what no operation answers easily, made
//! by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::*;
use crate::api;
use crate::api::{
    About, AlertEffect, Approval, At, BreakerChange, BreakerOperation, Caller, Change, ClocksOff,
    Declaration, Edit, ErrorKind, Event, Explanation, FlagChange, FlagPosition, Held, Hold, Pace,
    Permission, Preview, Principal, Proposal, Reach, Request, TokenHolder, ValueChange,
    ValueSource, Via, Wanted,
};
use crate::model::{
    AlertStatus, BreakerState, Cause, Consent, Content, DeadLetter, Flag, FlagState, Grant, Limit,
    Limits, MailboxFailure, Operation, Origin, Planned, Provenance, ResourceId, Role, Selector,
    Sequence, TokenKind, TokenText, Version,
};
use crate::plan::{PlanToken, Rule};

/// What people, terminals and other programs put into texts.
const ODD: &str = "a \"b\" \\c\\ 'd'\n\t\u{1}\u{7f}\u{feff}\u{2028} é 🦀 {} null";

#[expect(clippy::needless_pass_by_value, reason = "nobody needs it afterwards")]
fn survives<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T) {
    let text = serde_json::to_string(&value).unwrap();
    let read: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(read, value, "{text}");
    let tree: Value = serde_json::from_reader(text.as_bytes()).unwrap();
    let read: T = serde_json::from_value(tree).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(read, value, "{text}");
}

/// A report as it is written, too.
fn report<R: Report + Clone + PartialEq + Debug>(report: R) {
    survives(Envelope::new(R::KIND, report.clone()));
    survives(report);
}

fn parsed<T: std::str::FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn times() -> [Timestamp; 4] {
    [
        Timestamp::MIN,
        Timestamp::MAX,
        Timestamp::UNIX_EPOCH,
        parsed("2026-11-21T02:14:00.000000001Z"),
    ]
}

/// Every form of JSON, and the ends of numbers.
fn values() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(0.1),
        json!(f64::MAX),
        json!(5e-324),
        json!(ODD),
        json!([]),
        json!({}),
        json!([null, {ODD: [1.0, 1]}]),
    ]
}

fn version(number: u64) -> Version {
    Version::new(number).unwrap()
}

fn held() -> Vec<Held> {
    let held = |(at, reason): (Timestamp, Option<&str>)| Held {
        actor: ODD.to_owned(),
        since: at,
        until: reason.map(|_| at),
        reason: reason.map(str::to_owned),
    };
    let reasons = [None, Some(""), Some(ODD), None];
    times().into_iter().zip(reasons).map(held).collect()
}

fn causes() -> Vec<Cause> {
    let operations = [
        Operation::Trip,
        Operation::Reset,
        Operation::Hold,
        Operation::Disable,
        Operation::Enable,
    ];
    let breaker = |operation| Cause::Breaker {
        breaker: parsed("failing"),
        operation,
    };
    let flag = |to: Option<&str>| Cause::Flag {
        flag: parsed("new"),
        to: to.map(str::to_owned),
    };
    let to = version(u64::MAX);
    let others = [
        Cause::Apply,
        Cause::Rollback { to },
        Cause::Delete,
        flag(None),
        flag(Some(ODD)),
        Cause::Expiry,
    ];
    operations.map(breaker).into_iter().chain(others).collect()
}

fn origins() -> Vec<Origin> {
    let origin = |cause| Origin {
        actor: ODD.to_owned(),
        at: Timestamp::MAX,
        cause,
        message: Some(ODD.to_owned()),
        consents: Consent::ALL.into(),
        planned: Some(Planned {
            by: ODD.to_owned(),
            at: Timestamp::MIN,
        }),
    };
    let bare = Origin {
        message: None,
        consents: BTreeSet::new(),
        planned: None,
        ..origin(Cause::Apply)
    };
    causes().into_iter().map(origin).chain([bare]).collect()
}

fn changes() -> Vec<ValueChange> {
    let path: crate::model::value::Path = ["a.b", "c \"d\"", "", ODD].into_iter().collect();
    let edits = values().into_iter().flat_map(|value| {
        let (from, to) = (value.clone(), value.clone());
        [
            Edit::Added { to: value.clone() },
            Edit::Removed { from: value },
            Edit::Changed { from, to },
        ]
    });
    edits
        .map(|edit| ValueChange {
            path: path.clone(),
            edit,
        })
        .collect()
}

fn holds() -> Vec<HoldItem> {
    let states = [
        BreakerState::Closed,
        BreakerState::Open,
        BreakerState::ForcedOpen,
        BreakerState::Disabled,
    ];
    let held = || held().into_iter();
    let breakers = states
        .into_iter()
        .zip(held())
        .map(|(state, held)| Hold::Breaker {
            breaker: parsed("failing"),
            state,
            held,
        });
    let flags = held().map(|held| Hold::Flag {
        flag: parsed("new"),
        variant: ODD.to_owned(),
        held,
    });
    let all = breakers.chain(flags).enumerate();
    all.map(|(nth, hold)| HoldItem {
        set: parsed("shop"),
        clusters: vec![parsed("eu")],
        hold,
        waiting: match nth % 3 {
            0 => None,
            1 => Some(Vec::new()),
            _ => Some(waiting()),
        },
    })
    .collect()
}

const STATES: [State; 16] = [
    State::NotHere,
    State::InSync,
    State::Missing,
    State::Behind,
    State::Unfinished,
    State::ChangedByHand,
    State::Outdated,
    State::LeftOver,
    State::Ahead,
    State::OtherHistory,
    State::Unreadable,
    State::NotOurs,
    State::ForeignKeys,
    State::Unreachable,
    State::Denied,
    State::Unusable,
];

fn waiting() -> Vec<Waiting> {
    let waiting = |state| Waiting {
        cluster: parsed("eu"),
        state,
        holds: Some(ODD.to_owned()),
        reason: None,
    };
    STATES.into_iter().map(waiting).collect()
}

fn objections() -> Vec<ObjectionItem> {
    let rules = [
        Rule::Ahead,
        Rule::OtherHistory,
        Rule::Unreadable,
        Rule::ForeignKeys,
        Rule::Overridden,
        Rule::MovedSource,
        Rule::DeletesAll,
        Rule::KeepsKeys,
        Rule::MayKeepKeys,
        Rule::Deletes,
        Rule::Grows,
        Rule::Denied,
        Rule::TooLarge,
    ];
    let answers = Consent::ALL.into_iter().map(Some).chain([None]).cycle();
    let all = rules.into_iter().zip(answers);
    all.map(|(rule, answer)| ObjectionItem {
        set: parsed("shop"),
        cluster: answer.map(|_| parsed("eu")),
        rule,
        reason: ODD.to_owned(),
        answer,
    })
    .collect()
}

fn plan() -> PlanReport {
    let edits = [
        ResourceEdit::Created,
        ResourceEdit::Changed,
        ResourceEdit::Deleted,
    ];
    let reasons = [
        ResourceReason::Content,
        ResourceReason::Overrides,
        ResourceReason::Labels,
        ResourceReason::Takeover,
    ];
    let actions = [
        ActionKind::None,
        ActionKind::Create,
        ActionKind::Update,
        ActionKind::Repair,
        ActionKind::Remove,
        ActionKind::Leave,
        ActionKind::Refused,
        ActionKind::Wait,
    ];
    let drift = |(what, key): (DriftKind, Option<&str>)| KeyDrift {
        key: key.map(str::to_owned),
        what,
        found: key.map(str::to_owned),
        expected: None,
        found_bytes: Some(u64::MAX),
        expected_bytes: key.map(|_| 0),
        values: changes(),
    };
    let drifts = [(DriftKind::Changed, None), (DriftKind::Deleted, Some(ODD))];
    let adopted = |same_bytes| AdoptedKey {
        key: ODD.to_owned(),
        same_bytes,
        from: Some(String::new()).filter(|_| same_bytes),
        to: Some(ODD.to_owned()),
    };
    let resource = |(change, reason)| PlannedResource {
        name: ResourceId::Set(parsed("shop")),
        change,
        reason,
        base: Some(version(u64::MAX)),
        version: Version::FIRST,
        diff: ODD.to_owned(),
    };
    let delivery = |(condition, action)| PlannedDelivery {
        set: parsed("shop"),
        cluster: parsed("eu"),
        condition,
        reason: Some(ODD.to_owned()),
        holds: None,
        desired: Some(Version::FIRST),
        action,
        changes: changes(),
        drift: drifts.map(drift).into(),
        foreign: vec![ODD.to_owned()],
        adopts: [true, false].map(adopted).into(),
    };
    PlanReport {
        differences: true,
        resources: edits
            .into_iter()
            .cycle()
            .zip(reasons)
            .map(resource)
            .collect(),
        clusters: STATES
            .into_iter()
            .zip(actions.into_iter().cycle())
            .map(delivery)
            .collect(),
        objections: objections(),
        overridden: holds(),
    }
}

fn effect() -> Effect {
    let effect = |reason: Option<&str>| EffectIn {
        clusters: vec![parsed("eu")],
        changes: changes(),
        reason: reason.map(str::to_owned),
    };
    Effect {
        set: parsed("shop"),
        note: Some(ODD.to_owned()),
        until: Some(Timestamp::MAX),
        effects: vec![effect(None), effect(Some(ODD))],
    }
}

fn errors() -> Vec<api::Error> {
    let kinds = [
        ErrorKind::Invalid,
        ErrorKind::Conflict,
        ErrorKind::Refused,
        ErrorKind::Denied,
        ErrorKind::Unavailable,
        ErrorKind::Interrupted,
        ErrorKind::Bug,
    ];
    let basis = json!({
        "heads": {"set/shop": 18_446_744_073_709_551_615_u64, "cluster/eu": null},
        "targets": [],
    });
    let error = |kind| api::Error::new(kind, ODD).context(ODD).hint(ODD);
    let full = error(ErrorKind::Bug).about(About {
        objections: objections(),
        findings: Vec::new(),
        version: Some(version(u64::MAX)),
        basis: Some(serde_json::from_value(basis).unwrap()),
    });
    kinds.map(error).into_iter().chain([full]).collect()
}

fn proposals() -> Vec<Proposal> {
    let previews = [Preview::Plan(plan()), Preview::Effect(effect())];
    let refusals = [None, errors().pop()];
    let all = previews.into_iter().zip(refusals);
    all.map(|(preview, refusal)| Proposal {
        preview,
        cause: causes().remove(0),
        changes: refusal.is_none(),
        undeclared: vec![ResourceId::Cluster(parsed("eu"))],
        warnings: Vec::new(),
        refusal,
        token: PlanToken::of(&ODD),
        basis: api::Basis::default(),
    })
    .collect()
}

#[test]
fn reports_of_changes_survive() {
    report(plan());
    report(effect());
    let outcomes = [
        Delivered::Unchanged,
        Delivered::Delivered,
        Delivered::Removed,
        Delivered::Left,
        Delivered::Superseded,
        Delivered::Conflict,
        Delivered::Unreachable,
        Delivered::Denied,
        Delivered::Failed,
        Delivered::Unknown,
        Delivered::Stopped,
        Delivered::Refused,
        Delivered::Interrupted,
    ];
    let delivery = |outcome| DeliveryOutcome {
        set: parsed("shop"),
        cluster: parsed("eu"),
        version: None,
        outcome,
        reason: Some(ODD.to_owned()),
    };
    report(Outcome {
        complete: false,
        committed: vec![NewRevision {
            name: ResourceId::Cluster(parsed("eu")),
            version: version(u64::MAX),
        }],
        clusters: outcomes.map(delivery).into(),
        note: Some(String::new()),
        until: Some(Timestamp::MIN),
    });
}

#[test]
fn errors_proposals_and_events_survive() {
    errors().into_iter().for_each(survives);
    proposals().into_iter().for_each(survives);
    let (set, reason) = (|| parsed("shop"), || ODD.to_owned());
    let far = [
        SignedDuration::MIN,
        SignedDuration::MAX,
        SignedDuration::ZERO,
    ];
    let off = far.into_iter().zip([None, Some(parsed("eu")), None]);
    let events = [
        Event::NoStore,
        Event::StoreMade { location: reason() },
        Event::Surveying { pairs: usize::MAX },
        Event::Surveyed,
        Event::Clocks(ClocksOff {
            off: off.map(|(far, whose)| (whose, far)).collect(),
            undecided: true,
        }),
        Event::Committed,
        Event::Delivering { pairs: 0 },
        Event::Delivered {
            set: set(),
            cluster: parsed("eu"),
        },
        Event::Unwitnessed,
        Event::Expired {
            set: set(),
            part: reason(),
        },
        Event::Recounted {
            set: set(),
            part: reason(),
            until: Timestamp::MAX,
        },
        Event::NotExpired { reason: reason() },
        Event::NotReconciled { reason: reason() },
        Event::Unseen {
            cluster: parsed("eu"),
            reason: reason(),
        },
    ];
    let proposed = proposals()
        .into_iter()
        .map(|it| Event::Proposed(Box::new(it)));
    events.into_iter().chain(proposed).for_each(survives);
}

/// Every kind of requirement.
const SELECTOR: &str = "region in (eu,us),!old,stage!=dev,x";

fn switches() -> Vec<Change> {
    let clusters = || Some(parsed::<Selector>(SELECTOR));
    let limits = [
        Limit::For(SignedDuration::MAX),
        Limit::For(SignedDuration::new(1, 1)),
        Limit::Until(Timestamp::MAX),
    ];
    let limits = limits.into_iter().map(Some).chain([None]);
    let trips = limits.clone().flat_map(|limit| {
        [None, clusters(), Some(Selector::default())]
            .map(|clusters| BreakerOperation::Trip { clusters, limit })
    });
    let others = [
        BreakerOperation::Reset { clusters: None },
        BreakerOperation::Reset {
            clusters: clusters(),
        },
        BreakerOperation::Hold { clusters: None },
        BreakerOperation::Hold {
            clusters: Some(Selector::default()),
        },
        BreakerOperation::Disable,
        BreakerOperation::Enable,
    ];
    let breakers = trips.chain(others).map(|operation| {
        Change::Breaker(BreakerChange {
            set: parsed("shop"),
            breaker: parsed("failing"),
            operation,
        })
    });
    let wanted = [Wanted::Boolean(true), Wanted::Variant(ODD.to_owned())];
    let positions = wanted.into_iter().cycle().zip(limits);
    let positions = positions.map(|(at, limit)| FlagPosition::Held { at, limit });
    let flags = positions.chain([FlagPosition::Declared]).map(|to| {
        Change::Flag(FlagChange {
            set: parsed("shop"),
            flag: parsed("new"),
            to,
            clusters: clusters(),
        })
    });
    flags.chain(breakers).collect()
}

fn grant() -> Content {
    Content::Grant(Grant {
        to: [parsed("token:ci"), parsed("group:ops")].into(),
        role: Role::Editor,
        sets: parsed(SELECTOR),
        clusters: Selector::default(),
    })
}

#[test]
fn access_survives() {
    let item = AccessItem {
        name: ResourceId::Set(parsed("shop")),
        cluster: Some(parsed("eu")),
        role: Some(Role::Editor),
        allowed: true,
        grant: Some(parsed("ops")),
    };
    let nothing = AccessItem {
        cluster: None,
        role: None,
        allowed: false,
        grant: None,
        ..item.clone()
    };
    report(AccessReport {
        subject: ODD.to_owned(),
        owner: false,
        allowed: false,
        elsewhere: true,
        items: vec![item, nothing],
        grants: vec![GrantItem {
            name: parsed("ops"),
            role: Role::Admin,
            sets: parsed(SELECTOR),
            clusters: Selector::default(),
        }],
    });
    survives(api::AccessQuery {
        verb: Some(api::AccessVerb::Resume),
        name: Some(ResourceId::Grant(parsed("ops"))),
        cluster: Some(parsed("eu")),
        subject: Some(parsed("group:ops")),
    });
    survives(api::AccessQuery::default());
}

#[test]
fn requests_survive() {
    let clusters = || Some(parsed::<Selector>(SELECTOR));
    let contents = [
        (ResourceId::Set(parsed("shop")), content()),
        (ResourceId::Set(parsed("gone")), Content::Deleted),
        (ResourceId::Grant(parsed("ops")), grant()),
    ];
    let provenance = Provenance::new(ODD.to_owned());
    let set = || parsed("shop");
    let to = Some(version(7));
    let declared = [
        Change::Declare(Declaration::default()),
        Change::Declare(Declaration {
            contents: contents.into(),
            provenances: [(ResourceId::Set(set()), provenance)].into(),
        }),
        Change::Rollback {
            name: ResourceId::Set(set()),
            to: None,
        },
        Change::Rollback {
            name: ResourceId::Set(set()),
            to,
        },
        Change::Delete([ResourceId::Cluster(parsed("eu"))].into()),
        Change::Reconcile(Reach::All),
        Change::Reconcile(Reach::Named(BTreeSet::new())),
        Change::Reconcile(Reach::Named([set()].into())),
    ];
    let all = declared.into_iter().chain(switches()).enumerate();
    for (nth, change) in all {
        let is_full = nth % 2 == 0;
        survives(Request {
            change,
            clusters: clusters().filter(|_| is_full).unwrap_or_default(),
            consents: Consent::ALL.into_iter().filter(|_| is_full).collect(),
            dropped: ["shop/both", "shop/flag/both", "shop/breaker/both"]
                .map(parsed)
                .into(),
            message: is_full.then(|| parsed("a \"b\"\n\\")),
            key: is_full.then(|| parsed("k-1/\"\\{}")),
            planned: is_full.then(|| Planned {
                by: ODD.to_owned(),
                at: Timestamp::MIN,
            }),
            permission: if is_full {
                Permission::Asked
            } else {
                Permission::Unasked
            },
            pace: Pace {
                clusters_at_once: usize::MAX,
                timeout: Duration::new(u64::MAX, 999_999_999),
            },
        });
    }
    survives(Approval::Unseen);
    survives(Approval::Exactly(PlanToken::of(&ODD)));
    for principal in [Principal::System, Principal::Local(ODD.to_owned())] {
        survives(Caller::from(principal));
    }
    let holder = TokenHolder::new(
        &parsed("ci"),
        parsed("0123456789"),
        TokenKind::Agent,
        Some(parsed("eu-west")),
    );
    survives(Caller::token(holder).via(Via {
        peer: ODD.to_owned(),
        request: ODD.to_owned(),
        traceparent: Some(ODD.to_owned()),
    }));
    for time in times() {
        survives(At::Time(time));
    }
    survives(At::Version(version(u64::MAX)));
}

fn content() -> Content {
    let json = json!({"set": {"values": {"all": values()}}});
    serde_json::from_value(json).unwrap()
}

#[test]
fn what_is_looked_up_survives() {
    let sources = held().into_iter().flat_map(|held| {
        [
            ValueSource::Override {
                variant: ODD.to_owned(),
                held: held.clone(),
            },
            ValueSource::Breaker {
                breaker: parsed("failing"),
                held,
            },
        ]
    });
    let layer = ValueSource::Layer {
        layer: parsed("eu"),
    };
    let sources = sources.chain([ValueSource::Defaults, ValueSource::Flag, layer]);
    let explained = sources
        .zip(values().into_iter().cycle())
        .map(|(source, value)| ExplainedValue {
            key: ODD.to_owned(),
            clusters: vec![parsed("eu")],
            explanation: Explanation {
                value,
                source,
                beneath: vec![parsed("slow")],
                place: Some(ODD.to_owned()),
                version: version(u64::MAX),
                origin: origins().remove(0),
            },
        });
    report(Explained {
        set: parsed("shop"),
        version: Version::FIRST,
        values: explained.collect(),
    });
    let entry = |origin| HistoryEntry {
        version: version(u64::MAX),
        origin,
        deleted: true,
        added: usize::MAX,
        changed: 0,
        removed: 1,
    };
    report(History {
        name: ResourceId::Set(parsed("shop")),
        revisions: origins().into_iter().map(entry).collect(),
    });
    for origin in origins() {
        report(RevisionReport {
            name: ResourceId::Set(parsed("shop")),
            version: Version::FIRST,
            manifest: origin.planned.as_ref().map(|_| json!({ODD: values()})),
            origin,
            deleted: false,
            snapshot: None,
        });
    }
    report(Resources {
        items: vec![ResourceItem {
            name: ResourceId::Cluster(parsed("eu")),
            version: version(u64::MAX),
            changed: Timestamp::MIN,
            actor: ODD.to_owned(),
            manifest: Some(json!({ODD: values()})),
            labels: Some(BTreeMap::new()),
            clusters: Some(Selector::default()),
        }],
        overridden: holds(),
    });
}

#[test]
fn how_clusters_are_survives() {
    let drifted = |state| DriftItem {
        set: parsed("shop"),
        cluster: parsed("eu"),
        state,
        cause: Some(ODD.to_owned()),
        mend: vec![ODD.to_owned()],
        head: None,
        holds: Some(version(u64::MAX)),
        since: Some(Timestamp::MAX),
        actor: None,
        keys: plan().clusters.remove(0).drift,
        foreign: vec![ODD.to_owned()],
    };
    report(Drift {
        at: Timestamp::MAX,
        in_sync: false,
        drifted: usize::MAX,
        unseen: 0,
        clusters: STATES.map(drifted).into(),
        overridden: holds(),
    });
    let status = |state| StatusItem {
        set: parsed("shop"),
        cluster: parsed("eu"),
        head: Some(Version::FIRST),
        holds: None,
        state,
        reason: Some(ODD.to_owned()),
        since: None,
        actor: Some(String::new()),
        drift: usize::MAX,
        foreign: 0,
    };
    report(Status {
        in_sync: true,
        clusters: STATES.map(status).into(),
        overridden: holds(),
    });
    let all = [
        Fitness::Ok,
        Fitness::Partial,
        Fitness::ReadOnly,
        Fitness::Denied,
        Fitness::Failed,
    ];
    let kinds = errors()
        .into_iter()
        .map(|error| Some(error.kind))
        .chain([None]);
    let checked = all
        .into_iter()
        .cycle()
        .zip(kinds)
        .map(|(state, error_kind)| ClusterState {
            name: parsed("eu"),
            target: ODD.to_owned(),
            healthy: true,
            state,
            server: Some(ODD.to_owned()),
            limits: error_kind.map(|_| Limits::CONSUL),
            warnings: vec![ODD.to_owned()],
            error: None,
            error_kind,
        });
    report(ClusterCheck {
        healthy: false,
        clusters: checked.collect(),
    });
    report(Clusters {
        items: vec![ClusterItem {
            name: parsed("eu"),
            labels: [(ODD.to_owned(), ODD.to_owned())].into(),
            target: ODD.to_owned(),
        }],
    });
    let kinds = [PolicyResource::Key, PolicyResource::KeyPrefix];
    let access = [PolicyAccess::Read, PolicyAccess::Write];
    let rules = kinds
        .into_iter()
        .zip(access)
        .map(|(resource, policy)| PolicyRule {
            resource,
            path: ODD.to_owned(),
            policy,
        });
    report(Policy {
        cluster: parsed("eu"),
        rules: rules.collect(),
        hcl: ODD.to_owned(),
    });
}

#[test]
fn flags_survive() {
    let whole = Flag {
        state: FlagState::Disabled,
        variants: [
            ("a".to_owned(), json!(u64::MAX)),
            (ODD.to_owned(), json!({})),
        ]
        .into(),
        default_variant: None,
        targeting: Some(json!({"if": [true, ODD, null]})),
        metadata: [(ODD.to_owned(), json!(0.1))].into_iter().collect(),
    };
    let forms = [Flag::boolean(true), Flag::boolean(false), whole];
    let sources = [
        FlagSource::Declared,
        FlagSource::Override,
        FlagSource::Breaker,
    ];
    let items = forms
        .into_iter()
        .zip(sources)
        .map(|(flag, source)| FlagItem {
            set: parsed("shop"),
            flag: parsed("new"),
            declared: flag.clone(),
            effective: flag,
            source,
            breaker: (source == FlagSource::Breaker).then(|| parsed("failing")),
            held: (source != FlagSource::Declared).then(|| held().remove(2)),
            clusters: vec![parsed("eu")],
            delivered: Vec::new(),
            waiting: waiting(),
        });
    report(Flags {
        flags: items.collect(),
    });
    let reasons = [
        AnswerReason::Static,
        AnswerReason::TargetingMatch,
        AnswerReason::Default,
        AnswerReason::Disabled,
        AnswerReason::Error,
        AnswerReason::Override,
        AnswerReason::Breaker,
    ];
    // No variant is null: an application that gets none takes its own default.
    let of_variants = values()
        .into_iter()
        .filter(|value| !value.is_null())
        .cycle();
    let answers = reasons
        .into_iter()
        .zip(of_variants)
        .map(|(reason, value)| Answer {
            variant: Some(ODD.to_owned()),
            value: Some(value).filter(|_| reason != AnswerReason::Disabled),
            reason,
            error: Some(ODD.to_owned()),
            breaker: None,
            held: Some(held().remove(0)),
            clusters: vec![parsed("eu")],
        });
    report(Evaluated {
        set: parsed("shop"),
        flag: parsed("new"),
        version: version(u64::MAX),
        answers: answers.collect(),
        numbers_as_versions: vec![ODD.to_owned()],
    });
}

#[test]
fn breakers_survive() {
    let all = [
        BreakerState::Closed,
        BreakerState::Open,
        BreakerState::ForcedOpen,
        BreakerState::Disabled,
    ];
    let items = all.map(|state| BreakerItem {
        set: parsed("shop"),
        breaker: parsed("failing"),
        clusters: vec![parsed("eu")],
        delivered: Vec::new(),
        waiting: waiting(),
        state_number: state.number(),
        state,
        actor: Some(ODD.to_owned()),
        since: Some(Timestamp::MIN),
        until: None,
        reason: Some(ODD.to_owned()),
        while_firing: state == BreakerState::Open,
        latched: state == BreakerState::Closed,
    });
    let events = origins().into_iter().map(|origin| BreakerEvent {
        version: version(u64::MAX),
        origin,
        open: true,
    });
    let events: Vec<_> = events.collect();
    report(Breakers {
        breakers: items.clone().into(),
    });
    report(BreakerReport {
        breaker: "shop/failing".to_owned(),
        description: Some(ODD.to_owned()),
        alerts: [(ODD.to_owned(), ODD.to_owned())].into(),
        cluster: Some(ODD.to_owned()),
        reset: ODD.to_owned(),
        states: items.into(),
        effects: effect().effects,
        recent: events.clone(),
    });
    report(BreakerHistory {
        breaker: "shop/failing".to_owned(),
        events,
    });
}

#[test]
fn what_is_said_of_alerts_survives() {
    let effects = [
        AlertEffect::Opened,
        AlertEffect::Refused {
            reason: ODD.to_owned(),
        },
        AlertEffect::ClosesAt {
            until: Timestamp::MAX,
        },
        AlertEffect::StillFiring { others: usize::MAX },
    ];
    let told = effects.map(|effect| ToldBreaker {
        breaker: "shop/failing".to_owned(),
        clusters: parsed("region=eu"),
        effect,
    });
    report(AlertsTaken {
        alerts: vec![TakenAlert {
            name: ODD.to_owned(),
            fingerprint: parsed("0a"),
            status: AlertStatus::Firing,
            breakers: told.to_vec(),
        }],
        committed: Vec::new(),
        failed: vec![FailedSet {
            set: parsed("shop"),
            reason: ODD.to_owned(),
        }],
        unreadable: vec![Unreadable {
            index: usize::MAX,
            reason: ODD.to_owned(),
        }],
    });
    report(AlertTest {
        breaker: "shop/failing".to_owned(),
        alerts: vec![TestedAlert {
            name: ODD.to_owned(),
            status: AlertStatus::Resolved,
            told: told.to_vec(),
            differing: [
                (ODD.to_owned(), None),
                (String::new(), Some(ODD.to_owned())),
            ]
            .into(),
        }],
        effects: effect().effects,
    });
    report(Alerts {
        firing: vec![FiringAlert {
            breaker: "shop/failing".to_owned(),
            clusters: parsed(""),
            name: ODD.to_owned(),
            fingerprint: parsed("0a"),
            since: None,
            open: true,
        }],
        unmatched: vec![UnmatchedAlert {
            fingerprint: parsed("0a"),
            labels: [(ODD.to_owned(), ODD.to_owned())].into(),
            status: AlertStatus::Firing,
            at: Timestamp::MIN,
            count: u64::MAX,
            reasons: [(ODD.to_owned(), AlertEffect::NoCluster)].into(),
        }],
    });
    report(Notifications {
        receivers: vec![ReceiverItem {
            name: parsed("chat"),
            told: Sequence::new(u64::MAX),
            failing: Some(MailboxFailure {
                since: Timestamp::MIN,
                attempts: u32::MAX,
                reason: ODD.to_owned(),
            }),
            dead: vec![DeadLetter {
                id: ODD.to_owned(),
                text: ODD.to_owned(),
                at: Timestamp::MAX,
                reason: ODD.to_owned(),
            }],
        }],
    });
}

#[test]
fn what_is_said_of_tokens_survives() {
    let mut items = Vec::new();
    for (time, kind) in times().into_iter().zip(TokenKind::ALL) {
        for is_full in [true, false] {
            items.push(TokenItem {
                id: parsed("0123456789"),
                name: parsed("ci"),
                kind,
                set: is_full.then(|| parsed("checkout")),
                cluster: is_full.then(|| parsed("eu-west")),
                state: if is_full {
                    TokenState::Valid
                } else {
                    TokenState::Expired
                },
                by: ODD.to_owned(),
                at: time,
                expires: is_full.then_some(time),
                used: is_full.then_some(time),
                message: is_full.then(|| ODD.to_owned()),
            });
        }
    }
    for token in items.clone() {
        report(NewToken {
            text: TokenText::new(token.kind, token.id.clone(), &[7; 32]),
            token: token.clone(),
            replaces: vec![token.clone()],
            store_made: token.message.clone(),
        });
        for principal in [
            PrincipalKind::Local,
            PrincipalKind::Owner,
            PrincipalKind::Token,
            PrincipalKind::System,
        ] {
            report(Identity {
                login: None,
                subject: ODD.to_owned(),
                principal,
                token: token.message.as_ref().map(|_| token.clone()),
            });
        }
        let noted = api::NotedToken {
            id: token.id.clone(),
            name: token.name.clone(),
            kind: token.kind,
            set: token.set.clone(),
            cluster: token.cluster.clone(),
            expires: token.expires,
        };
        let from = token.message.clone();
        for what in [
            api::Noted::TokenCreated(noted.clone()),
            api::Noted::TokenRotated {
                token: noted.clone(),
                replaces: [(token.id.clone(), token.expires)].into(),
            },
            api::Noted::TokenRevoked {
                tokens: vec![noted],
            },
            api::Noted::LoggedIn,
            api::Noted::LoginFailed {
                token: from.as_ref().map(|_| token.id.clone()),
                from: from.clone(),
                count: u64::MAX,
                since: token.at,
                until: token.at,
            },
        ] {
            let (by, message) = (Some(Caller::system()), from.clone());
            survives(api::LogEntry { by, what, message });
        }
    }
    report(RevokedTokens {
        items: items.clone(),
    });
    report(Tokens { items });
    for lasts in [
        api::Lasting::Forever,
        api::Lasting::For(Duration::new(u64::MAX, 999_999_999)),
    ] {
        survives(api::TokenOrder {
            name: parsed("ci"),
            kind: TokenKind::App,
            set: Some(parsed("checkout")),
            cluster: Some(parsed("eu")),
            lasts,
            message: Some(parsed("why")),
        });
        survives(api::TokenRotation {
            name: parsed("ci"),
            lasts: Some(lasts),
            overlap: Duration::MAX,
            message: None,
        });
    }
    survives(api::TokenRevocation {
        which: parsed("ci"),
        message: None,
    });
}
