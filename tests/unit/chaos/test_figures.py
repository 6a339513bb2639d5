"""What a run of chaos comes to in numbers."""

from __future__ import annotations

from kafka_saga.broker.records import Record
from kafka_saga.definition.topics import SAGA_STATE
from tests.chaos.figures import BROKER, Figures, Hit, Recovery, recoveries, signs

SIGNS = {"errand": [[100, 900], [200, 700]], "tracker": [[150, 2_000], [300, 400]]}


def hit(at: int, group: str) -> Hit:
    return Hit(at, f"kill -9 of {group}", group, f"{group}-a")


def test_a_group_has_recovered_when_it_has_worked_in_every_partition() -> None:
    assert recoveries([hit(250, "errand")], SIGNS) == [Recovery(hit(250, "errand"), 650)]


def test_the_broker_has_recovered_when_every_group_has() -> None:
    assert recoveries([hit(250, BROKER)], SIGNS) == [Recovery(hit(250, BROKER), 1_750)]


def test_of_a_group_with_nothing_more_to_do_nothing_is_said() -> None:
    assert recoveries([hit(800, "errand")], SIGNS) == []


def test_events_are_signs_of_their_step_and_states_of_the_tracker() -> None:
    records = [
        record("errand.fetched", 20, ce_step=b"fetch", ce_source=b"/services/errand"),
        record("errand.fetched", 10, ce_step=b"fetch", ce_source=b"/services/errand"),
        record("errand.carried", 30, ce_step=b"carry", ce_source=b"/tracker"),
        record(SAGA_STATE, 40),
    ]
    assert signs(records, 2) == {"errand": [[], [10, 20]], "tracker": [[], [40]]}


def test_the_table_says_how_long_the_longest_recovery_took() -> None:
    figures = Figures(recoveries=[Recovery(hit(0, "errand"), 6_500), Recovery(hit(0, "tracker"), 12_340)])
    assert any("12.3 s, after kill -9 of tracker (tracker-a)" in line for line in figures.lines())


def record(topic: str, at: int, **headers: bytes) -> Record:
    return Record(topic, 1, 0, at, None, None, list(headers.items()))
