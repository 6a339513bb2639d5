"""The records that docs/wire.md shows, made by the code: `python -m tests.unit.docs.wire_examples` prints them."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from kafka_saga.broker.partitioner import partition_of
from kafka_saga.broker.records import Outgoing, Record
from kafka_saga.definition.topics import SAGA_COMMANDS, SAGA_CONTROL, SAGA_DEFINITIONS
from kafka_saga.engine import outgoing
from kafka_saga.engine.work import Delivery, Job, Mode
from kafka_saga.events.commands import Act, SagaCommand
from kafka_saga.events.compensated import compensated_event
from kafka_saga.events.event import Event
from kafka_saga.events.lifecycle import RetryScheduled
from kafka_saga.events.reports import StepFailed, StepParked, StepProgress
from kafka_saga.steps import announcements
from kafka_saga.steps.announcements import Announcement, StepOf
from kafka_saga.steps.deliveries import Deliveries
from kafka_saga.tracker import lifecycle
from kafka_saga.tracker.core import decisions
from kafka_saga.tracker.core.decisions import Compensate, Execute
from kafka_saga.tracker.core.state import EventRef, SagaState, Sent
from kafka_saga.tracker.step_commands import work_of
from kafka_saga.wire.codec import Codec
from kafka_saga.wire.control import ControlEntry, Hold, encode, of_prefix, of_saga
from kafka_saga.wire.envelope import JSON, Envelope, to_headers
from kafka_saga.wire.ids import event_id, start_id
from topology.code_review import CODE_REVIEW

KEY, SAGA = "acme/shop#7", "acme/shop#7@3f2a9c1b04de"
NOON = 1_772_366_400_000  # 2026-03-01T12:00:00Z
NOW = NOON + 10_250
STATE = SagaState(SAGA, "code_review", 1, 3, revision=9)
AGAIN, UNDO = "0b6ad1c7-6e0f-5b0e-9a51-d0c3a1f0a9b2", "c7d3b7f6-1f0a-5a3f-8c52-6b1de0f4a7e9"
VALIDATED_ID = event_id(start_id(SAGA, "pr.received"), "validate", "pr.validated", 0, 0)
PARSED_ID = event_id(VALIDATED_ID, "ast", "ast.completed", 0, 0)
REVIEWED_ID = event_id(PARSED_ID, "llm", "llm.completed", 0, 0)
VALIDATED = EventRef(VALIDATED_ID, "pr.validated", 41, NOON)
POSTED = EventRef(event_id(REVIEWED_ID, "comment", "comments.created", 0, 0), "comments.created", 40, NOON)
COMPENSATED = compensated_event("comment.compensated")
ANNOUNCED = Announcement("ast", (StepOf("code_review", 1, "ast"),), ("pr.validated",))

HELD = StepParked(step="ast", reason="acme/shop#7 is paused by ann: release freeze")
FAILED = StepFailed(step="ast", reason="the disk is full", code="retryable", retryable=True, retry_after_ms=30_000)
AT_WORK = StepProgress(step="ast", started_at=NOON + 9_000, done=12, total=40, note="parsing")
UNDONE = COMPENSATED(step="comment", note="withdrew review.md")
SCHEDULED = decisions.RetryScheduled(NOON + 10_000, "ast", 3, NOON + 40_000, FAILED.reason)
RETRY = RetryScheduled(
    saga_id=SAGA, key=KEY, definition="code_review", version=1, at=NOON + 10_000, step="ast", attempt=3,
    due=NOON + 40_000, reason=FAILED.reason,
)  # fmt: skip


def examples() -> Iterator[tuple[str, list[str]]]:
    """Each example's name and lines: place, key, headers, value."""
    execute = work_of(STATE, Execute(Sent(AGAIN, "ast", VALIDATED_ID, NOON, attempt=2), VALIDATED), 7, NOW)
    compensate = work_of(STATE, Compensate(Sent(UNDO, "comment", POSTED.id, NOON, undoes=True), POSTED), 7, NOW)
    first, again, undo = _delivery(_trigger(), 41), _delivery(execute, 12), _delivery(compensate, 2)
    yield "execute", _shown(execute)
    yield "compensate", _shown(compensate)
    yield "failed", _shown(outgoing.failed(again, FAILED, _value(FAILED), "/services/ast", NOW))
    yield "parked", _shown(outgoing.parked(first, HELD, _value(HELD), "/services/ast", NOW))
    yield "progress", _shown(outgoing.progress(first, AT_WORK, _value(AT_WORK), "/services/ast", NOW))
    yield "compensated", _shown(outgoing.outcome(undo, UNDONE, _value(UNDONE), 0, "/services/comments", NOW))
    yield "control", _entry(of_saga(SAGA), ControlEntry(7, cancelled="superseded by acme/shop#7@9c1b04de3f2a"))
    yield "floors", _entry(of_saga(SAGA), ControlEntry(9, floors={"ast": 1, "llm": 1, "comment": 1}))
    yield "paused", _entry(of_prefix("acme/"), ControlEntry(11, paused=Hold("ann", "release freeze", NOON)))
    yield "command", _shown(_command())
    yield "lifecycle", _shown(lifecycle.record(STATE, SCHEDULED, NOW))
    yield "announcement", _shown(_announcement())


