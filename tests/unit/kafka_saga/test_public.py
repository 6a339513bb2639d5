"""The public names: which there are, that each is there, and what importing them costs."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import kafka_saga
from kafka_saga import testing

POLICY = (Path(__file__).parents[3] / "docs" / "api-policy.md").read_text(encoding="utf-8")

NAMES = [
    *("App", "Command", "Link", "Page"),
    *("Saga", "Step", "Retry", "OnCancel", "OnConflict", "OnFailure", "EndStatus", "CANCELLED", "COMPLETED", "FAILED"),
    *("days", "hours", "milliseconds", "minutes", "seconds"),
    *("Event", "Value", "BlobRef"),
    *("BlobStore", "Context", "Handler", "Service"),
    *("ChoreographyError", "RetryableError", "TerminalError", "TopologyError"),
]

TESTING = [
    *("SagaTest", "System", "SagaRun", "SagaStatus", "StepStatus"),
    *("Expectation", "NotAsExpectedError", "RefusedError"),
]

HEAVY = ("confluent_kafka", "faust", "aiohttp", "pydantic_settings", "typer")
"""Packages that a module of definitions must not load."""


def loaded_by(statement: str) -> set[str]:
    """The top-level packages that a Python has loaded after a statement, in a process of its own."""
    script = f"import sys; before = set(sys.modules); {statement}; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_the_public_names_are_these() -> None:
    assert sorted(kafka_saga.__all__) == sorted(NAMES)
    assert sorted(testing.__all__) == sorted(TESTING)


@pytest.mark.parametrize(
    ("module", "name"), [*(("kafka_saga", name) for name in NAMES), *(("kafka_saga.testing", name) for name in TESTING)]
)
def test_every_public_name_resolves(module: str, name: str) -> None:
    found = getattr(import_module(module), name)

    assert getattr(found, "__name__", name) in {name, "Callable"}


def test_a_name_that_is_not_public_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="module 'kafka_saga' has no attribute 'Sagas'"):
        _ = kafka_saga.Sagas  # type: ignore[attr-defined]  # what is missing


def test_the_names_are_listed() -> None:
    assert set(NAMES) <= set(dir(kafka_saga))


def test_importing_the_package_loads_no_other() -> None:
    assert loaded_by("import kafka_saga") - sys.stdlib_module_names == {"kafka_saga"}


@pytest.mark.parametrize(
    "statement",
    [
        f"from kafka_saga import {', '.join(NAMES)}",
        "import topology.code_review",
        "import examples.order.handlers",
        "import kafka_saga.testing",
    ],
)
def test_definitions_handlers_and_tests_load_nothing_of_kafka(statement: str) -> None:
    assert loaded_by(statement).isdisjoint(HEAVY)


@pytest.mark.parametrize(("heading", "names"), [("kafka_saga", NAMES), ("kafka_saga.testing", TESTING)])
def test_the_policy_names_every_public_name(heading: str, names: list[str]) -> None:
    (row,) = re.findall(rf"^\| `{re.escape(heading)}` \| (.*) \|$", POLICY, re.MULTILINE)

    assert sorted(re.findall(r"`(\w+)`", row)) == sorted(names)
