//! `cfgctl breaker history`.

use jiff::Timestamp;
use serde::Serialize;

use crate::cli::failure::{Exit, Failure};
use crate::cli::names::{PartOf, around, known_part, known_set};
use crate::cli::session::Session;
use crate::cli::ui::{Look, Report};
use crate::cli::views::table::{moment, printable, table};
use crate::model::{BreakerName, Origin, ResourceId, Revision, Version};
use crate::store::Store;

/// How many revisions are searched.
const SEARCHED: usize = 1000;

/// Lists what was done to a breaker, newest first: who, when and why
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct HistoryArgs {
    /// The breaker
    #[arg(value_name = "SET/BREAKER")]
    breaker: PartOf<BreakerName>,

    /// At most this many
    #[arg(long, value_name = "N", default_value = "20")]
    limit: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct BreakerHistory {
    breaker: String,
    events: Vec<Event>,
}

/// One revision in which a breaker changed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    pub(super) version: Version,
    pub(super) origin: Origin,
    /// Whether it was open anywhere from then on.
    pub(super) open: bool,
}

pub(super) async fn history(session: &Session, args: &HistoryArgs) -> Result<Exit, Failure> {
    let store = session.store().await?;
    let PartOf { set, name } = &args.breaker;
    let heads = around(store.as_ref(), [set]).await?;
    let id = known_set(&heads, set)?;
    let mut events = events(store.as_ref(), &id, name).await?;
    let declared = heads.get(&id).and_then(|head| head.content.set());
    if let (true, Some(declared)) = (events.is_empty(), declared) {
        known_part(&declared.breakers, "breaker", set, name)?;
    }
    events.truncate(args.limit);
    session.ui.report(&BreakerHistory {
        breaker: format!("{set}/{name}"),
        events,
    })?;
    Ok(Exit::Done)
}

/// The revisions in which a breaker changed, newest first.
pub(super) async fn events(
    store: &dyn Store,
    id: &ResourceId,
    name: &BreakerName,
) -> Result<Vec<Event>, Failure> {
    let revisions = store.history(id, None, SEARCHED).await?;
    let olders = revisions.iter().skip(1).map(Some).chain([None]);
    let changed = revisions.iter().zip(olders).filter(|(revision, older)| {
        let (now, before) = (of(revision, name), of_some(*older, name));
        // A trip that is forgotten in time is no event.
        (&now.0, now.1) != (&before.0, before.1) || (now.2 != before.2 && now.2.is_some())
    });
    let event = |(revision, _): (&Revision, _)| Event {
        version: revision.version,
        origin: revision.origin.clone(),
        open: !of(revision, name).0.is_empty(),
    };
    Ok(changed.map(event).collect())
}

/// Everything that a revision says about a breaker at runtime.
type Said<'a> = (
    Vec<&'a crate::model::Opening>,
    Option<&'a crate::model::Stamp>,
    Option<&'a Timestamp>,
);

fn of<'a>(revision: &'a Revision, name: &BreakerName) -> Said<'a> {
    let overrides = &revision.overrides;
    let openings = overrides.openings.iter().filter(|it| it.breaker == *name);
    // The last trip tells one ignored trip from the next; older ones are forgotten in time.
    let last = overrides.trips.get(name).and_then(|trips| trips.last());
    (openings.collect(), overrides.disabled.get(name), last)
}

fn of_some<'a>(revision: Option<&'a Revision>, name: &BreakerName) -> Said<'a> {
    revision.map_or((Vec::new(), None, None), |revision| of(revision, name))
}

impl Report for BreakerHistory {
    const KIND: &'static str = "BreakerHistory";

    fn table(&self, look: Look) -> String {
        let text = table(look, HEADER, self.events.iter().map(Event::row));
        if text.is_empty() {
            format!("{} was never tripped\n", self.breaker)
        } else {
            text
        }
    }

    fn names(&self) -> Vec<String> {
        let set = self.breaker.split('/').next().unwrap_or_default();
        let name = |event: &Event| format!("{set}@{}", event.version);
        self.events.iter().map(name).collect()
    }
}

/// The columns of [`Event::row`].
pub(super) const HEADER: [&str; 6] = ["VERSION", "WHEN", "BY", "WHAT", "THEN", "REASON"];

impl Event {
    pub(super) fn row(&self) -> [String; 6] {
        [
            self.version.to_string(),
            moment(self.origin.at),
            printable(&self.origin.actor),
            self.origin.cause.to_string(),
            if self.open { "open" } else { "closed" }.to_owned(),
            printable(self.origin.message.as_deref().unwrap_or_default()),
        ]
    }
}
