//! The journal: one line in the log of the server for each change that somebody asked for, with who,
//! what, which versions and how it ended.

use std::collections::BTreeSet;

use super::refusal::Refusal;
use super::trace::Trace;
use crate::api::report::{AlertsTaken, NewRevision, Outcome, TokenItem};
use crate::api::{Caller, Error, Message, Request};
use crate::model::Sequence;
use crate::model::text::without_secrets;
use crate::wire::kind_word;

/// How many alerts one line names.
const NAMED: usize = 20;
/// How much of the name of each, in characters.
const NAME_CHARS: usize = 60;

/// Somebody who asked for a change, as its line says it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    by: &'a Caller,
    request_id: &'a str,
    trace: &'a Trace,
    change: &'a str,
}

impl<'a> Asked<'a> {
    /// `change` says what for (`breaker`, `create-token`), and what `request` is called and part of.
    pub(super) fn of(by: &'a Caller, request: (&'a str, &'a Trace), change: &'a str) -> Self {
        let (request_id, trace) = request;
        Self {
            by,
            request_id,
            trace,
            change,
        }
    }

    /// What was asked for is done, as far as the outcome says. `sequence` is the commit that it made.
    pub(super) fn done(self, request: &Request, outcome: &Outcome, sequence: Option<Sequence>) {
        let (by, change, request_id) = (self.by.actor(), self.change, self.request_id);
        let trace = self.trace.id();
        let (committed, complete) = (named(&outcome.committed), outcome.complete);
        let sequence = sequence.map(Sequence::get);
        let reason = said(request.message.as_ref());
        tracing::info!(
            by,
            change,
            committed,
            sequence,
            complete,
            reason,
            request_id,
            trace,
            "carried out"
        );
    }

    /// The same of tokens, which are named with their ids; passes on what came of it.
    pub(super) fn tokens<R>(
        self,
        done: Result<R, Refusal>,
        reason: Option<&Message>,
        tokens: impl Fn(&R) -> &[TokenItem],
    ) -> Result<R, Refusal> {
        match &done {
            Ok(report) => {
                let (by, change, request_id) = (self.by.actor(), self.change, self.request_id);
                let trace = self.trace.id();
                let tokens = tokens(report).iter();
                let tokens: Vec<_> = tokens.map(|it| format!("{}:{}", it.name, it.id)).collect();
                let tokens = tokens.join(",");
                let reason = said(reason);
                tracing::info!(by, change, tokens, reason, request_id, trace, "carried out");
            }
            Err(refusal) => self.failed(refusal.error()),
        }
        done
    }

    /// What alerts say was taken in.
    pub(super) fn alerts(self, taken: &AlertsTaken) {
        let (by, change, request_id) = (self.by.actor(), self.change, self.request_id);
        let trace = self.trace.id();
        let committed = named(&taken.committed);
        let names = |is_unmatched: bool| {
            let alerts = taken.alerts.iter();
            let alerts = alerts.filter(|it| it.breakers.is_empty() == is_unmatched);
            let names: BTreeSet<&str> = alerts.map(|it| it.name.as_str()).collect();
            let short = |name: &str| name.chars().take(NAME_CHARS).collect::<String>();
            let names: Vec<_> = names.into_iter().take(NAMED).map(short).collect();
            without_secrets(&names.join(","))
        };
        let (matched, unmatched) = (names(false), names(true));
        let (alerts, unreadable) = (taken.alerts.len(), taken.unreadable.len());
        if taken.is_to_be_repeated() {
            tracing::warn!(
                by,
                change,
                alerts,
                matched,
                unmatched,
                unreadable,
                committed,
                request_id,
                trace,
                "not everything that alerts say could be done"
            );
            return;
        }
        tracing::info!(
            by,
            change,
            alerts,
            matched,
            unmatched,
            unreadable,
            committed,
            request_id,
            trace,
            "carried out"
        );
    }

    /// Nothing was done.
    pub(super) fn failed(self, error: &Error) {
        let (by, change, request_id) = (self.by.actor(), self.change, self.request_id);
        let trace = self.trace.id();
        let (kind, error) = (kind_word(error.kind), without_secrets(&error.chain()));
        tracing::warn!(
            by,
            change,
            kind,
            error,
            request_id,
            trace,
            "not carried out"
        );
    }
}

fn named(committed: &[NewRevision]) -> String {
    let named = committed.iter();
    let named: Vec<_> = named
        .map(|it| format!("{}@{}", it.name, it.version))
        .collect();
    named.join(",")
}

fn said(reason: Option<&Message>) -> String {
    without_secrets(reason.map_or("", Message::as_str))
}
