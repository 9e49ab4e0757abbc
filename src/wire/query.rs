//! The queries of reads, as they stand in a URL: the words of the command line's flags.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::api::{
    At, BreakersQuery, ExplainQuery, FlagsQuery, LookQuery, Pace, Reach, ResourcesQuery,
};
use crate::model::{ClusterName, FlagName, ResourceId, ResourceKind, Selector, SetName, Version};

/// The wait for a cluster where none is named.
const TIMEOUT: Duration = Duration::from_secs(15);
/// The longest wait for a cluster.
const MAX_TIMEOUT: Duration = Duration::from_secs(3600);
/// How many clusters are worked on at once where nothing is said.
const PARALLELISM: usize = 32;
/// The most clusters that are worked on at once: `--parallelism` ends there too.
const MAX_PARALLELISM: usize = u16::MAX as usize;
/// The most items of one answer, and of a list where nothing is said.
pub(crate) const MOST: usize = 1000;
/// How many revisions or events are listed where nothing is said.
const LIMIT: usize = 20;

/// A query that is spelled rightly and makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ParamError {
    /// Not a duration, or none that somebody would wait for.
    #[error("`timeout` is a duration between 1 ms and 1 h, such as `30s` or `2m`")]
    Timeout,
    /// Nobody would do anything.
    #[error("`parallelism` is a number from 1 to {MAX_PARALLELISM}")]
    Parallelism,
    /// One or the other.
    #[error("`version` and `time` are two answers to one question")]
    TwoTimes,
    /// More than an answer holds, or nothing at all.
    #[error("`limit` is a number from 1 to {MOST}")]
    Limit,
    /// Whoever names them knows how many there are.
    #[error("what is named comes at once: `limit` and `cursor` are for lists")]
    NamedAndPaged,
    /// Made up.
    #[error("`cursor` is what an answer calls `next`")]
    Cursor,
    /// A name among several.
    #[error("`{0}` is not a name")]
    Name(String),
}

/// How hard to try.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PaceParams {
    /// The longest wait for one cluster.
    pub(crate) timeout: Option<String>,
    /// How many clusters are worked on at once.
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

fn list<T: std::str::FromStr>(text: Option<&str>) -> Result<Vec<T>, ParamError> {
    let names = text.unwrap_or_default().split(',');
    let names = names.filter(|name| !name.is_empty());
    names
        .map(|name| name.parse().map_err(|_| ParamError::Name(name.to_owned())))
        .collect()
}

fn listed<T: ToString>(items: impl IntoIterator<Item = T>) -> Option<String> {
    let items: Vec<_> = items.into_iter().map(|item| item.to_string()).collect();
    (!items.is_empty()).then(|| items.join(","))
}

/// Which sets and clusters to look at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LookParams {
    /// The sets, with commas between; left out: all.
    pub(crate) sets: Option<String>,
    /// A selector; left out: all.
    pub(crate) clusters: Option<Selector>,
    /// As in [`PaceParams`]: serde cannot look into what is inside and know every field.
    pub(crate) timeout: Option<String>,
    /// As in [`PaceParams`].
    pub(crate) parallelism: Option<usize>,
}

impl LookParams {
    pub(crate) fn query(self) -> Result<LookQuery, ParamError> {
        let sets: Vec<SetName> = list(self.sets.as_deref())?;
        Ok(LookQuery {
            sets: if self.sets.is_none() {
                Reach::All
            } else {
                Reach::Named(sets.into_iter().collect())
            },
            clusters: self.clusters.unwrap_or_default(),
            pace: pace(self.timeout, self.parallelism)?,
        })
    }
}

fn pace(timeout: Option<String>, parallelism: Option<usize>) -> Result<Pace, ParamError> {
    let params = PaceParams {
        timeout,
        parallelism,
    };
    params.pace()
}

impl From<&LookQuery> for LookParams {
    fn from(query: &LookQuery) -> Self {
        let PaceParams {
            timeout,
            parallelism,
        } = query.pace.into();
        Self {
            sets: match &query.sets {
                Reach::All => None,
                Reach::Named(sets) => Some(listed(sets).unwrap_or_default()),
            },
            clusters: Some(query.clusters.clone()),
            timeout,
            parallelism,
        }
    }
}

/// How much of a list, and from where on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PageParams {
    /// At most this many items.
    pub(crate) limit: Option<usize>,
    /// What the page before calls `next`.
    pub(crate) cursor: Option<String>,
}

impl PageParams {
    /// From there on, as many as one answer holds.
    pub(crate) fn after(cursor: Option<String>) -> Self {
        let limit = None;
        Self { limit, cursor }
    }

    pub(crate) fn limit(&self) -> Result<usize, ParamError> {
        limit(self.limit, MOST)
    }
}

/// The number of items, which one answer holds.
fn limit(asked: Option<usize>, otherwise: usize) -> Result<usize, ParamError> {
    let limit = asked.unwrap_or(otherwise);
    let fits = (1..=MOST).contains(&limit);
    fits.then_some(limit).ok_or(ParamError::Limit)
}

