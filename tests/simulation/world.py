"""One simulated run: processes take turns as the seed says, the plan's faults happen, then everything comes to rest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

from services.chassis.context import Context
from services.chassis.memory.consumers import all_in_order
from services.chassis.port import TransactionAbortedError, TransactionInDoubtError
from services.chassis.records import TopicPartition
from services.testing.executor import Interference
from services.testing.system import TRACKER, System
from tests.simulation.course import Course
from tests.simulation.handlers import Called, Handlers, Sight, sight
from tests.simulation.inputs import Inputs
from tests.simulation.plan import (
    TURNS,
    Away,
    Begin,
    Command,
    Crash,
    Doubt,
    Fault,
    Foreign,
    Hold,
    Leave,
    Plan,
    Refuse,
    Stall,
    Trouble,
)
from tests.simulation.processes import Processes
from tests.simulation.shapes import SHAPES

PARTITIONS = 2
HORIZON = 30 * 60.0
"""Virtual seconds after the last fault within which everything that is due has to happen."""


class World:
    """The run of a plan."""

    def __init__(self, plan: Plan) -> None:
        self.shape = SHAPES[plan.shape]
        self.system = System((self.shape.saga,), partitions=PARTITIONS, interfere=self._interfere)
        self.cluster = self.system.cluster
        self._rng = Random(plan.seed * 2 + 1)
        self._course = Course(self.system.clock)
        self._handlers = Handlers(self.shape, self._look)
        self._inputs = Inputs(self.shape, self.system, self._course)
        self._processes = Processes(self.shape, self.system, self._course, self._rng, plan.trackers, self._pass_turn)
        for fault in plan.faults:
            self._plan(fault)

    @property
    def notes(self) -> Sequence[str]:
        """What happened, for people."""
        return self._course.notes

    @property
    def calls(self) -> Sequence[Called]:
        """Every handler that was called."""
        return self._handlers.calls

    @property
    def sights(self) -> Sequence[Sight]:
        """What the services that run know of `saga.control`."""
        return [
            sight(process, PARTITIONS) for process in self.system.processes.values() if process.name.group != TRACKER
        ]

    def run(self) -> World:
        """Faults and turns, then rest."""
        self.system.on_exit = self._processes.exited
        self.cluster.fault = self._processes.at_point
        self.cluster.portion = self._portion
        for _ in range(TURNS):
            self._pass_turn()
        self._end_faults()
        self._rest()
        return self

    # ---- turns

    def _pass_turn(self) -> None:
        self._course.next()
        self._pass_time()
        if awake := self._processes.awake:
            self._processes.take_turn(self._rng.choice(awake))

    def _pass_time(self) -> None:
        """Mostly a few milliseconds, now and then seconds; long for those who stand still, so that they are missed."""
        draw = self._rng.random()
        if draw > 0.993:
            self._wait(15)
        elif draw > 0.96:
            self._wait(self._rng.randrange(1, 25) / 10)
        else:
            self._wait(0.4 if self._processes.stalled else self._rng.randrange(1, 30) / 1000)

    def _wait(self, seconds: float) -> None:
        self.system.clock.advance(seconds)
        self._processes.beat()
        self.cluster.expire_transactions()

    def _portion(self, readable: Sequence[TopicPartition], limit: int) -> Iterable[tuple[TopicPartition, int]]:
        """What one poll returns: all there is, or little of some in an order of its own."""
        if self._rng.random() < 0.4 or not readable:
            return all_in_order(readable, limit)
        chosen = self._rng.sample(readable, self._rng.randint(1, len(readable)))
        most = self._rng.choice((1, 2, 5))
        return [(at, most) for at in chosen]

    # ---- faults

    def _plan(self, fault: Fault) -> None:
        match fault:
            case Trouble():
                self._handlers.trouble(fault)
            case _:
                self._course.at(fault.at, lambda: self._happen(fault))

    def _happen(self, fault: Fault) -> None:
        them = self._processes
        match fault:
            case Crash(_, process, point, down):
                them.arm(process, point, lambda name: them.crash(name, down))
            case Leave(_, process, down):
                them.arm(process, "", lambda name: them.leave(name, down))
            case Stall(_, process, point, turns):
                them.arm(process, point, lambda name: them.stall(name, turns))
            case Doubt(_, process, point):
                them.arm(process, point, lambda _: them.throw(TransactionInDoubtError("no answer")))
            case Refuse(_, process, point):
                them.arm(process, point, lambda _: them.throw(TransactionAbortedError("the broker says no")))
            case Away(_, turns):
                self._go_away(turns)
            case Begin(_, saga, turns_at):
                self._inputs.begin(saga, turns_at)
            case Foreign(_, pick):
                self._inputs.emit_again(pick)
            case Command(_, saga, act, step):
                self._inputs.command(saga, act, step)
            case Hold(_, step, turns):
                self._inputs.hold(step, turns)
            case Trouble():
                pass

    def _go_away(self, turns: int) -> None:
        self._course.note(f"the broker is away for {turns} turns")
        self.system.broker.is_away = True
        self._course.after(turns, self._be_back)

    def _be_back(self) -> None:
        self.system.broker.is_away = False

    def _look(self) -> Sight:
        process = self.system.current
        assert process is not None, "a handler is called in nobody's turn"
        return sight(process, PARTITIONS)

    def _interfere(self, context: Context) -> Interference:
        return self._handlers.called(context, self.system.clock.now())

    # ---- the end

    def _end_faults(self) -> None:
        """From now on nothing goes wrong any more: what is due later happens now."""
        self._course.finish()
        self.cluster.portion = all_in_order
        self._processes.end_faults()
        self._course.note("faults have ended")

    def _rest(self) -> None:
        """Sessions and open transactions of the dead end, then time passes until nothing is due."""
        exits = -1
        while exits != self._processes.exits:
            exits = self._processes.exits
            self.system.advance(30)
            self.system.advance_until_rest(HORIZON)
