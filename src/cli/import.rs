//! `cfgctl import`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::connect;
use super::failure::{Exit, Failure};
use super::files::{self, Existing, Readers};
use super::session::{Session, duration};
use super::ui::json;
use super::view::Output;
use super::views::import::{ImportReport, items};
use super::views::table::count;
use crate::import::{Fate, Form, ImportError, ImportRequest, Imported, Layout, Remedy, import};
use crate::manifest::manifest_of;
use crate::model::{self, Key, Selector, SetName};
use crate::yaml;
use source::{from_consul, from_export};

mod source;

/// Makes a set of keys that others wrote, such that applying it changes no byte of them
///
/// Prints the manifest of the set, or writes it to a new file. `cfgctl apply -f FILE --adopt`
/// then takes the keys over: applications that read them notice nothing. What was made is
/// rendered and compared with what is there before it is written. Nothing in the Consul is
/// changed.
#[derive(Clone, Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("source").required(true))]
pub(crate) struct ImportArgs {
    /// Read the keys of this Consul; without an address that of `CONSUL_HTTP_ADDR`
    #[arg(
        long,
        group = "source",
        value_name = "ADDRESS",
        num_args = 0..=1,
        default_missing_value = ""
    )]
    from_consul: Option<String>,

    /// Read what `consul kv export` wrote; `-` for standard input
    #[arg(long, group = "source", value_name = "FILE")]
    from_export: Option<PathBuf>,

    /// Where the keys lie, as in `config/checkout`
    #[arg(long, value_name = "PREFIX", value_parser = prefix)]
    prefix: Key,

    /// What to name the set; left out: the last part of the prefix
    #[arg(long, value_name = "SET")]
    name: Option<SetName>,

    /// How the keys are laid out
    #[arg(long, value_enum, default_value = "auto", value_name = "LAYOUT")]
    layout: LayoutArg,

    /// Make values of a Spring document even if its text is then rewritten
    ///
    /// The application reads the same values, but comments and order are lost. Without it, a
    /// document that cfgctl would write in another way is kept as one text.
    #[arg(long)]
    structured: bool,

    /// Which clusters the set goes to, as in `stage=prod,region!=eu`; left out: all
    #[arg(
        short = 'l',
        long,
        value_name = "SELECTOR",
        default_value = "",
        hide_default_value = true
    )]
    clusters: Selector,

    /// Write the manifest to this new file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Replace the file if it exists
    #[arg(long, requires = "out")]
    force: bool,

    /// Go on if some keys cannot be imported
    #[arg(long)]
    partial: bool,

    /// The datacenter to read from; left out: the agent's own
    #[arg(long, value_name = "NAME", conflicts_with = "from_export")]
    datacenter: Option<String>,

    /// The longest wait for one request, as in `30s` or `2m`
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = duration)]
    timeout: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum LayoutArg {
    /// Find out.
    Auto,
    /// Spring's format YAML: one document at `<prefix>/data`.
    SpringYaml,
    /// Spring's format PROPERTIES: one document at `<prefix>/data`.
    SpringProperties,
    /// Spring's format `KEY_VALUE`: one key per property.
    SpringKeyValue,
    /// Spring's format FILES, and git2consul: one key per file.
    Files,
    /// One key per value.
    Keys,
}

impl LayoutArg {
    fn layout(self) -> Option<Layout> {
        match self {
            Self::Auto => None,
            Self::SpringYaml => Some(Layout::SpringYaml),
            Self::SpringProperties => Some(Layout::SpringProperties),
            Self::SpringKeyValue => Some(Layout::SpringKeyValue),
            Self::Files => Some(Layout::Files),
            Self::Keys => Some(Layout::Keys),
        }
    }
}

/// A prefix with or without a slash at its end.
fn prefix(input: &str) -> Result<Key, model::KeyError> {
    input.strip_suffix('/').unwrap_or(input).parse()
}

pub(crate) async fn import_keys(session: &Session, args: &ImportArgs) -> Result<Exit, Failure> {
    let request = args.request()?;
    args.check_out(&session.environment.directory)?;
    let source = match (&args.from_consul, &args.from_export) {
        (Some(address), _) => {
            let datacenter = args.datacenter.as_deref();
            from_consul(session, address, datacenter, args.timeout, &args.prefix).await?
        }
        (None, Some(path)) => from_export(session, path, &args.prefix)?,
        (None, None) => return Err(Failure::usage("nothing to read from is named")),
    };
    let imported =
        import(&source.pairs, &request).map_err(|error| explain(session, args, error))?;
    let refused = imported.keys.values();
    let refused = refused
        .filter(|fate| matches!(fate, Fate::Refused(_)))
        .count();
    let mut report = ImportReport {
        set: Some(request.name.clone()),
        prefix: args.prefix.clone(),
        layout: Some(imported.layout),
        file: None,
        keys: items(&imported.keys),
        notes: source
            .notes
            .into_iter()
            .chain(imported.notes.clone())
            .collect(),
    };
    if refused > 0 && !args.partial {
        session.ui.present(&report);
        let total = count(imported.keys.len(), "key");
        return Err(Failure::usage(format!(
            "{refused} of {total} cannot be imported; nothing was written"
        ))
        .hint("`--partial` leaves them out of the set and as they are in the Consul"));
    }
    match &args.out {
        None => {
            session.ui.present(&report);
            print(session, &imported)?;
        }
        Some(out) => {
            let path = session.environment.directory.join(out);
            write(&path, &imported.text, args.existing())?;
            report.file = Some(out.to_string_lossy().into_owned());
            session.ui.report(&report)?;
            session.ui.status(&format!(
                "`cfgctl diff -f {0} --adopt` shows what taking the keys over means, \
                 `cfgctl apply -f {0} --adopt` does it",
                out.display()
            ));
        }
    }
    Ok(Exit::Done)
}

