"""How the tracker's table stands at the end of a log: the last view of each saga, and whether it is forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from kafka_saga.tracker.core.state import SagaState, decode
from tests.simulation.seen import SagaName, Seen


@dataclass(frozen=True)
class LastState:
    """The last view under one key of one partition; `gone` is the record that says that there is none any more.

    `is_second`: the saga had ended and was forgotten before, and has begun anew.
    """

    seen: Seen
    gone: Seen | None = None
    is_second: bool = False

    @cached_property
    def state(self) -> SagaState:
        assert self.seen.value is not None
        return decode(self.seen.value)

    @property
    def name(self) -> SagaName:
        """The saga, as the view itself says: two definitions may have sagas of one id."""
        return SagaName(self.state.definition, self.state.saga_id)

    @property
    def is_forgotten(self) -> bool:
        return self.gone is not None


def last_states(records: Iterable[Seen]) -> list[LastState]:
    """Of records of `saga.state`, in the order of each partition, what is left."""
    found: dict[tuple[int, bytes], LastState] = {}
    for seen in records:
        place = seen.partition, seen.key or b""
        before = found.get(place)
        if seen.value:
            found[place] = _next(before, LastState(seen))
        elif before is not None and before.gone is None:
            found[place] = replace(before, gone=seen)
    return list(found.values())


def _next(before: LastState | None, now: LastState) -> LastState:
    """The view `now`; one of a command alone, about a saga that is forgotten, is no life of its own."""
    if before is None or before.gone is None or not before.state.status.is_final:
        return now if before is None or not before.is_second else replace(now, is_second=True)
    return before if not now.state.definition else replace(now, is_second=True)
