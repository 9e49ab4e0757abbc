//! `fractional`: who gets which variant is decided by a hash.

use datalogic_rs::DataValue;

use super::javascript::{is_truthy, text};
use super::language::{FLAGD, TARGETING_KEY};

/// The most that all weights may be together.
const MAX_TOTAL: i64 = i32::MAX as i64;

/// The variant that `operands` choose in the context `root`; null if they are no buckets, or if
/// nobody says who asks.
pub(super) fn variant<'a>(
    operands: &[&'a DataValue<'a>],
    root: &'a DataValue<'a>,
) -> DataValue<'a> {
    chosen(operands, root).unwrap_or(DataValue::Null)
}

fn chosen<'a>(operands: &[&'a DataValue<'a>], root: &'a DataValue<'a>) -> Option<DataValue<'a>> {
    let (key, buckets) = match operands {
        [DataValue::String(key), buckets @ ..] => ((*key).to_owned(), buckets),
        buckets => (own_key(root)?, buckets),
    };
    let buckets: Vec<(DataValue<'a>, i64)> = buckets
        .iter()
        .map(|operand| bucket(operand))
        .collect::<Option<_>>()?;
    let total = buckets
        .iter()
        .try_fold(0_i64, |total, (_, weight)| total.checked_add(*weight))
        .filter(|total| *total <= MAX_TOTAL)?;
    // As many steps as there is weight, spread over all hashes.
    let place = (i64::from(murmur3(key.as_bytes())) * total) >> 32;
    let mut end = 0;
    let found = buckets.into_iter().find(|(_, weight)| {
        end += weight;
        end > place
    });
    found.map(|(variant, _)| variant)
}

/// What is bucketed by where the rule does not say: the flag, and who asks.
fn own_key(root: &DataValue<'_>) -> Option<String> {
    let targeting_key = root.get(TARGETING_KEY).filter(|key| is_truthy(key))?;
    let flag = root.get(FLAGD)?.get("flagKey")?;
    Some(text(flag) + &text(targeting_key))
}

/// A variant and its weight, which is 1 where it is left out.
fn bucket<'a>(operand: &DataValue<'a>) -> Option<(DataValue<'a>, i64)> {
    let (variant, weight) = match operand.as_array()? {
        [variant] => (variant, 1),
        [variant, DataValue::Number(weight)] => (variant, weight.as_i64()?.max(0)),
        _ => return None,
    };
    match variant {
        DataValue::Array(_) | DataValue::Object(_) => None,
        variant => Some((*variant, weight)),
    }
}

/// `MurmurHash3_x86_32` with the seed 0; see
/// <https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp>.
fn murmur3(bytes: &[u8]) -> u32 {
    let mixed = |block: u32| {
        let block = block.wrapping_mul(0xcc9e_2d51).rotate_left(15);
        block.wrapping_mul(0x1b87_3593)
    };
    let little_endian = |bytes: &[u8]| {
        let bytes = bytes.iter().rev();
        bytes.fold(0_u32, |block, byte| block << 8 | u32::from(*byte))
    };
    let (blocks, tail) = bytes.as_chunks::<4>();
    let mut hash = 0_u32;
    for block in blocks {
        hash ^= mixed(little_endian(block));
        hash = hash
            .rotate_left(13)
            .wrapping_mul(5)
            .wrapping_add(0xe654_6b64);
    }
    hash ^= mixed(little_endian(tail));
    // Only the low bits of the length count, as in every implementation.
    #[expect(clippy::cast_possible_truncation, reason = "the algorithm says so")]
    {
        hash ^= bytes.len() as u32;
    }
    hash = (hash ^ hash >> 16).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2_ae35);
    hash ^ hash >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_everyone() {
        assert_eq!(murmur3(b""), 0);
        assert_eq!(murmur3(b"hello"), 0x248b_fa47);
        assert_eq!(murmur3(b"foo"), 0xf6a5_c420);
        let text = b"The quick brown fox jumps over the lazy dog";
        assert_eq!(murmur3(text), 0x2e4f_f723);
    }
}
