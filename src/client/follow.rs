//! Following: what happens at the server is told here, and whoever wants it to stop is heard there.

use std::time::Duration;

use futures_util::future::{Either, select};
use reqwest::Response;

use super::http::{Failed, Http, Send};
use crate::api::report::{Outcome, Report};
use crate::api::{Error, ErrorKind, Event, Observer};
use crate::wire::{EVENTS, EventStream, Frame, JSON, Name, Routes, error_of, segment};

/// How long to wait before something is asked for again that is being carried out.
const AGAIN: Duration = Duration::from_millis(200);
/// The most bytes of one stream: a plan, an outcome, and a few words for each cluster.
const MAX_STREAM: usize = 512 << 20;

impl Http {
    /// What `send` comes to, which changes nothing; whoever wants it to stop does not wait for it.
    pub(super) async fn look<R: Report>(&self, send: Send, seen: &Observer) -> Result<R, Error> {
        let looking = std::pin::pin!(async {
            let response = self.send(send, EVENTS, None).await?;
            self.follow(response, seen).await
        });
        match select(std::pin::pin!(stopped(seen)), looking).await {
            Either::Left(_) => Err(interrupted()),
            Either::Right((found, _)) => Ok(found?),
        }
    }

    /// What the change that `ask` asks for comes to. Whoever wants it to stop waits for how far it
    /// got.
    pub(super) async fn carry_out(
        &self,
        ask: impl Fn() -> Result<Send, Error>,
        seen: &Observer,
    ) -> Result<Outcome, Error> {
        if *seen.stop().borrow() {
            return Err(interrupted());
        }
        loop {
            let done = self.carry_out_once(ask()?, seen).await;
            // Somebody asked for the same with the same key: once that is over, this answers it.
            match done {
                Err(error) if error.kind == ErrorKind::Running => {
                    let waiting = std::pin::pin!(tokio::time::sleep(AGAIN));
                    if let Either::Left(_) = select(std::pin::pin!(stopped(seen)), waiting).await {
                        return Err(error);
                    }
                }
                done => return done,
            }
        }
    }

    async fn carry_out_once(&self, send: Send, seen: &Observer) -> Result<Outcome, Error> {
        let id = format!("{:032x}", fastrand::u128(..));
        let carrying = std::pin::pin!(async {
            let response = self.send(send, EVENTS, Some(&id)).await?;
            self.follow(response, seen).await
        });
        let done = match select(std::pin::pin!(stopped(seen)), carrying).await {
            Either::Right((done, _)) => done,
            Either::Left(((), carrying)) => {
                let stop = Send::delete(&segment(Routes::CHANGE, &[&id]));
                // If it cannot be stopped, it is over or the answer will say so.
                _ = self.send(stop, JSON, None).await;
                carrying.await
            }
        };
        done.map_err(|failed| match failed {
            Failed::Known(error) => error,
            Failed::Lost(error) => error
                .hint(
                    "it is not known whether it was done: `cfgctl history` says what was committed",
                )
                .hint("`cfgctl apply --resume` finishes what was"),
        })
    }

    /// The events that the server tells, and the answer at their end.
    async fn follow<R: Report>(
        &self,
        mut response: Response,
        seen: &Observer,
    ) -> Result<R, Failed> {
        if !Self::is_stream(&response) {
            return Err(self.nonsense("it is no stream of events"));
        }
        let (mut stream, mut bytes) = (EventStream::default(), 0);
        while let Some(piece) = response.chunk().await.map_err(|error| self.failed(error))? {
            bytes += piece.len();
            if bytes > MAX_STREAM {
                return Err(self.nonsense(&format!("it has more than {MAX_STREAM} bytes")));
            }
            let frames = stream.push(&piece);
            for Frame { name, data } in frames.map_err(|error| self.nonsense(&error.to_string()))? {
                match name {
                    // An event of a newer server is none that anybody here waits for.
                    Name::Event => {
                        if let Ok(event) = serde_json::from_slice::<Event>(&data) {
                            seen.tell(event);
                        }
                    }
                    Name::Report => return self.report(&data),
                    Name::Problem => {
                        let none = || self.nonsense("it ends with a problem that is none");
                        return Err(error_of(&data).map_or_else(none, Failed::Known));
                    }
                }
            }
        }
        let error = format!("the server at `{}` went away", self.location());
        let error = Error::new(ErrorKind::Unavailable, LOST).context(error);
        Err(Failed::Lost(error))
    }
}

/// Why a stream without an answer is none.
const LOST: &str = "the answer is lost";

/// Ends when whoever asked wants it to stop.
async fn stopped(seen: &Observer) {
    if seen.stop().wait_for(|stop| *stop).await.is_err() {
        // Nobody is left who could.
        std::future::pending::<()>().await;
    }
}

/// The same that the service says of itself.
fn interrupted() -> Error {
    Error::new(
        ErrorKind::Interrupted,
        "stopped before anything was changed",
    )
}
