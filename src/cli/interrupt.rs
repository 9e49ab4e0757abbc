//! Ctrl-C and SIGTERM: what runs is finished, nothing new is begun. A second one stops at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::failure::{Exit, Failure};

/// Listens from its creation on.
#[derive(Debug)]
pub(crate) struct Interrupt {
    receiver: watch::Receiver<bool>,
    by: Arc<AtomicU8>,
}

impl Interrupt {
    pub(crate) fn listen() -> Self {
        let (sender, receiver) = watch::channel(false);
        let by = Arc::new(AtomicU8::new(0));
        let listener = Self {
            receiver,
            by: Arc::clone(&by),
        };
        // Without handlers the signals end the process, which no write minds either.
        let (Ok(mut int), Ok(mut term)) = (
            signal(SignalKind::interrupt()),
            signal(SignalKind::terminate()),
        ) else {
            return listener;
        };
        tokio::spawn(async move {
            loop {
                let exit = tokio::select! {
                    _ = int.recv() => Exit::Interrupted,
                    _ = term.recv() => Exit::Terminated,
                };
                if by.swap(exit as u8, Ordering::Relaxed) != 0 {
                    // A person who asks twice wants out; every write is atomic.
                    std::process::exit(i32::from(exit as u8));
                }
                _ = sender.send(true);
            }
        });
        listener
    }

    /// Turns true when a person wants to stop.
    pub(crate) fn receiver(&self) -> watch::Receiver<bool> {
        self.receiver.clone()
    }

    /// The exit code of the signal that came, if one did.
    pub(crate) fn exit(&self) -> Option<Exit> {
        match self.by.load(Ordering::Relaxed) {
            0 => None,
            by if by == Exit::Terminated as u8 => Some(Exit::Terminated),
            _ => Some(Exit::Interrupted),
        }
    }

    /// `failure` with the exit code of the signal that caused it.
    pub(crate) fn explain(&self, failure: Failure) -> Failure {
        match self.exit() {
            Some(exit) if failure.exit == Exit::Interrupted => Failure { exit, ..failure },
            _ => failure,
        }
    }
}
