//! The follower: the one task that hears of commits, by whichever process they were made.

use std::sync::Arc;

use super::cells::{Kept, reader};
use super::load::{LONGEST_PAUSE, PAUSE, hear};
use crate::model::Sequence;

/// Tells the feed that nobody follows any more, however that came to be.
struct Follows(Arc<Kept>);

impl Drop for Follows {
    fn drop(&mut self) {
        self.0.state().is_blind = true;
    }
}

/// Follows the store for as long as the process lives.
pub(super) async fn follow(feed: Arc<Kept>) {
    let follows = Follows(feed);
    let feed = &follows.0;
    let by = reader();
    let mut at = Sequence::START;
    let mut pause = PAUSE;
    loop {
        match feed.service.wait(&by, at).await {
            Ok(news) => {
                if pause > PAUSE {
                    tracing::info!("the store answers again");
                }
                pause = PAUSE;
                hear(feed, &news);
                at = news.sequence;
            }
            Err(error) => {
                if pause == PAUSE {
                    let error = error.chain();
                    tracing::warn!(error, "the store does not answer: what is known stays");
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}
