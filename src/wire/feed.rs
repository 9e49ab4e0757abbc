//! Waiting for what is new, as it stands in a URL and in headers.

use std::collections::BTreeSet;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::News;
use crate::api::report::Report;
use crate::model::{Sequence, Version};

/// The header that says which commit an answer follows from.
pub(crate) const SEQUENCE: &str = "x-cfgctl-sequence";
/// The longest wait; whoever wants to wait longer asks again. Below what proxies in between put up
/// with where they are told to.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(300);

/// What is no time to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WaitError {
    /// It is none.
    #[error("`wait` is a duration, such as `55s`; no more than {} s are waited", MAX_WAIT.as_secs())]
    NoDuration,
}

/// What is waited for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct WaitParams {
    /// Something newer than what was answered with this sequence.
    pub(crate) after: Option<Sequence>,
    /// At most how long; left out: not at all.
    pub(crate) wait: Option<String>,
    /// Whether the keys beside the document are wanted too.
    pub(crate) entries: Option<bool>,
}

impl WaitParams {
    /// At most how long, within what is bearable.
    pub(crate) fn wait(&self) -> Result<Option<Duration>, WaitError> {
        let Some(text) = &self.wait else {
            return Ok(None);
        };
        let parsed = text.parse::<jiff::SignedDuration>().ok();
        let parsed = parsed.and_then(|duration| Duration::try_from(duration).ok());
        let wait = parsed.ok_or(WaitError::NoDuration)?;
        Ok(Some(wait.min(MAX_WAIT)))
    }
}

/// Which versions of a set are asked after.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LineageParams {
    /// The versions, with commas between.
    pub(crate) versions: Option<String>,
}

impl LineageParams {
    pub(crate) fn of(versions: &BTreeSet<Version>) -> Self {
        let versions: Vec<_> = versions.iter().map(ToString::to_string).collect();
        Self {
            versions: (!versions.is_empty()).then(|| versions.join(",")),
        }
    }

    /// The versions, or what is none.
    pub(crate) fn versions(&self) -> Result<BTreeSet<Version>, String> {
        let texts = self.versions.as_deref().unwrap_or_default().split(',');
        let texts = texts.filter(|text| !text.is_empty());
        let version = |text: &str| text.parse().ok().and_then(Version::new);
        texts
            .map(|text| version(text).ok_or_else(|| text.to_owned()))
            .collect()
    }
}

impl Report for News {
    const KIND: &'static str = "News";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_a_duration_and_bounded() {
        let wait = |text: &str| {
            let wait = Some(text.to_owned());
            WaitParams {
                wait,
                ..WaitParams::default()
            }
            .wait()
        };
        assert_eq!(WaitParams::default().wait(), Ok(None));
        assert_eq!(wait("55s"), Ok(Some(Duration::from_secs(55))));
        assert_eq!(wait("0s"), Ok(Some(Duration::ZERO)));
        assert_eq!(wait("10h"), Ok(Some(MAX_WAIT)));
        for wrong in ["", "55", "-1s", "soon", "1e99s"] {
            assert_eq!(wait(wrong), Err(WaitError::NoDuration), "{wrong}");
        }
    }

    #[test]
    fn versions_come_back_as_they_were_listed() {
        let versions: BTreeSet<Version> = [3, 1].into_iter().filter_map(Version::new).collect();
        assert_eq!(LineageParams::of(&versions).versions(), Ok(versions));
        assert_eq!(LineageParams::default().versions(), Ok(BTreeSet::new()));
        let wrong = LineageParams {
            versions: Some("1,0".to_owned()),
        };
        assert_eq!(wrong.versions(), Err("0".to_owned()));
    }
}
