"""What people start and ask for in a run of chaos."""

from __future__ import annotations

from collections import Counter
from random import Random

from kafka_saga.events.commands import Act
from kafka_saga.events.lifecycle import IncidentRaised
from tests.chaos.definitions import ERRAND, PARCEL, Matter, Trouble
from tests.chaos.traffic import Ask, Publish, answer, traffic

RUN = traffic(seed=3, seconds=100, rate=20)
STARTS = [each for each in RUN if isinstance(each, Publish)]
COMMANDS = [each.command for each in RUN if isinstance(each, Ask)]


def test_sagas_of_both_definitions_start_all_the_time() -> None:
    sagas = {start.saga for start in STARTS if start.saga}
    assert len(sagas) >= 2_000
    assert {start.topic for start in STARTS} == {PARCEL.starts_on.event_type, ERRAND.starts_on.event_type}
    assert [each.at for each in RUN] == sorted(each.at for each in RUN)


def test_some_starts_come_twice_some_have_a_successor_and_some_are_garbage() -> None:
    times = Counter(start.saga for start in STARTS)
    assert times[None] > 0
    assert max(number for saga, number in times.items() if saga) == 2
    assert any(saga and saga.endswith("@2") for saga in times)


def test_every_trouble_befalls_some_saga() -> None:
    events = [Matter.model_validate_json(start.value) for start in STARTS if start.saga]
    assert {event.trouble for event in events} == set(Trouble)


def test_people_give_every_command_that_a_saga_takes() -> None:
    acts = {command.command for command in COMMANDS}
    assert acts >= {Act.PAUSE, Act.RESUME, Act.CANCEL, Act.REWIND, Act.REDRIVE, Act.SKIP}


def test_an_incident_is_answered_by_one_of_its_commands_and_in_the_end_called_off() -> None:
    answers = [answer(incident("retry", "skip", "cancel"), before, Random(5)) for before in (1, 2, 3, 4)]
    assert all(each is not None and each.command in {Act.RETRY, Act.SKIP, Act.CANCEL} for each in answers[:3])
    assert answers[2] is not None
    assert answers[2].command is Act.CANCEL
    assert answers[3] is None


def test_a_step_that_is_skipped_is_given_its_outcome() -> None:
    command = answer(incident("skip"), 1, Random(5))
    assert command is not None
    assert (command.step, command.outcome) == ("carry", "errand.carried")
    assert Matter.model_validate_json(command.content or "") == Matter(key="errand-4", run=1)


def incident(*commands: str) -> IncidentRaised:
    return IncidentRaised(
        saga_id="errand-4@1",
        key="errand-4",
        definition="errand",
        version=1,
        at=0,
        revision=1,
        until=0,
        read={},
        incident="failed/carry",
        kind="step_failed",
        step="carry",
        reason="",
        commands=commands,
    )
