//! Views: how a report is shown to a person, and in which forms it can be written.

use serde::Serialize;

/// How results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Output {
    /// For people.
    #[default]
    Table,
    /// For people, with everything there is.
    Wide,
    /// For programs; a promise, with `apiVersion` and `kind`.
    Json,
    /// The same as YAML.
    Yaml,
    /// Names only, one a line.
    Name,
    /// A comment for a pull request; `diff`, `drift` and `validate` write it.
    Markdown,
    /// Annotations for GitHub Actions; `validate` writes them.
    Github,
    /// Test results as JUnit XML; `validate` writes them.
    Junit,
}

impl Output {
    /// What is only written by the commands that say so.
    pub(crate) fn is_special(self) -> bool {
        match self {
            Self::Table | Self::Wide | Self::Json | Self::Yaml | Self::Name => false,
            Self::Markdown | Self::Github | Self::Junit => true,
        }
    }

    /// What it is called on the command line.
    pub(crate) fn name(self) -> String {
        let value = clap::ValueEnum::to_possible_value(&self);
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// How a report looks to a person.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Canvas {
    /// Whether to show everything there is.
    pub(crate) wide: bool,
    /// Whether word-level highlights make sense.
    pub(crate) color: bool,
    /// The columns of the terminal, if the output goes to one.
    pub(crate) width: Option<u16>,
    /// For ages.
    pub(crate) now: jiff::Timestamp,
}

/// What a command answers. `Serialize` is what programs read.
pub(crate) trait View: Serialize {
    /// The `kind` of the JSON.
    const KIND: &'static str;

    /// For people; ends in a newline unless it is empty. May be styled.
    fn table(&self, look: Canvas) -> String;

    /// One name a line, for scripts.
    fn names(&self) -> Vec<String>;

    /// Whether it says what stands against a plan.
    fn shows_objections(&self) -> bool {
        false
    }

    /// For pipelines: in a form that [`Output::is_special`], where the command has it.
    fn special(&self, _: Output) -> Option<String> {
        None
    }
}

impl Canvas {
    /// For text that is kept, with everything there is.
    pub(crate) fn plain(now: jiff::Timestamp) -> Self {
        Self {
            wide: true,
            color: false,
            width: None,
            now,
        }
    }
}
