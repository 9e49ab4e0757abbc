//! Revisions as rows, and back.

use rusqlite::Row;

use super::site::Site;
use crate::model::{Commit, ResourceId, Revision, Version};
use crate::store::{StoreError, guard};

/// The most bytes that the JSON of one revision may have, 16 MiB: 32 times what fits into one
/// value of a Consul, and still harmless to hold in memory.
pub(super) const MAX_REVISION_BYTES: usize = 16 * 1024 * 1024;

/// One revision as it is stored.
pub(super) struct Encoded<'a> {
    pub(super) id: &'a ResourceId,
    pub(super) version: i64,
    pub(super) origin: String,
    pub(super) content: String,
    pub(super) overrides: Option<String>,
    pub(super) provenance: Option<String>,
}

/// The texts of a row.
struct Texts<'a> {
    origin: &'a str,
    content: &'a str,
    overrides: Option<&'a str>,
    provenance: Option<&'a str>,
}

/// The rows of `commit`. Done before any lock is taken.
///
/// Each row is read back: what could not be read again, such as values nested deeper than the
/// JSON parser goes, must not become a head that stops everyone.
pub(super) fn encode<'a>(commit: &'a Commit, site: &Site) -> Result<Vec<Encoded<'a>>, StoreError> {
    let encode = |(id, revision): (&'a ResourceId, &Revision)| {
        let invalid = |reason| StoreError::Invalid {
            id: id.clone(),
            reason,
        };
        let not_json = |_| invalid("it is not JSON");
        let origin = serde_json::to_string(&revision.origin).map_err(not_json)?;
        let content = serde_json::to_string(&revision.content).map_err(not_json)?;
        let overrides = Some(&revision.overrides).filter(|overrides| !overrides.is_empty());
        let overrides = overrides.map(serde_json::to_string);
        let overrides = overrides.transpose().map_err(not_json)?;
        let provenance = revision.provenance.as_ref().map(serde_json::to_string);
        let provenance = provenance.transpose().map_err(not_json)?;
        let beside = [&overrides, &provenance].into_iter().flatten();
        let bytes = origin.len() + content.len() + beside.map(String::len).sum::<usize>();
        if bytes > MAX_REVISION_BYTES {
            return Err(invalid("it is larger than 16 MiB"));
        }
        let number = revision.version.get();
        let version = i64::try_from(number).map_err(|_| invalid("its version is too great"))?;
        let texts = Texts {
            origin: &origin,
            content: &content,
            overrides: overrides.as_deref(),
            provenance: provenance.as_deref(),
        };
        match decode(id, version, &texts, site) {
            Ok(read) if read == *revision => Ok(Encoded {
                id,
                version,
                origin,
                content,
                overrides,
                provenance,
            }),
            Ok(_) | Err(_) => Err(invalid("it does not read back as it was written")),
        }
    };
    commit.revisions.iter().map(encode).collect()
}

/// The revision that a row holds.
fn decode(
    id: &ResourceId,
    version: i64,
    texts: &Texts<'_>,
    site: &Site,
) -> Result<Revision, StoreError> {
    let Texts {
        origin,
        content,
        overrides,
        provenance,
    } = texts;
    let damaged = |what: &str| site.damaged(format!("{id} version {version}: {what}"));
    let version = version_of(version).ok_or_else(|| damaged("this is not a version"))?;
    let unreadable = |what, error| damaged(&format!("its {what} cannot be read: {error}"));
    let revision = Revision {
        version,
        origin: serde_json::from_str(origin).map_err(|error| unreadable("origin", error))?,
        content: serde_json::from_str(content).map_err(|error| unreadable("content", error))?,
        overrides: overrides
            .map(serde_json::from_str)
            .transpose()
            .map_err(|error| unreadable("overrides", error))?
            .unwrap_or_default(),
        provenance: provenance
            .map(serde_json::from_str)
            .transpose()
            .map_err(|error| unreadable("provenance", error))?,
    };
    if !guard::of_kind(id, &revision) {
        return Err(damaged("its content is of another kind"));
    }
    Ok(revision)
}

/// The version with this number, if it is one.
pub(super) fn version_of(number: i64) -> Option<Version> {
    u64::try_from(number).ok().and_then(Version::new)
}

/// The columns `version, origin, content, overrides, provenance` of a row, starting at column `first`.
pub(super) fn decode_row(
    id: &ResourceId,
    row: &Row<'_>,
    first: usize,
    site: &Site,
) -> Result<Revision, StoreError> {
    let failed = |error| site.failed(error);
    let version = row.get(first).map_err(failed)?;
    let no_text = |error| site.damaged(format!("{id} version {version}: it has no text: {error}"));
    let text = |column| row.get_ref(column).map_err(failed);
    let texts = Texts {
        origin: text(first + 1)?.as_str().map_err(no_text)?,
        content: text(first + 2)?.as_str().map_err(no_text)?,
        overrides: text(first + 3)?.as_str_or_null().map_err(no_text)?,
        provenance: text(first + 4)?.as_str_or_null().map_err(no_text)?,
    };
    decode(id, version, &texts, site)
}

/// The resource that the columns `kind, name` of a row name.
pub(super) fn decode_id(row: &Row<'_>, site: &Site) -> Result<ResourceId, StoreError> {
    let text = |column| row.get::<_, String>(column);
    let (kind, name) = text(0)
        .and_then(|kind| Ok((kind, text(1)?)))
        .map_err(|error| site.failed(error))?;
    let id = format!("{kind}/{name}");
    id.parse().map_err(|error| {
        site.damaged(format!(
            "`{}` is not a resource: {error}",
            id.escape_debug()
        ))
    })
}
