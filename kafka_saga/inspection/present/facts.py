"""Sagas, incidents, reasons and events as values for programs: what `--json` prints and the HTTP API answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from kafka_saga.api.sagas import (
    AtService,
    EventFacts,
    IncidentFacts,
    PauseFacts,
    Reference,
    SagaFacts,
    SagaSummary,
    StepFacts,
    UnmatchedRecord,
    WhyFacts,
)
from kafka_saga.inspection.log.decoding import Happened, as_base64, header_texts
from kafka_saga.inspection.log.times import iso
from kafka_saga.inspection.present.spans import current_steps, progress, remaining, span_of, whole
from kafka_saga.tracker.core.explain.around import Around
from kafka_saga.tracker.core.explain.reason import reason
from kafka_saga.tracker.core.state import EventRef, Incident, Pause, SagaState, StepState, Unmatched


class Open(NamedTuple):
    """An open incident and its saga."""

    state: SagaState
    incident: Incident


def saga_facts(state: SagaState, now: int) -> SagaFacts:
    """Everything that is known of a saga; `now` is milliseconds UTC."""
    return SagaFacts(
        saga_id=state.saga_id,
        key=state.key,
        definition=state.definition,
        version=state.version,
        status=state.status.value,
        reason=reason(state, now),
        started_at=iso(state.started_at),
        ended_at=iso(state.ended_at),
        updated_at=iso(state.updated_at),
        duration_ms=whole(state, now).length,
        end=state.end,
        error=state.error,
        partition=state.partition,
        revision=state.revision,
        steps=tuple(_step(state, step, now) for step in state.steps),
        remaining=remaining(state),
        events=tuple(_reference(state, event) for event in state.events),
        unmatched=tuple(_unmatched(state, one) for one in state.unmatched),
        epoch=state.epoch,
        pauses=tuple(pause_facts(pause) for pause in state.pauses),
        incidents=tuple(incident_facts(state, incident) for incident in state.incidents),
        traceparent=state.traceparent,
    )


def summary_of(state: SagaState, now: int) -> SagaSummary:
    """A saga as a line of a list."""
    return SagaSummary(
        saga_id=state.saga_id,
        key=state.key,
        definition=state.definition,
        version=state.version,
        status=state.status.value,
        reason=reason(state, now),
        current_steps=current_steps(state),
        started_at=iso(state.started_at),
        ended_at=iso(state.ended_at),
        updated_at=iso(state.updated_at),
        duration_ms=whole(state, now).length,
        revision=state.revision,
        incidents=len(state.incidents),
    )


def open_incidents(known: Iterable[SagaState]) -> list[Open]:
    """Every open incident, the oldest first."""
    found = [Open(state, incident) for state in known for incident in state.incidents]
    return sorted(found, key=lambda one: (one.incident.at, one.state.saga_id, one.incident.id))


def incident_facts(state: SagaState, incident: Incident) -> IncidentFacts:
    """An open incident of a saga."""
    return IncidentFacts(
        id=incident.id,
        saga_id=state.saga_id,
        definition=state.definition,
        status=state.status.value,
        kind=incident.kind,
        step=incident.step,
        reason=incident.reason,
        at=iso(incident.at),
        commands=incident.commands,
    )


def pause_facts(pause: Pause) -> PauseFacts:
    """A pause of a saga."""
    return PauseFacts(scope=pause.scope, by=pause.by, reason=pause.reason, at=iso(pause.at), until=iso(pause.until))


def why_facts(state: SagaState, around: Around, now: int) -> WhyFacts:
    """Why a saga is not finished, by its state and what is around it."""
    return WhyFacts(
        saga_id=state.saga_id,
        status=state.status.value,
        reason=reason(state, now, around),
        services=tuple(
            AtService(
                step=one.step,
                service=one.service,
                instances=one.instances,
                place=one.place.value,
                ahead=one.ahead,
                stands_still=one.still,
            )
            for one in around.services
        ),
        trackers=around.trackers,
        behind=around.behind,
        dead_letters=tuple(letter.place for letter in around.letters),
        incidents=tuple(incident_facts(state, incident) for incident in state.incidents),
    )


def event_facts(happened: Sequence[Happened]) -> list[EventFacts]:
    """What happened to a saga, in the order of log time."""
    return [_event(one) for one in happened]


def _event(one: Happened) -> EventFacts:
    topic, partition, offset = one.place
    is_raw = one.event is None and one.record is not None
    return EventFacts(
        id=one.id,
        type=one.type,
        topic=topic,
        partition=partition,
        offset=offset,
        at=iso(one.at),
        cause=one.cause,
        step=one.step,
        attempt=one.attempt,
        epoch=one.epoch,
        headers=header_texts(one.record) if one.record else {},
        data=one.event.model_dump(mode="json") if one.event else None,
        raw=as_base64(one.record.value) if is_raw and one.record else None,
        problem=one.problem,
    )


def _step(state: SagaState, step: StepState, now: int) -> StepFacts:
    span = span_of(step, now)
    return StepFacts(
        name=step.name,
        status=step.status.value,
        attempt=step.attempt,
        epoch=step.epoch,
        since=iso(step.since),
        duration_ms=None if span is None else span.length,
        error=step.error,
        retry_at=iso(step.runs[-1].retry_at if step.runs else None),
        progress=progress(state, step) or None,
    )


def _reference(state: SagaState, event: EventRef) -> Reference:
    return Reference(
        id=event.id,
        type=event.type,
        partition=state.partition,
        offset=event.offset,
        at=iso(event.at),
        cause=event.cause,
        step=event.step,
    )


def _unmatched(state: SagaState, one: Unmatched) -> UnmatchedRecord:
    return UnmatchedRecord(
        type=one.type, topic=one.topic, partition=state.partition, offset=one.offset, at=iso(one.at), why=one.why
    )