/// Which resources.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NamesParams {
    /// Their names, with commas between; left out: every living one.
    pub(crate) names: Option<String>,
    /// As in [`PageParams`].
    pub(crate) limit: Option<usize>,
    /// As in [`PageParams`].
    pub(crate) cursor: Option<String>,
    /// Those of this kind alone, where none is named.
    pub(crate) kind: Option<ResourceKind>,
    /// Those whose labels this selector matches, where none is named.
    pub(crate) labels: Option<Selector>,
}

impl NamesParams {
    /// The page that is asked for; those that are named come as one.
    pub(crate) fn page(&self) -> Result<Option<PageParams>, ParamError> {
        let (limit, cursor) = (self.limit, self.cursor.clone());
        match (&self.names, &limit, &cursor) {
            (Some(_), None, None) => Ok(None),
            (Some(_), ..) => Err(ParamError::NamedAndPaged),
            (None, ..) => Ok(Some(PageParams { limit, cursor })),
        }
    }

    pub(crate) fn query(self) -> Result<ResourcesQuery, ParamError> {
        let names: Vec<ResourceId> = list(self.names.as_deref())?;
        Ok(ResourcesQuery {
            names,
            kind: self.kind,
            labels: self.labels.unwrap_or_default(),
        })
    }
}

impl From<&ResourcesQuery> for NamesParams {
    fn from(query: &ResourcesQuery) -> Self {
        Self {
            names: listed(&query.names),
            kind: query.kind,
            labels: Some(query.labels.clone()).filter(|labels| !labels.is_empty()),
            ..Self::default()
        }
    }
}

/// For which cluster a revision is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RevisionParams {
    /// The cluster whose snapshot is wanted.
    pub(crate) cluster: Option<ClusterName>,
}

/// How much of a history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct HistoryParams {
    /// At most this many.
    pub(crate) limit: Option<usize>,
    /// What the page before calls `next`.
    pub(crate) cursor: Option<String>,
}

impl HistoryParams {
    /// At most `limit`, as far as one answer holds them, from `before` on.
    pub(crate) fn of(limit: usize, before: Option<Version>) -> Self {
        Self {
            limit: Some(limit.clamp(1, MOST)),
            cursor: before.map(|version| version.to_string()),
        }
    }

    pub(crate) fn limit(&self) -> Result<usize, ParamError> {
        limit(self.limit, LIMIT)
    }

    /// The version before which it begins.
    pub(crate) fn before(&self) -> Result<Option<Version>, ParamError> {
        let Some(cursor) = &self.cursor else {
            return Ok(None);
        };
        let version = cursor.parse().ok().and_then(Version::new);
        version.map(Some).ok_or(ParamError::Cursor)
    }
}

/// How many events of a breaker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct EventsParams {
    /// At most this many of the newest.
    pub(crate) limit: Option<usize>,
}

impl EventsParams {
    pub(crate) fn of(limit: usize) -> Self {
        let limit = Some(limit.clamp(1, MOST));
        Self { limit }
    }

    pub(crate) fn limit(&self) -> Result<usize, ParamError> {
        limit(self.limit, LIMIT)
    }
}

/// For which sets a policy is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PolicyParams {
    /// The sets, with commas between; left out: all.
    pub(crate) sets: Option<String>,
}

impl PolicyParams {
    pub(crate) fn of(sets: &[SetName]) -> Self {
        Self { sets: listed(sets) }
    }

    pub(crate) fn sets(&self) -> Result<Vec<SetName>, ParamError> {
        list(self.sets.as_deref())
    }
}

/// Which values are to be explained.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ExplainParams {
    /// The key, and all below it.
    pub(crate) key: Option<String>,
    /// Only in this cluster.
    pub(crate) cluster: Option<ClusterName>,
    /// When this was the newest revision.
    pub(crate) version: Option<Version>,
    /// At this time.
    pub(crate) time: Option<Timestamp>,
}

impl ExplainParams {
    pub(crate) fn query(self, set: SetName) -> Result<ExplainQuery, ParamError> {
        let at = match (self.version, self.time) {
            (None, None) => None,
            (Some(version), None) => Some(At::Version(version)),
            (None, Some(time)) => Some(At::Time(time)),
            (Some(_), Some(_)) => return Err(ParamError::TwoTimes),
        };
        Ok(ExplainQuery {
            set,
            key: self.key,
            cluster: self.cluster,
            at,
        })
    }
}

impl From<&ExplainQuery> for ExplainParams {
    fn from(query: &ExplainQuery) -> Self {
        let (version, time) = match query.at {
            None => (None, None),
            Some(At::Version(version)) => (Some(version), None),
            Some(At::Time(time)) => (None, Some(time)),
        };
        Self {
            key: query.key.clone(),
            cluster: query.cluster.clone(),
            version,
            time,
        }
    }
}

