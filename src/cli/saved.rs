//! Saved plans as files.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::failure::{Exit, Failure};
use super::files::{self, Existing, Readers};
use crate::api::SavedPlan;

/// The largest plan that is read: as much as all manifests of one run may have.
const MAX_PLAN_BYTES: u64 = 64 * 1024 * 1024;

/// Writes `plan` to `path`, for its owner only.
pub(crate) fn write(path: &Path, plan: &SavedPlan) -> Result<(), Failure> {
    let text = plan
        .to_bytes()
        .map_err(|error| Failure::new(Exit::Bug, error))?;
    files::write(path, &text, Existing::Replaced, Readers::Owner)
        .map_err(|error| files::failure(path, error))
}

/// Reads the plan at `path`.
pub(crate) fn read(path: &Path) -> Result<SavedPlan, Failure> {
    let read = || -> anyhow::Result<SavedPlan> {
        let mut text = Vec::new();
        let limit = MAX_PLAN_BYTES + 1;
        File::open(path)?.take(limit).read_to_end(&mut text)?;
        anyhow::ensure!(
            u64::try_from(text.len())? < limit,
            "it is larger than {MAX_PLAN_BYTES} bytes"
        );
        Ok(SavedPlan::parse(&text)?)
    };
    read().map_err(|error| {
        let error = error.context(format!("could not read the plan in `{}`", path.display()));
        Failure::new(Exit::Usage, error)
            .hint("`cfgctl diff -f … --out FILE` saves one; manifests are named with `-f`")
    })
}
