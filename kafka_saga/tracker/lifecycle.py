"""Notices as records: typed events on `saga.lifecycle`, with deterministic ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from kafka_saga.broker.records import Outgoing
from kafka_saga.definition.topics import SAGA_LIFECYCLE
from kafka_saga.events import lifecycle as events
from kafka_saga.events.event import Event
from kafka_saga.tracker.core import decisions as said
from kafka_saga.tracker.core.state import SagaState
from kafka_saga.wire.codec import Codec
from kafka_saga.wire.envelope import Envelope, rfc3339, to_headers
from kafka_saga.wire.ids import child_of, event_id, trace_parent

SOURCE = "/tracker"

Read = Mapping[str, int]
"""The next offset of each input, when a ruling was made."""

_codec = Codec(events.LIFECYCLE)


class Ground(NamedTuple):
    """What a ruling was made on: the state's revision before, up to when everything was read, and how far."""

    revision: int
    until: int
    read: Read


NO_RULING = Ground(0, 0, {})
"""The ground of what is no ruling."""


def record(state: SagaState, notice: said.Notice, now: int, ground: Ground = NO_RULING, index: int = 0) -> Outgoing:
    """The lifecycle record of a notice, in the saga's own partition; `index` tells those of one revision apart."""
    event = lifecycle_event(state, notice, ground)
    # A saga that was forgotten and begins anew has low revisions again: the time tells both apart.
    identity = event_id(state.saga_id, str(state.updated_at), event.event_type, index, state.revision)
    envelope = Envelope(
        id=identity,
        type=event.event_type,
        source=SOURCE,
        time=rfc3339(now),
        subject=state.saga_id,
        definition=state.definition,
        version=max(1, state.version),
        epoch=state.epoch,
        traceparent=child_of(state.traceparent or trace_parent(state.saga_id, identity), identity),
    )
    headers = to_headers(envelope)
    headers.append(("ce_revision", b"%d" % state.revision))
    return Outgoing(SAGA_LIFECYCLE, state.partition, state.key.encode(), _codec.encode(event), headers)


def lifecycle_event(state: SagaState, notice: said.Notice, ground: Ground) -> Event:
    """A notice as its event."""
    at = notice.incident.at if isinstance(notice, said.Raised) else notice.at
    who: dict[str, Any] = {
        "saga_id": state.saga_id, "key": state.key, "definition": state.definition, "version": state.version, "at": at,
    }  # fmt: skip
    return _ending(who, state, notice) or _ruling(who, notice, ground) or _told(who, notice)


def _ending(who: Mapping[str, Any], state: SagaState, notice: said.Notice) -> Event | None:
    """How a saga begins and ends."""
    match notice:
        case said.Started():
            return events.SagaStarted(**who)
        case said.Completed(at, end):
            return events.SagaCompleted(**who, end=end, duration_ms=_took(state, at))
        case said.Cancelled(at, end, reason):
            return events.SagaCancelled(**who, end=end, duration_ms=_took(state, at), reason=reason)
        case said.Failed(at, why, step, end):
            return events.SagaFailed(**who, reason=why, step=step, end=end, duration_ms=_took(state, at))
        case _:
            return None


def _ruling(who: Mapping[str, Any], notice: said.Notice, ground: Ground) -> Event | None:
    """What depended on something that had not arrived."""
    basis = {**who, "revision": ground.revision, "until": ground.until, "read": dict(ground.read)}
    match notice:
        case said.Ruled():
            return events.SagaRuled(**basis)
        case said.TimedOut(_, step, epoch, deadline):
            return events.DeadlinePassed(**basis, step=step, epoch=epoch, deadline_ms=deadline)
        case said.Undoing(_, goal, reason, epoch, steps):
            return events.SagaUndoing(**basis, goal=goal, reason=reason, epoch=epoch, steps=steps)
        case said.Compensated(_, steps):
            return events.SagaCompensated(**basis, steps=steps)
        case said.Raised(incident):
            return events.IncidentRaised(
                **basis, incident=incident.id, kind=incident.kind, step=incident.step, reason=incident.reason,
                commands=incident.commands,
            )  # fmt: skip
        case _:
            return None


def _told(who: Mapping[str, Any], notice: said.Notice) -> Event:
    match notice:
        case said.RetryScheduled(_, step, attempt, due, reason, undoes):
            return events.RetryScheduled(
                **who, step=step, attempt=attempt, due=due, reason=reason, is_compensation=undoes
            )
        case said.Paused(_, by, reason):
            return events.SagaPaused(**who, by=by, reason=reason)
        case said.Resumed(_, by, reason):
            return events.SagaResumed(**who, by=by, reason=reason)
        case said.Solved(_, incident, how):
            return events.IncidentSolved(**who, incident=incident, how=how)
        case said.Late(_, step, outcome, _, is_compensated):
            return events.LateOutcome(**who, step=step, outcome=outcome, is_compensated=is_compensated)
        case said.Accepted(_, identity, command, author, reason):
            return events.CommandAccepted(**who, command_id=identity, command=command, author=author, reason=reason)
        case said.Refused(_, identity, command, author, reason, why):
            return events.CommandRefused(
                **who, command_id=identity, command=command, author=author, reason=reason, why=why
            )
        case _:
            raise TypeError(f"no lifecycle event for {notice}")


def _took(state: SagaState, at: int) -> int:
    return at - (state.started_at or at)
