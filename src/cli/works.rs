//! The engine at work for a person at a terminal.

use super::interrupt::Interrupt;
use super::progress::Progress;
use super::session::Session;
use crate::engine::{Engine, Event, Pace};
use crate::store::Store;

/// Gives an engine to `work`, and shows how far it is until that is done.
pub(crate) async fn with_engine<T>(
    session: &Session,
    store: &dyn Store,
    pace: Pace,
    interrupt: &Interrupt,
    work: impl AsyncFnOnce(&Engine<'_>) -> T,
) -> T {
    let progress = Progress::new(&session.ui);
    let events = |event: Event<'_>| progress.on(&event);
    let engine = Engine {
        store,
        connect: &session.connector(pace.timeout),
        pace,
        events: &events,
        interrupt: interrupt.receiver(),
    };
    let result = work(&engine).await;
    progress.finish();
    result
}
