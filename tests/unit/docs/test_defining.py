"""docs/defining-sagas.md names every field of a definition, with the default that it has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from datetime import timedelta
from enum import Enum
from pathlib import Path

import pytest

from kafka_saga.definition.model import Retry, Saga, Step
from kafka_saga.definition.wording import duration

TEXT = (Path(__file__).parents[3] / "docs" / "defining-sagas.md").read_text(encoding="utf-8")
SAID_ELSEWHERE = {"name", "description", "steps"}


def table(first: str) -> Mapping[str, str]:
    """What the table whose header begins so says is the default, by field."""
    rows = TEXT.split(f"| {first} | default | |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    cells = [row.split("|")[1:3] for row in rows]
    return {name: default.strip("` ") for names, default in cells for name in re.findall(r"`(\w+)`", names)}


def said(field: Field[object]) -> str:
    """A default, as the table must say it."""
    match field.default:
        case None:
            return "none"
        case timedelta() as length:
            return duration(length)
        case Retry():
            return "Retry()"
        case Enum(name=name):
            return name
        case default:
            return "" if default in {MISSING, ()} else str(default)


@pytest.mark.parametrize(("kind", "first"), [(Step, "of a step"), (Saga, "of a saga")])
def test_the_tables_have_every_field_and_its_default(kind: type[Step | Saga], first: str) -> None:
    known = {field.name: said(field) for field in fields(kind) if field.name not in SAID_ELSEWHERE}

    assert table(first) == known


def test_the_retry_that_is_shown_is_the_default() -> None:
    (shown,) = re.findall(r"`Retry\((.+?)\)`: so many", TEXT)
    numbers = dict(part.split("=") for part in shown.split(", "))
    retry = Retry()

    assert numbers == {
        "attempts": str(retry.attempts),
        "first": f"seconds({retry.first.total_seconds():g})",
        "factor": str(retry.factor),
        "max_delay": f"seconds({retry.max_delay.total_seconds():g})",
        "jitter": str(retry.jitter),
    }
