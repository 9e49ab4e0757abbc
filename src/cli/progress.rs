//! A progress bar for work that takes longer than a second.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::task::AbortHandle;

use super::ui::Ui;

/// Work that is done sooner needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// Draws on standard error how far it is, if a person is watching.
#[derive(Debug)]
pub(crate) struct Gauge {
    bar: Mutex<Option<Bar>>,
    shows: bool,
}

/// A bar, and what makes it appear.
#[derive(Debug)]
struct Bar {
    bar: ProgressBar,
    appear: AbortHandle,
}

impl Gauge {
    pub(crate) fn new(ui: &Ui) -> Self {
        Self {
            bar: Mutex::default(),
            shows: ui.shows_progress(),
        }
    }

    /// One more of what was begun is done.
    pub(crate) fn advance(&self) {
        if let Some(Bar { bar, .. }) = &*self.current() {
            bar.inc(1);
        }
    }

    /// Begins to count up to `pairs`.
    pub(crate) fn start(&self, what: &'static str, pairs: usize) {
        self.finish();
        if !self.shows {
            return;
        }
        let length = u64::try_from(pairs).unwrap_or(u64::MAX);
        let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {pos}/{len} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(what);
        let later = bar.clone();
        let appear = tokio::spawn(async move {
            tokio::time::sleep(PATIENCE).await;
            later.set_draw_target(ProgressDrawTarget::stderr());
            later.enable_steady_tick(Duration::from_millis(100));
        });
        *self.current() = Some(Bar {
            bar,
            appear: appear.abort_handle(),
        });
    }

    /// Removes the bar, which makes room for a table or a question.
    pub(crate) fn finish(&self) {
        if let Some(Bar { bar, appear }) = self.current().take() {
            appear.abort();
            bar.finish_and_clear();
        }
    }

    /// A thread that panicked while it held the bar left nothing half done in it.
    fn current(&self) -> MutexGuard<'_, Option<Bar>> {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Gauge {
    fn drop(&mut self) {
        self.finish();
    }
}
