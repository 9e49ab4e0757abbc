//! The engine at work for a person at a terminal.

use futures_util::future::{Either, select};

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
    let mut stop = interrupt.receiver();
    let work = std::pin::pin!(work(&engine));
    let result = match select(work, std::pin::pin!(stop.wait_for(|stop| *stop))).await {
        Either::Left((result, _)) => result,
        // Without handlers there is no sender, and signals end the process anyway.
        Either::Right((Err(_), work)) => work.await,
        Either::Right((Ok(_), work)) => {
            session.ui.status(
                "stopping: what is begun is finished, nothing new is begun; \
                 once more stops at once",
            );
            work.await
        }
    };
    progress.finish();
    result
}
