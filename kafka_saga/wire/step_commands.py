"""Commands of the tracker to one step, on `<step>.work`: run again, or undo. Headers alone, no value.

The envelope is a CloudEvent's: `ce_id` names the command, `ce_type` is one of the two below, `ce_subject` the saga,
`ce_causationid` the event it is about (the step's trigger, or the outcome to be undone), `ce_step`, `ce_attempt` and
`ce_epoch` what the delivery runs under. `ce_reference` says where that event lies: `topic/partition/offset`.
"""

from __future__ import annotations

from typing import NamedTuple

EXECUTE = "step.execute"
COMPENSATE = "step.compensate"

REFERENCE = "ce_reference"
CONTROL_REVISION = "ce_controlrevision"
"""The revision of `saga.control` that the command was issued under: older entries do not gate it."""

COMMAND = "ce_command"
"""In what a delivery of a work record leads to (outcome, report): the command's id."""


class RecordReference(NamedTuple):
    """Where an event lies."""

    topic: str
    partition: int
    offset: int


def reference_text(reference: RecordReference) -> str:
    """As in the header."""
    return f"{reference.topic}/{reference.partition}/{reference.offset}"


def reference_of(text: str) -> RecordReference:
    """From the header. Raises ValueError if it is none."""
    topic, partition, offset = text.rsplit("/", 2)
    return RecordReference(topic, int(partition), int(offset))
