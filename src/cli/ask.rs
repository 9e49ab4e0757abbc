//! Questions on a terminal, which a signal answers too.

use std::io;

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

use super::failure::{Exit, Failure};
use super::interrupt::Interrupt;
use super::ui::Ui;
use crate::model::text::printable;

/// Asks `question`; without a terminal it fails and names the flag.
pub(crate) async fn confirm(
    ui: &Ui,
    interrupt: &Interrupt,
    question: &str,
) -> Result<bool, Failure> {
    ui.can_ask()?;
    let question = printable(question);
    answer(ui, interrupt, move || {
        let answer = dialoguer::Confirm::new()
            .with_prompt(question)
            .default(false)
            .interact_opt();
        answer.map(|answer| answer.unwrap_or(false))
    })
    .await
}

/// Asks for a line of text, which may be empty.
pub(crate) async fn line(ui: &Ui, interrupt: &Interrupt, prompt: &str) -> Result<String, Failure> {
    let prompt = printable(prompt);
    answer(ui, interrupt, move || {
        dialoguer::Input::<String>::new()
            .with_prompt(prompt)
            .allow_empty(true)
            .interact_text()
    })
    .await
}

/// What a person answers.
///
/// Keys are read on a thread of their own: a signal would otherwise be noticed only after the
/// answer, so that a `kill` at the question did nothing.
async fn answer<T: Send + 'static>(
    ui: &Ui,
    interrupt: &Interrupt,
    ask: impl FnOnce() -> Result<T, dialoguer::Error> + Send + 'static,
) -> Result<T, Failure> {
    let terminal = tcgetattr(io::stdin()).ok();
    let mut stop = interrupt.receiver();
    let answer = tokio::select! {
        // Without handlers there is no sender, and signals end the process anyway.
        Ok(_) = stop.wait_for(|stop| *stop) => None,
        answer = tokio::task::spawn_blocking(ask) => Some(answer),
    };
    match answer {
        Some(Ok(Ok(answer))) => Ok(answer),
        None => Err(stopped(ui, interrupt, terminal.as_ref())),
        Some(Ok(Err(dialoguer::Error::IO(error))))
            if error.kind() == io::ErrorKind::Interrupted =>
        {
            Err(stopped(ui, interrupt, terminal.as_ref()))
        }
        Some(Ok(Err(dialoguer::Error::IO(error)))) => Err(Failure::new(Exit::Bug, error)),
        Some(Err(error)) => Err(Failure::new(Exit::Bug, error)),
    }
}

/// The failure of a question that a signal answered; the terminal is as it was before.
fn stopped(ui: &Ui, interrupt: &Interrupt, terminal: Option<&Termios>) -> Failure {
    if let Some(terminal) = terminal {
        // A terminal that is gone needs nothing.
        _ = tcsetattr(io::stdin(), OptionalActions::Now, terminal);
    }
    ui.close_question();
    let error = anyhow::anyhow!("stopped before anything was changed");
    Failure::new(interrupt.exit().unwrap_or(Exit::Interrupted), error)
}
