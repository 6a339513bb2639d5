"""Logs are JSON lines, and the Kafka client does not fill them."""

from __future__ import annotations

import json
import logging
import sys

from kafka_saga.observability.logs import JsonLines, Seldom


def line(message: str, **extra: str) -> logging.LogRecord:
    record = logging.LogRecord("saga.x", logging.WARNING, __file__, 1, message, (), None)
    record.__dict__.update(extra)
    return record


def test_a_line_is_one_json_object_with_what_is_known() -> None:
    said = json.loads(JsonLines("llm").format(line("no\nway", saga_id="a@b", step="llm")))
    assert said["message"] == "no\nway"
    assert {name: said[name] for name in ("level", "service", "saga_id", "step")} == {
        "level": "WARNING",
        "service": "llm",
        "saga_id": "a@b",
        "step": "llm",
    }
    assert "attempt" not in said


def test_a_traceback_is_one_field() -> None:
    record = line("stopped")
    try:
        raise ValueError("why")
    except ValueError:
        record.exc_info = sys.exc_info()
    assert "ValueError: why" in json.loads(JsonLines("llm").format(record))["traceback"]


def test_of_many_lines_one_is_logged_and_the_next_says_how_many_were_not() -> None:
    at = 0.0
    seldom = Seldom(10, now=lambda: at)
    assert [seldom.filter(line("down")) for _ in range(5)] == [True, False, False, False, False]
    at = 10.0
    later = line("still %s")
    later.args = ("down",)
    assert seldom.filter(later)
    assert later.getMessage() == "still down (and 4 lines like it before)"
