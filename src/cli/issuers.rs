//! The file of issuers, which a server reads at its start.

use std::path::Path;

use super::failure::{Exit, Failure};
use super::files;
use crate::oidc::{Issuers, IssuersFile};

/// The issuers that the file at `path` names. What it names besides lies beside it.
pub(crate) fn load(path: &Path) -> Result<Issuers, Failure> {
    let failure = |error: anyhow::Error| {
        let error = error.context(format!(
            "could not read the issuers in `{}`",
            path.display()
        ));
        Failure::new(Exit::Usage, error).hint("the README shows such a file: `Logins`")
    };
    let text = files::read_small(path)?;
    let file: IssuersFile =
        serde_yaml::from_slice(&text).map_err(|error| failure(anyhow::Error::new(error)))?;
    file.check()
        .map_err(|error| failure(anyhow::anyhow!(error)))?;
    let beside = path.parent().unwrap_or(Path::new("."));
    let specs = file.issuers.into_iter().map(|spec| {
        let authorities = spec.ca_file.as_ref().map(|file| beside.join(file));
        let authorities = authorities.as_deref().map(files::read_small).transpose()?;
        Ok((spec, authorities))
    });
    let specs: Vec<_> = specs.collect::<Result<_, Failure>>()?;
    Issuers::new(specs).map_err(|error| failure(anyhow::Error::new(error)))
}