/// Which flags.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct FlagsParams {
    /// The set.
    pub(crate) set: Option<SetName>,
    /// The flag of that set.
    pub(crate) flag: Option<FlagName>,
    /// As in [`PaceParams`].
    pub(crate) timeout: Option<String>,
    /// As in [`PaceParams`].
    pub(crate) parallelism: Option<usize>,
}

impl FlagsParams {
    pub(crate) fn query(self) -> Result<FlagsQuery, ParamError> {
        Ok(FlagsQuery {
            set: self.set,
            flag: self.flag,
            pace: pace(self.timeout, self.parallelism)?,
        })
    }
}

impl From<&FlagsQuery> for FlagsParams {
    fn from(query: &FlagsQuery) -> Self {
        let PaceParams {
            timeout,
            parallelism,
        } = query.pace.into();
        Self {
            set: query.set.clone(),
            flag: query.flag.clone(),
            timeout,
            parallelism,
        }
    }
}

/// Which breakers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct BreakersParams {
    /// The set.
    pub(crate) set: Option<SetName>,
    /// As in [`PaceParams`].
    pub(crate) timeout: Option<String>,
    /// As in [`PaceParams`].
    pub(crate) parallelism: Option<usize>,
}

impl BreakersParams {
    pub(crate) fn query(self) -> Result<BreakersQuery, ParamError> {
        Ok(BreakersQuery {
            set: self.set,
            pace: pace(self.timeout, self.parallelism)?,
        })
    }
}

impl From<&BreakersQuery> for BreakersParams {
    fn from(query: &BreakersQuery) -> Self {
        let PaceParams {
            timeout,
            parallelism,
        } = query.pace.into();
        Self {
            set: query.set.clone(),
            timeout,
            parallelism,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace() -> Pace {
        Pace {
            clusters_at_once: 7,
            timeout: Duration::from_millis(1500),
        }
    }

    #[test]
    fn a_query_survives_its_way_through_a_url() {
        let named =
            |names: &[&str]| Reach::Named(names.iter().map(|name| name.parse().unwrap()).collect());
        for sets in [Reach::All, named(&[]), named(&["shop", "search"])] {
            let query = LookQuery {
                sets,
                clusters: "stage=prod,region!=eu".parse().unwrap(),
                pace: pace(),
            };
            assert_eq!(LookParams::from(&query).query().unwrap(), query);
        }
        let time = "2026-11-21T02:14:00.5Z".parse().unwrap();
        for at in [
            None,
            Some(At::Version(Version::new(3).unwrap())),
            Some(At::Time(time)),
        ] {
            let query = ExplainQuery {
                set: "shop".parse().unwrap(),
                key: Some("a.b & c".to_owned()),
                cluster: Some("eu".parse().unwrap()),
                at,
            };
            let params = ExplainParams::from(&query);
            assert_eq!(params.query(query.set.clone()).unwrap(), query);
        }
        let query = ResourcesQuery {
            names: vec!["shop".parse().unwrap(), "cluster/eu".parse().unwrap()],
            ..ResourcesQuery::default()
        };
        assert_eq!(NamesParams::from(&query).query().unwrap(), query);
        let query = ResourcesQuery {
            kind: Some(ResourceKind::Grant),
            labels: "team=payments,!old".parse().unwrap(),
            ..ResourcesQuery::default()
        };
        assert_eq!(NamesParams::from(&query).query().unwrap(), query);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let pace = |timeout: &str, parallelism: usize| {
            let params = PaceParams {
                timeout: Some(timeout.to_owned()),
                parallelism: Some(parallelism),
            };
            params.pace()
        };
        assert!(pace("2m", 1).is_ok());
        for timeout in ["0s", "-1s", "2h", "5", "", "1ns"] {
            assert_eq!(pace(timeout, 1), Err(ParamError::Timeout), "{timeout}");
        }
        for parallelism in [0, 70_000] {
            assert_eq!(pace("1s", parallelism), Err(ParamError::Parallelism));
        }
        let names = NamesParams {
            names: Some("shop,Not_A_Name".to_owned()),
            ..NamesParams::default()
        };
        assert_eq!(names.page(), Ok(None));
        let both = NamesParams {
            cursor: Some("shop".to_owned()),
            ..names.clone()
        };
        assert_eq!(both.page(), Err(ParamError::NamedAndPaged));
        for limit in [0, MOST + 1] {
            let odd = PageParams {
                limit: Some(limit),
                cursor: None,
            };
            assert_eq!(odd.limit(), Err(ParamError::Limit));
        }
        let error = names.query().unwrap_err();
        assert_eq!(error.to_string(), "`Not_A_Name` is not a name");
        let both = ExplainParams {
            version: Version::new(1),
            time: Some(Timestamp::UNIX_EPOCH),
            ..ExplainParams::default()
        };
        let set = "shop".parse().unwrap();
        assert_eq!(both.query(set), Err(ParamError::TwoTimes));
    }
}
