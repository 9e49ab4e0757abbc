//! What time it is when not every clock is right.

use jiff::{SignedDuration, Timestamp};

/// The middle of several clocks: this machine's, and those of the clusters that answered.
///
/// A time limit is set by one machine and kept by another. If each trusted its own clock, one that
/// is an hour wrong would end things early: a slow one by setting limits that are over already, a
/// fast one by finding others' limits over. With three clocks or more the one in the middle is right
/// although one of them is wrong. With two nobody can tell which is, so limits are set by the later
/// one and kept by the earlier: what they hold may last longer, and never ends early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// By which time limits are found to be over.
    pub keeping: Timestamp,
    /// From which time limits are counted.
    pub setting: Timestamp,
    /// How far the clocks are apart.
    pub spread: SignedDuration,
}

impl Clocks {
    /// The middle of `ours` and `others`.
    pub fn of(ours: Timestamp, others: impl IntoIterator<Item = Timestamp>) -> Self {
        let mut all: Vec<Timestamp> = others.into_iter().chain([ours]).collect();
        all.sort_unstable();
        let at = |index: usize| all.get(index).copied().unwrap_or(ours);
        Self {
            keeping: at((all.len() - 1) / 2),
            setting: at(all.len() / 2),
            spread: at(all.len() - 1).duration_since(at(0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(minutes * 60).unwrap()
    }

    fn clocks(ours: i64, others: &[i64]) -> (Timestamp, Timestamp) {
        let clocks = Clocks::of(at(ours), others.iter().map(|minutes| at(*minutes)));
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
    fn clocks_that_differ_are_noticed() {
        let clocks = Clocks::of(at(0), [at(3), at(1)]);
        assert_eq!(clocks.spread, SignedDuration::from_mins(3));
    }
}
