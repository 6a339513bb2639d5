"""Histories of sagas, told as facts: what happened, in the order it happened, and what the tracker made of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from kafka_saga.definition.model import Saga
from kafka_saga.definition.topics import SAGA_COMMANDS, SAGA_STEPS
from kafka_saga.events.commands import Act, SagaCommand
from kafka_saga.tracker.core.decisions import Compensate, Decision, Execute
from kafka_saga.tracker.core.facts import CommandFact, EventFact, Fact, ProgressFact, ReportFact, SupersederFact
from kafka_saga.tracker.core.fold import fold
from kafka_saga.tracker.core.pauses import NOTHING_WIDE, Wide
from kafka_saga.tracker.core.plan import saga_plan
from kafka_saga.tracker.core.rulings import due
from kafka_saga.tracker.core.state import SagaState, Sent
from kafka_saga.wire.envelope import Envelope
from kafka_saga.wire.ids import event_id, report_id, start_id

SAGA_ID = "acme/shop#7@3f2a9c1b04de"


@dataclass
class History:
    """Facts of one saga of a definition; `at` counts milliseconds of log time."""

    definition: Saga
    facts: list[Fact] = field(default_factory=list)
    offsets: dict[str, int] = field(default_factory=dict)

    def started(self, at: int = 0) -> str:
        """The first event."""
        kind = self.definition.starts_on.event_type
        return self._event(start_id(SAGA_ID, kind), kind, None, None, at)

    def emitted(self, step: str, kind: str, cause: str, at: int, by: Sent | None = None, epoch: int = 0) -> str:
        """A step's outcome, of the trigger's delivery or `by` a command."""
        return self._event(event_id(cause, step, kind, 0, by.epoch if by else epoch), kind, cause, step, at, by, epoch)

    def compensated(self, by: Sent, at: int) -> str:
        """A step's outcome is undone."""
        kind = f"{by.step}.compensated"
        return self._event(event_id(by.about, by.step, kind, 0, by.epoch), kind, by.about, by.step, at, by)

    def failed(
        self, step: str, cause: str, at: int, reason: str = "broken", *, retryable: bool = False,
        by: Sent | None = None, retry_after: int = 0, code: str = "",
    ) -> None:  # fmt: skip
        """A delivery failed."""
        self._report("step.failed", step, cause, at, reason, retryable=retryable, by=by, after=retry_after, code=code)

    def parked(self, step: str, cause: str, at: int, by: Sent | None = None) -> None:
        """A delivery was not worked on, since its saga is paused."""
        self._report("step.parked", step, cause, at, "paused", retryable=False, by=by)

    def skipped(self, step: str, cause: str, at: int, code: str = "duplicate_start", by: Sent | None = None) -> None:
        """A start came again; or its saga is cancelled."""
        reason = "this saga was started before" if code == "duplicate_start" else "the saga is cancelled"
        self._report("step.skipped", step, cause, at, reason, retryable=False, by=by, code=code)

    def progressed(self, step: str, cause: str, at: int, done: int | None = None, total: int | None = None) -> None:
        """A handler tells how far it is."""
        offset = self._offset(SAGA_STEPS)
        identity = report_id("t", 0, offset, step, "step.progress")
        envelope = self._envelope(identity, "step.progress", cause, step)
        self.facts.append(ProgressFact(envelope, 0, offset, at, at, done, total))

    def asked(
        self, act: Act, at: int, *, step: str | None = None, outcome: str | None = None, reason: str = "",
        command_id: str | None = None,
    ) -> None:  # fmt: skip
        """A person's command."""
        command = SagaCommand(
            command=act, scope=f"saga:{SAGA_ID}", author="ann", reason=reason, step=step, outcome=outcome,
            content="{}" if outcome else None,
        )  # fmt: skip
        offset = self._offset(SAGA_COMMANDS)
        self.facts.append(CommandFact(command_id or f"command-{offset}", SAGA_ID, 0, offset, at, command))

    def rivalled(self, at: int, rival: str = "acme/shop#7@ffffffffffff") -> None:
        """A saga of the same key has started later."""
        self.facts.append(SupersederFact(SAGA_ID, 0, 99, at, rival))

    def state(self) -> SagaState:
        """The view after all of it."""
        return folded(self.facts, self.definition)[0]

    def _report(
        self, kind: str, step: str, cause: str, at: int, reason: str, *, retryable: bool, by: Sent | None = None,
        after: int = 0, code: str = "",
    ) -> None:  # fmt: skip
        offset = self._offset(SAGA_STEPS)
        envelope = self._envelope(report_id("t", 0, offset, step, kind), kind, cause, step, by)
        command = by.id if by else None
        self.facts.append(ReportFact(envelope, 0, offset, at, reason, retryable, after, code, command))

    def _event(
        self, identity: str, kind: str, cause: str | None, step: str | None, at: int, by: Sent | None = None,
        epoch: int = 0,
    ) -> str:  # fmt: skip
        envelope = self._envelope(identity, kind, cause, step, by, epoch)
        self.facts.append(EventFact(envelope, 0, self._offset(kind), at, by.id if by else None))
        return identity

    def _envelope(
        self, identity: str, kind: str, cause: str | None, step: str | None, by: Sent | None = None, epoch: int = 0
    ) -> Envelope:
        return Envelope(
            id=identity,
            type=kind,
            source="/test",
            time="2026-01-01T00:00:00.000Z",
            subject=SAGA_ID,
            definition=self.definition.name,
            version=self.definition.version,
            causation_id=cause,
            step=step,
            attempt=by.attempt if by else 1,
            epoch=by.epoch if by else epoch,
        )

    def _offset(self, topic: str) -> int:
        self.offsets[topic] = self.offsets.get(topic, -1) + 1
        return self.offsets[topic]


