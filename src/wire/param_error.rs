//! Queries that make no sense, and the limits of those that do.

/// The most clusters that are worked on at once: `--parallelism` ends there too.
pub(super) const MAX_PARALLELISM: usize = u16::MAX as usize;
/// The most items of one answer, and of a list where nothing is said.
pub(super) const MOST: usize = 1000;

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
