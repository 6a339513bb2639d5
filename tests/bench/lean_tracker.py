"""The lean reference, its tracker: a fold over all events of the chain with encoded state, written flat.

A record of `saga.state` for every saga touched by a batch, one of `saga.lifecycle` when a saga starts and when it ends.
`python -m tests.bench.lean_tracker PREFIX`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import msgspec
from confluent_kafka import Message

from kafka_saga.events.event import Event
from kafka_saga.events.lifecycle import SagaCompleted, SagaStarted
from kafka_saga.wire.envelope import rfc3339
from kafka_saga.wire.ids import child_of, event_id, key_of
from tests.bench.flat import TRACKED, Produce, Work, forever, now
from tests.bench.lean import Format
from tests.chain.definition import CHAIN


class Reference(msgspec.Struct, omit_defaults=True, gc=False):
    """One event of a saga: where it lies and what caused it."""

    id: str
    type: str
    offset: int
    at: int
    cause: str | None = None
    step: str | None = None
    attempt: int = 1
    epoch: int = 0


class StepState(msgspec.Struct, omit_defaults=True, gc=False):
    """One step of a saga."""

    name: str
    status: str = "waiting"
    attempt: int = 0
    epoch: int = 0
    since: int | None = None


class State(msgspec.Struct, omit_defaults=True, gc=False):
    """One saga. Facts may come in any order that keeps each topic's own: an event fills its own place."""

    saga_id: str
    definition: str
    version: int
    partition: int
    status: str = "unknown"
    revision: int = 0
    started_at: int | None = None
    updated_at: int = 0
    ended_at: int | None = None
    traceparent: str | None = None
    steps: list[StepState] = []
    events: list[Reference] = []


_POSITIONS = {step.on.event_type: at for at, step in enumerate(CHAIN.steps)}
_ENDS = {event.event_type: at for at, step in enumerate(CHAIN.steps) for event in step.emits}


def unseen(subject: str, version: int, partition: int) -> State:
    """The state of a saga of which nothing is known."""
    return State(subject, CHAIN.name, version, partition, steps=[StepState(step.name) for step in CHAIN.steps])


def fold(state: State, reference: Reference) -> None:
    """One event more: it queues the step it triggers, unless that is done, and ends the one it comes from."""
    state.revision += 1
    state.updated_at = max(state.updated_at, reference.at)
    state.events.append(reference)
    if (queued := _POSITIONS.get(reference.type)) is not None:
        step = state.steps[queued]
        if step.status == "waiting":
            step.status, step.attempt, step.since = "queued", 1, reference.at
    if (done := _ENDS.get(reference.type)) is not None:
        step = state.steps[done]
        step.status, step.attempt, step.epoch = "done", reference.attempt, reference.epoch
        step.since = reference.at
    if reference.cause is None:
        state.started_at = reference.at
        state.status = state.status if state.ended_at else "running"
    if len(state.events) == len(TRACKED):
        state.status, state.ended_at = "completed", state.steps[-1].since


class Milestones:
    """Lifecycle records of this tracker."""

    def __init__(self, prefix: str) -> None:
        self._topic = prefix + "saga.lifecycle"
        self._formats = {event.event_type: Format(event) for event in (SagaStarted, SagaCompleted)}

    def write(self, state: State, event: Event, message: Message, time: bytes, produce: Produce) -> None:
        """One milestone of a saga."""
        identity = event_id(state.saga_id, "", event.event_type, 0, 0)
        headers = [
            ("ce_specversion", b"1.0"),
            ("ce_id", identity.encode()),
            ("ce_type", event.event_type.encode()),
            ("ce_source", b"/tracker"),
            ("ce_time", time),
            ("ce_subject", state.saga_id.encode()),
            ("content-type", b"application/avro"),
            ("ce_sagadefinition", state.definition.encode()),
            ("ce_sagaversion", b"%d" % state.version),
            ("ce_attempt", b"1"),
            ("ce_epoch", b"0"),
            ("traceparent", child_of(state.traceparent or "", identity).encode()),
            ("ce_revision", b"%d" % state.revision),
        ]
        value = self._formats[event.event_type].write(event)
        produce(self._topic, value, message.key(), message.partition(), headers=headers)


def reference_of(found: dict[str, bytes], message: Message) -> Reference:
    """What an event's headers tell."""
    cause, step = found.get("ce_causationid"), found.get("ce_step")
    return Reference(
        found["ce_id"].decode(),
        found["ce_type"].decode(),
        message.offset() or 0,
        message.timestamp()[1],
        None if cause is None else cause.decode(),
        None if step is None else step.decode(),
        int(found["ce_attempt"]),
        int(found["ce_epoch"]),
    )


def tracker(prefix: str) -> Work:
    """The work of the tracker: states are kept encoded, and decoded where a batch touches them."""
    states: dict[bytes, bytes] = {}
    encode, decode = msgspec.json.Encoder().encode, msgspec.json.Decoder(State).decode
    topic, milestones = prefix + "saga.state", Milestones(prefix)

    def touched_by(subject: bytes, found: dict[str, bytes], message: Message) -> State:
        known = states.get(subject)
        if known is not None:
            return decode(known)
        return unseen(subject.decode(), int(found["ce_sagaversion"]), message.partition() or 0)

    def work(messages: Sequence[Message], produce: Produce) -> None:
        time = rfc3339(now()).encode()
        touched: dict[bytes, State] = {}
        for message in messages:
            found: dict[str, bytes] = dict(message.headers() or [])  # type: ignore[arg-type]
            subject = found["ce_subject"]
            state = touched.get(subject)
            if state is None:
                state = touched[subject] = touched_by(subject, found, message)
            reference = reference_of(found, message)
            if any(reference.id == known.id for known in state.events):
                continue
            if reference.cause is None:
                state.traceparent = found["traceparent"].decode()
            was = state.ended_at
            fold(state, reference)
            if reference.cause is None:
                milestones.write(state, started(state), message, time, produce)
            if was is None and state.ended_at is not None:
                milestones.write(state, completed(state), message, time, produce)
        for subject, state in touched.items():
            states[subject] = value = encode(state)
            produce(topic, value, subject, state.partition)

    return work


def started(state: State) -> SagaStarted:
    """The milestone of a start."""
    key = key_of(state.saga_id)
    return SagaStarted(
        saga_id=state.saga_id, key=key, definition=state.definition, version=state.version, at=state.started_at or 0
    )


def completed(state: State) -> SagaCompleted:
    """The milestone of an end."""
    key, ended = key_of(state.saga_id), state.ended_at or 0
    return SagaCompleted(
        saga_id=state.saga_id, key=key, definition=state.definition, version=state.version, at=ended,
        end=TRACKED[-1], duration_ms=ended - (state.started_at or ended),
    )  # fmt: skip


if __name__ == "__main__":
    forever(f"{sys.argv[1]}tracker", [sys.argv[1] + event for event in TRACKED], tracker(sys.argv[1]))
