"""States of sagas, and what is asked of them."""

from __future__ import annotations

from typing import Any

from kafka_saga.tracker.core.state import ReportRef, Run, SagaState, SagaStatus, Sent, StepState, StepStatus, encode
from kafka_saga.views.stored_sagas import Arrival

BEGAN = 1_790_000_000_000
MINUTE = 60_000
HOUR = 60 * MINUTE


def saga(saga_id: str, revision: int = 1, **fields: Any) -> SagaState:
    known: dict[str, Any] = {"status": SagaStatus.RUNNING, "started_at": BEGAN, "updated_at": BEGAN + revision}
    known |= {"definition": "chain", "version": 1, "partition": 0, **fields}
    return SagaState(saga_id, revision=revision, **known)


def ended(saga_id: str, at: int, revision: int = 9, **fields: Any) -> SagaState:
    return saga(saga_id, revision, **{"status": SagaStatus.COMPLETED, "ended_at": at, "updated_at": at, **fields})


def arrives(state: SagaState, offset: int = 0, at: int = BEGAN) -> Arrival:
    return Arrival(state.saga_id, encode(state), offset, at)


def leaves(saga_id: str, offset: int = 0, at: int = BEGAN) -> Arrival:
    return Arrival(saga_id, None, offset, at)


def step(name: str, *runs: Run) -> StepState:
    return StepState(name, runs=runs)


def began(at: int) -> Run:
    return Run(f"r{at}", at, live=True)


def did(at: int, took: int) -> Run:
    return Run(f"r{at}", at, StepStatus.DONE, outcome="x.done", ended_at=at + took)


def failed(name: str, at: int) -> ReportRef:
    return ReportRef(f"f{at}", name, "r", "step.failed", "no", 0, at)


def retried(name: str, at: int, *, undoes: bool = False) -> Sent:
    return Sent(f"s{at}", name, "r", at, attempt=2, undoes=undoes)
