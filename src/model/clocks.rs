//! What time it is when not every clock is right.

use jiff::{SignedDuration, Timestamp};

use super::ClusterName;

/// Clocks that are less far apart are as good as the same: answers take their time, and Consul
/// tells its own to the second.
pub(crate) const TOLERATED: SignedDuration = SignedDuration::from_secs(60);

/// The middle of several clocks: this machine's, and those of the clusters that answer now. No time
/// that is stored anywhere is one of them.
///
/// A time limit is set by one machine and kept by another. If each trusted its own clock, one that
/// is an hour wrong would end things early: a slow one by setting limits that are over already, a
/// fast one by finding others' limits over. With three clocks or more the one in the middle is right
/// although one of them is wrong. With two nobody can tell which is, so limits are set by the later
/// one and kept by the earlier: what they hold may last longer, and never ends early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// By which time limits are found to be over.
    pub keeping: Timestamp,
    /// From which time limits are counted.
    pub setting: Timestamp,
    ours: Timestamp,
    others: Vec<(ClusterName, Timestamp)>,
}

/// A clock that is not as the others are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Off<'a> {
    /// The cluster whose clock it is; `None`: this machine's.
    pub whose: Option<&'a ClusterName>,
    /// How far it is ahead of the others; behind them if it is negative.
    pub ahead: SignedDuration,
}

impl Clocks {
    /// The middle of `ours` and `others`.
    pub fn of(ours: Timestamp, others: impl IntoIterator<Item = (ClusterName, Timestamp)>) -> Self {
        let others: Vec<_> = others.into_iter().collect();
        let mut all: Vec<Timestamp> = others.iter().map(|(_, at)| *at).chain([ours]).collect();
        all.sort_unstable();
        let at = |index: usize| all.get(index).copied().unwrap_or(ours);
        Self {
            keeping: at((all.len() - 1) / 2),
            setting: at(all.len() / 2),
            ours,
            others,
        }
    }

    /// How many clocks beside this machine's.
    pub fn witnesses(&self) -> usize {
        self.others.len()
    }

    /// Whether nobody can tell which clocks are right: as many say the one as the other.
    pub fn is_undecided(&self) -> bool {
        self.setting.duration_since(self.keeping) > TOLERATED
    }

    /// The clocks that are off, this machine's first. Where nobody can tell which are, those that
    /// differ from this machine's, by how far they do.
    pub fn off(&self) -> Vec<Off<'_>> {
        let (first, last) = if self.is_undecided() {
            (self.ours, self.ours)
        } else {
            (self.keeping, self.setting)
        };
        let others = self.others.iter().map(|(name, at)| (Some(name), *at));
        [(None, self.ours)]
            .into_iter()
            .chain(others)
            .map(|(whose, at)| Off {
                whose,
                ahead: at.duration_since(at.clamp(first, last)),
            })
            .filter(|off| off.ahead.abs() > TOLERATED)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(minutes * 60).unwrap()
    }

    fn name(number: usize) -> ClusterName {
        format!("c{number}").parse().unwrap()
    }

    fn all(ours: i64, others: &[i64]) -> Clocks {
        let others = others.iter().enumerate();
        Clocks::of(
            at(ours),
            others.map(|(number, minutes)| (name(number), at(*minutes))),
        )
    }

    fn clocks(ours: i64, others: &[i64]) -> (Timestamp, Timestamp) {
        let clocks = all(ours, others);
        (clocks.keeping, clocks.setting)
    }

    #[test]
    fn one_wrong_clock_of_three_is_outvoted() {
        assert_eq!(clocks(60, &[0, 0]), (at(0), at(0)));
        assert_eq!(clocks(-60, &[0, 0]), (at(0), at(0)));
        assert_eq!(clocks(0, &[0, 600]), (at(0), at(0)));
    }

    #[test]
    fn of_two_clocks_the_one_counts_that_ends_nothing_early() {
        assert_eq!(clocks(60, &[0]), (at(0), at(60)));
        assert_eq!(clocks(-60, &[0]), (at(-60), at(0)));
        assert_eq!(clocks(5, &[]), (at(5), at(5)));
    }

    /// Whoever is wrong by an hour, the one who sets a limit or the one who keeps it.
    #[test]
    fn nothing_ends_early_whoever_is_an_hour_wrong() {
        for others in [&[0][..], &[0, 0], &[0, 0, 0]] {
            for (setter, keeper) in [(-60, 0), (0, 60), (60, 0), (0, -60)] {
                let until = clocks(setter, others).1 + SignedDuration::from_mins(30);
                let elapsed = 29;
                let later: Vec<i64> = others.iter().map(|minute| minute + elapsed).collect();
                let now = clocks(keeper + elapsed, &later).0;
                assert!(now < until, "{setter} {keeper} {others:?}");
            }
        }
    }

    #[test]
    fn the_clock_that_is_off_is_named_with_how_far() {
        let off = |ours, others: &[i64]| -> Vec<(Option<String>, i64)> {
            let clocks = all(ours, others);
            let off = clocks.off().into_iter();
            off.map(|off| (off.whose.map(ToString::to_string), off.ahead.as_mins()))
                .collect()
        };
        let c0 = || Some("c0".to_owned());
        assert_eq!(off(0, &[1, 0]), [], "a minute is nothing");
        assert_eq!(off(90, &[0, 0]), [(None, 90)]);
        assert_eq!(off(0, &[-90, 0]), [(c0(), -90)]);
        assert!(!all(0, &[-90, 0]).is_undecided());
        // Nobody can tell which of the two it is.
        assert_eq!(off(0, &[90]), [(c0(), 90)]);
        assert_eq!(off(90, &[0]), [(c0(), -90)]);
        assert!(all(0, &[90]).is_undecided());
        assert_eq!(off(0, &[90, 0, 90]).len(), 2);
        assert!(all(0, &[90, 0, 90]).is_undecided());
        assert_eq!(all(0, &[90, 0]).witnesses(), 2);
    }
}