def _delivery(record: Outgoing, offset: int) -> Delivery:
    """The record as its service reads it."""
    jobs = [Job(step, print, Mode.INLINE) for step in CODE_REVIEW.steps]
    read = Record(record.topic, record.partition, offset, NOON, record.key, record.value, list(record.headers))
    return Deliveries(CODE_REVIEW, jobs, jobs, 4).of(read, dict(record.headers))


def _trigger() -> Outgoing:
    envelope = Envelope(
        id=VALIDATED_ID, type="pr.validated", source="/services/validator", time="", subject=SAGA,
        definition="code_review", version=1,
    )  # fmt: skip
    return Outgoing("pr.validated", 3, KEY.encode(), b"", to_headers(envelope))


def _command() -> Outgoing:
    """As JSON, which is what most participants will write."""
    event = SagaCommand(command=Act.PAUSE, scope=of_saga(SAGA), author="ann", reason="release freeze")
    headers = {
        "ce_specversion": "1.0", "ce_id": "freeze-2026-03", "ce_type": SagaCommand.event_type, "ce_source": "/ops",
        "ce_subject": SAGA, "content-type": JSON,
    }  # fmt: skip
    value = event.model_dump_json(exclude_defaults=True).encode()
    return Outgoing(SAGA_COMMANDS, 3, KEY.encode(), value, [(name, text.encode()) for name, text in headers.items()])


def _announcement() -> Outgoing:
    key, headers = ANNOUNCED.key.encode(), [("content-type", JSON.encode())]
    return Outgoing(SAGA_DEFINITIONS, partition_of(key, 4), key, announcements.encode(ANNOUNCED), headers)


def _entry(scope: str, entry: ControlEntry) -> list[str]:
    return _shown(Outgoing(SAGA_CONTROL, 3, scope.encode(), encode(entry), []))


def _value(event: Event) -> bytes:
    return Codec((type(event),)).encode(event)


def _shown(record: Outgoing) -> list[str]:
    place = [f"topic: {record.topic}", f"partition: {record.partition}", f"key: {(record.key or b'').decode()}"]
    return [*place, *(f"{name}: {(text or b'').decode()}" for name, text in record.headers), *_text(record.value)]


def _text(value: bytes | None, width: int = 48) -> Iterator[str]:
    """JSON as it is, Avro as hexadecimal digits."""
    if value is None:
        yield "value: none"
    elif value.startswith(b"{"):
        yield f"value: {value.decode()}"
    else:
        for start in range(0, len(value), width):
            yield ("       " if start else "value: ") + value[start : start + width].hex()


def decoded(event: type[Event], lines: list[str]) -> Event:
    """The event in the value of an example that is shown as hexadecimal digits."""
    at = next(number for number, line in enumerate(lines) if line.startswith("value: "))
    digits = "".join(line.removeprefix("value: ").strip() for line in lines[at:])
    return Codec((event,)).decode(event.event_type, bytes.fromhex(digits))


if __name__ == "__main__":
    for name, lines in examples():
        sys.stdout.write("\n".join((f"```text {name}", *lines, "```\n\n")))
