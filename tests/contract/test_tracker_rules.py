"""The tracker on a log: what it decides, it decides after reading on, and a step hears of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kafka_saga.broker.partitioner import partition_of
from kafka_saga.broker.records import Outgoing
from kafka_saga.definition.durations import seconds
from kafka_saga.definition.model import OnFailure, Retry, Saga
from kafka_saga.definition.topics import SAGA_COMMANDS, SAGA_STATE
from kafka_saga.engine.context import Context
from kafka_saga.errors import RetryableError, TerminalError
from kafka_saga.events.commands import Act, SagaCommand
from kafka_saga.tracker.core.state import SagaState, SagaStatus, StepStatus, decode
from kafka_saga.tracker.processor import TrackerProcessor
from kafka_saga.wire.codec import Codec
from kafka_saga.wire.ids import key_of
from kafka_saga.worker.worker import Worker
from tests.support.driver import unique
from tests.support.example import PARTITIONS, Example, Fact
from tests.support.rig import Rig

SOON = Retry(attempts=3, first=seconds(0.2), max_delay=seconds(1))


def deciding(saga: Saga) -> Saga:
    """The example's saga with short waits, whose first step can be undone."""
    work, finish = saga.steps
    return replace(
        saga,
        steps=(replace(work, compensates=True, retry=SOON, compensation_retry=SOON), replace(finish, retry=SOON)),
        on_failure=OnFailure.COMPENSATE,
    )


class Tracked:
    """A saga's services and tracker, and what the tracker's table says."""

    def __init__(self, rig: Rig, case: Example) -> None:
        self.rig, self.case = rig, case
        # Of this service only the name is used: that of the trackers' group.
        self._group = rig.service({"finish": finishing(case)})
        self._states = rig.of(SAGA_STATE)

    def run(self, work: Callable[..., object], undo: Callable[..., object], finish: Callable[..., object]) -> None:
        """A service for each step."""
        self.rig.worker(self.rig.service({"work": work}, compensations={"work": undo}))
        self.rig.worker(self.rig.service({"finish": finish}))

    def tracker(self) -> Worker:
        """One more tracker."""
        return self.rig.worker(self._group, roles=TrackerProcessor([self.rig.saga], PARTITIONS).roles)

    def state(self, saga_id: str) -> SagaState | None:
        """The last state of a saga."""
        mine = [one for one in self._states.records() if one.key == saga_id.encode() and one.value]
        return decode(max(mine, key=lambda one: one.offset).value or b"") if mine else None

    def until(self, saga_id: str, status: SagaStatus) -> SagaState:
        """Take turns until the saga stands so."""
        found: list[SagaState] = []

        def stands() -> bool:
            state = self.state(saga_id)
            found[:] = [state] if state is not None else []
            return state is not None and state.status is status

        self.rig.eventually(stands)
        return found[0]

    def ask(self, act: Act, saga_id: str) -> None:
        """A person's command."""
        command = SagaCommand(command=act, scope=f"saga:{saga_id}", author="ann", reason="to see")
        key = key_of(saga_id).encode()
        value = Codec((SagaCommand,)).encode(command)
        headers = [("ce_id", unique("command").encode())]
        self.rig.send([Outgoing(SAGA_COMMANDS, partition_of(key, PARTITIONS), key, value, headers)])


def undone(event: Fact, _: Context) -> str:
    return f"took {event.number} back"


def working(case: Example) -> Callable[[Fact, Context], Fact]:
    return lambda event, _: case.worked(key=event.key, number=event.number)


def finishing(case: Example) -> Callable[[Fact, Context], Fact]:
    return lambda event, _: case.finished(key=event.key, number=event.number)


def test_a_failed_attempt_is_followed_by_another_and_the_saga_completes(
    rig_of: Callable[[Saga], Rig], case: Example
) -> None:
    tracked, key = Tracked(rig_of(deciding(case.saga)), case), unique("acme")
    seen: list[int] = []

    def finish(event: Fact, context: Context) -> Fact:
        seen.append(context.attempt)
        if context.attempt < 3:
            raise RetryableError("429")
        return case.finished(key=event.key, number=event.number)

    tracked.run(working(case), undone, finish)
    tracked.tracker()
    tracked.rig.send([case.start(key, 1)])
    state = tracked.until(f"{key}@1", SagaStatus.COMPLETED)
    assert (seen, state.step("finish").attempt) == ([1, 2, 3], 3)


def test_a_step_that_fails_for_good_has_those_before_it_undone(rig_of: Callable[[Saga], Rig], case: Example) -> None:
    tracked, key = Tracked(rig_of(deciding(case.saga)), case), unique("acme")
    undoing: list[tuple[int, bool]] = []

    def undo(event: Fact, context: Context) -> None:
        undoing.append((event.number, context.compensating))

    def finish(event: Fact, context: Context) -> Fact:
        raise TerminalError("never")

    tracked.run(working(case), undo, finish)
    tracked.tracker()
    tracked.rig.send([case.start(key, 1)])
    state = tracked.until(f"{key}@1", SagaStatus.FAILED)
    assert state.step("work").status is StepStatus.COMPENSATED
    assert undoing == [(1, True)]
    assert len(tracked.rig.of("work.compensated").subjects()) >= 1


def test_a_tracker_takes_over_what_another_has_begun(rig_of: Callable[[Saga], Rig], case: Example) -> None:
    tracked, key = Tracked(rig_of(deciding(case.saga)), case), unique("acme")
    failing = [True]

    def finish(event: Fact, context: Context) -> Fact:
        if failing[0]:
            raise RetryableError("down")
        return case.finished(key=event.key, number=event.number)

    tracked.run(working(case), undone, finish)
    first, second = tracked.tracker(), tracked.tracker()
    tracked.rig.ready(first, second)
    tracked.rig.send([case.start(f"{key}{n}", n) for n in range(12)])
    tracked.rig.eventually(lambda: all(tracked.state(f"{key}{n}@{n}") is not None for n in range(12)))
    tracked.rig.crash(first)
    failing[0] = False
    for number in range(12):
        tracked.until(f"{key}{number}@{number}", SagaStatus.COMPLETED)


def test_a_paused_saga_parks_and_goes_on_when_it_is_resumed(rig_of: Callable[[Saga], Rig], case: Example) -> None:
    tracked, key = Tracked(rig_of(deciding(case.saga)), case), unique("acme")
    tracker = tracked.tracker()
    tracked.rig.ready(tracker)
    tracked.rig.send([case.start(key, 1)])
    tracked.until(f"{key}@1", SagaStatus.RUNNING)
    tracked.ask(Act.PAUSE, f"{key}@1")
    tracked.until(f"{key}@1", SagaStatus.PAUSING)
    tracked.run(working(case), undone, finishing(case))
    tracked.until(f"{key}@1", SagaStatus.PAUSED)
    tracked.ask(Act.RESUME, f"{key}@1")
    state = tracked.until(f"{key}@1", SagaStatus.COMPLETED)
    assert [step.attempt for step in state.steps] == [1, 1]
