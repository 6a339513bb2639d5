"""One simulated run: processes take turns as the seed says, the plan's faults happen, then everything comes to rest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from random import Random

from schemas.control import of_definition, of_step
from schemas.errors import RetryableError, TerminalError
from schemas.events.commands import Act, SagaCommand
from services.chassis.context import Context
from services.chassis.memory.consumers import all_in_order
from services.chassis.port import FencedError, TransactionAbortedError, TransactionInDoubtError
from services.chassis.records import Outgoing, TopicPartition
from services.testing.commands import about, give
from services.testing.executor import UNDISTURBED, Interference
from services.testing.system import System
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
from tests.simulation.shapes import SHAPES, Fact
from topology.template import saga_id

PARTITIONS = 2
HORIZON = 30 * 60.0
"""Virtual seconds after the last fault within which everything that is due has to happen."""


class CrashedError(BaseException):
    """The process dies here; nothing may catch this on its way."""


@dataclass(frozen=True, slots=True)
class Called:
    """A handler was called at a time, milliseconds since the epoch by the broker's clock."""

    at: int
    saga_id: str
    step: str
    compensating: bool


@dataclass
class World:
    """The run of a plan; `notes` say what happened, for people."""

    plan: Plan
    notes: list[str] = field(default_factory=list)
    calls: list[Called] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.shape = SHAPES[self.plan.shape]
        self.system = System((self.shape.saga,), partitions=PARTITIONS, interfere=self._interfere)
        self.cluster = self.system.cluster
        self._rng = Random(self.plan.seed * 2 + 1)
        self._turn = 0
        self._current: str | None = None
        self._armed: dict[str, list[tuple[str, Callable[[], None]]]] = defaultdict(list)
        self._later: dict[int, list[Callable[[], None]]] = defaultdict(list)
        self._stalled: set[str] = set()
        self._is_over = False
        self._exits = 0
        self._commands = 0
        self._names = self._begin_processes()
        self._troubles: dict[tuple[str, str, bool], list[Trouble]] = defaultdict(list)
        for fault in self.plan.faults:
            self._plan(fault)

    # ---- the run

    def run(self) -> World:
        """Faults and turns, then rest."""
        self.system.on_exit = self._exited
        self.cluster.fault = self._at_point
        self.cluster.portion = self._portion
        for _ in range(TURNS):
            self._pass_turn()
        self._end_faults()
        self._rest()
        return self

    def note(self, text: str) -> None:
        """Keep what happened."""
        self.notes.append(f"{self._turn:4} {self.system.clock.monotonic():9.3f}s {self._current or '-':12} {text}")

    # ---- turns

    def _pass_turn(self) -> None:
        self._turn += 1
        for action in self._later.pop(self._turn, ()):
            action()
        self._pass_time()
        awake = [name for name in self._names if name in self.system.processes and name not in self._stalled]
        if awake:
            self._take_turn(self._rng.choice(awake))

    def _take_turn(self, name: str) -> None:
        before, self._current = self._current, name
        try:
            self.system.turn(name)
        except CrashedError:
            self._die(name)
        finally:
            self._current = before

    def _pass_time(self) -> None:
        """Mostly a few milliseconds, now and then seconds; long for those who stand still, so that they are missed."""
        draw = self._rng.random()
        if draw > 0.993:
            self._wait(15)
        elif draw > 0.96:
            self._wait(self._rng.randrange(1, 25) / 10)
        else:
            self._wait(0.4 if self._stalled else self._rng.randrange(1, 30) / 1000)

    def _wait(self, seconds: float) -> None:
        self.system.clock.advance(seconds)
        for name, process in self.system.processes.items():
            if name not in self._stalled:
                process.beat()
        self.cluster.expire_transactions()

    def _portion(self, readable: Sequence[TopicPartition], limit: int) -> Iterable[tuple[TopicPartition, int]]:
        """What one poll returns: all there is, or little of some in an order of its own."""
        if self._rng.random() < 0.4 or not readable:
            return all_in_order(readable, limit)
        chosen = self._rng.sample(readable, self._rng.randint(1, len(readable)))
        most = self._rng.choice((1, 2, 5))
        return [(at, most) for at in chosen]

    # ---- faults

    def _at_point(self, point: str) -> None:
        armed = self._armed[self._current] if self._current else ()
        for one in armed:
            if one[0] == point:
                self._armed[self._current or ""].remove(one)
                one[1]()
                return

    def _plan(self, fault: Fault) -> None:
        match fault:
            case Trouble():
                self._troubles[self._saga_id(fault.saga), self._step(fault.step), fault.compensating].append(fault)
            case _:
                self._later[fault.at].append(lambda: self._happen(fault))

    def _happen(self, fault: Fault) -> None:
        match fault:
            case Crash(_, process, point, down):
                self._arm(process, point, lambda name: self._crash(name, down))
            case Leave(_, process, down):
                self._arm(process, "", lambda name: self._leave(name, down))
            case Stall(_, process, point, turns):
                self._arm(process, point, lambda name: self._stall(name, turns))
            case Doubt(_, process, point):
                self._arm(process, point, lambda _: self._throw(TransactionInDoubtError("no answer")))
            case Refuse(_, process, point):
                self._arm(process, point, lambda _: self._throw(TransactionAbortedError("the broker says no")))
            case Away(_, turns):
                self._go_away(turns)
            case Begin(_, saga, turns_at):
                self._begin(saga, turns_at)
            case Foreign(_, pick):
                self._emit_again(pick)
            case Command(_, saga, act, step):
                self._command(saga, act, step)
            case Hold(_, step, turns):
                self._hold(step, turns)
            case Trouble():
                pass

    def _arm(self, process: int, point: str, act: Callable[[str], None]) -> None:
        name = self._names[process % len(self._names)]
        if name not in self.system.processes:
            return
        if point:
            self._armed[name].append((point, lambda: act(name)))
        else:
            act(name)

    def _crash(self, name: str, down: int) -> None:
        self.note(f"{name} crashes")
        self._come_back(name, down)
        if self._current == name:
            raise CrashedError
        self._die(name)

    def _leave(self, name: str, down: int) -> None:
        self.note(f"{name} stops in order")
        before, self._current = self._current, name
        try:
            self.system.stop(name)
        except (CrashedError, FencedError):
            self.system.processes.pop(name, None)
        finally:
            self._current = before
        self._come_back(name, down)

    def _stall(self, name: str, turns: int) -> None:
        """Others go on meanwhile: the process that stalls inside a transaction comes back in the middle of it."""
        if self._current != name:
            self.note(f"{name} stands still")
            self._stalled.add(name)
            self._later[self._turn + turns].append(lambda: self._stalled.discard(name))
        elif len(self._stalled) < 1:
            self.note(f"{name} stands still in the middle of a transaction")
            self._stalled.add(name)
            for _ in range(turns):
                self._pass_turn()
            self._stalled.discard(name)
            self.note(f"{name} goes on")

    def _throw(self, error: Exception) -> None:
        self.note(f"transaction: {error}")
        raise error

    def _go_away(self, turns: int) -> None:
        self.note(f"the broker is away for {turns} turns")
        self.system.broker.is_away = True
        self._later[self._turn + turns].append(self._be_back)

    def _be_back(self) -> None:
        self.system.broker.is_away = False

    def _die(self, name: str) -> None:
        if process := self.system.processes.pop(name, None):
            process.die()
        self._armed[name].clear()

    def _exited(self, name: str) -> None:
        """A supervisor starts it again."""
        self.note(f"{name} had to exit: another is in its place")
        self._armed[name].clear()
        self._exits += 1
        if self._is_over:
            self._start(name)
        else:
            self._come_back(name, 10)

    def _come_back(self, name: str, down: int) -> None:
        self._later[self._turn + down].append(lambda: self._start(name))

    # ---- input

    def _begin(self, saga: int, turns_at: int) -> None:
        event = self._first_event(saga, turns_at)
        self.note(f"start of {saga_id(self.shape.saga, event)}, turns at {event.turns_at or 'no step'}")
        self.system.publish(event.event_type, event.model_dump())

    def _first_event(self, saga: int, turns_at: int = -1) -> Fact:
        start = self.shape.saga.starts_on
        assert issubclass(start, Fact)
        key, run = divmod(saga, self.shape.runs_a_key)
        return start(key=f"k{key}", run=run, turns_at=self._step(turns_at) if turns_at >= 0 else "")

    def _emit_again(self, pick: int) -> None:
        topics = [event for event in self.shape.saga.events if event != self.shape.saga.starts_on.event_type]
        records = [record for topic in topics for record in self.cluster.records(topic)]
        if records:
            record = records[pick % len(records)]
            self.note(f"{record.where} is emitted again")
            headers = [*record.headers, ("sim_again", b"1")]
            again = Outgoing(record.topic, record.partition, record.key, record.value, headers)
            at = TopicPartition(record.topic, record.partition)
            self.cluster.partition(at).append(again, self.system.clock.now())

    def _command(self, saga: int, act: Act, step: int) -> None:
        name, more = self._saga_id(saga), dict[str, str | None]()
        if act in (Act.RETRY, Act.REDRIVE, Act.REWIND, Act.SKIP):
            more["step"] = self._step(step)
        if act is Act.SKIP:
            more |= self._skipped(saga, step)
        self._give(about(act, name, "simulated", **more))

    def _skipped(self, saga: int, step: int) -> dict[str, str | None]:
        event = self._first_event(saga)
        outcome = self.shape.saga.steps[step % len(self.shape.saga.steps)].emits[0].event_type
        return {"outcome": outcome, "content": event.model_dump_json()}

    def _hold(self, step: int, turns: int) -> None:
        name = self.shape.saga.name
        scope = of_step(name, self._step(step)) if step >= 0 else of_definition(name)
        self._give(SagaCommand(command=Act.PAUSE, scope=scope, author="simulation", reason=""))
        resume = SagaCommand(command=Act.RESUME, scope=scope, author="simulation", reason="")
        self._later[self._turn + turns].append(lambda: self._give(resume))

    def _give(self, command: SagaCommand) -> None:
        self._commands += 1
        self.note(f"command {self._commands}: {command.command} {command.scope} {command.step or ''}")
        give(self.cluster, f"command-{self._commands}", command)

    # ---- handlers

    def _interfere(self, context: Context) -> Interference:
        compensating = context.compensating
        self.calls.append(Called(self.system.clock.now(), context.saga_id, context.step, compensating))
        troubles = self._troubles.get((context.saga_id, context.step, compensating), ())
        for trouble in troubles:
            if trouble.first <= context.attempt <= trouble.last:
                return Interference(trouble.milliseconds / 1000, _error(trouble.error))
        return UNDISTURBED

    def _saga_id(self, saga: int) -> str:
        return saga_id(self.shape.saga, self._first_event(saga))

    def _step(self, step: int) -> str:
        steps = self.shape.saga.steps
        return steps[step % len(steps)].name

    # ---- beginning and end

    def _begin_processes(self) -> list[str]:
        services = [f"{service.name}/{instance}" for service in self.shape.services for instance in (1, 2)]
        names = services + [f"tracker/{instance}" for instance in range(1, self.plan.trackers + 1)]
        for name in names:
            self._start(name)
        return names

    def _start(self, name: str) -> None:
        if name in self.system.processes:
            return
        group, instance = name.split("/")
        skew = self._rng.randrange(-2_000, 2_000)
        if group == "tracker":
            self.system.start_tracker(instance, skew)
            return
        service = next(service for service in self.shape.services if service.name == group)
        self.system.start(service, instance, skew)

    def _end_faults(self) -> None:
        """From now on nothing goes wrong any more: what is due later happens now."""
        for turn in sorted(self._later):
            for action in self._later.pop(turn):
                action()
        self._is_over = True
        self._armed.clear()
        self._stalled.clear()
        self.system.broker.is_away = False
        self.cluster.portion = all_in_order
        for name in self._names:
            self._start(name)
        self.note("faults have ended")

    def _rest(self) -> None:
        """Sessions and open transactions of the dead end, then time passes until nothing is due."""
        exits = -1
        while exits != self._exits:
            exits = self._exits
            self.system.advance(30)
            self.system.advance_until_rest(HORIZON)


def _error(kind: str) -> Exception | None:
    match kind:
        case "retryable":
            return RetryableError("not now")
        case "terminal":
            return TerminalError("never")
        case "unexpected":
            return ValueError("what is this")
        case _:
            return None
