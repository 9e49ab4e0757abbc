//! Clocks that are wrong, told to whoever may set them right.

use super::ui::Ui;
use super::views::table::span;
use crate::model::{Clocks, Off};

/// Says which of `clocks` are off, and by how much.
pub(crate) fn tell_of_clocks(ui: &Ui, clocks: &Clocks) {
    let off = clocks.off();
    if off.is_empty() {
        return;
    }
    let than = if clocks.is_undecided() {
        "this machine's"
    } else {
        "the others"
    };
    let off: Vec<String> = off.into_iter().map(|off| words(off, than)).collect();
    let rule = if clocks.is_undecided() {
        "nobody can tell which of these clocks are right, so what has a time limit ends late \
         rather than early"
    } else {
        "time limits follow the middle of the clocks that answer"
    };
    ui.status(&format!("note: {}; {rule}", off.join(", ")));
}

/// How far a clock is off.
pub(crate) fn words(off: Off<'_>, than: &str) -> String {
    let whose = off.whose.map_or_else(
        || "this machine's clock".to_owned(),
        |name| format!("the clock of {name}"),
    );
    let (far, where_to) = if off.ahead.is_negative() {
        (off.ahead.abs(), "behind")
    } else {
        (off.ahead, "ahead of")
    };
    format!("{whose} is {} {where_to} {than}", span(far))
}
