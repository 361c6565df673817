//! All tests, one after the other.

use super::{leases, lists, orphans, push_configs, push_deliveries, tasks};
use crate::server::store::{PushConfigStore, TaskStore};

/// Runs the tests of a [`TaskStore`]; `make` gives a new, empty one each time.
///
/// # Panics
/// When a promise is broken, naming it.
pub async fn check_tasks<S: TaskStore>(make: impl AsyncFn() -> S) {
    tasks::a_task_comes_back_as_it_was_kept(&make().await).await;
    tasks::somebody_elses_task_looks_missing(&make().await).await;
    tasks::one_id_of_many_owners_is_many_tasks(&make().await).await;
    tasks::a_task_is_made_once(&make().await).await;
    tasks::versions_count_entries(&make().await).await;
    tasks::a_change_for_another_version_changes_nothing(&make().await).await;
    tasks::of_many_changes_at_once_one_wins(&make().await).await;
    tasks::events_come_in_order_and_in_ranges(&make().await).await;
    tasks::events_stay_for_a_day_after_the_end(&make().await).await;
    tasks::any_text_is_an_id(&make().await).await;
    tasks::long_ids_are_refused(&make().await).await;
    leases::a_lease_keeps_others_away_to_its_last_second(&make().await).await;
    leases::a_lease_is_given_back_by_its_holder_only(&make().await).await;
    leases::a_lease_is_renewed_by_its_holder_only(&make().await).await;
    leases::a_task_that_is_over_is_never_taken(&make().await).await;
    leases::of_many_that_take_a_task_at_once_one_does(&make().await).await;
    orphans::what_nobody_works_on_is_an_orphan(&make().await).await;
    orphans::an_answer_that_nobody_works_on_makes_an_orphan(&make().await).await;
    orphans::no_orphan_is_given_twice(&make().await).await;
    orphans::an_orphan_is_its_new_holders(&make().await).await;
    lists::the_newest_status_comes_first(&make().await).await;
    lists::filters_keep_what_they_name(&make().await).await;
    lists::a_change_moves_a_task_within_every_list(&make().await).await;
    lists::pages_of_every_size_have_each_task_once(&make().await).await;
    lists::pages_lose_nothing_while_tasks_are_added(&make().await).await;
    lists::a_place_need_not_be_a_task(&make().await).await;
}

/// Runs the tests of a [`PushConfigStore`]; `make` gives a new, empty one each time.
///
/// # Panics
/// When a promise is broken, naming it.
pub async fn check_push_configs<S: PushConfigStore>(make: impl AsyncFn() -> S) {
    push_configs::a_configuration_comes_back_as_it_was_set(&make().await).await;
    push_configs::somebody_elses_configuration_looks_missing(&make().await).await;
    push_configs::a_list_is_by_id_and_in_pages(&make().await).await;
    push_configs::deleting_twice_is_deleting_once(&make().await).await;
    push_configs::any_text_is_an_id(&make().await).await;
    push_configs::what_has_no_name_is_refused(&make().await).await;
    push_deliveries::a_new_configuration_is_due_at_once(&make().await).await;
    push_deliveries::what_is_held_is_given_to_nobody_else(&make().await).await;
    push_deliveries::of_many_that_take_at_once_each_gets_its_own(&make().await).await;
    push_deliveries::an_event_makes_it_due(&make().await).await;
    push_deliveries::an_event_while_it_is_held_is_not_lost(&make().await).await;
    push_deliveries::every_one_that_may_be_behind_is_due_at_a_start(&make().await).await;
    push_deliveries::another_attempt_waits_for_its_time(&make().await).await;
    push_deliveries::only_the_latest_taking_gives_back(&make().await).await;
    push_deliveries::one_that_was_set_anew_begins_anew(&make().await).await;
}
