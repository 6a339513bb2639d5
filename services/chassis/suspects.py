"""Which deliveries a process may have died of, and when these start: not before the log says that they do.

DESIGN 4.4. A delivery's crash count is how often a process died that may have been working on it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable

from services.chassis.work import Delivery, Made

ALONE_FROM = 2
"""The crash count from which a suspect is worked on while no other suspect is."""

GIVEN_UP_AT = 3
"""The crash count at which a delivery is not worked on any more."""


class Suspects:
    """Deliveries that wait until a commit says that they start, and suspects that wait for their turn.

    A suspect is live from when it is asked to be committed until it ends. One that is to be alone is live with no
    other; the others are live together.
    """

    def __init__(self) -> None:
        self._asked: list[Delivery] = []
        self._committing: dict[int, tuple[Made, list[Delivery]]] = {}
        self._queue: deque[tuple[Delivery, bool]] = deque()
        self._live: dict[int, bool] = {}

    def ask(self, delivery: Delivery, crashes: int) -> bool:
        """A delivery is to start, at this crash count; whether its turn has come."""
        alone = crashes >= ALONE_FROM
        if crashes and not self._may_live(alone=alone):
            self._queue.append((delivery, alone))
            return False
        self._let(delivery, alone=alone, is_suspect=crashes > 0)
        return True

    def take(self) -> list[Delivery]:
        """What has to be committed now."""
        while self._queue and self._may_live(alone=self._queue[0][1]):
            delivery, alone = self._queue.popleft()
            self._let(delivery, alone=alone, is_suspect=True)
        asked, self._asked = self._asked, []
        return asked

    def wait(self, made: Made, deliveries: list[Delivery]) -> None:
        """These start when `made` is committed."""
        self._committing[id(made)] = (made, deliveries)

    def committed(self, made: Iterable[Made]) -> list[Delivery]:
        """What starts now that these are on the log."""
        found = (self._committing.pop(id(one), None) for one in made)
        return [delivery for pair in found if pair is not None for delivery in pair[1]]

    def leave(self, delivery: Delivery) -> None:
        """It has ended, or does not start after all."""
        self._live.pop(id(delivery), None)

    def keep(self, running: Collection[Delivery]) -> None:
        """Forget everything but these, which run."""
        self._asked.clear()
        self._committing.clear()
        self._queue.clear()
        places = {id(delivery) for delivery in running}
        self._live = {one: alone for one, alone in self._live.items() if one in places}

    def _let(self, delivery: Delivery, *, alone: bool, is_suspect: bool) -> None:
        self._asked.append(delivery)
        if is_suspect:
            self._live[id(delivery)] = alone

    def _may_live(self, *, alone: bool) -> bool:
        return not self._live if alone else not any(self._live.values())
