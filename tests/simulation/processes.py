"""The processes of a run: they crash, leave, stand still at a point of their work, come back, and are replaced."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

from kafka_saga.definition.model import Saga
from kafka_saga.engine.work import Ended
from kafka_saga.errors import ChoreographyError
from kafka_saga.testing.process import SimulatedProcess
from kafka_saga.testing.system import TRACKER
from kafka_saga.worker.service import Service
from tests.simulation.course import Action, Course
from tests.simulation.handlers import CrashedError, KilledError
from tests.simulation.shapes import Shape
from tests.simulation.watching import SimulatedSystem

BACK_AFTER = 10
"""Turns after which a supervisor has started a process again that had to exit, or was killed by a handler."""


class Crew(NamedTuple):
    """Who is to run: two instances of each service of these shapes, and so many trackers of these definitions."""

    shapes: Sequence[Shape]
    trackers: int
    tracked: Sequence[Saga]
    is_static: bool = False


class Loss(NamedTuple):
    """A process died, stood still or lost a transaction, so that another may have taken over from it without a word."""

    at: int
    process: str


class Processes:
    """Everybody who is to run; `pass_turn` lets the others go on, `watch` is shown every process that starts."""

    def __init__(
        self,
        crew: Crew,
        system: SimulatedSystem,
        course: Course,
        rng: Random,
        pass_turn: Action,
        watch: Callable[[SimulatedProcess], None],
    ) -> None:
        self.exits = 0
        self.losses: list[Loss] = []
        self.stalled: set[str] = set()
        self.is_over = False
        self._crew = crew
        self._tracked = crew.tracked
        self._system = system
        self._course = course
        self._rng = rng
        self._pass_turn = pass_turn
        self._watch = watch
        self._armed: dict[str, list[tuple[str, Action]]] = defaultdict(list)
        self._services = {service.name: service for shape in crew.shapes for service in shape.services}
        self._running: dict[str, Service | Sequence[Saga]] = {}
        self._names = [f"{service}/{instance}" for service in self._services for instance in (1, 2)]
        self._names += [f"{TRACKER}/{instance}" for instance in range(1, crew.trackers + 1)]
        self.start_all()

    @property
    def awake(self) -> list[str]:
        """Those that can take a turn."""
        running, stalled = self._system.processes, self.stalled
        return [name for name in self._names if name in running and name not in stalled]

    def start_all(self) -> None:
        """Every process that is not there is started."""
        for name in self._names:
            self._start(name)

    def take_turn(self, name: str) -> None:
        """One round of a process's loop, which it may not survive."""
        before, self._course.current = self._course.current, name
        try:
            self._system.turn(name)
        finally:
            self._course.current = before

    def beat(self) -> None:
        """Those that do not stand still say that they live."""
        for name, process in self._system.processes.items():
            if name not in self.stalled:
                process.beat()

    def at_point(self, point: str) -> None:
        """The process whose turn it is has come to this point of its work."""
        current = self._course.current
        if current is None or not (armed := self._armed[current]):
            return
        points = {point, "before_rulings"} if point == "before_begin" and self._rules(current) else {point}
        for one in armed:
            if one[0] in points:
                armed.remove(one)
                one[1]()
                return

    def end_faults(self) -> None:
        """From now on nothing goes wrong any more, and everybody is there, as was deployed last."""
        self.is_over = True
        self._armed.clear()
        self.stalled.clear()
        self._system.broker.is_away = False
        for name in self._names:
            if name in self._system.processes and self._running.get(name) is not self._wanted(name):
                self.leave(name, 0)
        self.start_all()

    def arm(self, process: int, point: str, act: Callable[[str], None]) -> None:
        """Let this happen to a process at a point of its work (empty: at once)."""
        name = self._names[process % len(self._names)]
        if name not in self._system.processes:
            return
        if point:
            self._armed[name].append((point, lambda: act(name)))
        else:
            act(name)

    # ---- what happens to them

    def crash(self, name: str, down: int) -> None:
        """As by kill -9; it is down for so many turns."""
        self._course.note(f"{name} crashes")
        self._come_back(name, down)
        if self._course.current == name:
            raise CrashedError
        self._die(name)

    def leave(self, name: str, down: int) -> None:
        """It stops in order, and is down for so many turns; one that stands still hears of it when it goes on."""
        if name in self.stalled:
            self._course.after(1, lambda: self.leave(name, down))
            return
        if name not in self._system.processes:
            return
        self._course.note(f"{name} stops in order")
        before, self._course.current = self._course.current, name
        try:
            self._system.stop(name)
        except (CrashedError, ChoreographyError):
            self._lose(name)
            self._system.processes.pop(name, None)
        finally:
            self._course.current = before
        self._come_back(name, down)

    def stall(self, name: str, turns: int) -> None:
        """Others go on meanwhile: the process that stalls inside a transaction comes back in the middle of it."""
        self._lose(name)
        if self._course.current != name:
            self._course.note(f"{name} stands still")
            self.stalled.add(name)
            self._course.after(turns, lambda: self.stalled.discard(name))
        elif len(self.stalled) < 1:
            self._course.note(f"{name} stands still in the middle of a transaction")
            self.stalled.add(name)
            for _ in range(turns):
                self._pass_turn()
            self.stalled.discard(name)
            self._course.note(f"{name} goes on")

    def throw(self, error: Exception) -> None:
        """The transaction that is under way ends with this error."""
        self._course.note(f"transaction: {error}")
        self._lose(self._course.current or "")
        raise error

    def died(self, name: str, death: CrashedError) -> None:
        """A process has died in its turn; if a handler has killed it, a supervisor starts it again."""
        self._die(name)
        if not isinstance(death, KilledError):
            return
        self._course.note(f"{name} is killed by a handler")
        if self.is_over:
            self.exits += 1
            self._start(name)
        else:
            self._come_back(name, BACK_AFTER)

    def exited(self, name: str) -> None:
        """A supervisor starts it again."""
        self._course.note(f"{name} had to exit: another is in its place")
        self._lose(name)
        self._armed[name].clear()
        self.exits += 1
        if self.is_over:
            self._start(name)
        else:
            self._come_back(name, BACK_AFTER)

    # ---- what is deployed

    def deploy(self, newer: Shape, first: str, every: int) -> None:
        """Replace services by those of a newer version, an instance at a time; the `first` service comes last."""
        services = sorted(newer.services, key=lambda service: service.name == first)
        names = [(service, f"{service.name}/{instance}") for service in services for instance in (1, 2)]
        for number, (service, name) in enumerate(names):
            self._course.after(number * every, lambda service=service, name=name: self._replace(name, service))  # type: ignore[misc]

    def _replace(self, name: str, service: Service) -> None:
        self._services[service.name] = service
        if name not in self._names:
            self._names.append(name)
            self._start(name)
        else:
            self.leave(name, 1 + self._rng.randrange(3))

    def add_definitions(self, definitions: Sequence[Saga], down: int) -> None:
        """Trackers stop in order, and are started again with these definitions."""
        self._tracked = definitions
        for instance in range(1, self._crew.trackers + 1):
            self.leave(f"{TRACKER}/{instance}", down)

    # ---- inside

    def _rules(self, name: str) -> bool:
        """Whether what a process is about to write takes in no record."""
        process = self._system.processes.get(name)
        waiting = process.worker.runner.waiting() if process is not None else ()
        return bool(waiting) and not any(isinstance(one, Ended) for one in waiting)

    def _die(self, name: str) -> None:
        self._lose(name)
        if process := self._system.processes.pop(name, None):
            process.die()
        self._armed[name].clear()

    def _lose(self, name: str) -> None:
        self.losses.append(Loss(self._system.clock.now(), name))

    def _come_back(self, name: str, down: int) -> None:
        self._course.after(down, lambda: self._start(name))

    def _wanted(self, name: str) -> Service | Sequence[Saga]:
        """What a process of this name is to be started with."""
        group = name.partition("/")[0]
        return self._tracked if group == TRACKER else self._services[group]

    def _start(self, name: str) -> None:
        if name in self._system.processes:
            return
        instance, wanted = name.partition("/")[2], self._wanted(name)
        skew, is_static = self._rng.randrange(-2_000, 2_000), self._crew.is_static
        self._running[name] = wanted
        if isinstance(wanted, Service):
            self._watch(self._system.start(wanted, instance, skew, static=is_static))
        else:
            self._system.start_tracker(instance, skew, wanted, static=is_static)
