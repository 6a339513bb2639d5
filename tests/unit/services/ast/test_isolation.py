"""Input that breaks the native parser costs one file."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from kafka_saga.errors import RetryableError
from schemas.events.code_review import AnalysisStatus
from services.ast.isolation import Bounds, IsolatedParser
from tests.unit.services.ast.given import analysed, versions


@pytest.fixture
def parser() -> Iterator[IsolatedParser]:
    parser = IsolatedParser(Bounds(memory=512 * 1024**2, seconds=20))
    yield parser
    parser.close()


def test_it_says_what_the_analysis_says(parser: IsolatedParser) -> None:
    before, after = "def f(): return 'é'\n", "def f(): return 'è\u2028'\n"
    assert parser.analyse(versions("a.py", before, after)) == analysed("a.py", before, after)


def test_a_file_that_eats_the_memory_is_unparsable_and_the_next_one_is_parsed(parser: IsolatedParser) -> None:
    report = parser.analyse(versions("A.java", None, "x=>" * 20_000))
    assert report.summary.status is AnalysisStatus.UNPARSABLE
    assert report.summary.reason == "the parser ran out of memory (512 MiB) or crashed"
    assert parser.analyse(versions("A.java", None, "class A {}")).summary.status is AnalysisStatus.PARSED


def test_a_file_that_takes_too_long_in_native_code_is_unparsable() -> None:
    parser = IsolatedParser(Bounds(seconds=1))
    report = parser.analyse(versions("a.py", None, "[ " * 200_000))
    parser.close()
    assert report.summary.reason == "the parser took longer than 1 s and was stopped"


def test_a_process_that_was_told_to_end_is_not_the_files_fault(parser: IsolatedParser) -> None:
    parser.analyse(versions("a.py", None, "x = 1"))
    with pytest.raises(RetryableError, match="exit code -15"):
        parser._cause(-signal.SIGTERM)


def test_closing_twice_is_harmless(parser: IsolatedParser) -> None:
    parser.analyse(versions("a.py", None, "x = 1"))
    assert (parser.close(), parser.close()) == (0, 0)
