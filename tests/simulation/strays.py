"""Records that are none: what others may write to our topics by mistake. Each bears its kind in a header.

`undecodable`: an event again under an id of its own, whose value is garbage (and whose cause, if `pick` is odd).
`garbage`: no headers that mean anything.
`misplaced`: a copy of an event in the wrong partition. `invalid_start`, `huge_start`: raw starts that are none.
`undeclared`: an event that the step in its headers does not declare. `causeless`, `causeless_report`: what has caused
them does not exist. `no_command`: garbage on `saga.commands`. `no_work`: a command to a step that is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from kafka_saga.broker.memory import MemoryCluster
from kafka_saga.broker.records import Headers, Outgoing, Record
from kafka_saga.definition.topics import SAGA_COMMANDS, SAGA_STEPS
from kafka_saga.events.reports import StepFailed
from kafka_saga.wire.codec import Codec
from tests.simulation.seen import STRAY
from tests.simulation.shapes import Shape

DEAD = frozenset({"undecodable", "garbage", "misplaced", "invalid_start", "huge_start", "no_command", "no_work"})
"""Kinds that can only be dead-lettered, by whoever consumes their topic."""

GARBAGE = b"\xc3\x01\xff\xfe garbage"

Make = Callable[["Desk", int], Outgoing | None]


class Desk:
    """The log, as somebody sees it who writes strays about the sagas of a shape."""

    def __init__(self, cluster: MemoryCluster, shape: Shape, number: int) -> None:
        self.cluster = cluster
        self.shape = shape
        self.id = f"stray-{number}"

    def event(self, pick: int, topics: Sequence[str]) -> Record | None:
        """One of the sagas' records on these topics; `None` if there is none yet."""
        found = [record for topic in topics for record in self.cluster.records(topic) if _is_of_saga(record)]
        return found[pick % len(found)] if found else None

    def triggers(self, *, starts: bool = False) -> list[str]:
        """The topics of events that trigger a step, those of starts or not."""
        saga = self.shape.saga
        return [t for t, steps in saga.triggered_by.items() if steps and (starts or t != saga.starts_on.event_type)]


def stray(cluster: MemoryCluster, shape: Shape, number: int, kind: str, pick: int) -> Outgoing | None:
    """A record of this kind; `None` if there is nothing yet that it could be about."""
    made = _MAKERS[kind](Desk(cluster, shape, number), pick)
    if made is None:
        return None
    return Outgoing(made.topic, made.partition, made.key, made.value, [*made.headers, (STRAY, kind.encode())])


def _undecodable(desk: Desk, pick: int) -> Outgoing | None:
    if (found := desk.event(pick, desk.triggers())) is None:
        return None
    changed = {"ce_causationid": f"{desk.id}-cause"} if pick % 2 else {}
    return Outgoing(found.topic, found.partition, found.key, GARBAGE, _with(found, ce_id=desk.id, **changed))


def _garbage(desk: Desk, pick: int) -> Outgoing:
    topics = [*desk.triggers(), *(step.work_topic for step in desk.shape.saga.steps)]
    headers: Headers = [("ce_id", b"\xff\xfe"), ("ce_specversion", b"7"), ("ce_subject", b"@")]
    return Outgoing(topics[pick % len(topics)], pick % 2, b"k0", GARBAGE, headers)


def _misplaced(desk: Desk, pick: int) -> Outgoing | None:
    if (found := desk.event(pick, list(desk.shape.saga.events))) is None:
        return None
    partitions = len(desk.cluster.topics[found.topic])
    return Outgoing(found.topic, (found.partition + 1) % partitions, found.key, found.value, list(found.headers))


def _invalid_start(desk: Desk, pick: int) -> Outgoing:
    return Outgoing(desk.shape.saga.starts_on.event_type, pick % 2, None, b'{"key": ["no", "text"], "run": "x"}', [])


def _huge_start(desk: Desk, pick: int) -> Outgoing:
    return Outgoing(desk.shape.saga.starts_on.event_type, pick % 2, None, b" " * 5_000_000, [])


def _undeclared(desk: Desk, pick: int) -> Outgoing | None:
    """In the name of a step that emits something else."""
    if (found := desk.event(pick, _emitted(desk))) is None:
        return None
    others = [step.name for step in desk.shape.saga.steps if found.topic not in {e.event_type for e in step.emits}]
    if not others:
        return None
    headers = _with(found, ce_id=desk.id, ce_step=others[pick % len(others)])
    return Outgoing(found.topic, found.partition, found.key, found.value, headers)


def _causeless(desk: Desk, pick: int) -> Outgoing | None:
    if (found := desk.event(pick, _emitted(desk))) is None:
        return None
    headers = _with(found, ce_id=desk.id, ce_causationid=f"{desk.id}-cause")
    return Outgoing(found.topic, found.partition, found.key, found.value, headers)


def _causeless_report(desk: Desk, pick: int) -> Outgoing | None:
    """A failed attempt at a delivery that nobody knows."""
    if (found := desk.event(pick, _emitted(desk))) is None:
        return None
    report = StepFailed(step=desk.shape.step(pick), reason="simulated", code="retryable", retryable=True)
    headers = _with(
        found,
        ce_id=desk.id,
        ce_causationid=f"{desk.id}-cause",
        ce_type=StepFailed.event_type,
        ce_step=report.step,
        ce_reason="simulated",
        ce_code="retryable",
        ce_retryable="true",
        ce_delivery=f"{found.topic}/{found.partition}/{10**9}",
    )
    return Outgoing(SAGA_STEPS, found.partition, found.key, Codec((StepFailed,)).encode(report), headers)


def _no_command(desk: Desk, pick: int) -> Outgoing:
    return Outgoing(
        SAGA_COMMANDS, pick % 2, b"k0", GARBAGE, [("ce_type", b"saga.command"), ("ce_id", desk.id.encode())]
    )


def _no_work(desk: Desk, pick: int) -> Outgoing | None:
    """Under a saga's headers, but neither to run nor to undo anything."""
    if (found := desk.event(pick, _emitted(desk))) is None:
        return None
    topic = desk.shape.saga.steps[pick % len(desk.shape.saga.steps)].work_topic
    return Outgoing(topic, found.partition, found.key, GARBAGE, _with(found, ce_id=desk.id))


def _emitted(desk: Desk) -> list[str]:
    return list(dict.fromkeys(event.event_type for step in desk.shape.saga.steps for event in step.emits))


def _with(record: Record, **changed: str) -> Headers:
    """The headers of a record with some that are others."""
    kept = [(name, value) for name, value in record.headers if name not in changed]
    return [*kept, *((name, text.encode()) for name, text in changed.items())]


def _is_of_saga(record: Record) -> bool:
    names = dict(record.headers)
    return "ce_subject" in names and STRAY not in names


_KINDS: Sequence[tuple[str, int, Make]] = (
    ("undecodable", 8, _undecodable),
    ("garbage", 6, _garbage),
    ("misplaced", 6, _misplaced),
    ("invalid_start", 6, _invalid_start),
    ("huge_start", 1, _huge_start),
    ("undeclared", 6, _undeclared),
    ("causeless", 6, _causeless),
    ("causeless_report", 6, _causeless_report),
    ("no_command", 4, _no_command),
    ("no_work", 4, _no_work),
)
_MAKERS: Mapping[str, Make] = {kind: make for kind, _, make in _KINDS}

KINDS: Sequence[str] = tuple(_MAKERS)
WEIGHTS: Sequence[int] = tuple(weight for _, weight, _ in _KINDS)
"""How often each kind is drawn, against the others."""
