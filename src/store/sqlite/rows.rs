//! Revisions as rows, and back. Every row has a seal, which is broken before it is read.

use rusqlite::Row;
use rusqlite::types::{FromSql, FromSqlResult, ValueRef};

use super::site::Site;
use crate::model::{Commit, Digest, ResourceId, Revision, Version};
use crate::store::seal::Sealer;
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

impl Encoded<'_> {
    pub(super) fn texts(&self) -> Texts<'_> {
        Texts {
            origin: &self.origin,
            content: &self.content,
            overrides: self.overrides.as_deref(),
            provenance: self.provenance.as_deref(),
        }
    }
}

/// The texts of a row.
#[derive(Clone, Copy)]
pub(super) struct Texts<'a> {
    pub(super) origin: &'a str,
    pub(super) content: &'a str,
    pub(super) overrides: Option<&'a str>,
    pub(super) provenance: Option<&'a str>,
}

/// Where a revision stands in the history of its resource and in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// Its version.
    pub(super) version: i64,
    /// The commit that it is of.
    pub(super) sequence: i64,
    /// The seal of the revision before it; `None`: it is the first one.
    pub(super) previous: Option<Digest>,
}

impl Standing {
    /// The seal of the revision of `id` that stands here.
    pub(super) fn seal(&self, id: &ResourceId, texts: &Texts<'_>) -> Digest {
        Sealer::of("revision")
            .text(id.kind().as_str())
            .text(id.name())
            .number(self.version)
            .number(self.sequence)
            .optional(self.previous.as_ref(), Sealer::digest)
            .text(texts.origin)
            .text(texts.content)
            .optional(texts.overrides, Sealer::text)
            .optional(texts.provenance, Sealer::text)
            .done()
    }
}

/// A digest in a column.
pub(super) struct Stored(pub(super) Digest);

impl FromSql for Stored {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        FromSql::column_result(value).map(|bytes| Self(Digest::from_bytes(bytes)))
    }
}

/// The rows of `commit`. Done before any lock is taken.
///
/// Each row is read back: what could not be read again, such as values nested deeper than the
/// JSON parser goes, must not become a head that stops everyone.
pub(super) fn encode<'a>(
    commit: &'a Commit,
    site: &Site,
) -> Result<Vec<(&'a Revision, Encoded<'a>)>, StoreError> {
    let encode = |(id, revision): (&'a ResourceId, &'a Revision)| {
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
        let encoded = Encoded {
            id,
            version,
            origin,
            content,
            overrides,
            provenance,
        };
        match decode(id, version, &encoded.texts(), site) {
            Ok(read) if read == *revision => Ok((revision, encoded)),
            Ok(_) | Err(_) => Err(invalid("it does not read back as it was written")),
        }
    };
    commit.revisions.iter().map(encode).collect()
}

/// The revision that a row holds.
pub(super) fn decode(
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

/// The columns of a revision, as [`decode_row`] takes them.
pub(super) const COLUMNS: &str =
    "version, sequence, previous, digest, origin, content, overrides, provenance";

/// A revision that was read, and what its seal covers beside it.
pub(super) struct Found {
    pub(super) revision: Revision,
    pub(super) standing: Standing,
    pub(super) seal: Digest,
}

/// The revision of `id` in the columns [`COLUMNS`] of a row, from column `first` on, if its seal is
/// whole.
pub(super) fn decode_row(
    id: &ResourceId,
    row: &Row<'_>,
    first: usize,
    site: &Site,
) -> Result<Found, StoreError> {
    let version: i64 = row.get(first).map_err(|error| site.failed(error))?;
    let damaged =
        |error: &dyn std::fmt::Display| site.damaged(format!("{id} version {version}: {error}"));
    let failed = |error: rusqlite::Error| damaged(&error);
    let text = |column: usize| row.get_ref(first + column).map_err(failed);
    let no_text = |error| damaged(&format_args!("it has no text: {error}"));
    let texts = Texts {
        origin: text(4)?.as_str().map_err(no_text)?,
        content: text(5)?.as_str().map_err(no_text)?,
        overrides: text(6)?.as_str_or_null().map_err(no_text)?,
        provenance: text(7)?.as_str_or_null().map_err(no_text)?,
    };
    let previous: Option<Stored> = row.get(first + 2).map_err(failed)?;
    let standing = Standing {
        version,
        sequence: row.get(first + 1).map_err(failed)?,
        previous: previous.map(|Stored(digest)| digest),
    };
    let Stored(seal) = row.get(first + 3).map_err(failed)?;
    if standing.seal(id, &texts) != seal {
        return Err(damaged(
            &"its content or its place in the history does not match its digest",
        ));
    }
    Ok(Found {
        revision: decode(id, version, &texts, site)?,
        standing,
        seal,
    })
}

/// The resource that the columns `kind, name` of a row name.
pub(super) fn decode_id(row: &Row<'_>, site: &Site) -> Result<ResourceId, StoreError> {
    let text = |column| row.get::<_, String>(column);
    let (kind, name) = text(0)
        .and_then(|kind| Ok((kind, text(1)?)))
        .map_err(|error| site.failed(error))?;
    let id = format!("{kind}/{name}");
    match id.parse::<ResourceId>() {
        // A bare name is a set too, and `SET/checkout` is none.
        Ok(parsed) if parsed.to_string() == id => Ok(parsed),
        _ => Err(site.damaged(format!("`{}` is not a resource", id.escape_debug()))),
    }
}
