//! What every service promises: one function per promise, one test per promise and implementation.
//!
//! A new implementation adds one line below `keeps_the_contract`, with a function that makes it of
//! a `Local`, or of a store.

use std::sync::Arc;

use cfgctl::app::AllowedPlaces;
use cfgctl::client::Remote;
use cfgctl::server::{self, Token};
use tokio::sync::watch;

use self::alerts::{alerts_are_taken_in_or_refused_whole, alerts_trip_what_waits_for_them};
use self::bench::{Made, Parts};
use self::changes::{
    a_cluster_that_is_dead_holds_up_no_other_and_is_brought_up_later,
    a_commit_is_told_and_delivered_in_order, a_declaration_is_planned_and_carried_out,
    a_declaration_that_is_not_valid_says_where, a_delete_takes_everything_away,
    a_gate_refuses_until_someone_consents, a_reconcile_mends_what_others_changed,
    a_rollback_brings_an_older_content_back, a_selector_or_a_name_that_matches_nothing_is_refused,
    a_token_consents_to_what_was_shown, a_token_of_something_that_moved_consents_to_nothing,
    of_two_appliers_of_one_set_one_wins, what_may_not_be_written_is_denied_before_the_commit,
    who_commits_between_plan_and_commit_wins, whoever_is_asked_is_the_author,
};
use self::feed::{
    a_lineage_tells_ours_from_others_and_what_is_gone_for_good,
    a_set_is_handed_out_where_it_goes_and_nowhere_else, what_is_handed_out_is_what_targets_hold,
    whoever_waits_hears_what_changed,
};
use self::keys::{
    a_declaration_with_one_key_is_committed_once,
    a_key_of_a_declaration_outlives_what_others_commit, a_key_that_was_used_for_another_is_refused,
    a_switch_with_one_key_is_committed_once, many_with_one_key_commit_once,
};
use self::questions::{
    breakers_are_told_with_what_they_change, clusters_and_policies_are_told,
    clusters_are_checked_and_the_dead_are_named, drift_names_what_was_changed_by_hand,
    explanations_name_revision_and_source, flags_are_told_and_evaluated,
    histories_and_revisions_are_told, nothing_is_read_from_a_store_that_is_down,
    resources_and_names_are_those_that_live, status_says_what_clusters_hold,
    what_is_not_there_is_told_so_wherever_it_is_named, whoever_stops_a_question_gets_no_answer,
};
use self::switches::{
    a_breaker_is_tripped_held_disabled_and_reset, a_flag_is_held_and_unset,
    a_switch_that_makes_no_sense_is_refused, a_switch_that_nobody_lets_write_is_denied,
    a_token_of_a_switch_consents_to_its_effects, many_trips_at_once_all_count,
    what_is_over_is_taken_away_by_the_system, who_keeps_being_faster_than_a_switch_wins_nothing,
};
use self::through_json::ThroughJson;
use self::trouble::{
    a_bug_is_told_as_one, a_store_that_fails_commits_nothing,
    whoever_stops_a_switch_after_the_commit_hears_how_far_it_got,
    whoever_stops_after_the_commit_hears_how_far_it_got,
    whoever_stops_before_the_commit_changes_nothing,
};

use crate::support::cli::Cfgctl;
use crate::support::server::Server;

mod alerts;
mod bench;
mod changes;
mod feed;
mod keys;
mod questions;
mod switches;
mod through_json;
mod trouble;

/// What every implementation promises, wherever it is.
macro_rules! keeps_the_contract {
    ($implementation:ident, $made:path) => {
        promises! { $implementation, $made:
            a_declaration_is_planned_and_carried_out
            a_declaration_that_is_not_valid_says_where
            a_selector_or_a_name_that_matches_nothing_is_refused
            a_token_consents_to_what_was_shown
            a_token_of_something_that_moved_consents_to_nothing
            a_gate_refuses_until_someone_consents
            a_rollback_brings_an_older_content_back
            a_delete_takes_everything_away
            a_reconcile_mends_what_others_changed
            a_commit_is_told_and_delivered_in_order
            a_cluster_that_is_dead_holds_up_no_other_and_is_brought_up_later
            what_may_not_be_written_is_denied_before_the_commit
            of_two_appliers_of_one_set_one_wins
            whoever_is_asked_is_the_author
            a_declaration_with_one_key_is_committed_once
            a_key_of_a_declaration_outlives_what_others_commit
            many_with_one_key_commit_once
            a_flag_is_held_and_unset
            a_breaker_is_tripped_held_disabled_and_reset
            a_switch_that_makes_no_sense_is_refused
            a_token_of_a_switch_consents_to_its_effects
            a_switch_that_nobody_lets_write_is_denied
            many_trips_at_once_all_count
            alerts_trip_what_waits_for_them
            status_says_what_clusters_hold
            drift_names_what_was_changed_by_hand
            resources_and_names_are_those_that_live
            histories_and_revisions_are_told
            explanations_name_revision_and_source
            flags_are_told_and_evaluated
            breakers_are_told_with_what_they_change
            clusters_and_policies_are_told
            clusters_are_checked_and_the_dead_are_named
            what_is_not_there_is_told_so_wherever_it_is_named
            whoever_stops_a_question_gets_no_answer
            what_is_handed_out_is_what_targets_hold
            a_lineage_tells_ours_from_others_and_what_is_gone_for_good
            whoever_waits_hears_what_changed
        }
    };
}

