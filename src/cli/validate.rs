//! `cfgctl validate`.

use std::path::Path;

use super::declared::{FileArgs, add_checks, keep, show};
use super::failure::{Exit, Failure};
use super::session::Session;
use super::views::validation::{Roots, Validation};

/// Checks files, on their own and against each other, without a store or a cluster
///
/// Shows every mistake at once, each with its file, line and column. For pipelines it writes
/// `-o markdown` for a comment, `-o github` for annotations and `-o junit` for test results.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ValidateArgs {
    #[command(flatten)]
    files: FileArgs,
}

pub(crate) fn validate(session: &Session, args: &ValidateArgs) -> Result<Exit, Failure> {
    let mut loaded = args.files.load(session)?;
    add_checks(&mut loaded);
    let loaded = keep(loaded);
    show(&session.ui, &loaded.findings, &loaded.sources);
    let environment = &session.environment;
    let roots = Roots {
        directory: &environment.directory,
        workspace: environment.variable("GITHUB_WORKSPACE").map(Path::new),
    };
    let validation = Validation::new(&loaded, roots);
    session.ui.report(&validation)?;
    if validation.valid {
        Ok(Exit::Done)
    } else {
        Err(Failure::usage("the files are not valid"))
    }
}
