"""What the simulation has found on the code as it is, recorded until it is mended: a finding explains complaints.

It explains one only if that is about a saga to which what leads to the finding has happened, and if it breaks a rule
that the finding breaks. Everything else is new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from tests.simulation.complaints import Complaint
from tests.simulation.evidence import Evidence, Names
from tests.simulation.seen import SagaName

Happens = Callable[[Evidence], Names]
"""The sagas of a run to which what leads to a finding has happened."""

ANY: frozenset[str] = frozenset()
"""The rules of a finding after which nothing of a saga is as it must be."""


class Finding(NamedTuple):
    """What is wrong in one sentence, to which sagas it happens, which rules it breaks, and a seed that shows it.

    `ends`: the run ends with it, so that it is about no saga.
    """

    sentence: str
    seed: int
    happens: Happens
    rules: frozenset[str] = ANY
    ends: str = ""


def explained(complaints: Iterable[Complaint], evidence: Evidence) -> tuple[list[Complaint], dict[str, int]]:
    """The complaints that no finding explains, and how many each finding does."""
    news: list[Complaint] = []
    known: dict[str, int] = {}
    for complaint in complaints:
        found = next((name for name, one in FINDINGS.items() if _explains(one, complaint, evidence)), None)
        if found is None:
            news.append(complaint)
        else:
            known[found] = known.get(found, 0) + 1
    return news, known


def _explains(finding: Finding, complaint: Complaint, evidence: Evidence) -> bool:
    if finding.ends:
        return complaint.rule == finding.ends and bool(finding.happens(evidence))
    if finding.rules and complaint.rule not in finding.rules:
        return False
    return SagaName(complaint.definition, complaint.saga) in finding.happens(evidence)


def _if(condition: Callable[[Evidence], bool]) -> Happens:
    return lambda evidence: evidence.all if condition(evidence) else frozenset()


FINDINGS: Mapping[str, Finding] = {
    "masses_of_commands": Finding(
        "A thousand items due for one saga stop every tracker, again at each restart (finding 1).",
        449,
        _if(lambda evidence: evidence.has_masses),
        ends="RuntimeError",
    ),
    "a_start_too_large_for_its_letter": Finding(
        "A raw start whose dead letter Kafka does not take is refused for ever, and holds up its service (finding 2).",
        59,
        _if(lambda evidence: evidence.has_stray("huge_start")),
        ends="NeverAtRestError",
    ),
    "a_doubt_among_single_commits": Finding(
        "Whether a transaction was committed is not known while records are committed one by one: the process ends "
        "with a traceback.",
        3927,
        _if(lambda evidence: evidence.has_stray("huge_start")),
        ends="TransactionInDoubtError",
    ),
    "clocks_that_are_apart": Finding(
        "The tracker's clock only goes up, and takes the clocks of brokers for one: effects are set aside as "
        "causeless, deadlines and retries come at a wrong time (finding 3).",
        3,
        lambda evidence: evidence.in_a_partition_whose_clocks_are_apart,
    ),
    "a_start_after_forgetting": Finding(
        "The start of a saga that is forgotten begins a phantom, which fails later and supersedes newer ones "
        "(finding 4).",
        36,
        lambda evidence: evidence.begun_again,
    ),
    "a_start_under_another_id": Finding(
        "A normalised start under an id of its own takes its saga up again, or hangs it (finding 5).",
        20,
        lambda evidence: evidence.started_under_another_id,
    ),
    "a_deadline_before_the_redo": Finding(
        "The deadline of a saga counts from its start even where a person has had it go on since: it has passed, or "
        "passes too early (finding 6).",
        151,
        lambda evidence: evidence.brought_back,
        frozenset(
            {
                "no_deadline_fires_before_its_time",
                "incidents_have_a_reason",
                "incidents_are_solved",
                "incidents_are_raised",
                "a_sagas_deadline_fires",
            }
        ),
    ),
    "a_skip_whose_outcome_is_not_read": Finding(
        "The outcome that a skipped step was given counts only when it is read: until then its saga is taken for "
        "completed, and for one of which nothing is out.",
        126,
        lambda evidence: evidence.skipped,
        frozenset(
            {
                "a_command_is_answered_by_the_standing",
                "what_completes_is_done",
                "no_saga_ends_twice_in_an_epoch",
                "the_last_completed_is_undone_first",
                "what_failed_is_undone_once_and_in_order",
            }
        ),
    ),
    "a_redo_given_up": Finding(
        "A saga that is given up while it is brought back forgets which deliveries of those steps are out: it does not "
        "wait for them, and undoes the rest first.",
        415,
        lambda evidence: evidence.given_up_while_brought_back,
        frozenset(
            {
                "settling_is_waited_for",
                "the_last_completed_is_undone_first",
                "what_is_done_is_undone",
                "what_failed_is_undone_once_and_in_order",
            }
        ),
    ),
    "a_deadline_of_another_step": Finding(
        "Of two steps on one event, a deadline that has passed of one counts as the other's: its incident names the "
        "wrong step, or the other's never fires.",
        1885,
        lambda evidence: evidence.forked,
        frozenset(
            {
                "a_steps_deadline_fires",
                "incidents_have_a_reason",
                "incidents_are_raised",
                "incidents_are_solved",
                "no_deadline_fires_before_its_time",
            }
        ),
    ),
    "a_run_passed_over": Finding(
        "Of a step that was triggered twice only the last run counts at the end: its saga is told to be completed "
        "while the other run is out.",
        149,
        lambda evidence: evidence.run_side_by_side,
        frozenset(
            {
                "a_sagas_deadline_fires",
                "what_completes_is_done",
                "no_saga_ends_twice_in_an_epoch",
                "only_a_finished_saga_is_forgotten",
                "incidents_are_raised",
                "the_state_says_how_it_stands",
                "control_is_cleared",
            }
        ),
    ),
    "a_second_outcome": Finding(
        "An outcome that somebody else publishes of a step that has ended takes its saga up again: a completed one is "
        "undone, and fails.",
        101,
        lambda evidence: evidence.told_of_by_others,
    ),
    "a_start_of_two_versions": Finding(
        "A start that comes twice while a new version is deployed gives its saga the version of whichever record "
        "is read first.",
        65,
        lambda evidence: evidence.of_two_versions,
        frozenset({"same_states_again"}),
    ),
    "a_redo_on_what_is_undone": Finding(
        "A step of a loop that is brought back works on an outcome that was undone (finding 7).",
        9,
        lambda evidence: evidence.brought_back,
        frozenset({"nothing_runs_on_what_is_undone"}),
    ),
    "a_definition_added": Finding(
        "A tracker that is told of a definition has lost what was reported before: no retry, no trace (finding 8).",
        9,
        lambda evidence: evidence.begun_before_their_definition_was_known,
    ),
    "a_prefix_pause_lost": Finding(
        "A saga does not take note of a paused prefix: its clocks run on until it does, and what is undone after its "
        "end is undone in spite of it (finding 11).",
        584,
        lambda evidence: evidence.under_a_paused_prefix,
        frozenset(
            {
                "no_deadline_fires_before_its_time",
                "nothing_is_sent_while_paused",
                "settling_is_waited_for",
                "what_is_done_is_undone",
            }
        ),
    ),
    "equal_ids": Finding(
        "Of two definitions' sagas with one id, one is not tracked, and each heeds what is meant for the other "
        "(finding 9).",
        9,
        lambda evidence: evidence.with_one_id,
    ),
    "a_record_in_the_wrong_partition": Finding(
        "A record in the wrong partition makes a second state of its saga, and is not reported (finding 13).",
        5,
        lambda evidence: evidence.misplaced,
    ),
}
"""By name. Numbers are those of the reproductions from which the findings are known."""
