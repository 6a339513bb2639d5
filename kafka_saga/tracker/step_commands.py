"""Decisions that go to a step: run again, undo, or the outcome that a person gives. As records. Pure."""

from __future__ import annotations

from kafka_saga.broker.records import Outgoing
from kafka_saga.tracker.core.decisions import Compensate, Emit, Execute
from kafka_saga.tracker.core.state import EventRef, SagaState, Sent
from kafka_saga.wire.envelope import JSON, Envelope, rfc3339, to_headers
from kafka_saga.wire.ids import child_of, event_id, trace_parent
from kafka_saga.wire.step_commands import (
    COMMAND,
    COMPENSATE,
    CONTROL_REVISION,
    EXECUTE,
    REFERENCE,
    RecordReference,
    reference_text,
)

SOURCE = "/tracker"

GIVEN = "given"
"""The command that the outcome of a skipped step names: it ends no delivery."""


def work_of(state: SagaState, decision: Execute | Compensate, revision: int, now: int) -> Outgoing:
    """A command on `<step>.work`, issued under a revision of `saga.control`."""
    match decision:
        case Execute(sent, trigger):
            return _work(state, sent, EXECUTE, trigger, revision, now)
        case Compensate(sent, outcome):
            return _work(state, sent, COMPENSATE, outcome, revision, now)


def given_outcome(state: SagaState, decision: Emit, now: int) -> Outgoing:
    """The event that a skipped step is to have ended with."""
    trigger = decision.trigger
    identity = event_id(trigger.id, decision.step, decision.type, 0, decision.epoch)
    envelope = Envelope(
        id=identity,
        type=decision.type,
        source=SOURCE,
        time=rfc3339(now),
        subject=state.saga_id,
        definition=state.definition,
        version=state.version,
        causation_id=trigger.id,
        step=decision.step,
        epoch=decision.epoch,
        traceparent=_trace(state, identity),
        content_type=JSON,
    )
    headers = [*to_headers(envelope), (COMMAND, GIVEN.encode())]
    return Outgoing(decision.type, state.partition, state.key.encode(), decision.content.encode(), headers)


def _work(state: SagaState, sent: Sent, kind: str, about: EventRef, revision: int, now: int) -> Outgoing:
    envelope = Envelope(
        id=sent.id,
        type=kind,
        source=SOURCE,
        time=rfc3339(now),
        subject=state.saga_id,
        definition=state.definition,
        version=state.version,
        causation_id=about.id,
        step=sent.step,
        attempt=sent.attempt,
        epoch=sent.epoch,
        traceparent=_trace(state, sent.id),
    )
    where = reference_text(RecordReference(about.type, state.partition, about.offset))
    headers = [
        *to_headers(envelope),
        (REFERENCE, where.encode()),
        (CONTROL_REVISION, b"%d" % revision),
    ]
    return Outgoing(f"{sent.step}.work", state.partition, state.key.encode(), None, headers)


def _trace(state: SagaState, identity: str) -> str:
    return child_of(state.traceparent or trace_parent(state.saga_id, identity), identity)
