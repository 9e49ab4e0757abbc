//! The only writer to a terminal: results to standard output, everything else to standard error.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::environment::Environment;
use super::failure::{Exit, Failure};
use super::view::{Canvas, Output, View};
use super::views::markdown::code;
use super::views::objection;
use super::views::validation::FindingView;
use crate::api::report::{Envelope, ObjectionItem};
use crate::model::text::{Lines, escaped_json, guarded, printable, without_secrets};
use crate::yaml;

mod early;
mod secret;

pub(crate) use early::{guard_panics, refused, usage, wanted};

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorReport<'a> {
    code: u8,
    /// The code in a word.
    reason: &'static str,
    error: &'a str,
    causes: &'a [String],
    hints: &'a [String],
    /// What stands against the plan.
    objections: &'a [ObjectionItem],
    /// What is wrong with files.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    findings: &'a [FindingView],
}

/// Where output goes, and how it looks.
#[derive(Debug)]
pub(crate) struct Ui {
    /// How results are written.
    pub(crate) output: Output,
    quiet: bool,
    can_ask: bool,
    stdout: ColorChoice,
    stderr: ColorChoice,
    look: Canvas,
    stderr_is_terminal: bool,
    /// Whether a report was written.
    answered: AtomicBool,
    /// Whether it was said what stands against the plan.
    objected: AtomicBool,
    /// Whether nobody reads standard output any more.
    closed: AtomicBool,
}

impl Ui {
    pub(crate) fn new(
        environment: &Environment,
        output: Output,
        color: Color,
        quiet: bool,
    ) -> Self {
        let choose = |is_terminal: bool| match color {
            Color::Always => ColorChoice::Always,
            Color::Auto
                if is_terminal
                    && environment.variable("NO_COLOR").is_none()
                    && environment.variable("TERM") != Some("dumb") =>
            {
                ColorChoice::Always
            }
            Color::Auto | Color::Never => ColorChoice::Never,
        };
        let stdout = choose(environment.stdout_is_terminal);
        Self {
            output,
            quiet,
            can_ask: environment.can_ask,
            stdout,
            stderr: choose(environment.stderr_is_terminal),
            look: Canvas {
                wide: output == Output::Wide,
                color: stdout == ColorChoice::Always,
                width: environment.width,
                now: environment.now,
            },
            stderr_is_terminal: environment.stderr_is_terminal,
            answered: AtomicBool::new(false),
            objected: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        }
    }

    /// Whether nothing is to be said but results and errors.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether nobody reads standard output any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// The form that was asked for.
    pub(crate) fn output(&self) -> Output {
        self.output
    }

    /// Whether programs read the result.
    pub(crate) fn is_for_programs(&self) -> bool {
        matches!(self.output, Output::Json | Output::Yaml)
    }

    /// Whether progress is worth drawing.
    pub(crate) fn shows_progress(&self) -> bool {
        self.stderr_is_terminal && !self.quiet
    }

    /// Whether standard error takes colours.
    pub(crate) fn colors_stderr(&self) -> bool {
        self.stderr == ColorChoice::Always
    }

    /// The answer, in the form that was asked for.
    pub(crate) fn report<R: View>(&self, report: &R) -> Result<(), Failure> {
        let envelope = Envelope::new(R::KIND, report);
        let text = match self.output {
            Output::Table | Output::Wide => report.table(self.look),
            Output::Json => json(&envelope)?,
            Output::Yaml => {
                let value = serde_json::to_value(&envelope)
                    .map_err(|error| Failure::new(Exit::Bug, error))?;
                yaml::to_log(&value)
            }
            special @ (Output::Markdown | Output::Github | Output::Junit) => {
                // The command line was checked before anything was done.
                let error = || anyhow::anyhow!("there is no {} here", special.name());
                let text = report.special(special);
                text.ok_or_else(|| Failure::new(Exit::Bug, error()))?
            }
            Output::Name => {
                let lines = report.names().into_iter();
                lines.map(|line| printable(&line) + "\n").collect()
            }
        };
        self.answered.store(true, Ordering::Relaxed);
        if report.shows_objections() && self.output != Output::Name {
            self.objected.store(true, Ordering::Relaxed);
        }
        let lines = match self.output {
            Output::Github => Lines::Obeyed,
            _ => Lines::Read,
        };
        self.verbatim(&guarded(&text, lines))
    }

    /// The same report where it is not the answer but what a person has to see before one: on
    /// standard error, as a table.
    pub(crate) fn present<R: View>(&self, report: &R) {
        if !self.quiet {
            let look = Canvas {
                color: self.colors_stderr(),
                ..self.look
            };
            self.write_stderr(&report.table(look));
            if report.shows_objections() {
                self.objected.store(true, Ordering::Relaxed);
            }
        }
    }

