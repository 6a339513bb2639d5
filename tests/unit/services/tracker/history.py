"""Histories of sagas, told as facts: what happened, in the order it happened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from schemas.envelope import Envelope
from schemas.ids import event_id, report_id, start_id
from services.tracker.core.decisions import Decision
from services.tracker.core.facts import EventFact, Fact, ReportFact
from services.tracker.core.fold import fold
from services.tracker.core.state import SagaState
from topology.model import Saga
from topology.topics import SAGA_STEPS

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

    def emitted(self, step: str, kind: str, cause: str, at: int) -> str:
        """A step's outcome."""
        return self._event(event_id(cause, step, kind, 0, 0), kind, cause, step, at)

    def failed(self, step: str, cause: str, at: int, reason: str = "broken", *, retryable: bool = False) -> None:
        """A delivery failed."""
        self._report("step.failed", step, cause, at, reason, retryable=retryable)

    def skipped(self, step: str, cause: str, at: int) -> None:
        """A start came again."""
        self._report("step.skipped", step, cause, at, "this saga was started before", retryable=False)

    def state(self) -> SagaState:
        """The view after all of it."""
        return folded(self.facts, self.definition)[0]

    def _report(self, kind: str, step: str, cause: str, at: int, reason: str, *, retryable: bool) -> None:
        offset = self._offset(SAGA_STEPS)
        identity = report_id("t", 0, offset, kind)
        self.facts.append(ReportFact(self._envelope(identity, kind, cause, step), 0, offset, at, reason, retryable))

    def _event(self, identity: str, kind: str, cause: str | None, step: str | None, at: int) -> str:
        self.facts.append(EventFact(self._envelope(identity, kind, cause, step), 0, self._offset(kind), at))
        return identity

    def _envelope(self, identity: str, kind: str, cause: str | None, step: str | None) -> Envelope:
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
        )

    def _offset(self, topic: str) -> int:
        self.offsets[topic] = self.offsets.get(topic, -1) + 1
        return self.offsets[topic]


def folded(facts: Iterable[Fact], definition: Saga) -> tuple[SagaState, list[Decision]]:
    """The state after these facts, and everything decided on the way."""
    state: SagaState | None = None
    decided: list[Decision] = []
    for fact in facts:
        state, decisions = fold(state, fact, definition)
        decided += decisions
    assert state is not None
    return state, decided


def topic_of(fact: Fact) -> str:
    """The topic that a fact was read from."""
    return fact.envelope.type if isinstance(fact, EventFact) else SAGA_STEPS


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
