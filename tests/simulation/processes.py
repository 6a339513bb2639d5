"""The processes of a run: they crash, leave, stand still at a point of their work, and come back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from random import Random

from services.chassis.port import FencedError
from services.chassis.work import Made
from services.testing.system import System
from tests.simulation.course import Action, Course
from tests.simulation.shapes import Shape


class CrashedError(BaseException):
    """The process dies here; nothing may catch this on its way."""


class Processes:
    """Two instances of each service, and so many trackers; `pass_turn` lets the others go on."""

    def __init__(
        self, shape: Shape, system: System, course: Course, rng: Random, trackers: int, pass_turn: Action
    ) -> None:
        self.exits = 0
        self.stalled: set[str] = set()
        self.is_over = False
        self._shape = shape
        self._system = system
        self._course = course
        self._rng = rng
        self._pass_turn = pass_turn
        self._armed: dict[str, list[tuple[str, Action]]] = defaultdict(list)
        services = [f"{service.name}/{instance}" for service in shape.services for instance in (1, 2)]
        self._names = services + [f"tracker/{instance}" for instance in range(1, trackers + 1)]
        self.start_all()

    @property
    def awake(self) -> list[str]:
        """Those that can take a turn."""
        return [name for name in self._names if name in self._system.processes and name not in self.stalled]

    def start_all(self) -> None:
        """Every process that is not there is started."""
        for name in self._names:
            self._start(name)

    def take_turn(self, name: str) -> None:
        """One round of a process's loop, which it may not survive."""
        before, self._course.current = self._course.current, name
        try:
            self._system.turn(name)
        except CrashedError:
            self._die(name)
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
        if current is None:
            return
        points = {point, "before_rulings"} if point == "before_begin" and self._rules(current) else {point}
        for one in self._armed[current]:
            if one[0] in points:
                self._armed[current].remove(one)
                one[1]()
                return

    def _rules(self, name: str) -> bool:
        """Whether what a process is about to write takes in no record."""
        process = self._system.processes.get(name)
        waiting = process.worker.runner.waiting() if process is not None else ()
        return bool(waiting) and all(isinstance(one, Made) for one in waiting)

    def end_faults(self) -> None:
        """From now on nothing goes wrong any more, and everybody is there."""
        self.is_over = True
        self._armed.clear()
        self.stalled.clear()
        self._system.broker.is_away = False
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
        except (CrashedError, FencedError):
            self._system.processes.pop(name, None)
        finally:
            self._course.current = before
        self._come_back(name, down)

    def stall(self, name: str, turns: int) -> None:
        """Others go on meanwhile: the process that stalls inside a transaction comes back in the middle of it."""
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
        raise error

    def _die(self, name: str) -> None:
        if process := self._system.processes.pop(name, None):
            process.die()
        self._armed[name].clear()

    def exited(self, name: str) -> None:
        """A supervisor starts it again."""
        self._course.note(f"{name} had to exit: another is in its place")
        self._armed[name].clear()
        self.exits += 1
        if self.is_over:
            self._start(name)
        else:
            self._come_back(name, 10)

    def _come_back(self, name: str, down: int) -> None:
        self._course.after(down, lambda: self._start(name))

    def _start(self, name: str) -> None:
        if name in self._system.processes:
            return
        group, instance = name.split("/")
        skew = self._rng.randrange(-2_000, 2_000)
        if group == "tracker":
            self._system.start_tracker(instance, skew)
            return
        service = next(service for service in self._shape.services if service.name == group)
        self._system.start(service, instance, skew)
