//! Questions on a terminal, which a signal answers too.

use std::io;

use console::{Key, Term, measure_text_width};
use rustix::termios::{OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr};

use super::failure::{Exit, Failure};
use super::interrupt::Interrupt;
use super::ui::Ui;
use crate::model::text::printable;

/// The longest answer that is kept of a line: no answer is that long.
const MAX_ANSWER: usize = 40;

/// Asks `question`, to which only a whole line says yes; without a terminal it fails and names the flag.
pub(crate) async fn confirm(
    ui: &Ui,
    interrupt: &Interrupt,
    question: &str,
) -> Result<bool, Failure> {
    ui.can_ask()?;
    let question = printable(question);
    answer(ui, interrupt, move || yes_or_no(&Term::stderr(), &question)).await
}

/// Asks until a line is an answer: `y` or `yes`; `n`, `no` or nothing.
///
/// What was typed before the question was there is dropped: it consents to nothing.
fn yes_or_no(term: &Term, question: &str) -> io::Result<bool> {
    loop {
        // Standard input is a terminal here; one that is gone is noticed when it is read.
        _ = tcflush(io::stdin(), QueueSelector::IFlush);
        term.write_str(&format!("{question} [y/N] "))?;
        let line = typed(term)?;
        let is_yes = match line.to_ascii_lowercase().as_str() {
            "y" | "yes" => true,
            "" | "n" | "no" => false,
            _ => {
                term.write_line("")?;
                term.write_line("answer `yes` or `no`")?;
                continue;
            }
        };
        term.clear_line()?;
        let word = if is_yes { "yes" } else { "no" };
        term.write_line(&format!("{question} {word}"))?;
        return Ok(is_yes);
    }
}

/// The line that is typed, or its beginning. Esc takes back all of it and ends it.
///
/// `dialoguer` has no question that waits for a whole line and knows Esc, so keys are read as it does.
fn typed(term: &Term) -> io::Result<String> {
    let mut line = String::new();
    loop {
        match term.read_key()? {
            Key::Enter => return Ok(line),
            Key::Escape => return Ok(String::new()),
            Key::Backspace => {
                if let Some(last) = line.pop() {
                    term.clear_chars(measure_text_width(last.encode_utf8(&mut [0; 4])))?;
                }
            }
            Key::Char(key) if !key.is_control() && line.chars().count() < MAX_ANSWER => {
                line.push(key);
                term.write_str(key.encode_utf8(&mut [0; 4]))?;
            }
            _ => {}
        }
    }
}

/// Asks for a line of text, which may be empty.
pub(crate) async fn line(ui: &Ui, interrupt: &Interrupt, prompt: &str) -> Result<String, Failure> {
    let prompt = printable(prompt);
    answer(ui, interrupt, move || {
        let line = dialoguer::Input::<String>::new()
            .with_prompt(prompt)
            .allow_empty(true)
            .interact_text();
        line.map_err(|dialoguer::Error::IO(error)| error)
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
    ask: impl FnOnce() -> io::Result<T> + Send + 'static,
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
        Some(Ok(Err(error))) if error.kind() == io::ErrorKind::Interrupted => {
            Err(stopped(ui, interrupt, terminal.as_ref()))
        }
        Some(Ok(Err(error))) => Err(Failure::new(Exit::Bug, error)),
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
