//! The pace of a read, as it stands in a URL.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::param_error::{MAX_PARALLELISM, ParamError};
use crate::api::Pace;

/// The wait for a cluster where none is named.
const TIMEOUT: Duration = Duration::from_secs(15);
/// The longest wait for a cluster.
const MAX_TIMEOUT: Duration = Duration::from_secs(3600);
/// How many clusters are worked on at once where nothing is said.
const PARALLELISM: usize = 32;

/// How hard to try.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PaceParams {
    /// The longest wait for one cluster.
    #[schemars(extend("examples" = ["30s"]))]
    pub(crate) timeout: Option<String>,
    /// How many clusters are worked on at once.
    #[schemars(range(min = 1, max = MAX_PARALLELISM))]
    pub(crate) parallelism: Option<usize>,
}

impl PaceParams {
    pub(crate) fn pace(self) -> Result<Pace, ParamError> {
        let timeout = match self.timeout {
            None => TIMEOUT,
            Some(text) => {
                let parsed = text.parse::<jiff::SignedDuration>().ok();
                let parsed = parsed.and_then(|duration| Duration::try_from(duration).ok());
                parsed.ok_or(ParamError::Timeout)?
            }
        };
        bounded(Pace {
            timeout,
            clusters_at_once: self.parallelism.unwrap_or(PARALLELISM),
        })
    }
}

/// `pace`, if it is one that a server can keep.
pub(crate) fn bounded(pace: Pace) -> Result<Pace, ParamError> {
    if !(Duration::from_millis(1)..=MAX_TIMEOUT).contains(&pace.timeout) {
        return Err(ParamError::Timeout);
    }
    if !(1..=MAX_PARALLELISM).contains(&pace.clusters_at_once) {
        return Err(ParamError::Parallelism);
    }
    Ok(pace)
}

impl From<Pace> for PaceParams {
    fn from(pace: Pace) -> Self {
        Self {
            timeout: Some(format!("{}ms", pace.timeout.as_millis().max(1))),
            parallelism: Some(pace.clusters_at_once),
        }
    }
}

/// The pace that two parameters of a query say.
pub(super) fn pace(
    timeout: Option<String>,
    parallelism: Option<usize>,
) -> Result<Pace, ParamError> {
    let params = PaceParams {
        timeout,
        parallelism,
    };
    params.pace()
}
