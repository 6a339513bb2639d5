"""The sagas of one task: their states in its store, when each is to be looked at, and which of a key are running."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping

import msgspec

from schemas.control import DEFINITION, PREFIX, STEP, ControlEntry
from services.chassis.keyed import Store
from services.tracker.core.pauses import NOTHING_WIDE, Wide
from services.tracker.core.state import SagaState, SagaStatus
from services.tracker.entries import forgotten_at
from services.tracker.schedule import Schedule
from topology.topics import SAGA_CONTROL, SAGA_STATE


class Glance(msgspec.Struct, frozen=True, gc=False):
    """What is needed of a state to take a task over: the rest is decoded when the saga is touched."""

    saga_id: str
    definition: str
    version: int
    hash: str = ""
    status: SagaStatus = SagaStatus.UNKNOWN
    due: int | None = None

    @property
    def key(self) -> str:
        """The business key."""
        return self.saga_id.rpartition("@")[0]


_glance = msgspec.json.Decoder(Glance)

_OF_SCOPE = b"\0"
"""Begins the keys of a schedule that are no saga's, but a wide scope's: when its entry is not needed any more."""


def scope_of(key: bytes) -> str | None:
    """The wide scope that a key of the schedule is about; none if it is a saga's."""
    return key.removeprefix(_OF_SCOPE).decode() if key.startswith(_OF_SCOPE) else None


class Book:
    """One task's sagas. Stores are the task's; the rest is kept beside them, and made anew from them."""

    def __init__(self, number: int, stores: Mapping[str, Store]) -> None:
        self.number = number
        self.states = stores[SAGA_STATE]
        self.control = stores[SAGA_CONTROL]
        self.schedule = Schedule()
        self.until = 0
        self.read: dict[str, int] = {}
        self.revision = 0
        self._running: dict[tuple[str, str], set[str]] = {}
        self._wide: dict[str, ControlEntry] = {}

    def glances(self) -> Iterator[Glance]:
        """Every saga, in brief."""
        for _, value in self.states.committed():
            yield _glance.decode(value)

    def restore(self, glances: Iterable[Glance], followed: Container[str], exclusive: Container[str]) -> None:
        """Make the rest from the stores; of the `exclusive` definitions one saga a key is to run."""
        for scope, value in self.control.committed():
            entry = self.control.spec.decode(value)
            self.note(scope.decode(), entry)
        for glance in glances:
            if glance.definition in followed or not glance.definition:
                self.schedule.set(glance.saga_id.encode(), glance.due)
            if glance.definition in exclusive and not glance.status.is_final:
                self._running.setdefault((glance.definition, glance.key), set()).add(glance.saga_id)

    def reach(self, until: int, read: Mapping[str, int]) -> None:
        """Everything before `until` has been folded in; `read` are the next offsets by topic."""
        self.until = max(self.until, until)
        for topic, offset in read.items():
            self.read[topic] = max(offset, self.read.get(topic, 0))

    def note(self, scope: str, entry: ControlEntry | None) -> None:
        """An entry of control has been read or written."""
        if entry is not None:
            self.revision = max(self.revision, entry.revision)
        if not scope.startswith((PREFIX, STEP, DEFINITION)):
            return
        if entry is None:
            self._wide.pop(scope, None)
            self.schedule.set(_OF_SCOPE + scope.encode(), None)
        else:
            self._wide[scope] = entry
            self.schedule.set(_OF_SCOPE + scope.encode(), forgotten_at(scope, entry))

    def next_revision(self, at: int) -> int:
        """A revision above all that were given or issued under; above `at` (milliseconds): so after a restart, too."""
        self.revision = max(self.revision, at) + 1
        return self.revision

    def issue(self) -> int:
        """The revision that a command is issued under: entries written later are above it."""
        self.revision = max(self.revision, self.until)
        return self.revision

    def wide_of(self, state: SagaState) -> Wide:
        """What control says of a saga beyond the saga itself."""
        if not self._wide:
            return NOTHING_WIDE
        definition, key = state.definition, state.key
        prefix = tuple(
            (scope, entry) for scope, entry in self._wide.items()
            if scope.startswith(PREFIX) and key.startswith(scope.removeprefix(PREFIX))
        )  # fmt: skip
        begin = f"{STEP}{definition}/"
        steps = tuple(
            (scope.removeprefix(begin), entry) for scope, entry in self._wide.items() if scope.startswith(begin)
        )
        return Wide(prefix, self._wide.get(DEFINITION + definition), steps)

    def running(self, state: SagaState) -> frozenset[str]:
        """The other sagas of the key that run."""
        found = self._running.get((state.definition, state.key), set())
        return frozenset(found - {state.saga_id})

    def mark(self, state: SagaState) -> None:
        """A saga of an exclusive definition has started or ended."""
        place = (state.definition, state.key)
        if not state.status.is_final:
            self._running.setdefault(place, set()).add(state.saga_id)
        elif found := self._running.get(place):
            found.discard(state.saga_id)
            if not found:
                del self._running[place]
