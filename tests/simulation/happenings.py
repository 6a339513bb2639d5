"""How each fault of a plan comes about: what is done to processes, brokers, and from outside."""

from __future__ import annotations

from dataclasses import replace

from kafka_saga.broker.port import TransactionAbortedError, TransactionInDoubtError
from kafka_saga.definition.model import Saga
from kafka_saga.testing.system import System
from tests.simulation.course import Course
from tests.simulation.inputs import Inputs
from tests.simulation.plan import (
    AddDefinition,
    Away,
    Begin,
    Clock,
    Command,
    Crash,
    Deploy,
    Doubt,
    Fault,
    Foreign,
    Hold,
    Leave,
    Mass,
    Plan,
    Refuse,
    SameIdOther,
    SlowMarkers,
    Stall,
    Stray,
)
from tests.simulation.processes import Processes
from tests.simulation.shapes import Shape, shape
from tests.simulation.timing import Brokers


class Happenings:
    """Lets faults happen, each at its turn. `added_at`: when trackers were told of the second definition."""

    def __init__(
        self, plan: Plan, processes: Processes, inputs: Inputs, brokers: Brokers, course: Course, system: System
    ) -> None:
        self.added_at: int | None = None
        self._plan = plan
        self._processes = processes
        self._inputs = inputs
        self._brokers = brokers
        self._course = course
        self._system = system

    def happen(self, fault: Fault) -> None:
        """It is the fault's turn."""
        self._to_processes(fault)
        self._to_brokers(fault)
        self._from_outside(fault)

    def _to_processes(self, fault: Fault) -> None:
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
            case Deploy(_, every):
                self._deploy(every)
            case AddDefinition(_, down):
                self._add_definition(down)

    def _to_brokers(self, fault: Fault) -> None:
        match fault:
            case Away(_, turns):
                self._go_away(turns)
            case Clock():
                self._brokers.set_clock(fault)
            case SlowMarkers():
                self._brokers.slow_markers(fault)

    def _from_outside(self, fault: Fault) -> None:
        match fault:
            case Begin():
                self._inputs.begin(fault)
            case SameIdOther():
                self._inputs.begin_otherwise(fault)
            case Foreign(_, pick):
                self._inputs.emit_again(pick)
            case Stray():
                self._inputs.go_astray(fault)
            case Command():
                self._inputs.command(fault)
            case Mass():
                self._inputs.command_in_mass(fault)
            case Hold():
                self._inputs.hold(fault)

    def _deploy(self, every: int) -> None:
        first = shape(self._plan.shape)
        if first.drawing is not None:
            self._course.note("version 2 is deployed")
            self._processes.deploy(first.newer, first.first_service, every)

    def _add_definition(self, down: int) -> None:
        if self._plan.is_added:
            self.added_at = self._system.clock.now()
            self._processes.add_definitions(definitions_of(self._plan), down)

    def _go_away(self, turns: int) -> None:
        self._course.note(f"the broker is away for {turns} turns")
        self._system.broker.is_away = True
        self._course.after(turns, self._be_back)

    def _be_back(self) -> None:
        self._system.broker.is_away = False


def shapes_of(plan: Plan) -> tuple[Shape, ...]:
    """The shapes of a plan's definitions; keys differ, unless a plan wants equal ids."""
    first = shape(plan.shape)
    if plan.beside is None:
        return (first,)
    other = shape(plan.beside.shape, "side")
    return (first, replace(other, letter="k" if plan.beside.same_ids else "s"))


def definitions_of(plan: Plan) -> tuple[Saga, ...]:
    """All definitions of a plan, in all their versions."""
    first, *rest = shapes_of(plan)
    newer = [first.newer.saga] if plan.is_deployed and first.drawing is not None else []
    return (first.saga, *newer, *(each.saga for each in rest))
