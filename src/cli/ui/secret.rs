//! Asking for what must not be shown.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

use super::Ui;
use crate::cli::failure::{Exit, Failure};
use crate::model::text::printable;

impl Ui {
    /// Asks for a secret, and shows nothing of what is typed. Without a terminal it fails and names
    /// the flag.
    pub(crate) async fn secret(&self, question: &str, flag: &str) -> Result<String, Failure> {
        if !self.can_ask {
            return Err(
                Failure::usage("there is no terminal to ask for the token on")
                    .hint(format!("pass it on standard input, with `{flag}`")),
            );
        }
        let stdin = io::stdin();
        let before = rustix::termios::tcgetattr(&stdin).ok();
        // Before the echo is off: without it Ctrl-C would leave the terminal that way.
        let mut interrupts =
            signal(SignalKind::interrupt()).map_err(|error| Failure::new(Exit::Bug, error))?;
        let question = printable(question);
        let asked = tokio::task::spawn_blocking(move || {
            dialoguer::Password::new()
                .with_prompt(question)
                .report(false)
                // Else it asks again and again at the end of input.
                .allow_empty_password(true)
                .interact()
        });
        tokio::select! {
            answer = asked => match answer {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(error)) => Err(Failure::new(Exit::Bug, error)),
                Err(error) => Err(Failure::new(Exit::Bug, error)),
            },
            _ = interrupts.recv() => {
                // The one that waits for a line never comes to switch the echo on again.
                if let Some(before) = before {
                    let now = rustix::termios::OptionalActions::Flush;
                    // Then the terminal is gone, and nobody misses its echo.
                    _ = rustix::termios::tcsetattr(&stdin, now, &before);
                }
                let error = anyhow::anyhow!("stopped before anything was changed");
                Err(Failure::new(Exit::Interrupted, error))
            }
        }
    }
}
