//! What is said before there is a [`Ui`](super::Ui): about command lines, and by panics.

use std::io::{self, Write as _};

use anstream::AutoStream;
use clap::builder::StyledStr;
use clap::error::ContextValue;

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
