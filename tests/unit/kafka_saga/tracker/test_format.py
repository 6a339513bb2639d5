"""States of later versions: what this one does not know of them stays, and what it must not touch is refused."""

from __future__ import annotations

import json

import msgspec
import pytest
from msgspec.structs import replace

from kafka_saga.tracker.core import state as states
from kafka_saga.tracker.core.state import (
    FORMAT,
    IDENTITIES,
    EventRef,
    Incident,
    NewerFormatError,
    Pause,
    PendingCommand,
    Redo,
    Run,
    SagaState,
    SagaStatus,
    StepState,
    StepStatus,
    Undo,
    decode,
    encode,
)
from kafka_saga.tracker.core.unknown_fields import kinds_in

STATE = SagaState(
    "ann@1",
    "trip",
    1,
    3,
    status=SagaStatus.RUNNING,
    steps=(
        StepState("book", StepStatus.DONE, runs=(Run("e-1", 10, StepStatus.DONE), Run("e-2", 20))),
        StepState("pay"),
    ),
    events=(EventRef("e-1", "trip.begun", 0, 10), EventRef("e-2", "trip.booked", 1, 20)),
    asked=(PendingCommand("c-1", "pause", "ann", 30, 4),),
    pauses=(Pause("saga", "ann", "look", 30),),
)

Json = dict[str, object]


def newer(value: bytes = encode(STATE), **fields: object) -> bytes:
    """The record as a later version might write it, with something new wherever there is room."""
    marked = _marked(json.loads(value))
    assert isinstance(marked, dict)
    return json.dumps({**marked, "format": FORMAT + 1, **fields}).encode()


def _marked(value: object, path: str = "state") -> object:
    match value:
        case dict():
            return {**{name: _marked(one, f"{path}.{name}") for name, one in value.items()}, "mood": f"new in {path}"}
        case list():
            return [_marked(one, f"{path}.{at}") for at, one in enumerate(value)]
        case _:
            return value


def plain(record: msgspec.Struct) -> Json:
    found: Json = json.loads(msgspec.json.encode(record))
    return found


def rewritten(value: bytes, **fields: object) -> Json:
    found: Json = json.loads(encode(replace(decode(value), **fields)))
    return found


def test_a_state_says_no_format_if_it_has_the_first() -> None:
    assert FORMAT == 1
    assert b"format" not in encode(STATE)
    assert b"min_reader" not in encode(STATE)
    assert decode(encode(STATE)) == STATE


def test_a_later_state_is_written_again_as_it_was() -> None:
    assert rewritten(newer()) == json.loads(newer())


def test_what_changes_changes_and_what_is_not_known_stays() -> None:
    book, pay = STATE.steps
    paid = replace(pay, status=StepStatus.QUEUED, runs=(Run("e-2", 21),))
    found = rewritten(newer(), steps=(book, paid), revision=8, asked=(), status=SagaStatus.UNKNOWN)
    expected = json.loads(newer())
    del expected["asked"], expected["status"]
    expected["steps"][1] |= {"status": "queued", "runs": [{"about": "e-2", "at": 21}]}
    assert found == {**expected, "revision": 8}


def test_what_is_told_apart_keeps_its_own_wherever_it_stands() -> None:
    book, _ = STATE.steps
    value = encode(replace(decode(newer()), steps=(replace(book, runs=book.runs[::-1]),), events=STATE.events[1:]))
    found = msgspec.json.decode(value)
    moods = [run["mood"] for run in found["steps"][0]["runs"]]
    assert moods == ["new in state.steps.0.runs.1", "new in state.steps.0.runs.0"]
    assert [event["mood"] for event in found["events"]] == ["new in state.events.1"]


def test_another_undoing_does_not_take_over_what_was_said_of_the_one_before() -> None:
    undo = Undo(states.Goal.REDO, "again", 40, 1, ("book",), redo=Redo("book", "e-1"))
    value = newer(encode(replace(STATE, undo=undo)))
    later = replace(undo, ended_at=50)
    assert rewritten(value, undo=later)["undo"] == {**json.loads(value)["undo"], "ended_at": 50}
    assert rewritten(value, undo=replace(undo, epoch=2))["undo"] == plain(replace(undo, epoch=2))
    assert "undo" not in rewritten(value, undo=None)


def test_what_comes_anew_has_nothing_unknown() -> None:
    incident = Incident("i-1", "step_failed", "pay", "lost", 40)
    assert rewritten(newer(), incidents=(incident,))["incidents"] == [plain(incident)]


def test_it_survives_any_number_of_rewrites() -> None:
    value = newer()
    for revision in range(3):
        value = encode(replace(decode(value), revision=revision))
    assert json.loads(value) == {**json.loads(newer()), "revision": 2}


def test_every_record_in_a_state_is_told_apart_by_fields_that_it_has() -> None:
    kinds = set(kinds_in(SagaState))
    assert kinds == set(IDENTITIES)
    assert all(set(IDENTITIES[kind]) <= set(kind.__struct_fields__) for kind in kinds)


def test_a_state_that_earlier_versions_must_not_read_is_refused_with_what_to_do() -> None:
    why = "it has format 2, to be read from format 2 on, and this version has format 1: run the version that wrote it"
    with pytest.raises(NewerFormatError, match=why):
        decode(newer(min_reader=2))


def test_a_value_that_this_version_does_not_know_is_refused_by_its_format_too() -> None:
    with pytest.raises(NewerFormatError, match="to be read from format 5 on"):
        decode(newer(status="dreaming", format=7, min_reader=5))
    with pytest.raises(msgspec.ValidationError, match="dreaming"):
        decode(newer(status="dreaming"))


def test_a_state_of_an_earlier_format_is_written_in_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "FORMAT", 2)
    assert json.loads(encode(decode(encode(STATE))))["format"] == 2
