"""What a service author writes: a name, and a handler per step by definition. `Service(...).run()` does the rest."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from kafka_saga.definition.lint import check_all
from kafka_saga.definition.model import Saga
from kafka_saga.engine.processor import Roles
from kafka_saga.engine.work import Job, Mode
from kafka_saga.errors import TopologyError
from kafka_saga.steps.announcements import Announcement, StepOf
from kafka_saga.steps.definition_registry import Statement, triggers
from kafka_saga.steps.service_processor import roles_of
from kafka_saga.steps.step_processor import StepProcessor

Handler = Callable[..., Any]

Handlers = Mapping[Saga, Mapping[str, Handler]]
"""Handlers by step, by definition."""

NOTHING: Handlers = MappingProxyType({})


class Served(NamedTuple):
    """A definition, with what a service does of it: the steps that it runs, and those that it undoes."""

    saga: Saga
    jobs: tuple[Job, ...]
    undoing: tuple[Job, ...]


class Service:
    """A service that owns steps of one or more definitions: `Service("bank", {ORDER: {"payment": pay}})`.

    A handler is `async def handler(event, context) -> outcome` for I/O, a plain function for work under some 50 ms;
    steps named in `heavy` run their plain function in a child process. A step's name is enough there, since
    definitions side by side share none. `stateful` services may keep a few bytes per business key in `context.state`,
    which all their definitions share. A step that declares a compensation has one in `compensations`:
    `handler(outcome, context) -> None | str`, which undoes what the step did and may leave a note. Raises TopologyError
    if definitions and handlers do not fit.
    """

    def __init__(
        self,
        name: str,
        handlers: Handlers,
        *,
        compensations: Handlers = NOTHING,
        heavy: Collection[str] = (),
        stateful: bool = False,
    ) -> None:
        sagas = tuple(dict.fromkeys((*handlers, *compensations)))
        check_all(sagas)
        _check_versions(name, sagas)
        self.name = name
        self.stateful = stateful
        self.served = tuple(
            Served(
                saga,
                tuple(_job(saga, name, step, handler, heavy) for step, handler in handlers.get(saga, {}).items()),
                tuple(_undoing(saga, name, step, undo, heavy) for step, undo in compensations.get(saga, {}).items()),
            )
            for saga in sagas
        )
        _check_triggers(name, self.jobs)
        _check_compensations(name, self.served)
        _check_work(name, self.served, heavy)

    @property
    def sagas(self) -> tuple[Saga, ...]:
        """The definitions that it serves."""
        return tuple(served.saga for served in self.served)

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The steps that it runs, of all its definitions."""
        return tuple(job for served in self.served for job in served.jobs)

    @property
    def announcement(self) -> Announcement:
        """What it says of itself on the log."""
        steps = tuple(StepOf(saga.name, saga.version, job.step.name) for saga, jobs, _ in self.served for job in jobs)
        return Announcement(self.name, steps, tuple(job.step.on.event_type for job in self.jobs))

    def processors(self, partitions: int, known: Iterable[Statement] = ()) -> tuple[StepProcessor, ...]:
        """What records mean to this service, by definition, in topics of so many partitions.

        `known` tells of other versions.
        """
        statements = tuple(known)
        return tuple(
            StepProcessor(
                self.name,
                saga,
                jobs,
                partitions,
                undoing=undoing,
                is_stateful=self.stateful,
                versions=triggers(statements, saga.name),
            )
            for saga, jobs, undoing in self.served
        )

    def roles(self, partitions: int, known: Iterable[Statement] = ()) -> Roles:
        """What a worker asks of this service; arguments as of `processors`."""
        return roles_of(self.processors(partitions, known))

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


def _check_versions(service: str, sagas: Collection[Saga]) -> None:
    for name, count in Counter(saga.name for saga in sagas).items():
        if count > 1:
            raise TopologyError(
                f"service {service}: has {count} versions of {name}; a service serves one version of a definition"
            )


def _check_work(service: str, served: Collection[Served], heavy: Collection[str]) -> None:
    """A service does something of each definition, and a heavy step is one of its own."""
    if not served:
        raise TopologyError(f"service {service}: has no handler: give {{SAGA: {{step: handler}}}}")
    for saga, jobs, _ in served:
        if not jobs:
            raise TopologyError(
                f"service {service}: has no handler for a step of {saga.name}: leave the definition out"
            )
    done = [job.step.name for one in served for job in one.jobs]
    if unknown := [step for step in heavy if step not in done]:
        raise TopologyError(
            f"service {service}: heavy={unknown} names no step that it does; its steps are {', '.join(done)}"
        )


def _check_compensations(service: str, served: Collection[Served]) -> None:
    """A step is undone by the service that does it, if its definition says that it can be."""
    for saga, jobs, undoing in served:
        _check_undoing(service, saga, jobs, undoing)


def _check_undoing(service: str, saga: Saga, jobs: Collection[Job], undoing: Collection[Job]) -> None:
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
                f"give compensations={{{saga.name}: {{{step.name!r}: handler}}}}"
            )
