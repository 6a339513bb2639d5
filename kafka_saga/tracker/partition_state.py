"""The sagas of one task: their states in its store, when each is to be looked at, and which of a key are running."""

from __future__ import annotations

import logging
from collections.abc import Container, Iterable, Iterator, Mapping

import msgspec

from kafka_saga.definition.topics import SAGA_CONTROL, SAGA_STATE
from kafka_saga.engine.state_store import Store
from kafka_saga.tracker.control_entries import forgotten_at
from kafka_saga.tracker.core.pauses import Wide, wide_of
from kafka_saga.tracker.core.state import SagaState, SagaStatus, decode
from kafka_saga.tracker.schedule import Schedule
from kafka_saga.wire.control import ControlEntry, is_wide
from kafka_saga.wire.ids import key_of


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
        return key_of(self.saga_id)


LOG = logging.getLogger("saga.tracker")

_OF_SCOPE = b"\0"
"""Begins the keys of a schedule that are no saga's, but a wide scope's: when its entry is not needed any more."""


def scope_of(key: bytes) -> str | None:
    """The wide scope that a key of the schedule is about; none if it is a saga's."""
    return key.removeprefix(_OF_SCOPE).decode() if key.startswith(_OF_SCOPE) else None


class PartitionState:
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
        self.unreadable: dict[bytes, str] = {}
        self._wide: dict[str, ControlEntry] = {}

    def glances(self) -> Iterator[Glance]:
        """Every saga, in brief; what cannot be read is said in the log, and stays as it is: `unreadable`, with why."""
        for key, value in self.states.committed():
            try:
                state = decode(value)
            except msgspec.DecodeError as error:
                self.unreadable[key] = f"its record on {SAGA_STATE} cannot be read by this tracker: {error}"
                LOG.error("%s is not followed: %s", key.decode(errors="replace"), self.unreadable[key])
            else:
                yield Glance(state.saga_id, state.definition, state.version, state.hash, state.status, state.due)

    def restore(self, glances: Iterable[Glance], followed: Container[str], exclusive: Container[str]) -> None:
        """Make the rest from the stores; of the `exclusive` definitions one saga a key is to run."""
        self._restore_control()
        for glance in glances:
            if glance.definition in followed or not glance.definition:
                self.schedule.set(glance.saga_id.encode(), glance.due)
            if glance.definition in exclusive and not glance.status.is_final:
                self._running.setdefault((glance.definition, glance.key), set()).add(glance.saga_id)

    def _restore_control(self) -> None:
        """Services pass over what cannot be read; so it is no entry here either."""
        for scope, value in tuple(self.control.committed()):
            try:
                self.note(scope.decode(), self.control.spec.decode(value))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                LOG.error("%s: no control entry, passed over: %s", scope.decode(errors="replace"), error)
                self.control.forget(scope)

    def reach(self, until: int, read: Mapping[str, int]) -> None:
        """Everything before `until` has been folded in; `read` are the next offsets by topic."""
        self.until = max(self.until, until)
        for topic, offset in read.items():
            self.read[topic] = max(offset, self.read.get(topic, 0))

    def note(self, scope: str, entry: ControlEntry | None) -> None:
        """An entry of control has been read or written."""
        if entry is not None:
            self.revision = max(self.revision, entry.revision)
        if not is_wide(scope):
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
        return wide_of(self._wide, state)

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
