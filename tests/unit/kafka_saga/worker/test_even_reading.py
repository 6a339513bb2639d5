from __future__ import annotations

from kafka_saga.broker.records import TopicPartition
from kafka_saga.worker.even_reading import MOST_AHEAD, EvenReading, ahead


def test_inputs_that_are_about_as_far_go_on() -> None:
    assert ahead({"a": 0, "b": MOST_AHEAD}) == frozenset()
    assert ahead({}) == frozenset()


def test_an_input_that_is_far_ahead_waits_for_the_slowest() -> None:
    assert ahead({"a": 0, "b": MOST_AHEAD + 1, "c": 5}) == {"b"}


def test_an_input_at_its_end_holds_nobody_up_and_one_of_which_nothing_is_known_does() -> None:
    evenness = EvenReading()
    evenness.note({("late", 1): 10**12})
    assert evenness.ahead(1, ("late", "quiet"), {TopicPartition("quiet", 1)}) == frozenset()
    assert evenness.ahead(1, ("late", "quiet"), ()) == {"late"}
