//! Questions about the log, in a query.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::param_error::{MOST, ParamError};
use super::query::{LIMIT, limit, list, listed};
use crate::api::{AuditQuery, CauseKind};
use crate::model::Sequence;

/// Which entries of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AuditParams {
    /// Those that changed one of these, with commas between; left out: all.
    pub(crate) names: Option<String>,
    /// Those of whom the history calls so.
    pub(crate) actor: Option<String>,
    /// Those that came about like this.
    pub(crate) cause: Option<CauseKind>,
    /// Those from then on.
    pub(crate) since: Option<Timestamp>,
    /// Those before then.
    pub(crate) until: Option<Timestamp>,
    /// At most this many.
    pub(crate) limit: Option<usize>,
    /// What the page before calls `next`.
    pub(crate) cursor: Option<String>,
}

impl AuditParams {
    pub(crate) fn query(self) -> Result<AuditQuery, ParamError> {
        let before = self.cursor.map(|cursor| cursor.parse().map(Sequence::new));
        Ok(AuditQuery {
            names: list(self.names.as_deref())?,
            actor: self.actor,
            cause: self.cause,
            since: self.since,
            until: self.until,
            before: before.transpose().map_err(|_| ParamError::Cursor)?,
            limit: limit(self.limit, LIMIT)?,
        })
    }
}

impl From<&AuditQuery> for AuditParams {
    fn from(query: &AuditQuery) -> Self {
        Self {
            names: listed(&query.names),
            actor: query.actor.clone(),
            cause: query.cause,
            since: query.since,
            until: query.until,
            limit: Some(query.limit.clamp(1, MOST)),
            cursor: query.before.map(|before| before.to_string()),
        }
    }
}
