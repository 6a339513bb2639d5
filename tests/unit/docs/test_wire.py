"""docs/wire.md is the contract for other languages: its tables and vectors are what the code does."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from pathlib import Path

import msgspec
import pytest
from fastavro.schema import to_parsing_canonical_form

from kafka_saga.broker.partitioner import murmur2, partition_of
from kafka_saga.broker.records import Record
from kafka_saga.definition.template import saga_id
from kafka_saga.engine.outgoing import dead_letter, failed
from kafka_saga.engine.work import Mode
from kafka_saga.errors import DecodeError, DecodeProblem
from kafka_saga.events.commands import Act, SagaCommand
from kafka_saga.events.lifecycle import LIFECYCLE, RetryScheduled
from kafka_saga.events.reports import REPORTS, StepFailed, StepParked, StepProgress, StepSkipped
from kafka_saga.steps.announcements import WIRE, Announcement, announced_in
from kafka_saga.steps.definition_registry import Statement, stated
from kafka_saga.wire.avro_schema import avro_schema
from kafka_saga.wire.codec import Codec
from kafka_saga.wire.control import ControlEntry, of_definition, of_prefix, of_saga, of_service, of_step
from kafka_saga.wire.envelope import Envelope, to_headers
from kafka_saga.wire.ids import NAMESPACE, event_id, report_id, start_id, trace_parent, uuid5_hex
from kafka_saga.wire.step_commands import CONTROL_REVISION, REFERENCE
from schemas.events.code_review import PrReceived
from tests.unit.docs.wire_examples import (
    ANNOUNCED,
    AT_WORK,
    COMPENSATED,
    FAILED,
    HELD,
    RETRY,
    SAGA,
    UNDONE,
    decoded,
    examples,
)
from tests.unit.kafka_saga.engine.given import delivery, record
from topology.code_review import CODE_REVIEW

TEXT = (Path(__file__).parents[3] / "docs" / "wire.md").read_text(encoding="utf-8")


def rows(first: str) -> list[list[str]]:
    """The cells of the table whose first heading is `first`, without the backquotes of a whole cell."""
    table = TEXT.split(f"| {first} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]


def plain(cell: str) -> str:
    return cell.strip("|` ")


@pytest.mark.parametrize(("key", "hashed", "of_4", "of_12"), rows("key"))
def test_keys_are_in_these_partitions(key: str, hashed: str, of_4: str, of_12: str) -> None:
    name = plain(key).encode()

    assert f"{murmur2(name):08x}" == plain(hashed)
    assert (partition_of(name, 4), partition_of(name, 12)) == (int(of_4), int(plain(of_12)))


@pytest.mark.parametrize(("_", "parts", "found"), rows("what"))
def test_ids_are_over_these_parts(_: str, parts: str, found: str) -> None:
    names = [plain(part) for part in parts.split(", ")]

    assert uuid5_hex("\x1f".join(names)) == plain(found)
    assert str(uuid.uuid5(uuid.UUID(bytes=NAMESPACE), "\x1f".join(names))) == plain(found)


def test_the_ids_of_the_table_are_what_the_functions_give() -> None:
    start, outcome, following, report = (plain(row[2]) for row in rows("what"))

    assert start_id("acme/shop#7@3f2a9c1b04de", "pr.received") == start
    assert event_id(start, "validate", "pr.validated", 0, 0) == outcome
    assert event_id(outcome, "ast", "ast.completed", 0, 0) == following
    assert report_id("pr.validated", 3, 41, "ast", "step.failed") == report
    assert f"`{uuid.UUID(bytes=NAMESPACE)}`" in TEXT
    assert f"`{trace_parent('acme/shop#7@3f2a9c1b04de', start)}`" in TEXT


def test_the_worked_value_is_what_is_written() -> None:
    lines = re.findall(r"^    ([0-9a-f]{2}[0-9a-f ]*?)  +\S", TEXT, re.MULTILINE)
    event = StepSkipped(step="validate", reason="seen before", code="duplicate_start")

    assert bytes.fromhex("".join(lines)) == Codec(REPORTS).encode(event)


def headers_of_everything() -> set[str]:
    envelope = Envelope(
        id="i", type="t", source="s", time="", subject="k@r", definition="d", version=1,
        causation_id="c", step="s", traceparent="p",
    )  # fmt: skip
    report = StepFailed(step="do", reason="r", code="retryable", retryable=True, retry_after_ms=1)
    written = failed(delivery(0, mode=Mode.INLINE), report, b"", "/t", 0)
    return {name for name, _ in (*to_headers(envelope), *written.headers)}


EXAMPLES = dict(examples())


def headers_of(*names: str) -> set[str]:
    """The headers of these examples."""
    lines = [line for name in names for line in EXAMPLES[name]]
    found = {line.partition(": ")[0].strip() for line in lines if ": " in line}
    return found - {"topic", "partition", "key", "value"}


def listed(first: str) -> set[str]:
    """All that a table names in its first column, if need be several in a cell."""
    return {name for row in rows(first) for name in re.findall(r"`([^`]+)`", row[0])}


def test_the_tables_have_every_header_that_is_written() -> None:
    reports = headers_of("failed", "parked", "progress")

    assert listed("header") | listed("report header") == headers_of_everything() | reports
    assert not listed("header") & listed("report header")


def test_the_table_has_every_header_of_a_work_record() -> None:
    work = headers_of("execute", "compensate")

    assert listed("work header") < work
    assert work - listed("work header") < listed("header")
    assert {REFERENCE, CONTROL_REVISION} <= listed("work header")


def test_every_example_is_what_the_code_writes() -> None:
    found = re.findall(r"^```text (\w+)\n(.*?)\n```$", TEXT, re.MULTILINE | re.DOTALL)

    assert {name: text.splitlines() for name, text in found} == EXAMPLES


def test_every_example_reads_back() -> None:
    assert decoded(StepFailed, EXAMPLES["failed"]) == FAILED
    assert decoded(StepParked, EXAMPLES["parked"]) == HELD
    assert decoded(StepProgress, EXAMPLES["progress"]) == AT_WORK
    assert decoded(COMPENSATED, EXAMPLES["compensated"]) == UNDONE
    assert decoded(RetryScheduled, EXAMPLES["lifecycle"]) == RETRY
    command = Codec((SagaCommand,)).decode("saga.command", EXAMPLES["command"][-1].removeprefix("value: ").encode())
    assert command == SagaCommand(command=Act.PAUSE, scope=of_saga(SAGA), author="ann", reason="release freeze")


def test_a_participant_that_follows_the_schema_in_the_text_writes_the_same_compensated() -> None:
    (text,) = re.findall(r"`(\{\"type\": \"record\".*?\})`", TEXT, re.DOTALL)
    schema = json.loads(text)
    said = to_parsing_canonical_form(schema)

    assert said == to_parsing_canonical_form(avro_schema(COMPENSATED))


def test_the_tables_of_control_and_commands_are_what_the_code_knows() -> None:
    scopes = (of_saga("KEY@RUN"), of_prefix("TEXT"), of_step("DEFINITION", "STEP"), of_definition("NAME"))
    needed = {plain(row[0]): row[2] == "yes" for row in rows("command field")}

    assert {plain(row[0]) for row in rows("key | about")} == {*scopes, of_service("NAME")}
    fields = [re.findall(r"`(\w+)`", row[1])[0] for row in rows("entry") if row[1].startswith("`")]
    assert {*fields, "revision"} == {field.name for field in msgspec.structs.fields(ControlEntry)}
    assert needed == {name: info.is_required() for name, info in SagaCommand.model_fields.items()}
    assert listed_values(rows("command field")[0][3]) == [act.value for act in Act]


def test_the_tables_of_what_is_deployed_are_what_the_code_knows() -> None:
    value = EXAMPLES["announcement"][-1].removeprefix("value: ").encode()
    read = Record("saga.definitions", 0, 0, 0, ANNOUNCED.key.encode(), value, [])
    needed = {plain(row[0]): row[2] == "yes" for row in rows("announcement field")}

    assert announced_in(read) == ANNOUNCED
    assert needed == {field.name: field.required for field in msgspec.structs.fields(Announcement)}
    assert listed("statement field") == {field.name for field in msgspec.structs.fields(Statement)}
    assert [row[2] for row in rows("announcement field") if row[0] == "`wire`"] == [f"no, {WIRE}"]
    text = json.dumps(CODE_REVIEW.describe(), sort_keys=True, separators=(",", ":"))
    assert stated(CODE_REVIEW).hash == hashlib.sha256(text.encode()).hexdigest()[:16]


def test_the_table_has_every_lifecycle_event() -> None:
    assert [plain(row[0]) for row in rows("lifecycle event")] == [event.event_type for event in LIFECYCLE]


@pytest.mark.parametrize("event", [StepFailed, StepSkipped])
def test_the_table_has_every_code_that_the_schema_knows(event: type[StepFailed | StepSkipped]) -> None:
    described = re.sub(r"\(.*?\)", "", event.model_fields["code"].description or "")
    told = [listed_values(row[2]) for row in rows("report header") if row[1] == f"`{event.event_type}`"]

    assert set(re.findall(r"\w+", described)) <= set(told[0])


def listed_values(cell: str) -> list[str]:
    """What a cell quotes."""
    return re.findall(r"`([^`]+)`", cell)


def test_the_table_says_which_headers_may_be_left_out() -> None:
    from kafka_saga.wire.envelope import from_headers

    full = to_headers(
        Envelope(id="i", type="t", source="s", time="", subject="k@r", definition="d", version=1, step="s")
    )
    for name, needed in ((plain(row[0]), row[2]) for row in rows("header")):
        left = [(known, value) for known, value in full if known != name]
        if needed == "yes":
            with pytest.raises(DecodeError, match=name):
                from_headers(left)
        else:
            assert from_headers(left).id == "i"


def test_the_table_has_every_header_of_a_dead_letter_and_every_code() -> None:
    letter = dead_letter(record(0), DecodeError(DecodeProblem.INVALID, "a", "b"), "s")
    table = TEXT.split("| header | meaning |", 1)[1]
    lines = table.split("\n\n")[0].splitlines()[2:]

    assert {plain(line.split(" | ")[0]) for line in lines} == dict(letter.headers).keys()
    for problem in DecodeProblem:
        assert f"`{problem.value}`" in table


def test_the_public_contract_is_the_models_field_by_field() -> None:
    table = {plain(row[0]): row[2] == "yes" for row in rows("field")}

    assert table == {name: info.is_required() for name, info in PrReceived.model_fields.items()}


def test_the_example_starts_the_saga_it_says() -> None:
    (example,) = re.findall(r"^    (\{.*\})$", TEXT, re.MULTILINE)
    event = Codec(CODE_REVIEW.events.values()).decode("pr.received", example.encode())

    assert saga_id(CODE_REVIEW, event) == "acme/shop#7@3f2a9c1b04de"
