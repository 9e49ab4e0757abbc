//! What is described: clusters and sets of files, or of the store.

use crate::api::Described;
use crate::cli::connect::{self, Connected};
use crate::cli::declared::{FileArgs, contents};
use crate::cli::failure::Failure;
use crate::cli::session::Session;

/// The service, and what the files say; without files, the service over the store.
pub(super) async fn connected(
    session: &Session,
    files: &FileArgs,
) -> Result<(Connected, Option<Described>), Failure> {
    if files.filenames.is_empty() {
        return Ok((connect::connect(session).await?, None));
    }
    // Before the first apply there may be no store, and this makes none.
    let loaded = files.checked(session)?;
    Ok((connect::without_store(session), Some(contents(&loaded))))
}