/// What an implementation promises besides that a test can make fail or wait.
macro_rules! keeps_it_in_trouble {
    ($implementation:ident, $made:path) => {
        promises! { $implementation, $made:
            who_commits_between_plan_and_commit_wins
            a_switch_with_one_key_is_committed_once
            a_key_that_was_used_for_another_is_refused
            who_keeps_being_faster_than_a_switch_wins_nothing
            alerts_are_taken_in_or_refused_whole
            what_is_over_is_taken_away_by_the_system
            a_set_is_handed_out_where_it_goes_and_nowhere_else
            nothing_is_read_from_a_store_that_is_down
            whoever_stops_before_the_commit_changes_nothing
            whoever_stops_after_the_commit_hears_how_far_it_got
            whoever_stops_a_switch_after_the_commit_hears_how_far_it_got
            a_store_that_fails_commits_nothing
            a_bug_is_told_as_one
        }
    };
}

macro_rules! promises {
    ($implementation:ident, $made:path: $($promise:ident)*) => {
        mod $implementation {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $promise() {
                    super::$promise(&super::bench::Bench::new($made).await).await;
                }
            )*
        }
    };
}

keeps_the_contract!(local, super::as_it_is);
keeps_it_in_trouble!(local_in_trouble, super::as_it_is);
keeps_the_contract!(local_through_json, super::through_text);
keeps_it_in_trouble!(local_through_json_in_trouble, super::through_text);
keeps_the_contract!(through_http, super::through_http);
keeps_it_in_trouble!(through_http_in_trouble, super::through_http);
// Nobody makes its store fail or its deliveries wait.
keeps_the_contract!(through_a_process, super::through_a_process);

async fn as_it_is(parts: Parts) -> Made {
    Made {
        service: Arc::new(parts.local),
        author: None,
        held: Box::new(()),
    }
}

async fn through_text(parts: Parts) -> Made {
    Made {
        service: Arc::new(ThroughJson(Arc::new(parts.local), parts.halt)),
        author: None,
        held: Box::new(()),
    }
}

/// A client that asks a server over it.
async fn through_http(parts: Parts) -> Made {
    let text = "0123456789abcdefghijklmnopqrstuv";
    let token = Token::new(text).unwrap();
    let server = server::Server::bind("127.0.0.1:0".parse().unwrap(), None).await;
    let server = server.unwrap();
    let client = Remote::new(&server.location(), Some(text)).unwrap();
    let (stop, stopped) = watch::channel(false);
    let places = AllowedPlaces {
        directories: vec![parts.home],
        ..AllowedPlaces::default()
    };
    let local = Arc::new(parts.local.allowing(places));
    let service = Arc::new(ThroughJson(Arc::clone(&local), parts.halt));
    let behind = (Arc::clone(&local) as _, local as _);
    tokio::spawn(server.serve(service, behind, Some(token), stopped));
    Made {
        service: Arc::new(client),
        author: Some("owner"),
        held: Box::new(stop),
    }
}

/// A client that asks a server in a process of its own, over the same store.
async fn through_a_process(parts: Parts) -> Made {
    let host = Cfgctl::new().with("CFGCTL_STORE", &parts.location);
    let home = parts.home.to_str().unwrap();
    let server = Server::start(&host, &["--allow-directories", home]);
    let client = Remote::new(&server.address, Some(&server.token)).unwrap();
    Made {
        service: Arc::new(client),
        author: Some("owner"),
        held: Box::new((server, host)),
    }
}
