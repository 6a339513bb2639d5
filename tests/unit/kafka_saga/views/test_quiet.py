"""The libraries' log lines, as an operator sees them."""

from __future__ import annotations

import logging

import pytest

from kafka_saga.views.quiet import FromLibraries


def record(name: str, level: int, message: str) -> logging.LogRecord:
    try:
        raise ValueError("inside a library")
    except ValueError as error:
        return logging.LogRecord(name, level, "x.py", 1, message, (), (ValueError, error, error.__traceback__))


@pytest.mark.parametrize("name", ["faust.tables", "mode.worker", "aiokafka.conn", "kafka_saga.views.stream.table"])
def test_a_line_of_a_library_is_one_sentence_without_a_traceback(name: str) -> None:
    line = record(name, logging.ERROR, "It failed\n+---+\n| a table |")
    assert FromLibraries().filter(line)
    assert (line.getMessage(), line.exc_info, line.levelname) == ("It failed", None, "WARNING")


def test_chatter_of_a_library_is_dropped() -> None:
    assert not FromLibraries().filter(record("faust.app", logging.INFO, "[^Worker]: Starting..."))


def test_a_library_that_repeats_itself_is_heard_now_and_then() -> None:
    lines = FromLibraries()
    assert [lines.filter(record("aiokafka", logging.ERROR, "refused")) for _ in range(3)] == [True, False, False]


def test_our_own_lines_stay_as_they_are() -> None:
    line = record("saga.views", logging.ERROR, "stopped")
    assert FromLibraries().filter(line)
    assert (line.exc_info is not None, line.levelname) == (True, "ERROR")
