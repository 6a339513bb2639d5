"""Definitions that are simulated, with their services: five that are fixed, and as many as there are numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from kafka_saga.definition.model import Saga, Step
from kafka_saga.definition.template import saga_id
from kafka_saga.engine.context import Context
from kafka_saga.worker.service import Handler, Service
from tests.simulation.definitions.drawn import Drawing, drawing, newer
from tests.simulation.definitions.facts import Fact
from tests.simulation.definitions.fixed import FIXED

SHAPES: Sequence[str] = tuple(FIXED)
"""The names of the fixed shapes."""


@dataclass(frozen=True)
class Shape:
    """A definition with its services, how many runs share a key, and a letter that all its keys begin with."""

    saga: Saga
    services: tuple[Service, ...]
    runs_a_key: int = 1
    letter: str = "k"
    drawing: Drawing | None = field(default=None, compare=False)

    def first_event(self, saga: int, turns_at: int = -1, way: int = 1, rounds: int = 1, *, also: bool = False) -> Fact:
        """The start of the saga of this number, which takes another way at a step if one is given."""
        start = self.saga.starts_on
        assert issubclass(start, Fact)
        key, run = divmod(saga, self.runs_a_key)
        turns = self.step(turns_at) if turns_at >= 0 else ""
        return start(key=f"{self.letter}{key}", run=run, turns_at=turns, way=way, rounds=rounds, also=also)

    def saga_id(self, saga: int) -> str:
        """The id of the saga of this number."""
        return saga_id(self.saga, self.first_event(saga))

    def step(self, step: int) -> str:
        """The name of a step by its number, counted round."""
        return self.saga.steps[step % len(self.saga.steps)].name

    @property
    def kind(self) -> str:
        """What was drawn; of a fixed shape its name."""
        return self.drawing.name.partition("-")[0] if self.drawing is not None else self.saga.name

    @cached_property
    def newer(self) -> Shape:
        """The next version of the definition, of a drawn shape."""
        assert self.drawing is not None, f"{self.saga.name} has one version"
        return _built(newer(self.drawing), self.letter)

    @property
    def first_service(self) -> str:
        """The name of the service that takes the starts in."""
        return next(s.name for s in self.services if any(job.step.on is self.saga.starts_on for job in s.jobs))


def shape(name: str, definition: str = "") -> Shape:
    """The shape of a name: a fixed one, or a kind with a number, as `loop-8312`.

    A drawn one is built of the event types of `definition`; if none is given, of those of its kind.
    """
    return _fixed(name) if name in FIXED else _drawn(name, definition)


@lru_cache(maxsize=64)
def _fixed(name: str) -> Shape:
    saga, runs_a_key = FIXED[name]()
    return Shape(saga, tuple(_service(saga, (step,)) for step in saga.steps), runs_a_key)


@lru_cache(maxsize=512)
def _drawn(name: str, definition: str) -> Shape:
    return _built(drawing(name, definition), "k")


def _built(drawn: Drawing, letter: str) -> Shape:
    saga = drawn.saga
    groups = [tuple(saga.steps_by_name[name] for name in group) for group in drawn.groups]
    services = tuple(_service(saga, group, is_stateful=group[0].name in drawn.stateful) for group in groups)
    return Shape(saga, services, drawn.runs_a_key, letter, drawn)


def _service(saga: Saga, steps: Sequence[Step], *, is_stateful: bool = False) -> Service:
    """The service of some steps, named after the first."""
    undoing: Mapping[str, Handler] = {step.name: undo for step in steps if step.compensates}
    handlers = {step.name: handler(step, is_stateful=is_stateful) for step in steps}
    name = f"{saga.name}-{steps[0].name}"
    return Service(name, {saga: handlers}, compensations={saga: undoing}, stateful=is_stateful)


def handler(step: Step, *, is_stateful: bool) -> Callable[[Fact, Context], Fact | tuple[Fact, ...]]:
    """Goes on with the first outcome, or with the one that the event names if its saga turns here."""

    def handle(event: Fact, context: Context) -> Fact | tuple[Fact, ...]:
        number = _counted(context) if is_stateful else 0
        turns = event.turns_at == step.name and event.rounds > 0 and len(step.emits) > 1
        index = min(event.way, len(step.emits) - 1) if turns else 0
        said = {**dict(event), "rounds": event.rounds - turns, "number": number}
        kinds = (step.emits[index], *(step.also if event.also else ()))
        made = tuple(kind.model_validate(said) for kind in kinds)
        return made[0] if len(made) == 1 else made  # type: ignore[return-value]  # all events are facts

    return handle


def _counted(context: Context) -> int:
    """The number in the service's state for this key, one up."""
    number = int(context.state.get() or b"0") + 1
    context.state.set(b"%d" % number)
    return number


def undo(event: Fact, context: Context) -> str:
    """Every compensation."""
    return f"undone {event.event_type}"
