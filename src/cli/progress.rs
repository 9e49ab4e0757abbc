//! A progress bar for work that takes longer than a second.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::ui::Ui;
use crate::engine::Event;

/// Work that is done sooner needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// Draws the engine's events on standard error, if a person is watching.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    appear: Option<tokio::task::JoinHandle<()>>,
}

impl Progress {
    pub(crate) fn new(ui: &Ui) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {pos}/{len} {elapsed}") {
            bar.set_style(style);
        }
        let appear = ui.shows_progress().then(|| {
            let bar = bar.clone();
            tokio::spawn(async move {
                tokio::time::sleep(PATIENCE).await;
                bar.set_draw_target(ProgressDrawTarget::stderr());
                bar.enable_steady_tick(Duration::from_millis(100));
            })
        });
        Self { bar, appear }
    }

    pub(crate) fn on(&self, event: &Event<'_>) {
        match event {
            Event::Surveying(pairs) => self.start("looking at clusters", *pairs),
            Event::Delivering(pairs) => self.start("delivering", *pairs),
            Event::Surveyed(_) | Event::Delivered(_) => self.bar.inc(1),
            Event::Committed => {}
        }
    }

    fn start(&self, what: &'static str, pairs: usize) {
        self.bar.reset();
        self.bar
            .set_length(u64::try_from(pairs).unwrap_or(u64::MAX));
        self.bar.set_message(what);
    }

    /// Makes room for a table or a question.
    pub(crate) fn pause(&self) {
        self.bar.set_draw_target(ProgressDrawTarget::hidden());
    }

    /// Removes the bar.
    pub(crate) fn finish(&self) {
        if let Some(appear) = &self.appear {
            appear.abort();
        }
        self.bar.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}
