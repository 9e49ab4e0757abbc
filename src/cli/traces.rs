//! Traces of commands: whether a collector is told of them, and of what.

use clap::ArgMatches;

use super::failure::Exit;
use super::session::Session;
use crate::traces::{self, Telling, Work};

/// Where the collector is: the first that is set.
const ENDPOINTS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];

/// What is typed to get a command: `cfgctl breaker trip`.
pub(super) fn name_of(matches: &ArgMatches) -> String {
    let (mut name, mut matches) = ("cfgctl".to_owned(), matches);
    while let Some((word, below)) = matches.subcommand() {
        name = format!("{name} {word}");
        matches = below;
    }
    name
}

/// Runs `work`, and tells the collector that variables name of it, if they name one. A server is no work
/// itself: what it is asked for is.
pub(super) fn telling(
    session: &Session,
    name: &str,
    is_server: bool,
    work: impl FnOnce() -> Exit,
) -> Exit {
    begin(session, is_server);
    if !traces::are_told() {
        return work();
    }
    let exit = if is_server {
        work()
    } else {
        let this = Work::first(name.to_owned());
        let entered = this.enter();
        let exit = work();
        drop(entered);
        this.say("process.exit.code", || exit as i64);
        if exit != Exit::Done && exit != Exit::Differences {
            this.failed(exit.word());
        }
        exit
    };
    traces::end();
    exit
}

fn begin(session: &Session, is_lasting: bool) {
    let variable = |name| session.environment.variable(name).unwrap_or_default();
    let is_off = variable("OTEL_SDK_DISABLED").eq_ignore_ascii_case("true")
        || variable("OTEL_TRACES_EXPORTER") == "none";
    let endpoint = ENDPOINTS
        .map(variable)
        .into_iter()
        .find(|it| !it.is_empty());
    let (Some(endpoint), false) = (endpoint, is_off) else {
        return;
    };
    let is_named = !variable("OTEL_SERVICE_NAME").is_empty()
        || variable("OTEL_RESOURCE_ATTRIBUTES").contains("service.name=");
    let telling = Telling {
        endpoint,
        service: (!is_named).then_some("cfgctl"),
        is_lasting,
    };
    // Nothing that is done depends on it.
    if let Err(why) = traces::begin(telling) {
        let message = format!("no traces are sent: {why}");
        session.ui.status(&message);
    }
}
