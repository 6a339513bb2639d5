"""Schemas on disk: what is committed is what the models say, and no change may part old records from new readers."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest

from kafka_saga.events.event import Event
from kafka_saga.wire.avro_schema import avro_schema
from kafka_saga.wire.codec import schema_folder
from kafka_saga.wire.compatibility import Version, problems
from kafka_saga.wire.generate import history, main, plan, run, text_of
from tests.support.shipped import SHIPPED


class First(Event):
    """What happened."""

    event_type: ClassVar[str] = "it.happened"

    text: str
    number: int = 0


First.__name__ = "Happened"


def happened(**fields: tuple[object, object]) -> type[Event]:
    """A later version of the event with these fields, each with its type and default."""
    annotations = {name: kind for name, (kind, _) in fields.items()}
    defaults = {name: default for name, (_, default) in fields.items() if default is not ...}
    body = {"__annotations__": {**annotations, "event_type": ClassVar[str]}, "event_type": "it.happened", **defaults}
    return type("Happened", (Event,), {**body, "__module__": __name__, "__doc__": "What happened."})


TEXT, NUMBER = {"text": (str, ...)}, {"number": (int, 0)}
Say = Callable[[], str]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    return lambda: capsys.readouterr().out


# ---- what is committed


def test_the_committed_schemas_are_what_the_models_say(say: Say) -> None:
    assert main(["--check"]) == 0, say()


@pytest.mark.parametrize("event", SHIPPED, ids=lambda event: event.event_type)
def test_every_committed_version_can_read_every_other(event: type[Event]) -> None:
    older = [
        Version(path.stem, json.loads(path.read_text()))
        for path in history(schema_folder(event) or Path(), event.event_type)
    ]

    assert problems([*older, Version("present", avro_schema(event))]) == ()


def test_every_topic_of_code_review_reports_and_lifecycle_has_its_schema() -> None:
    names = {event.event_type for event in SHIPPED}

    assert {"pr.received", "comments.created", "step.failed", "step.skipped", "saga.started"} <= names


# ---- writing


def test_a_new_event_gets_a_file_and_the_second_run_has_nothing_to_do(tmp_path: Path, say: Say) -> None:
    assert run([First], tmp_path, check=False) == 0
    assert say() == "written: it.happened.avsc\n"
    assert (tmp_path / "it.happened.avsc").read_text() == text_of(First)
    assert run([First], tmp_path, check=True) == 0


def test_a_check_writes_nothing_and_says_what_to_do(tmp_path: Path, say: Say) -> None:
    assert run([First], tmp_path, check=True) == 1
    assert say() == "differs: it.happened.avsc\nrun the same without --check\n"
    assert not list(tmp_path.iterdir())


def test_the_schema_before_a_change_moves_to_the_history(tmp_path: Path) -> None:
    versions = [happened(**TEXT, **NUMBER), happened(**TEXT, **NUMBER, note=(str, "")), happened(**TEXT, **NUMBER)]
    for event in versions:
        assert run([event], tmp_path, check=False) == 0

    assert [path.name for path in history(tmp_path, "it.happened")] == ["it.happened.1.avsc", "it.happened.2.avsc"]
    assert (tmp_path / "history" / "it.happened.2.avsc").read_text() == text_of(versions[1])


def test_history_is_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    (tmp_path / "history").mkdir()
    for name in ("a.b.10", "a.b.9", "a.b.c.1", "a.b"):
        (tmp_path / "history" / f"{name}.avsc").write_text("{}")

    assert [path.stem for path in history(tmp_path, "a.b")] == ["a.b.9", "a.b.10"]


def test_a_change_of_words_needs_no_history(tmp_path: Path) -> None:
    run([First], tmp_path, check=False)
    reworded = happened(**TEXT, **NUMBER)
    reworded.__doc__ = "What has happened."

    assert list(plan([reworded], tmp_path).files) == [tmp_path / "it.happened.avsc"]


# ---- what is refused


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (happened(**TEXT, **NUMBER, more=(str, ...)), "Happened cannot read what it.happened wrote: more"),
        (happened(**NUMBER), "it.happened cannot read what Happened wrote: text"),
        (happened(text=(int, ...), **NUMBER), "reader type: long not compatible with writer type: string"),
        (happened(**TEXT, number=(float, 0.0)), "it.happened cannot read what Happened wrote"),
        (happened(text=(bytes, ...), **NUMBER), "text and bytes differ"),
        (happened(text=(str | None, ...), **NUMBER), "reader type: string not compatible with writer type: null"),
        (happened(**TEXT, number=(tuple[int, ...], ())), "not compatible"),
    ],
)
def test_a_change_that_parts_versions_is_refused_and_nothing_is_written(
    event: type[Event], said: str, tmp_path: Path, say: Say
) -> None:
    run([happened(**TEXT, **NUMBER)], tmp_path, check=False)
    before = {path: path.read_text() for path in tmp_path.iterdir()}
    say()

    assert run([event], tmp_path, check=False) == 2
    assert said in say()
    assert {path: path.read_text() for path in tmp_path.iterdir()} == before


def test_the_whole_history_counts_not_only_the_last_version(tmp_path: Path, say: Say) -> None:
    for event in (happened(**TEXT), happened(**TEXT, **NUMBER)):
        assert run([event], tmp_path, check=False) == 0
    without_default = happened(**TEXT, number=(int, ...))

    assert run([without_default], tmp_path, check=False) == 2
    assert "cannot read what it.happened.1 wrote: number" in say()


def test_a_default_that_goes_is_remembered(tmp_path: Path, say: Say) -> None:
    """The fingerprint leaves defaults out, but the version that had none can never do without the field."""
    for event in (happened(**TEXT, number=(int, ...)), happened(**TEXT, **NUMBER)):
        assert run([event], tmp_path, check=False) == 0

    assert run([happened(**TEXT)], tmp_path, check=False) == 2
    assert "it.happened.1 cannot read what Happened wrote: number" in say()


def test_a_default_may_not_change_while_a_version_lacks_the_field(tmp_path: Path, say: Say) -> None:
    for event in (happened(**TEXT), happened(**TEXT, **NUMBER)):
        run([event], tmp_path, check=False)

    assert run([happened(**TEXT, number=(int, 1))], tmp_path, check=False) == 2
    assert "saga.Happened.number: the default is 0 and 1" in say()


def test_a_default_may_change_where_every_version_has_the_field(tmp_path: Path) -> None:
    for event in (happened(**TEXT, **NUMBER), happened(**TEXT, number=(int, 1))):
        assert run([event], tmp_path, check=False) == 0


def test_two_events_of_one_type_are_refused(tmp_path: Path, say: Say) -> None:
    assert run([First, First], tmp_path, check=True) == 2
    assert "two events have this type" in say()


def test_a_schema_without_an_event_is_refused(tmp_path: Path, say: Say) -> None:
    run([First], tmp_path, check=False)

    assert run([], tmp_path, check=True) == 2
    assert "it.happened.avsc belongs to no event" in say()


def test_a_model_that_avro_cannot_carry_is_refused_in_one_sentence(tmp_path: Path, say: Say) -> None:
    assert run([happened(text=(complex, ...))], tmp_path, check=False) == 2
    assert "Happened.text: Avro cannot carry <class 'complex'>" in say()


def test_without_the_avro_package_the_message_says_what_to_install(
    tmp_path: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    run([First], tmp_path, check=False)
    monkeypatch.setitem(sys.modules, "avro.compatibility", None)

    assert run([First], tmp_path, check=True) == 2
    assert "pip install 'kafka-saga[dev]'" in say()


def test_other_arguments_get_the_usage(say: Say) -> None:
    assert main(["--force"]) == 2
    assert say() == "usage: python -m kafka_saga.wire.generate [--check] [MODULE ...]\n"