    /// Text on standard output. What a terminal or a forge would obey in it is written out.
    pub(crate) fn print(&self, text: &str) -> Result<(), Failure> {
        self.verbatim(&guarded(text, Lines::Read))
    }

    /// Text of cfgctl's own on standard output, as it is.
    pub(crate) fn verbatim(&self, text: &str) -> Result<(), Failure> {
        let mut stdout = AutoStream::new(io::stdout().lock(), self.stdout);
        let written = stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush());
        match written {
            // Whoever read us has seen enough: `cfgctl get | head`.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed.store(true, Ordering::Relaxed);
                Ok(())
            }
            Err(error) => {
                let error = anyhow::Error::new(error).context("could not write the output");
                Err(Failure::new(Exit::Unavailable, error))
            }
            Ok(()) => Ok(()),
        }
    }

    /// What happens, for a person; silent under `--quiet`.
    pub(crate) fn status(&self, message: &str) {
        if !self.quiet {
            self.write_stderr(&format!("{}\n", printable(&without_secrets(message))));
        }
    }

    /// Text of several lines on standard error; also under `--quiet`.
    pub(crate) fn notice(&self, text: &str) {
        self.write_stderr(text);
    }

    /// What went wrong and what to do next, on standard output, if programs read that.
    pub(crate) fn failure_for_programs(&self, failure: &Failure) {
        let chain = failure.chain();
        let (error, causes) = split(&chain);
        let is_read = matches!(self.output, Output::Json | Output::Yaml | Output::Markdown);
        // A program reads one document; one that was written already says what is wrong.
        if is_read && !self.answered.load(Ordering::Relaxed) {
            let report = ErrorReport {
                code: failure.exit as u8,
                reason: failure.exit.word(),
                error,
                causes,
                hints: &failure.hints,
                objections: &failure.objections,
                findings: &failure.findings,
            };
            // Standard error says it too, so a closed pipe loses nothing.
            _ = self.report(&report);
        }
    }

    /// What went wrong, and what to do next; for programs also on standard output.
    pub(crate) fn failure(&self, failure: &Failure) {
        let chain = failure.chain();
        let (error, causes) = split(&chain);
        self.failure_for_programs(failure);
        let red = AnsiColor::Red.on_default().bold();
        let mut text = format!("{}: {}\n", styled(red, "error"), printable(error));
        for cause in causes {
            _ = writeln!(text, "  caused by: {}", printable(cause));
        }
        // Whoever has seen the plan has seen why.
        if !self.objected.load(Ordering::Relaxed) {
            for objection in &failure.objections {
                _ = writeln!(
                    text,
                    "  {}: {}",
                    styled(red, "refused"),
                    objection::line(objection)
                );
            }
        }
        for hint in &failure.hints {
            let word = styled(AnsiColor::Cyan.on_default().bold(), "hint");
            _ = writeln!(text, "{word}: {}", printable(hint));
        }
        self.write_stderr(&text);
    }

    /// Whether there is a person to ask. Otherwise it fails and names the flag.
    pub(crate) fn can_ask(&self) -> Result<(), Failure> {
        if self.can_ask {
            return Ok(());
        }
        Err(Failure::usage("there is no terminal to ask for consent on")
            .hint("look at it with `--dry-run`, then pass `--yes`"))
    }

    /// Ends the line of a question that was not answered.
    pub(crate) fn close_question(&self) {
        if self.can_ask {
            self.write_stderr("\n");
        }
    }

    fn write_stderr(&self, text: &str) {
        let mut stderr = AutoStream::new(io::stderr().lock(), self.stderr);
        // There is nowhere left to say that standard error is gone.
        _ = stderr.write_all(guarded(text, Lines::Read).as_bytes());
    }
}

/// `value` as JSON that can be read in a log.
pub(crate) fn json(value: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value);
    let text = text.map_err(|error| Failure::new(Exit::Bug, error))?;
    Ok(escaped_json(&text) + "\n")
}

impl View for ErrorReport<'_> {
    const KIND: &'static str = "Error";

    fn table(&self, _: Canvas) -> String {
        String::new()
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }

    fn special(&self, output: Output) -> Option<String> {
        if output != Output::Markdown {
            return None;
        }
        let lines: Vec<&str> = [self.error]
            .into_iter()
            .chain(self.causes.iter().map(String::as_str))
            .collect();
        let mut text = format!("**cfgctl failed**: {}\n", code(&lines.join(": ")));
        for objection in self.objections {
            _ = write!(
                text,
                "\n**refused**: {}\n",
                code(&objection::line(objection))
            );
        }
        for hint in self.hints {
            _ = write!(text, "\nhint: {}\n", code(hint));
        }
        Some(text)
    }
}

/// `text` in `style`; streams without colour strip it again.
pub(crate) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// An error and its causes.
fn split(chain: &[String]) -> (&str, &[String]) {
    chain
        .split_first()
        .map_or(("unknown", &[]), |(error, causes)| (error, causes))
}
