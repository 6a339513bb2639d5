"""Keyed state: a service's own bytes per business key, committed with its outcomes and found again elsewhere."""

from __future__ import annotations

from kafka_saga.broker.records import Outgoing
from kafka_saga.engine.context import Context
from kafka_saga.errors import RetryableError
from kafka_saga.wire.codec import Codec
from kafka_saga.worker.service import Handler
from tests.support.example import PARTITIONS, Example, Fact, key_in
from tests.support.rig import Rig

KEYS = [key_in(partition, number) for partition in range(PARTITIONS) for number in range(5)]


def counting(case: Example) -> Handler:
    """Numbers the events of a key: the outcome's number is how many have come."""

    def finish(event: Fact, context: Context) -> Fact:
        count = int(context.state.get() or b"0") + 1
        context.state.set(b"%d" % count)
        if event.text == "fails":
            raise RetryableError("after it has set its state")
        if event.text == "forgets":
            context.state.set(None)
        return case.finished(key=event.key, number=count)

    return finish


def rounds(case: Example, numbers: range) -> list[Outgoing]:
    return [case.work_done(key, number) for number in numbers for key in KEYS]


def counts(rig: Rig, case: Example) -> dict[str, list[int]]:
    """The numbers that the outcomes of each key carry, in their order."""
    codec = Codec([case.finished])
    found: dict[str, list[int]] = {key: [] for key in KEYS}
    for record in rig.of(case.finished.event_type).records():
        event = codec.decode(case.finished.event_type, record.value)
        assert isinstance(event, Fact)
        found[event.key].append(event.number)
    return found


def test_state_follows_its_partition_to_another_worker(rig: Rig, case: Example) -> None:
    service = rig.service({"finish": counting(case)}, stateful=True)
    first = rig.worker(service)
    rig.send(rounds(case, range(3)))
    outcomes = rig.of(case.finished.event_type)
    rig.eventually(lambda: len(outcomes.records()) >= len(KEYS) * 3)
    second = rig.worker(service)
    rig.ready(first, second)
    rig.send(rounds(case, range(3, 5)))
    rig.eventually(lambda: len(outcomes.records()) >= len(KEYS) * 5)
    rig.stop(first)
    rig.send(rounds(case, range(5, 6)))
    rig.eventually(lambda: len(outcomes.records()) >= len(KEYS) * 6)
    assert counts(rig, case) == {key: list(range(1, 7)) for key in KEYS}


def test_state_is_found_again_after_a_crash(rig: Rig, case: Example) -> None:
    service = rig.service({"finish": counting(case)}, stateful=True)
    first = rig.worker(service)
    rig.send(rounds(case, range(20)))
    outcomes = rig.of(case.finished.event_type)
    rig.eventually(lambda: len(outcomes.records()) >= len(KEYS) * 20)
    rig.crash(first)
    rig.worker(service)
    rig.send(rounds(case, range(20, 22)))
    rig.eventually(lambda: len(outcomes.records()) >= len(KEYS) * 22)
    assert counts(rig, case) == {key: list(range(1, 23)) for key in KEYS}


def test_state_that_a_failed_handler_set_is_dropped_and_forgotten_state_is_gone(rig: Rig, case: Example) -> None:
    service = rig.service({"finish": counting(case)}, stateful=True)
    first = rig.worker(service)
    key = KEYS[0]
    rig.send([case.work_done(key, n, text) for n, text in enumerate(("", "fails", "", "forgets", ""))])
    outcomes = rig.of(case.finished.event_type)
    rig.eventually(lambda: len(outcomes.records()) >= 4)
    assert counts(rig, case)[key] == [1, 2, 3, 1]
    rig.stop(first)
    rig.worker(service)
    rig.send([case.work_done(key, 5), case.work_done(key, 6, "forgets")])
    rig.eventually(lambda: len(outcomes.records()) >= 6)
    assert counts(rig, case)[key] == [1, 2, 3, 1, 2, 3]
