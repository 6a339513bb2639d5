"""What a task makes without a record that asks for it: written once, and only by the task's owner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kafka_saga.broker.records import Committed, Outgoing, TopicPartition
from kafka_saga.definition.topics import SAGA_LIFECYCLE, state_topic
from kafka_saga.engine.processor import Roles, Stores
from kafka_saga.engine.state_store import Change
from kafka_saga.engine.work import Write
from kafka_saga.steps.step_processor import StepProcessor
from kafka_saga.worker.service import Service
from kafka_saga.worker.worker import Worker
from tests.support.driver import places
from tests.support.example import PARTITIONS, Example, key_in
from tests.support.members import read_all
from tests.support.rig import Rig


class Chiming(StepProcessor):
    """A step that writes what its bell is rung for, and remembers it in its state."""

    bell: list[Write]
    began: list[int]
    times_gone: int
    given_up: list[Write]

    @property
    def roles(self) -> Roles:
        return Roles(self, handlers=self, punctuator=self)

    def due_at(self, number: int) -> int | None:
        return None

    def reach(self, number: int, until: int, read: Mapping[str, int]) -> None:
        raise AssertionError("it waits for no time")

    def dropped(self, made: Write) -> None:
        self.given_up.append(made)

    def restored(self, number: int, stores: Stores, now: int) -> None:
        self.began.append(number)

    def gone(self) -> None:
        self.times_gone += 1

    def punctuate(self, number: int, stores: Stores, now: int) -> Sequence[Write]:
        rung = [made for made in self.bell if made.number == number]
        self.bell = [made for made in self.bell if made.number != number]
        return rung

    def ring(self, number: int, value: bytes) -> None:
        """Have this written in the task's next turn."""
        written = Outgoing(SAGA_LIFECYCLE, number, self.service.encode(), value, [])
        self.bell.append(Write(number, [written], (Change(state_topic(self.service), b"last", value),)))


def chiming(rig: Rig, service: Service) -> tuple[Worker, Chiming]:
    logic = Chiming(service.name, rig.saga, service.jobs, PARTITIONS, is_stateful=True)
    logic.bell, logic.began, logic.given_up, logic.times_gone = [], [], [], 0
    worker = rig.worker(service, roles=logic.roles)
    return worker, logic


def finishing(case: Example, rig: Rig) -> Service:
    return rig.service({"finish": lambda e, _: case.finished(key=e.key, number=e.number)}, stateful=True)


def written(rig: Rig, service: Service) -> list[bytes | None]:
    found = read_all(rig.driver, SAGA_LIFECYCLE, PARTITIONS)
    return [record.value for record in found if record.key == service.name.encode()]


def committed(rig: Rig, service: Service, topic: str) -> dict[int, Committed]:
    found = rig.driver.committed(service.name, places(topic, PARTITIONS))
    return {at.partition: position for at, position in found.items()}


def test_what_is_made_for_a_task_of_which_nothing_was_delivered_is_fenced_by_its_beginning(
    rig: Rig, case: Example
) -> None:
    service = finishing(case, rig)
    worker, logic = chiming(rig, service)
    rig.ready(worker)
    assert sorted(logic.began) == list(range(PARTITIONS))
    logic.ring(1, b"first")
    rig.eventually(lambda: written(rig, service) == [b"first"])

    # On a real Kafka other tests have written to the work topic, so that the task may have a position there.
    beside = committed(rig, service, case.saga.steps_by_name["finish"].work_topic)
    assert beside or committed(rig, service, case.worked.event_type) == {1: Committed(0, "1|r|0|")}
    rig.send([case.work_done(key_in(1), 1)])
    outcomes = rig.of(case.finished.event_type)
    rig.eventually(lambda: len(outcomes.records()) == 1)


def test_what_is_made_sends_the_offsets_of_its_task_unchanged(rig: Rig, case: Example) -> None:
    service = finishing(case, rig)
    worker, logic = chiming(rig, service)
    rig.send([case.work_done(key_in(2), 1)])
    outcomes = rig.of(case.finished.event_type)
    rig.eventually(lambda: len(outcomes.records()) == 1 and worker.runner.is_idle)
    before = committed(rig, service, case.worked.event_type)
    logic.ring(2, b"later")
    rig.eventually(lambda: written(rig, service) == [b"later"])

    assert committed(rig, service, case.worked.event_type) == before


def test_what_a_worker_makes_that_stood_still_too_long_is_not_written(rig: Rig, case: Example) -> None:
    service = finishing(case, rig)
    stalled, old = chiming(rig, service)
    rig.ready(stalled)
    other, new = chiming(rig, service)
    rig.ready(stalled, other)
    number = stalled.runner.working_on()[0]
    rig.workers.remove(stalled)
    rig.eventually(lambda: len(other.runner.working_on()) == PARTITIONS)
    old.ring(number, b"of the one before")
    stalled.runner.make(0)
    stalled._commit()  # it goes on where it stood still: between its poll and its commit
    new.ring(number, b"of the owner")
    rig.eventually(lambda: written(rig, service) == [b"of the owner"])
    rig.workers.append(stalled)
    rig.ready(stalled, other)
    rig.settle()

    assert written(rig, service) == [b"of the owner"]
    assert old.times_gone > 0


def test_what_is_made_and_cannot_be_written_is_given_up_and_nothing_else(rig: Rig, case: Example) -> None:
    service = finishing(case, rig)
    worker, logic = chiming(rig, service)
    rig.ready(worker)
    logic.ring(0, "".join(f"{number * number:x}" for number in range(400_000)).encode())  # hard to compress
    rig.send([case.work_done(key_in(0), 1)])
    outcomes = rig.of(case.finished.event_type)
    rig.eventually(lambda: len(outcomes.records()) == 1)
    logic.ring(0, b"small")
    rig.eventually(lambda: written(rig, service) == [b"small"])
    assert [made.number for made in logic.given_up] == [0]
    rig.eventually(lambda: worker.runner.is_idle)


def test_a_worker_knows_how_far_it_has_taken_in_each_topic(rig: Rig, case: Example) -> None:
    """Markers are passed over: a position can be held against the end of the topic."""
    service = finishing(case, rig)
    worker, _ = chiming(rig, service)
    rig.send([case.work_done(key_in(3), number) for number in range(5)])
    at = TopicPartition(case.worked.event_type, 3)
    end = rig.driver.cluster.admin().end_offsets
    rig.eventually(lambda: worker.taken_in(3).get(at.topic) == end([at])[at] == 6)
