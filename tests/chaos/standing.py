"""How all sagas stand, by the tracker's last word on each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from kafka_saga.broker.records import Record
from kafka_saga.definition.topics import SAGA_STATE, SAGA_STEPS
from kafka_saga.tracker.core.state import SagaState, SagaStatus, decode

TICK = b"saga.tick"
PAUSED, INCIDENT = "left paused", "left with an incident"


class Standing:
    """Hears of records, knows how every saga stands, and when anything last happened (seconds, whose clock it is)."""

    def __init__(self) -> None:
        self._how: dict[str, str] = {}
        self._unsettled: dict[str, str] = {}
        self.heard_at = 0.0

    def hear(self, records: Iterable[Record], now: float) -> None:
        """Records have been read; within a partition in their order."""
        for record in records:
            if record.topic == SAGA_STEPS and dict(record.headers).get("ce_type") == TICK:
                continue
            self.heard_at = now
            if record.topic == SAGA_STATE:
                self._hear_state((record.key or b"").decode(), record.value)

    def unsettled(self, begun: Collection[str]) -> dict[str, str]:
        """The sagas that neither have ended nor wait for a person, with how they stand."""
        unheard = {saga: "not known to the tracker" for saga in begun if saga not in self._how}
        return {**self._unsettled, **unheard}

    def counts(self) -> Counter[str]:
        """How many sagas stand how."""
        return Counter(self._how.values())

    def _hear_state(self, saga: str, value: bytes | None) -> None:
        if value is not None:
            self._take(decode(value))
        elif self._how.get(saga) == SagaStatus.UNKNOWN:  # it was asked for, but has never begun: the tracker forgets it
            del self._how[saga]
            self._unsettled.pop(saga, None)

    def _take(self, state: SagaState) -> None:
        saga, how = state.saga_id, _how(state)
        self._how[saga] = how or state.status.value
        if how is None:
            steps = ", ".join(f"{step.name} {step.status}" for step in state.steps)
            self._unsettled[saga] = f"{state.status}: {steps}"
        else:
            self._unsettled.pop(saga, None)


def _how(state: SagaState) -> str | None:
    """How a saga has ended, or for whom it waits; none if it is on its way."""
    if state.status.is_final:
        return state.status.value
    if state.incidents:
        return INCIDENT
    return PAUSED if state.status is SagaStatus.PAUSED else None
