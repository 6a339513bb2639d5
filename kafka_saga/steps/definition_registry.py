"""Definition drift: one name and version of a definition means the same to every process, or the process does not run.

`saga.definitions` says what each means, by the key `NAME@VERSION`. Of several statements the first in the partition
counts: of two processes that come with different content at the same time, one finds itself refused.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from kafka_saga.broker.clock import Clock
from kafka_saga.broker.port import Cluster
from kafka_saga.broker.records import Record
from kafka_saga.definition.model import Saga, in_full
from kafka_saga.definition.topics import SAGA_DEFINITIONS
from kafka_saga.errors import TopologyError
from kafka_saga.steps import definition_log
from kafka_saga.steps.definition_log import KeyValue

LOG = logging.getLogger("saga.definitions")

MOST_SAID = 6
"""Differences named in a refusal; it says how many more there are."""

Triggers = Mapping[int, frozenset[tuple[str, str]]]
"""By version of a definition: the steps that it has, each with the type of the event that triggers it."""


class Statement(msgspec.Struct, frozen=True):
    """What a name and version of a definition means: its content (`Saga.describe`) and the hash of that.

    Another version of this package may have described the same content in other words, and so with another hash.
    """

    name: str
    version: int
    hash: str
    definition: dict[str, object]

    @property
    def key(self) -> str:
        """The record's key."""
        return f"{self.name}@{self.version}"

    @property
    def content(self) -> dict[str, object]:
        """What the definition decides, defaults too."""
        return in_full(self.definition)

    def agrees_with(self, other: Statement) -> bool:
        """Whether both say the same, perhaps in other words."""
        return self.hash == other.hash or self.content == other.content


_statement = msgspec.json.Decoder(Statement)


def stated(saga: Saga) -> Statement:
    """What a definition says of itself, as it comes back from the log."""
    return _statement.decode(encode(Statement(saga.name, saga.version, saga.content_hash, saga.describe())))


def encode(statement: Statement) -> bytes:
    """A statement as JSON."""
    return msgspec.json.encode(statement)


def decode(value: bytes) -> Statement:
    """A statement from JSON. Raises msgspec.DecodeError."""
    return _statement.decode(value)


def stated_in(record: Record) -> Statement | None:
    """What a record says of a definition; `None` if it says something else, or nothing that can be read.

    The keys of other kinds of records (`KIND/...`) hold a `/`, which no definition's name does.
    """
    if b"/" in (record.key or b""):
        return None
    try:
        statement = decode(record.value or b"null")
    except msgspec.DecodeError as error:
        LOG.warning("%s says nothing of a definition, and is passed over: %s", record.where, error)
        return None
    return statement if record.key == statement.key.encode() else None


def standing(statements: Iterable[Statement]) -> dict[str, Statement]:
    """What counts, by key: of each the first."""
    found: dict[str, Statement] = {}
    for statement in statements:
        found.setdefault(statement.key, statement)
    return found


def overruled(statements: Sequence[Statement]) -> list[Statement]:
    """What counts and is not the last said of its key: compaction would leave what does not count.

    The same in other words does not count either: whoever compares hashes alone goes by the first.
    """
    last = {statement.key: statement.hash for statement in statements}
    return [first for key, first in standing(statements).items() if last[key] != first.hash]


def triggers(statements: Iterable[Statement], definition: str) -> Triggers:
    """What triggers what in each version of a definition that something is known of."""
    return {said.version: frozenset(_steps(said)) for said in statements if said.name == definition}


def refuse_drift(ours: Iterable[Statement], known: Mapping[str, Statement]) -> None:
    """Raises TopologyError if one of ours is known with other content."""
    for mine in ours:
        theirs = known.get(mine.key)
        if theirs is not None and not theirs.agrees_with(mine):
            raise TopologyError(
                f"definition {mine.name} v{mine.version} is deployed with other content: {SAGA_DEFINITIONS} has hash "
                f"{theirs.hash}, this process {mine.hash} ({_in_short(theirs, mine)}). Give the changed definition "
                f"version={mine.version + 1}, or go back to what is deployed."
            )


def differences(before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[str]:
    """What differs between two contents, one line each: `steps.llm.timeout: 1800 -> 900`; defaults count as said."""
    return _differences(in_full(before), in_full(after), "")


def agree(cluster: Cluster, sagas: Iterable[Saga], clock: Clock) -> tuple[Statement, ...]:
    """Have the log say what these definitions mean, or find that it does; everything that it says.

    Raises TopologyError if it says something else, UnavailableError if it cannot be read.
    """
    ours = [stated(saga) for saga in sagas]
    found = _read(cluster, clock)
    known = standing(found)
    refuse_drift(ours, known)
    missing = [mine for mine in ours if mine.key not in known]
    if missing or overruled(found):
        _publish(cluster, missing + overruled(found))
        found = _read(cluster, clock)
        _publish(cluster, overruled(found))
        known = standing(found)
        refuse_drift(ours, known)
    return tuple(known.values())


# ---- inside


def _differences(before: object, after: object, where: str) -> Iterator[str]:
    match before, after:
        case dict(), dict():
            for name in before | after:
                at = f"{where}.{name}" if where else str(name)
                yield from _differences(before.get(name), after.get(name), at)
        case list(), list() if _are_named(before) and _are_named(after):
            yield from _named_differences(before, after, where)
        case _ if before != after:
            yield f"{where}: {_text(before)} -> {_text(after)}"


def _are_named(items: list[object]) -> bool:
    return bool(items) and all(isinstance(item, dict) and "name" in item for item in items)


def _named_differences(before: list[dict[str, object]], after: list[dict[str, object]], where: str) -> Iterator[str]:
    """Those that are only there or only here are named; of the others, what differs."""
    old, new = ({str(item["name"]): item for item in items} for items in (before, after))
    if list(old) != list(new):
        yield f"{where}: {', '.join(old)} -> {', '.join(new)}"
    for name in old.keys() & new.keys():
        yield from _differences(old[name], new[name], f"{where}.{name}")


def _text(value: object) -> str:
    match value:
        case None:
            return "none"
        case float():
            return f"{value:g}"
        case str():
            return value or '""'
        case _:
            return msgspec.json.encode(value).decode()


def _steps(statement: Statement) -> Iterator[tuple[str, str]]:
    match statement.definition.get("steps"):
        case list(steps):
            yield from ((str(step["name"]), str(step["on"])) for step in steps)


def _in_short(before: Statement, after: Statement) -> str:
    found = sorted(differences(before.definition, after.definition))
    more = len(found) - MOST_SAID
    said = "; ".join(found[:MOST_SAID])
    return f"{said}; and {more} more" if more > 0 else said


def _read(cluster: Cluster, clock: Clock) -> list[Statement]:
    """Everything said of definitions, in the order of each partition. Raises UnavailableError."""
    return [said for record in definition_log.read(cluster, clock) if (said := stated_in(record)) is not None]


def _publish(cluster: Cluster, statements: Iterable[Statement]) -> None:
    definition_log.publish(cluster, *(KeyValue(statement.key, encode(statement)) for statement in statements))