impl ImportArgs {
    fn existing(&self) -> Existing {
        if self.force {
            Existing::Replaced
        } else {
            Existing::Kept
        }
    }

    fn request(&self) -> Result<ImportRequest, Failure> {
        let last = self.prefix.segments().last().unwrap_or_default();
        let name = match &self.name {
            Some(name) => name.clone(),
            None => last.parse().map_err(|error: model::NameError| {
                Failure::new(Exit::Usage, error).hint("name the set with `--name`")
            })?,
        };
        Ok(ImportRequest {
            name,
            prefix: self.prefix.clone(),
            clusters: self.clusters.clone(),
            layout: self.layout.layout(),
            form: if self.structured {
                Form::Structured
            } else {
                Form::Exact
            },
            mark: connect::MARK,
        })
    }

    /// Fails before anything is read if the file could not be written in the end.
    fn check_out(&self, directory: &Path) -> Result<(), Failure> {
        match &self.out {
            Some(out)
                if self.existing() == Existing::Kept
                    && directory.join(out).symlink_metadata().is_ok() =>
            {
                Err(exists(out))
            }
            _ => Ok(()),
        }
    }
}

fn exists(path: &Path) -> Failure {
    Failure::usage(format!("`{}` exists; nothing was written", path.display()))
        .hint("name another file, or pass `--force` to replace it")
}

const AS_THEY_ARE: &str = "the keys are imported as they are";

/// What stands against an import, and what to do next.
fn explain(session: &Session, args: &ImportArgs, error: ImportError) -> Failure {
    match &error {
        ImportError::Nothing { .. } => {
            let hint = match &args.from_consul {
                Some(_) => {
                    "the prefix may be spelled otherwise, or the ACL token may not see the keys: \
                     Consul answers both alike"
                }
                None => "look for the prefix in the export; it may be spelled otherwise",
            };
            Failure::new(Exit::Usage, error).hint(hint)
        }
        ImportError::Refused { keys, .. } => {
            session.ui.present(&ImportReport {
                set: None,
                prefix: args.prefix.clone(),
                layout: None,
                file: None,
                keys: items(keys),
                notes: Vec::new(),
            });
            Failure::new(Exit::Usage, error)
        }
        ImportError::NoDocument { .. } => {
            Failure::new(Exit::Usage, error).hint(if args.structured {
                format!("without `--layout` and `--structured`, {AS_THEY_ARE}")
            } else {
                "`--layout auto` finds out how the keys lie".to_owned()
            })
        }
        ImportError::NotStructured { instead, .. } => {
            let hint = match instead {
                Some(layout) => format!("`--layout {}` has one", layout.name()),
                None => format!("without `--structured`, {AS_THEY_ARE}"),
            };
            Failure::new(Exit::Usage, error).hint(hint)
        }
        ImportError::NothingToStructure { elsewhere, .. } => {
            let hint = match elsewhere {
                Some(prefix) => format!("there is one with `--prefix {prefix}`"),
                None => format!("without `--structured`, {AS_THEY_ARE}"),
            };
            Failure::new(Exit::Usage, error).hint(hint)
        }
        ImportError::NoValues { remedy, .. } => {
            let hint = match remedy {
                Remedy::Layout(layout) => {
                    let name = layout.name();
                    format!("it looks like the layout `{name}`: `--layout {name}` reads it so")
                }
                Remedy::KeepText => {
                    "without `--structured` it is kept as one text, byte for byte; \
                                     values can be made of it when what is wrong is put right in \
                                     the Consul"
                        .to_owned()
                }
                Remedy::Encode => "write it in UTF-8 in the Consul, and import it then".to_owned(),
            };
            Failure::new(Exit::Usage, error).hint(hint)
        }
        ImportError::TooMany { .. } | ImportError::Unreadable { .. } => {
            Failure::new(Exit::Usage, error).hint("import parts of it, each with a longer prefix")
        }
        ImportError::Unlike { .. } => {
            Failure::new(Exit::Bug, error).hint("nothing was written; this is a bug in cfgctl")
        }
    }
}

/// The manifest is the result. As JSON it is one that can be applied as well.
fn print(session: &Session, imported: &Imported) -> Result<(), Failure> {
    let manifest = &imported.manifest;
    let value = manifest_of(&manifest.id, &manifest.content);
    let text = match session.ui.output {
        // Forms that only other commands write were refused before anything was read.
        Output::Table
        | Output::Wide
        | Output::Yaml
        | Output::Markdown
        | Output::Github
        | Output::Junit => value.map_or(String::new(), |value| yaml::to_log(&value)),
        Output::Json => json(&value)?,
        Output::Name => format!("{}\n", manifest.id),
    };
    session.ui.print(&text)
}

fn write(path: &Path, text: &str, existing: Existing) -> Result<(), Failure> {
    files::write(path, text.as_bytes(), existing, Readers::AsUsual).map_err(|error| {
        match error.kind() {
            std::io::ErrorKind::AlreadyExists => exists(path),
            _ => files::failure(path, error),
        }
    })
}
