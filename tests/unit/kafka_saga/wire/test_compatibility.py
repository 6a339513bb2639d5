"""Versions side by side: what Apache's checker does not see is seen here."""

from __future__ import annotations

from typing import Any

import pytest

from kafka_saga.wire.compatibility import Version, problems, without_docs


def record(*fields: dict[str, Any], name: str = "R", namespace: str = "saga") -> dict[str, Any]:
    return {"type": "record", "name": name, "namespace": namespace, "fields": list(fields)}


def versions(*schemas: dict[str, Any]) -> list[Version]:
    return [Version(f"v{number}", schema) for number, schema in enumerate(schemas, start=1)]


def test_versions_alike_have_no_problem() -> None:
    schema = record({"name": "a", "type": "string"})

    assert problems(versions(schema, schema, schema)) == ()


@pytest.mark.parametrize(
    ("default", "kind"),
    [
        (None, "string"),
        (None, ["string", "null"]),
        ("a", ["null", "string"]),
        ("a", "long"),
        (1.5, "long"),
        (True, "long"),
        (True, "double"),
        (1, "boolean"),
        ([], {"type": "map", "values": "string"}),
        ({}, {"type": "array", "items": "string"}),
    ],
)
def test_a_default_that_is_none_of_its_type_is_a_problem(default: object, kind: object) -> None:
    (said,) = problems(versions(record({"name": "a", "type": kind, "default": default})))

    assert said.startswith("v1, saga.R.a: the default")


@pytest.mark.parametrize(
    ("default", "kind"),
    [
        (None, ["null", "string"]),
        ("a", ["string", "null"]),
        ("a", "bytes"),
        (1, "double"),
        (False, "boolean"),
        ([], {"type": "array", "items": "string"}),
        ({}, {"type": "map", "values": "long"}),
    ],
)
def test_a_default_of_its_type_is_none(default: object, kind: object) -> None:
    assert problems(versions(record({"name": "a", "type": kind, "default": default}))) == ()


WRAPS = (lambda kind: kind, lambda kind: ["null", kind], lambda kind: {"type": "array", "items": kind})


@pytest.mark.parametrize("wrap", WRAPS)
def test_text_and_bytes_are_not_the_same(wrap: Any) -> None:
    found = problems(
        versions(record({"name": "a", "type": wrap("string")}), record({"name": "a", "type": wrap("bytes")}))
    )

    assert any("text and bytes differ" in said for said in found)


def test_a_nested_record_is_looked_into() -> None:
    inner = record({"name": "b", "type": "string"}, name="Inner")
    other = record({"name": "b", "type": "string"}, {"name": "c", "type": "long"}, name="Inner")

    found = problems(versions(record({"name": "a", "type": inner}), record({"name": "a", "type": other})))

    assert len(found) == 1
    assert found[0].startswith("v2 cannot read what v1 wrote: c (at ")


def test_a_renamed_record_is_a_problem_in_both_directions() -> None:
    found = problems(versions(record(name="R"), record(name="S")))

    assert [said.split(":")[0] for said in found] == ["v1 cannot read what v2 wrote", "v2 cannot read what v1 wrote"]


def test_a_moved_namespace_is_a_problem() -> None:
    found = problems(versions(record(namespace="saga"), record(namespace="other")))

    assert found == ("v1 is saga.R, v2 is other.R: records are told apart by their full names",)


def test_documentation_does_not_count() -> None:
    with_doc = {**record({"name": "a", "type": "string", "doc": "what"}), "doc": "what"}

    assert without_docs(with_doc) == record({"name": "a", "type": "string"})
