//! Seals: digests that cover what a store writes, so that what it reads back is what was written.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::model::{Digest, RecordKind, ResourceKind};

/// Puts a seal together. Every field says how long it is, so that no two records with different
/// fields are the same bytes.
pub(super) struct Sealer(Sha256);

impl Sealer {
    /// Begins the seal of a record; `what` keeps records of different kinds apart.
    pub(super) fn of(what: &str) -> Self {
        Self(Sha256::new()).text(what)
    }

    pub(super) fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    pub(super) fn number(self, number: i64) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    pub(super) fn digest(self, digest: &Digest) -> Self {
        self.bytes(digest.as_bytes())
    }

    /// Something or nothing, which is not the same as something empty.
    pub(super) fn optional<T>(self, field: Option<T>, add: impl FnOnce(Self, T) -> Self) -> Self {
        match field {
            None => self.bytes(&[0]),
            Some(field) => add(self.bytes(&[1]), field),
        }
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
        self
    }

    pub(super) fn done(self) -> Digest {
        Digest::from_bytes(self.0.finalize().into())
    }
}

/// The sum of seals modulo 2^256: it does not depend on their order, and one seal can be taken out
/// and another put in without looking at the rest. It shows what was lost, not what was forged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Sum([u64; 4]);

impl Sum {
    pub(super) fn add(&mut self, seal: &Digest) {
        let mut carry = false;
        for (limb, other) in self.0.iter_mut().zip(limbs(seal)) {
            let (sum, one) = limb.overflowing_add(other);
            let (sum, two) = sum.overflowing_add(carry.into());
            (*limb, carry) = (sum, one || two);
        }
    }

    pub(super) fn subtract(&mut self, seal: &Digest) {
        let mut borrow = false;
        for (limb, other) in self.0.iter_mut().zip(limbs(seal)) {
            let (rest, one) = limb.overflowing_sub(other);
            let (rest, two) = rest.overflowing_sub(borrow.into());
            (*limb, borrow) = (rest, one || two);
        }
    }
}

/// The digest as a number, least significant part first.
fn limbs(digest: &Digest) -> [u64; 4] {
    let mut limbs = [0; 4];
    for (limb, bytes) in limbs.iter_mut().rev().zip(digest.as_bytes().chunks(8)) {
        *limb = bytes
            .iter()
            .fold(0, |all, byte| all << 8 | u64::from(*byte));
    }
    limbs
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for limb in self.0.iter().rev() {
            write!(f, "{limb:016x}")?;
        }
        Ok(())
    }
}

impl From<Sum> for String {
    fn from(sum: Sum) -> Self {
        sum.to_string()
    }
}

impl FromStr for Sum {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const NOT_A_SUM: &str = "a sum is 64 hexadecimal digits";
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NOT_A_SUM);
        }
        let mut limbs = [0; 4];
        for (limb, digits) in limbs.iter_mut().rev().zip(text.as_bytes().chunks(16)) {
            let digits = std::str::from_utf8(digits).map_err(|_| NOT_A_SUM)?;
            *limb = u64::from_str_radix(digits, 16).map_err(|_| NOT_A_SUM)?;
        }
        Ok(Self(limbs))
    }
}

impl TryFrom<String> for Sum {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// The sum of the seals of all heads and of all records, by kind: with it a store notices that one has
/// vanished or has another name when it reads all of a kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sums {
    #[serde(flatten)]
    heads: BTreeMap<ResourceKind, Sum>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    records: BTreeMap<RecordKind, Sum>,
}

impl Sums {
    pub(super) fn add(&mut self, kind: ResourceKind, seal: &Digest) {
        self.heads.entry(kind).or_default().add(seal);
    }

    pub(super) fn subtract(&mut self, kind: ResourceKind, seal: &Digest) {
        self.heads.entry(kind).or_default().subtract(seal);
    }

    /// The sum over the heads of one kind.
    pub(super) fn of(&self, kind: ResourceKind) -> Sum {
        self.heads.get(&kind).copied().unwrap_or_default()
    }

    pub(super) fn add_record(&mut self, kind: RecordKind, seal: &Digest) {
        self.records.entry(kind).or_default().add(seal);
    }

    pub(super) fn subtract_record(&mut self, kind: RecordKind, seal: &Digest) {
        self.records.entry(kind).or_default().subtract(seal);
    }

    /// The sum over the records of one kind.
    pub(super) fn of_records(&self, kind: RecordKind) -> Sum {
        self.records.get(&kind).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_cannot_run_into_each_other() {
        let seals = [
            Sealer::of("a").text("bc").text("d").done(),
            Sealer::of("a").text("b").text("cd").done(),
            Sealer::of("ab").text("c").text("d").done(),
            Sealer::of("a").text("bcd").done(),
            Sealer::of("a").optional(Some(""), Sealer::text).done(),
            Sealer::of("a").optional(None, Sealer::text).done(),
            Sealer::of("a").number(0).done(),
            Sealer::of("a").number(1).done(),
        ];
        for (nth, seal) in seals.iter().enumerate() {
            assert!(!seals[..nth].contains(seal), "{nth}");
        }
    }

    #[test]
    fn what_is_added_can_be_taken_away_again_in_any_order() {
        let seals: Vec<_> = (0..50u8).map(|byte| Digest::of(&[byte])).collect();
        let highest = Digest::from_bytes([0xff; 32]);
        let mut sum = Sum::default();
        for seal in seals.iter().chain([&highest, &highest]) {
            sum.add(seal);
        }
        assert_eq!(sum.to_string().parse(), Ok(sum));
        assert_ne!(sum, Sum::default());
        for seal in [&highest].into_iter().chain(&seals).chain([&highest]) {
            sum.subtract(seal);
        }
        assert_eq!(sum, Sum::default());
    }

    #[test]
    fn the_sums_of_records_stand_beside_those_of_heads() {
        let seal = Digest::of(b"x");
        let mut sums = Sums::default();
        sums.add(ResourceKind::Set, &seal);
        let before = serde_json::to_string(&sums).unwrap();
        assert_eq!(
            before,
            format!(r#"{{"set":"{}"}}"#, sums.of(ResourceKind::Set))
        );
        sums.add_record(RecordKind::Token, &seal);
        let text = serde_json::to_string(&sums).unwrap();
        assert_eq!(serde_json::from_str::<Sums>(&text).unwrap(), sums);
        assert_eq!(
            sums.of_records(RecordKind::Token),
            sums.of(ResourceKind::Set)
        );
        assert!(serde_json::from_str::<Sums>(r#"{"sot":"0"}"#).is_err());
    }

    #[test]
    fn a_sum_carries_over_and_is_written_like_a_digest() {
        let mut low = [0; 32];
        low[31] = 1;
        let mut sum = Sum::default();
        sum.add(&Digest::from_bytes([0xff; 32]));
        assert_eq!(sum.to_string(), "f".repeat(64));
        sum.add(&Digest::from_bytes(low));
        assert_eq!(sum, Sum::default());
        sum.add(&Digest::from_bytes(low));
        assert_eq!(sum.to_string(), format!("{}1", "0".repeat(63)));
    }
}
