//! What every command promises about its help.

use clap::CommandFactory as _;
use clap::{Arg, Command};

use super::Cli;

fn all(command: &Command) -> Vec<&Command> {
    let inner = command.get_subcommands().filter(|c| c.get_name() != "help");
    let mut found = vec![command];
    found.extend(inner.flat_map(all));
    found
}

/// Whether it reads like the others: a capital or a quote first, no period last.
fn is_in_style(text: &str) -> bool {
    let first_line = text.lines().next().unwrap_or_default();
    let begins_well = first_line.starts_with(|c: char| c.is_uppercase() || c == '`');
    begins_well && !text.trim_end().ends_with(['.', '!', ':', ','])
}

#[test]
fn clap_finds_no_fault_with_the_commands() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_says_what_it_is_for() {
    let root = Cli::command();
    for command in all(&root) {
        let name = command.get_name();
        let about = command.get_about().unwrap_or_default().to_string();
        assert!(is_in_style(&about), "{name}: {about:?}");
        if let Some(long) = command.get_long_about() {
            // What follows the first line is prose: sentences with periods.
            let long = long.to_string();
            let prose = long.strip_prefix(&about).unwrap_or(&long).trim();
            assert!(
                prose.is_empty() || prose.ends_with('.'),
                "{name}: {prose:?}"
            );
        }
    }
}

#[test]
fn every_argument_has_a_help() {
    let root = Cli::command();
    for command in all(&root) {
        let arguments = command.get_arguments();
        for argument in arguments.filter(|argument| !argument.is_hide_set()) {
            let place = format!("{} {}", command.get_name(), argument.get_id());
            let help = argument.get_help().unwrap_or_default().to_string();
            assert!(is_in_style(&help), "{place}: {help:?}");
            for value in possible_values(argument) {
                let help = value.get_help().unwrap_or_default().to_string();
                let is_shell = argument.get_id() == "shell";
                assert!(
                    is_shell || is_in_style(&help),
                    "{place} {}: {help:?}",
                    value.get_name()
                );
            }
        }
    }
}

fn possible_values(argument: &Arg) -> Vec<clap::builder::PossibleValue> {
    if argument.get_action().takes_values() {
        argument.get_possible_values()
    } else {
        Vec::new()
    }
}
