"""Decisions as records: typed events on `saga.lifecycle`, with deterministic ids."""

from __future__ import annotations

from schemas.codec import Codec
from schemas.envelope import Envelope, rfc3339, to_headers
from schemas.event import Event
from schemas.events.lifecycle import LIFECYCLE, SagaCancelled, SagaCompleted, SagaFailed, SagaStarted
from schemas.ids import child_of, event_id, trace_parent
from services.chassis.records import Outgoing
from services.tracker.core.decisions import Cancelled, Completed, Decision, Failed, Started
from services.tracker.core.state import SagaState
from topology.topics import SAGA_LIFECYCLE

SOURCE = "/tracker"

_codec = Codec(LIFECYCLE)


def record(state: SagaState, decision: Decision, now: int) -> Outgoing:
    """The lifecycle record of a decision, in the saga's own partition."""
    event = lifecycle_event(state, decision)
    identity = event_id(state.saga_id, "", event.event_type, 0, 0)
    envelope = Envelope(
        id=identity,
        type=event.event_type,
        source=SOURCE,
        time=rfc3339(now),
        subject=state.saga_id,
        definition=state.definition,
        version=state.version,
        traceparent=child_of(state.traceparent or trace_parent(state.saga_id, identity), identity),
    )
    headers = to_headers(envelope)
    headers.append(("ce_revision", b"%d" % state.revision))
    return Outgoing(SAGA_LIFECYCLE, state.partition, state.key.encode(), _codec.encode(event), headers)


def lifecycle_event(state: SagaState, decision: Decision) -> Event:
    """A decision as its event."""
    who = {"saga_id": state.saga_id, "key": state.key, "definition": state.definition, "version": state.version}
    took = decision.at - (state.started_at or decision.at)
    match decision:
        case Started(at):
            return SagaStarted(**who, at=at)
        case Completed(at, end):
            return SagaCompleted(**who, at=at, end=end, duration_ms=took)
        case Cancelled(at, end):
            return SagaCancelled(**who, at=at, end=end, duration_ms=took)
        case Failed(at, why, step, end):
            return SagaFailed(**who, at=at, reason=why, step=step, end=end, duration_ms=took)
