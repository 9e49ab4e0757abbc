//! Clocks that are wrong, told to whoever may set them right.

use jiff::SignedDuration;

use super::ui::Ui;
use super::views::table::span;
use crate::api::ClocksOff;
use crate::model::ClusterName;

/// Says which clocks are off, and by how much.
pub(crate) fn tell_of_clocks(ui: &Ui, clocks: &ClocksOff) {
    let than = if clocks.undecided {
        "this machine's"
    } else {
        "the others"
    };
    let off: Vec<String> = clocks
        .off
        .iter()
        .map(|(whose, ahead)| words(whose.as_ref(), *ahead, than))
        .collect();
    let rule = if clocks.undecided {
        "nobody can tell which of these clocks are right, so what has a time limit ends late \
         rather than early"
    } else {
        "time limits follow the middle of the clocks that answer"
    };
    ui.status(&format!("note: {}; {rule}", off.join(", ")));
}

/// How far a clock is off; nobody's is this machine's.
fn words(whose: Option<&ClusterName>, ahead: SignedDuration, than: &str) -> String {
    let whose = whose.map_or_else(
        || "this machine's clock".to_owned(),
        |name| format!("the clock of {name}"),
    );
    let (far, where_to) = if ahead.is_negative() {
        (ahead.abs(), "behind")
    } else {
        (ahead, "ahead of")
    };
    format!("{whose} is {} {where_to} {than}", span(far))
}
