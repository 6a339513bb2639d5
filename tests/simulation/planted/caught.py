"""By which complaint each planted mistake is caught, and the first seed that does it.

`python -m tests.simulation.planted` finds the seeds anew: they move when what a seed draws, or the product, changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Caught(NamedTuple):
    """The rule that a mistake breaks, by its name, and a seed in which it does."""

    rule: str
    seed: int


CAUGHT: Mapping[str, Caught] = {
    "offsets_before_outputs": Caught("every_delivery_ends_once", 37),
    "a_transaction_without_offsets": Caught("every_delivery_ends_once", 23),
    "a_changelog_record_lost": Caught("same_states_again", 1),
    "unfinished_work_committed_as_done": Caught("every_delivery_ends_once", 13),
    "a_result_committed_after_its_task_has_gone": Caught("every_delivery_ends_once", 96),
    "crash_counts_off_by_one": Caught("a_killer_is_given_up_at_three", 101),
    "crash_counts_one_too_many": Caught("a_killer_is_given_up_at_three", 96),
    "control_read_too_late": Caught("nothing_starts_that_is_cancelled", 19),
    "control_not_followed": Caught("control_is_followed", 0),
    "old_epochs_not_skipped": Caught("older_epochs_are_skipped", 15),
    "a_pause_of_a_step_or_definition_ignored": Caught("nothing_starts_that_is_paused_here", 20),
    "a_prefix_pause_ignored": Caught("nothing_starts_that_is_paused_here", 26),
    "interrupt_never_sent": Caught("what_is_cancelled_is_interrupted", 37),
    "a_start_not_remembered": Caught("outcomes_are_seen_once", 0),
    "a_by_product_lost": Caught("by_products_come_with_their_outcome", 5),
    "a_dead_letter_not_written": Caught("dead_letters_keep_what_cannot_be_read", 5),
    "a_ruling_before_reading_on": Caught("a_ruling_knows_all_that_lies_before_it", 2),
    "watermarks_that_are_the_last_stable_offset": Caught("a_ruling_knows_all_that_lies_before_it", 40),
    "a_pause_accepted_without_effect": Caught("an_accepted_pause_holds", 3),
    "a_resume_accepted_without_effect": Caught("an_accepted_resume_goes_on", 3),
    "a_cancel_accepted_without_effect": Caught("an_accepted_cancel_undoes", 10),
    "a_retry_accepted_without_effect": Caught("an_accepted_retry_runs_again", 108),
    "a_redrive_accepted_without_effect": Caught("an_accepted_redo_goes_back", 24),
    "a_rewind_accepted_without_effect": Caught("an_accepted_redo_goes_back", 0),
    "a_skip_accepted_without_effect": Caught("an_accepted_redo_goes_back", 0),
    "floors_on_all_steps": Caught("floors_are_of_what_follows", 12),
    "supersede_never": Caught("a_later_start_supersedes", 23),
    "a_steps_deadline_never_fires": Caught("a_steps_deadline_fires", 40),
    "a_sagas_deadline_never_fires": Caught("a_sagas_deadline_fires", 11),
    "a_deadline_too_early": Caught("no_deadline_fires_before_its_time", 11),
    "a_deadline_by_the_trackers_own_clock": Caught("a_ruling_knows_all_that_lies_before_it", 1),
    "pauses_that_stop_no_clock": Caught("no_deadline_fires_before_its_time", 42),
    "retries_without_delay": Caught("a_retry_waits_for_its_delay", 0),
    "one_attempt_too_few": Caught("every_attempt_is_made", 5),
    "one_attempt_too_many": Caught("no_attempt_beyond_the_last", 5),
    "a_terminal_error_retried": Caught("a_terminal_error_is_not_retried", 5),
    "a_retry_after_ignored": Caught("a_retry_waits_for_its_delay", 32),
    "a_compensation_never_retried": Caught("a_failed_compensation_is_tried_again", 63),
    "an_attempt_counted_twice": Caught("attempts_are_counted", 1),
    "an_execute_before_the_delivery_has_ended": Caught("one_delivery_at_a_time", 0),
    "a_parked_record_dropped": Caught("what_was_parked_is_asked_for_again", 3),
    "a_parked_record_of_a_prefix_never_asked_for_again": Caught("what_was_parked_is_asked_for_again", 26),
    "a_command_that_its_own_rulings_cancel_does_not_stop": Caught("nothing_starts_that_is_cancelled", 15),
    "no_settling": Caught("settling_is_waited_for", 10),
    "compensation_in_the_wrong_order": Caught("the_last_completed_is_undone_first", 0),
    "a_compensation_sent_again_while_it_runs": Caught("one_delivery_at_a_time", 0),
    "a_late_outcome_forgotten": Caught("what_is_done_is_undone", 51),
    "a_late_outcome_not_told": Caught("late_outcomes_are_told", 32),
    "a_failed_end_counted_as_completed": Caught("a_failing_end_fails", 11),
    "a_decision_taken_as_the_first_outcome": Caught("the_state_says_how_it_stands", 2),
    "unmatched_dropped": Caught("what_does_not_fit_is_kept", 0),
    "incidents_never_raised": Caught("incidents_are_raised", 10),
    "incidents_never_solved": Caught("incidents_are_solved", 90),
    "control_never_tombstoned": Caught("control_is_cleared", 0),
    "a_step_that_is_waited_for_is_forgotten": Caught("a_saga_that_is_waited_for_is_kept", 435),
    "a_saga_forgotten_too_early": Caught("a_saga_is_kept_as_long_as_it_says", 2),
}
