"""What a service author writes: a name, a saga, and a handler per step. `Service(...).run()` does the rest."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from kafka_saga.definition.lint import check
from kafka_saga.definition.model import Saga
from kafka_saga.engine.processor import Roles
from kafka_saga.engine.work import Job, Mode
from kafka_saga.errors import TopologyError
from kafka_saga.steps.announcements import Announcement, StepOf
from kafka_saga.steps.definition_registry import Statement, triggers
from kafka_saga.steps.step_processor import StepProcessor

Handler = Callable[..., Any]


class Service:
    """A service that owns steps of a saga.

    A handler is `async def handler(event, context) -> outcome` for I/O, a plain function for work under some 50 ms;
    steps named in `heavy` run their plain function in a child process. `stateful` services may keep a few bytes per
    business key in `context.state`. A step that declares a compensation has one in `compensations`:
    `handler(outcome, context) -> None | str`, which undoes what the step did and may leave a note. Raises TopologyError
    if definition and handlers do not fit.
    """

    def __init__(
        self,
        name: str,
        saga: Saga,
        handlers: Mapping[str, Handler],
        *,
        compensations: Mapping[str, Handler] = MappingProxyType({}),
        heavy: Collection[str] = (),
        stateful: bool = False,
    ) -> None:
        check(saga)
        self.name = name
        self.saga = saga
        self.stateful = stateful
        self.jobs = tuple(_job(saga, name, step, handler, heavy) for step, handler in handlers.items())
        self.undoing = tuple(_undoing(saga, name, step, undo, heavy) for step, undo in compensations.items())
        _check_triggers(name, self.jobs)
        _check_compensations(name, self.jobs, self.undoing)

    @property
    def announcement(self) -> Announcement:
        """What it says of itself on the log."""
        steps = [job.step for job in self.jobs]
        served = tuple(StepOf(self.saga.name, self.saga.version, step.name) for step in steps)
        return Announcement(self.name, served, tuple(step.on.event_type for step in steps))

    def logic(self, partitions: int, known: Iterable[Statement] = ()) -> StepProcessor:
        """What records mean to this service, in topics of so many partitions; `known` tells of other versions."""
        return StepProcessor(
            self.name,
            self.saga,
            self.jobs,
            partitions,
            undoing=self.undoing,
            is_stateful=self.stateful,
            versions=triggers(known, self.saga.name),
        )

    def roles(self, partitions: int, known: Iterable[Statement] = ()) -> Roles:
        """What a worker asks of this service; arguments as of `logic`."""
        return self.logic(partitions, known).roles

    def run(self) -> None:
        """Be this service until told to stop; the process's exit code says how it went."""
        from kafka_saga.worker.process import run_service  # noqa: PLC0415  # keeps Kafka out of tests in memory

        run_service(self)


def _job(saga: Saga, service: str, step: str, handler: Handler, heavy: Collection[str]) -> Job:
    if step not in saga.steps_by_name:
        known = ", ".join(saga.steps_by_name)
        raise TopologyError(f"service {service}: {saga.name} has no step {step!r}; its steps are {known}")
    return Job(saga.steps_by_name[step], handler, _mode(service, step, handler, heavy))


def _undoing(saga: Saga, service: str, step: str, undo: Handler, heavy: Collection[str]) -> Job:
    """The compensation of a heavy step is heavy too, unless it is async."""
    return _job(saga, service, step, undo, () if inspect.iscoroutinefunction(undo) else heavy)


def _mode(service: str, step: str, handler: Handler, heavy: Collection[str]) -> Mode:
    is_async = inspect.iscoroutinefunction(handler)
    if step not in heavy:
        return Mode.ASYNC if is_async else Mode.INLINE
    if is_async:
        raise TopologyError(f"service {service}, step {step}: a heavy handler is a plain function, not async def")
    return Mode.HEAVY


def _check_triggers(service: str, jobs: Collection[Job]) -> None:
    owners: dict[str, str] = {}
    for job in jobs:
        trigger = job.step.on.event_type
        if trigger in owners:
            raise TopologyError(
                f"service {service}: steps {owners[trigger]} and {job.step.name} both consume {trigger}; "
                "a service consumes an event type for one step, so give one of them to a service of its own"
            )
        owners[trigger] = job.step.name


def _check_compensations(service: str, jobs: Collection[Job], undoing: Collection[Job]) -> None:
    """A step is undone by the service that does it, if its definition says that it can be."""
    done, undone = ({job.step.name: job.step for job in group} for group in (jobs, undoing))
    for step in undone.values():
        if not step.compensates:
            raise TopologyError(
                f"service {service}: step {step.name} declares no compensation: say compensates=True in its "
                "definition, or leave its handler out"
            )
        if step.name not in done:
            raise TopologyError(
                f"service {service}: has a compensation for step {step.name}, but no handler: one service does both"
            )
    for step in done.values():
        if step.compensates and step.name not in undone:
            raise TopologyError(
                f"service {service}: step {step.name} declares a compensation, which is not there: "
                f"give compensations={{{step.name!r}: handler}}"
            )
