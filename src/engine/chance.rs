//! What is left to chance: how long somebody waits, and what a commit is called.

use std::time::Duration;

use crate::model::IdempotencyKey;

/// What a commit is known by that nobody has given a key.
pub fn fresh_key() -> Option<IdempotencyKey> {
    let key = format!("{:032x}", fastrand::u128(..));
    key.parse().ok()
}

/// Waits a moment, and longer each time: half of it is chance, so that many who met do not meet
/// again.
pub async fn stagger(round: u32) {
    let most = 5 * round.min(40);
    let millis = f64::from(most) * (0.5 + fastrand::f64() / 2.0);
    tokio::time::sleep(Duration::from_secs_f64(millis / 1000.0)).await;
}
