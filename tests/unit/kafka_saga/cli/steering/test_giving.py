"""A command is given to the sagas that are meant, after asking where it concerns more than one."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from kafka_saga.cli.exits import Exit
from kafka_saga.cli.steering.giving import Typed, give
from kafka_saga.errors import ChoreographyError
from kafka_saga.events.commands import Act, SagaCommand
from kafka_saga.inspection.commands.selection import Selection, SelectionError
from kafka_saga.inspection.commands.skipping import ContentError, judged
from kafka_saga.inspection.log.reading import NotFoundError
from kafka_saga.tracker.core.state import SagaState, SagaStatus, StepStatus
from tests.unit.kafka_saga.cli.cluster import Answered, Judge, Members
from tests.unit.kafka_saga.cli.given import KEY, PARTITIONS, SAGA, completed, log_with, running
from topology.code_review import CODE_REVIEW

OTHER = "acme/tools#1@aaaaaaaaaaaa"
THIRD = "zoo/cat#2@cccccccccccc"
STATES = {SAGA: running(), OTHER: replace(running(OTHER), partition=3), THIRD: completed(THIRD)}
UP = Members({"tracker": 1})


def cluster_of(states: dict[str, SagaState] | None = None, judge: Judge = lambda command, number: "") -> Answered:
    return Answered(log_with(STATES if states is None else states), judge)


def order(
    act: Act,
    *,
    step: str | None = None,
    command_id: str | None = None,
    wait: float = 0.2,
    is_dry: bool = False,
    is_sure: bool = False,
    as_json: bool = False,
) -> Typed:
    return Typed(act, "ada", "lunch", step, None, None, command_id, wait, is_dry, is_sure, as_json)


def test_a_named_saga_is_asked_and_the_answer_said(capsys: pytest.CaptureFixture[str]) -> None:
    cluster = cluster_of()
    assert give(cluster, UP, Selection(names=(KEY,)), order(Act.PAUSE)) is Exit.OK
    assert cluster.commands() == [
        SagaCommand(command=Act.PAUSE, scope=f"saga:{SAGA}", author="ada", reason="lunch"),
    ]
    assert capsys.readouterr().out == f"{SAGA}  pause accepted.\n"


def test_a_refusal_says_why_and_is_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    cluster = cluster_of(judge=lambda command, _: "the saga is paused already")
    assert give(cluster, UP, Selection(names=(SAGA,)), order(Act.PAUSE)) is Exit.ERROR
    assert capsys.readouterr().out == f"{SAGA}  pause refused: the saga is paused already.\n"


@pytest.mark.parametrize(("members", "said"), [(UP, "see `saga status`"), (Members(), "it is not running")])
def test_silence_is_said_with_what_to_do(members: Members, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    silent = cluster_of(judge=lambda command, _: None)
    assert give(silent, members, Selection(names=(SAGA,)), order(Act.PAUSE, wait=0)) is Exit.TIMEOUT
    text = capsys.readouterr().out
    assert "pause not answered yet" in text
    assert said in text
    assert "stays on saga.commands" in text


def test_a_name_that_means_nothing_is_refused_as_show_does() -> None:
    with pytest.raises(NotFoundError, match="No saga goes by 'nobody'"):
        give(cluster_of(), UP, Selection(names=("nobody",)), order(Act.PAUSE))
    with pytest.raises(NotFoundError, match="2 sagas begin with 'acme/'"):
        give(cluster_of(), UP, Selection(names=("acme/",)), order(Act.PAUSE))


def test_several_names_are_one_command_each_with_ids_of_their_own() -> None:
    cluster = cluster_of()
    chosen = Selection(names=(SAGA, KEY, OTHER))
    assert give(cluster, UP, chosen, order(Act.CANCEL, is_sure=True)) is Exit.OK
    records = cluster.log.records("saga.commands")
    assert [command.scope for command in cluster.commands()] == [f"saga:{SAGA}", f"saga:{OTHER}"]
    assert [record.partition for record in records] == [1, 3]
    assert len({dict(record.headers)["ce_id"] for record in records}) == 2


def test_a_bulk_command_says_how_many_and_is_refused_where_nobody_can_be_asked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    cluster = cluster_of()
    with pytest.raises(ChoreographyError, match=r"^Cancel 2 sagas: nobody can be asked here. Add --yes"):
        give(cluster, UP, Selection(key_prefix="acme/"), order(Act.CANCEL))
    text = capsys.readouterr().out
    assert text.startswith("2 sagas match:\n")
    assert SAGA in text
    assert OTHER in text
    assert cluster.commands() == []


def test_a_dry_run_asks_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    cluster = cluster_of()
    assert give(cluster, UP, Selection(key_prefix="acme/"), order(Act.CANCEL, is_dry=True)) is Exit.OK
    assert capsys.readouterr().out.endswith("Cancel 2 sagas: left undone (--dry-run).\n")
    assert cluster.commands() == []


def test_of_many_the_refused_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    cluster = cluster_of(judge=lambda command, _: "" if command.scope.endswith("aa") else "it has ended")
    assert give(cluster, UP, Selection(key_prefix="acme/"), order(Act.CANCEL, is_sure=True)) is Exit.ERROR
    assert capsys.readouterr().out.endswith(f"1 accepted, 1 refused\n  {SAGA}  cancel refused: it has ended.\n")


def test_a_whole_step_is_one_command_with_one_id_in_every_partition(capsys: pytest.CaptureFixture[str]) -> None:
    cluster = cluster_of()
    assert give(cluster, UP, Selection(step="ast"), order(Act.PAUSE, is_sure=True)) is Exit.OK
    records = cluster.log.records("saga.commands")
    assert [record.partition for record in records] == list(range(PARTITIONS))
    assert len({dict(record.headers)["ce_id"] for record in records}) == 1
    assert {command.scope for command in cluster.commands()} == {"step:code_review/ast"}
    text = capsys.readouterr().out
    assert text.startswith("2 sagas are concerned now; step code_review/ast counts for those to come, too:\n")
    assert text.endswith("step code_review/ast  pause accepted.\n")


def test_a_saga_that_stands_at_the_step_is_concerned_whatever_its_status(capsys: pytest.CaptureFixture[str]) -> None:
    held = replace(running(OTHER), status=SagaStatus.PAUSED)
    states = {SAGA: running(), OTHER: held, THIRD: completed(THIRD)}
    for act in (Act.PAUSE, Act.RESUME):
        give(cluster_of(states), UP, Selection(step="ast"), order(act, is_sure=True))
        assert capsys.readouterr().out.startswith("2 sagas are concerned now; step code_review/ast counts")
    give(cluster_of(states), UP, Selection(step="validate"), order(Act.PAUSE, is_sure=True))
    assert capsys.readouterr().out.startswith("No saga is concerned now;")


@pytest.mark.parametrize("status", [status for status in StepStatus if status.is_current])
def test_a_pause_of_a_step_concerns_whoever_is_listed_at_it(
    status: StepStatus, capsys: pytest.CaptureFixture[str]
) -> None:
    at_ast = running()
    steps = tuple(replace(step, status=status) if step.name == "ast" else step for step in at_ast.steps)
    give(cluster_of({SAGA: replace(at_ast, steps=steps)}), UP, Selection(step="ast"), order(Act.PAUSE, is_sure=True))
    assert capsys.readouterr().out.startswith("1 saga is concerned now; step code_review/ast counts")


def test_resuming_a_definition_concerns_its_sagas_that_are_not_over(capsys: pytest.CaptureFixture[str]) -> None:
    give(cluster_of(), UP, Selection(definition="code_review"), order(Act.RESUME, is_sure=True))
    assert capsys.readouterr().out.startswith("2 sagas are concerned now; definition code_review counts")


def test_a_step_can_be_paused_before_any_saga_has_started() -> None:
    cluster = cluster_of({})
    assert give(cluster, UP, Selection(step="llm"), order(Act.PAUSE, is_sure=True)) is Exit.OK
    assert {command.scope for command in cluster.commands()} == {"step:code_review/llm"}


def test_with_a_status_it_is_one_command_for_each_saga_that_matches() -> None:
    cluster = cluster_of()
    chosen = Selection(step="ast", statuses=frozenset({SagaStatus.RUNNING}))
    give(cluster, UP, chosen, order(Act.PAUSE, is_sure=True))
    assert {command.scope for command in cluster.commands()} == {f"saga:{SAGA}", f"saga:{OTHER}"}


def test_sagas_whose_definition_is_not_known_here_are_left_out_which_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    cluster = cluster_of({SAGA: running(), OTHER: replace(running(OTHER), version=2)})
    assert give(cluster, UP, Selection(key_prefix="acme/"), order(Act.CANCEL)) is Exit.OK
    assert {command.scope for command in cluster.commands()} == {f"saga:{SAGA}"}
    said = capsys.readouterr().err
    assert said.startswith("Sagas of code_review v2 are left out, since that is not known here: set SAGA_DEFINITIONS")


def test_if_no_definition_is_known_here_it_is_an_error_but_completed_sagas_need_no_command() -> None:
    live, over = replace(running(), version=2), replace(completed(THIRD), version=2)
    with pytest.raises(SelectionError, match="Sagas of code_review v2 are left out"):
        give(cluster_of({SAGA: live}), UP, Selection(definition="code_review"), order(Act.CANCEL))
    assert give(cluster_of({THIRD: over}), UP, Selection(definition="code_review"), order(Act.CANCEL)) is Exit.OK


def test_a_skip_without_the_outcome_that_it_takes_is_refused_before_anything_is_sent() -> None:
    def judge(state: SagaState) -> None:
        judged(state, "ast", None, CODE_REVIEW)

    cluster = cluster_of()
    with pytest.raises(ContentError, match="Say what step ast is to have ended with"):
        give(cluster, UP, Selection(step="ast"), order(Act.SKIP, step="ast", is_sure=True), judge)
    assert cluster.commands() == []


def test_nothing_that_matches_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    cluster = cluster_of()
    assert give(cluster, UP, Selection(key_prefix="nobody/"), order(Act.CANCEL)) is Exit.OK
    assert capsys.readouterr().out == "No saga matches that could be asked to cancel: nothing was done.\n"


def test_a_step_that_is_not_there_is_refused_before_anything_is_sent() -> None:
    cluster = cluster_of()
    with pytest.raises(SelectionError, match="has no step 'lmm'"):
        give(cluster, UP, Selection(names=(SAGA,)), order(Act.REWIND, step="lmm"))
    assert cluster.commands() == []


def test_an_id_of_ones_own_is_the_commands_and_of_several_derived() -> None:
    cluster = cluster_of()
    for _ in range(2):
        give(cluster, UP, Selection(names=(SAGA,)), order(Act.PAUSE, command_id="mine"))
        give(cluster, UP, Selection(key_prefix="acme/"), order(Act.PAUSE, command_id="all", is_sure=True))
        give(cluster, UP, Selection(names=(SAGA, OTHER)), order(Act.CANCEL, command_id="all", is_sure=True))
    identities = [dict(record.headers)["ce_id"] for record in cluster.log.records("saga.commands")]
    assert identities.count(b"mine") == 2
    assert identities.count(b"all") == 2 * PARTITIONS
    assert len(set(identities)) == 4


def test_scripts_get_every_answer(capsys: pytest.CaptureFixture[str]) -> None:
    cluster = cluster_of(judge=lambda command, _: "" if command.scope.endswith("aa") else "it has ended")
    give(cluster, UP, Selection(key_prefix="acme/"), order(Act.CANCEL, is_sure=True, as_json=True))
    printed = capsys.readouterr()
    assert [(one["scope"], one["answer"], one["why"]) for one in json.loads(printed.out)] == [
        (f"saga:{SAGA}", "refused", "it has ended"),
        (f"saga:{OTHER}", "accepted", ""),
    ]
    assert "2 sagas match" in printed.err


def test_many_sagas_are_found_in_one_pass() -> None:
    many = {f"acme/k{n}@r": replace(running(f"acme/k{n}@r"), partition=n % PARTITIONS) for n in range(2_000)}
    cluster = cluster_of(dict(many))
    assert give(cluster, UP, Selection(key_prefix="acme/"), order(Act.CANCEL, is_sure=True, wait=5)) is Exit.OK
    assert len(cluster.commands()) == 2_000
