//! Commands that other tools have, under the name that they have here.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Adds to the refusal of an unknown command what it is called here, where that is known.
pub(crate) fn suggest(error: &mut clap::Error) {
    if error.kind() != ErrorKind::InvalidSubcommand {
        return;
    }
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return;
    };
    if let Some(here) = here(word) {
        // What is merely spelled like it would be the worse guess.
        error.remove(ContextKind::SuggestedSubcommand);
        let tip = ContextValue::StyledStrs(vec![StyledStr::from(here)]);
        error.insert(ContextKind::Suggested, tip);
    }
}

fn here(word: &str) -> Option<&'static str> {
    Some(match word.to_lowercase().as_str() {
        "plan" | "preview" => "`cfgctl diff -f FILE` shows what an apply would change",
        "describe" | "inspect" => {
            "`cfgctl show SET` shows a revision, `cfgctl explain SET` where each value comes from"
        }
        "edit" | "patch" | "set" => {
            "change the file and `cfgctl apply -f FILE`; `cfgctl get SET -o yaml` writes one"
        }
        "create" | "update" | "replace" | "deploy" | "sync" | "push" | "put" => {
            "`cfgctl apply -f FILE` makes files real"
        }
        "list" | "ls" => "`cfgctl get` lists what the store holds",
        "log" | "logs" => "`cfgctl history SET` lists the revisions",
        "undo" | "revert" => "`cfgctl rollback SET` goes back",
        "rm" | "remove" | "destroy" | "prune" => {
            "`cfgctl delete SET`, or `cfgctl apply -f FILE --prune`"
        }
        "lint" | "verify" | "check" => {
            "`cfgctl validate -f FILE` checks files, `cfgctl cluster check` clusters"
        }
        "trip" | "open" => "`cfgctl breaker trip SET/BREAKER` opens a breaker",
        "reset" | "close" => "`cfgctl breaker reset SET/BREAKER` closes a breaker",
        "enable" | "on" => "`cfgctl flag on SET/FLAG` switches a flag on",
        "disable" | "off" => "`cfgctl flag off SET/FLAG` switches a flag off",
        "clusters" => "`cfgctl cluster list` lists the clusters",
        "flags" => "`cfgctl flag list` lists the flags",
        "breakers" => "`cfgctl breaker list` lists the breakers",
        "auth" | "signin" => "`cfgctl login SERVER` keeps the token of a server",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    fn refusal(command: &str) -> String {
        let words = ["cfgctl"].into_iter().chain(command.split(' '));
        let mut error = Cli::command().try_get_matches_from(words).unwrap_err();
        suggest(&mut error);
        error.to_string()
    }

    #[test]
    fn the_verb_of_another_tool_is_understood() {
        for (command, told) in [
            ("plan", "cfgctl diff -f"),
            ("describe checkout", "cfgctl show SET"),
            ("describe checkout", "cfgctl explain SET"),
            ("edit checkout", "cfgctl apply -f FILE"),
            ("breaker open checkout/slow", "cfgctl breaker trip"),
            ("flag enable checkout/a", "cfgctl flag on"),
            ("aply", "apply"),
        ] {
            let refusal = refusal(command);
            assert!(refusal.contains(told), "{command}: {refusal}");
        }
        assert!(
            !refusal("plan").contains("`man`") && !refusal("plan").contains("'man'"),
            "{}",
            refusal("plan")
        );
        assert!(!refusal("frobnicate").contains("tip:"));
    }
}
