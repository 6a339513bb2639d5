"""One simulated run: processes take turns as the seed says, the plan's faults happen, then everything comes to rest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

from kafka_saga.broker.memory.log import all_in_order
from kafka_saga.broker.records import TopicPartition
from kafka_saga.engine.context import Context
from kafka_saga.testing.executor import Interference
from kafka_saga.testing.process import SimulatedProcess
from kafka_saga.testing.system import TRACKER
from tests.simulation.course import Course
from tests.simulation.handlers import Called, HandlerEnd, Handlers, Sight, sight
from tests.simulation.happenings import Happenings, definitions_of, shapes_of
from tests.simulation.inputs import Inputs
from tests.simulation.plan import Again, Beside, Clock, Fault, Kill, Late, Plan, Static, Trouble
from tests.simulation.processes import Crew, Loss, Processes
from tests.simulation.seen import SagaName
from tests.simulation.shapes import Shape
from tests.simulation.timing import Brokers
from tests.simulation.watching import SimulatedSystem, asked_of, watch

PARTITIONS = 2
HORIZON = 30 * 60.0
"""Virtual seconds after the last fault within which everything that is due has to happen."""


BEAT_EVERY = 1.0
"""Virtual seconds after which processes tell their groups that they live, and the broker looks for transactions that
nobody ends."""


class World:
    """The run of a plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.shapes = shapes_of(plan)
        self.definitions = definitions_of(plan)
        self.system = SimulatedSystem(self.definitions, partitions=PARTITIONS, interfere=self._interfere)
        self.cluster = self.system.cluster
        self._rng = Random(plan.seed * 2 + 1)
        self._course = Course(self.system.clock)
        self._beat_at = 0.0
        self._handlers = Handlers(self.system.clock.now)
        self._inputs = Inputs(self.shapes, self.system, self._course, PARTITIONS)
        self.brokers = Brokers(self.cluster, self._course)
        tracked = [saga for saga in self.definitions if not plan.is_added or saga.name == self.shapes[0].saga.name]
        crew = Crew(self.shapes, plan.trackers, tracked, plan.is_static)
        self._processes = Processes(crew, self.system, self._course, self._rng, self._pass_turn, self._watch)
        self._happenings = Happenings(plan, self._processes, self._inputs, self.brokers, self._course, self.system)
        for fault in plan.faults:
            self._plan(fault)

    @property
    def shape(self) -> Shape:
        """The shape of the first definition."""
        return self.shapes[0]

    @property
    def notes(self) -> Sequence[str]:
        """What happened, for people."""
        return self._course.notes

    @property
    def calls(self) -> Sequence[Called]:
        """Every handler that was called."""
        return self._handlers.calls

    @property
    def ends(self) -> Sequence[HandlerEnd]:
        """Every handler that came to its end by itself."""
        return self._handlers.ends

    @property
    def losses(self) -> Sequence[Loss]:
        """Every process that died or stood still."""
        return self._processes.losses

    @property
    def apart(self) -> Sequence[tuple[int, Clock]]:
        """When (milliseconds UTC) which clocks of brokers were set wrong."""
        return self.brokers.apart

    @property
    def added_at(self) -> int | None:
        """When (milliseconds UTC) trackers began to be told of the second definition; `None` if they knew it always."""
        return self._happenings.added_at

    @property
    def sights(self) -> Sequence[Sight]:
        """What the services that run know of `saga.control`."""
        return [
            sight(process, PARTITIONS) for process in self.system.processes.values() if process.name.group != TRACKER
        ]

    def run(self) -> World:
        """Faults and turns, then rest; what is planned for later, then rest again."""
        self.system.on_exit = self._processes.exited
        self.system.on_death = self._processes.died
        self.cluster.fault = self._processes.at_point
        self.cluster.portion = self._portion
        for _ in range(self.plan.turns):
            self._pass_turn()
        self._end_faults()
        self._rest()
        self._go_on()
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
        now = self.system.clock.monotonic()
        if now - self._beat_at >= BEAT_EVERY:
            self._beat_at = now
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
        if getattr(fault, "definition", 0) >= len(self.shapes):
            return  # it is about a definition that a smaller plan has no more
        match fault:
            case Trouble():
                self._handlers.trouble(*self._place(fault), fault)
            case Kill():
                self._handlers.kill(*self._place(fault), fault)
            case Static() | Beside() | Again() | Late():
                pass
            case _:
                self._course.at(fault.at, lambda: self._happenings.happen(fault))

    def _place(self, fault: Trouble | Kill) -> tuple[SagaName, str]:
        found = self.shapes[fault.definition]
        return SagaName(found.saga.name, found.saga_id(fault.saga)), found.step(fault.step)

    # ---- handlers

    def _watch(self, process: SimulatedProcess) -> None:
        watch(process, self._handlers, lambda process: sight(process, PARTITIONS))

    def _interfere(self, context: Context) -> Interference:
        process = self.system.current
        assert process is not None, "a handler is called in nobody's turn"
        return self._handlers.called(context, asked_of(process), sight(process, PARTITIONS))

    # ---- the end

    def _end_faults(self) -> None:
        """From now on nothing goes wrong any more: what is due later happens now."""
        self._course.finish()
        self.cluster.portion = all_in_order
        self._processes.end_faults()
        self.brokers.write_markers()
        self._course.note("faults have ended")

    def _rest(self) -> None:
        """Sessions and open transactions of the dead end, then time passes until nothing is due."""
        exits = -1
        while exits != self._processes.exits:
            exits = self._processes.exits
            self.system.advance(30)
            self.system.advance_until_rest(HORIZON)

    def _go_on(self) -> None:
        """The second part: long after everything has come to rest, somebody starts or asks again."""
        passed = 0
        for fault in sorted(_later(self.plan), key=lambda fault: fault.minutes):
            if fault.definition >= len(self.shapes):
                continue
            self.system.advance((fault.minutes - passed) * 60)
            passed = fault.minutes
            self._course.note(f"{passed} minutes later")
            if isinstance(fault, Late):
                self._inputs.command(fault)
            else:
                self._inputs.begin_again(fault.definition, fault.saga)
            self._rest()


def _later(plan: Plan) -> list[Again | Late]:
    return [fault for fault in plan.faults if isinstance(fault, Again | Late)]
