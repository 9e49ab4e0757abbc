//! What is said before there is a [`Ui`](super::Ui): about command lines, and by panics.

use std::ffi::OsString;
use std::io::{self, Write as _};

use anstream::AutoStream;
use clap::ValueEnum as _;
use clap::builder::StyledStr;
use clap::error::{ContextValue, ErrorKind};

use crate::cli::failure::Failure;
use crate::cli::view::Output;
use crate::model::text::{Lines, guarded, printable, without_secrets};

/// What is said about a command line that was not understood, or was a request for help.
pub(crate) fn usage(error: &mut clap::Error) {
    // It repeats arguments as they are, line ends and all.
    let context: Vec<_> = error
        .context()
        .filter_map(|(kind, value)| Some((kind, shown(value)?)))
        .collect();
    for (kind, value) in context {
        error.insert(kind, value);
    }
    let text = without_secrets(&error.render().ansi().to_string());
    let text = guarded(&text, Lines::Read);
    // A closed pipe is the only way this fails, and then nobody reads it.
    _ = if error.use_stderr() {
        AutoStream::auto(io::stderr()).write_all(text.as_bytes())
    } else {
        AutoStream::auto(io::stdout()).write_all(text.as_bytes())
    };
}

/// The form that a command line asks for which was not understood, as far as that can be told: what
/// stands behind `-o` or `--output`.
pub(crate) fn wanted(arguments: &[OsString]) -> Output {
    let mut arguments = arguments.iter().filter_map(|argument| argument.to_str());
    while let Some(argument) = arguments.next().filter(|argument| *argument != "--") {
        let value = match argument {
            "-o" | "--output" => arguments.next(),
            _ => (argument.strip_prefix("--output="))
                .or_else(|| argument.strip_prefix("-o="))
                .or_else(|| argument.strip_prefix("-o")),
        };
        if let Some(output) = value.and_then(|value| Output::from_str(value, false).ok()) {
            return output;
        }
    }
    Output::default()
}

/// What is wrong with a command line, as any other failure is told to programs.
pub(crate) fn refused(error: &clap::Error) -> Failure {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return Failure::usage("there is no command")
            .hint("`cfgctl --help` shows those that there are");
    }
    let text = without_secrets(&error.render().to_string());
    let (what, rest) = text.split_once("\n\n").unwrap_or((&text, ""));
    let what = what.strip_prefix("error: ").unwrap_or(what);
    let what: Vec<&str> = what.lines().map(str::trim).collect();
    let lines = rest.lines().map(str::trim);
    lines
        .filter_map(|line| {
            line.strip_prefix("tip: ")
                .or(line.starts_with("Usage: ").then_some(line))
        })
        .fold(Failure::usage(what.join(" ")), Failure::hint)
}

/// The same without what a terminal would obey; `None` where nothing of it was typed.
fn shown(value: &ContextValue) -> Option<ContextValue> {
    Some(match value {
        ContextValue::String(text) => ContextValue::String(printable(text)),
        ContextValue::Strings(texts) => {
            ContextValue::Strings(texts.iter().map(|text| printable(text)).collect())
        }
        // Tips, a line each. Their styles are worth less than their truth.
        ContextValue::StyledStrs(texts) => ContextValue::StyledStrs(
            texts
                .iter()
                .map(|text| {
                    let plain = text.to_string();
                    let shown = printable(&plain);
                    if shown == plain {
                        text.clone()
                    } else {
                        StyledStr::from(shown)
                    }
                })
                .collect(),
        ),
        _ => return None,
    })
}

/// Says what a panic says, which is a bug whatever it is.
pub(crate) fn guard_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let text = format!("this is a bug in cfgctl: {panic}\n");
        let text = guarded(&without_secrets(&text), Lines::Read);
        // There is nowhere left to say that standard error is gone.
        _ = io::stderr().write_all(text.as_bytes());
    }));
}
