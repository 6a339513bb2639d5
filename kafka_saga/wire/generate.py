"""`python -m kafka_saga.wire.generate [--check] [MODULE ...]`: one `.avsc` per event type, and the older ones.

Writes the schemas of the events that these modules define to `avro/` beside each module; without a module, those of
the framework. Old records need the older schemas.

When a schema changes, the one before moves to `history/`. A change with which versions could no longer read one
another is refused: events stay in the log for a month, and services are deployed one by one.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType

from kafka_saga.errors import TopologyError
from kafka_saga.events import commands, lifecycle, reports
from kafka_saga.events.event import Event
from kafka_saga.wire.avro_schema import avro_schema
from kafka_saga.wire.codec import schema_folder
from kafka_saga.wire.compatibility import Version, problems, without_docs

OWN_MODULES: tuple[ModuleType, ...] = (reports, lifecycle, commands)
"""Where the events of the framework are."""


def events_of(modules: Iterable[ModuleType]) -> tuple[type[Event], ...]:
    """Every event type that these modules define, in the order of their definition."""
    return tuple(event for module in modules for event in _events_of(module))


@dataclass(frozen=True, slots=True)
class SchemaChanges:
    """What has to be written so that the folder says what the models say, and why it must not be."""

    files: dict[Path, str] = field(default_factory=dict)
    refusals: tuple[str, ...] = ()


def plan(events: Iterable[type[Event]], folder: Path) -> SchemaChanges:
    """The changes of `folder` that these events ask for; nothing is written."""
    files: dict[Path, str] = {}
    refusals: list[str] = []
    expected: set[Path] = set()
    for event in events:
        path = folder / f"{event.event_type}.avsc"
        if path in expected:
            refusals.append(f"{event.event_type}: two events have this type")
        expected.add(path)
        files.update(_changes(event, path))
        refusals += _refusals(event, path)
    refusals += _strangers(folder, expected)
    return SchemaChanges(files, tuple(refusals))


def history(folder: Path, event_type: str) -> tuple[Path, ...]:
    """The older schemas of an event type, oldest first."""
    found = [path for path in (folder / "history").glob("*.avsc") if re.fullmatch(r".+\.\d+", path.stem)]
    own = [path for path in found if path.stem.rpartition(".")[0] == event_type]
    return tuple(sorted(own, key=_number))


def text_of(event: type[Event]) -> str:
    """The content of an event type's file."""
    return json.dumps(avro_schema(event), indent=2, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Write the files, or with `--check` only compare. The exit code: 0 in order, 1 something to do, 2 refused."""
    names = [argument for argument in arguments if argument != "--check"]
    if any(name.startswith("-") for name in names):
        _say("usage: python -m kafka_saga.wire.generate [--check] [MODULE ...]")
        return 2
    modules = [import_module(name) for name in names] or OWN_MODULES
    return max(run(events, folder, check="--check" in arguments) for folder, events in _by_folder(modules).items())


def run(events: Iterable[type[Event]], folder: Path, *, check: bool) -> int:
    """As `main`, for these events and this folder."""
    try:
        found = plan(events, folder)
    except TopologyError as error:
        found = SchemaChanges(refusals=(str(error),))
    for refusal in found.refusals:
        _say(f"refused: {refusal}")
    if found.refusals:
        return 2
    for path, text in found.files.items():
        _say(f"{'differs' if check else 'written'}: {path.relative_to(folder)}")
        if not check:
            _write(path, text)
    if check and found.files:
        _say("run the same without --check")
    return 1 if check and found.files else 0


def _by_folder(modules: Iterable[ModuleType]) -> dict[Path, list[type[Event]]]:
    """The events of these modules by the folder of their schemas."""
    found: dict[Path, list[type[Event]]] = {}
    for event in events_of(modules):
        if (folder := schema_folder(event)) is not None:  # as it is for a module that was imported by its name
            found.setdefault(folder, []).append(event)
    return found


def _events_of(module: ModuleType) -> Iterator[type[Event]]:
    for value in vars(module).values():
        is_own = isinstance(value, type) and issubclass(value, Event) and value.__module__ == module.__name__
        if is_own and "event_type" in vars(value):
            yield value


def _changes(event: type[Event], path: Path) -> dict[Path, str]:
    now = text_of(event)
    if not path.exists():
        return {path: now}
    before = path.read_text(encoding="utf-8")
    if before == now:
        return {}
    if without_docs(json.loads(before)) == without_docs(json.loads(now)):
        return {path: now}
    past = history(path.parent, event.event_type)
    number = _number(past[-1]) + 1 if past else 1
    return {path.parent / "history" / f"{event.event_type}.{number}.avsc": before, path: now}


def _refusals(event: type[Event], path: Path) -> list[str]:
    stored = [*history(path.parent, event.event_type), *([path] if path.exists() else [])]
    versions = [Version(older.stem, json.loads(older.read_text(encoding="utf-8"))) for older in stored]
    present = Version(event.__name__, avro_schema(event))
    return [f"{event.event_type}: {sentence}" for sentence in problems([*versions, present])]


def _strangers(folder: Path, expected: set[Path]) -> Iterator[str]:
    for path in sorted(set(folder.glob("*.avsc")) - expected):
        yield f"{path.name} belongs to no event: bring the event back, or delete the file once no log holds one"


def _number(path: Path) -> int:
    return int(path.stem.rpartition(".")[2])


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