class Story(History):
    """A history that the tracker follows: it folds what has happened, and rules when time is said to have come."""

    def __init__(self, definition: Saga) -> None:
        super().__init__(definition)
        self.decided: list[Decision] = []
        self.wide: Wide = NOTHING_WIDE
        self.now: SagaState | None = None
        self._folded = 0

    def ruled(self, until: int) -> list[Decision]:
        """What the tracker decides when everything before `until` is known."""
        state = self.state()
        found: list[Decision] = []
        while True:
            ruled = due(state, until, saga_plan(self.definition), self.wide)
            found += ruled.decisions
            self.now = ruled.state
            if ruled.state is None or ruled.state is state:
                break
            state = ruled.state
            until += 1  # what a ruling brings about is itself ruled after reading on
        self.decided += found
        return found

    def state(self) -> SagaState:
        """The view after all of it."""
        for fact in self.facts[self._folded :]:
            self.now, decisions = fold(self.now, fact, saga_plan(self.definition))
            self.decided += decisions
        self._folded = len(self.facts)
        assert self.now is not None
        return self.now


def executed(decisions: Iterable[Decision]) -> list[tuple[str, int]]:
    """The steps that are to run again, with their attempts."""
    return [(one.sent.step, one.sent.attempt) for one in decisions if isinstance(one, Execute)]


def sent(decisions: Iterable[Decision]) -> Sent:
    """The one command to a step among these decisions."""
    (found,) = [one.sent for one in decisions if isinstance(one, Execute | Compensate)]
    return found


def undone(decisions: Iterable[Decision]) -> list[str]:
    """The steps that are to be compensated."""
    return [one.sent.step for one in decisions if isinstance(one, Compensate)]


def folded(facts: Iterable[Fact], definition: Saga) -> tuple[SagaState, list[Decision]]:
    """The state after these facts, and everything decided on the way."""
    state: SagaState | None = None
    decided: list[Decision] = []
    for fact in facts:
        state, decisions = fold(state, fact, saga_plan(definition))
        decided += decisions
    assert state is not None
    return state, decided


def topic_of(fact: Fact) -> str:
    """The topic that a fact was read from."""
    match fact:
        case EventFact():
            return fact.envelope.type
        case CommandFact():
            return SAGA_COMMANDS
        case SupersederFact():
            return "a rival's start"
        case _:
            return SAGA_STEPS


def interleaved(facts: Sequence[Fact], choices: Sequence[int]) -> list[Fact]:
    """The facts in another order that keeps each topic's own, as `choices` decide."""
    by_topic: dict[str, list[Fact]] = {}
    for fact in facts:
        by_topic.setdefault(topic_of(fact), []).append(fact)
    queues = [queue for _, queue in sorted(by_topic.items())]
    order: list[Fact] = []
    for choice in choices:
        waiting = [queue for queue in queues if queue]
        if waiting:
            order.append(waiting[choice % len(waiting)].pop(0))
    return order + [fact for queue in queues for fact in queue]
