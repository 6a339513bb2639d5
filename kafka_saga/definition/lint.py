"""The linter: finds what cannot work in a saga definition before anything runs, and says how to mend it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kafka_saga.definition.graph import event_name, flow
from kafka_saga.definition.model import EventType, Saga
from kafka_saga.definition.problem import Code, Problem
from kafka_saga.definition.rules import bounds, names, reach, shape, together
from kafka_saga.errors import TopologyError

__all__ = ["Code", "Problem", "check", "check_all", "lint", "lint_all"]


def lint(saga: Saga, consumers: Iterable[str | EventType] = ()) -> tuple[Problem, ...]:
    """Every problem of one definition, each an error; empty if it can run. Never raises.

    `consumers` are the events that others than the saga's steps consume: such an outcome need not trigger a step.
    Fields of the wrong type are reported first and alone, since everything else follows from them.
    """
    given: object = saga
    if not isinstance(given, Saga):
        return (shape.not_a_saga(given),)
    misshapen = tuple(shape.shape(saga))
    if misshapen:
        return misshapen
    outside = frozenset(event if isinstance(event, str) else event_name(event) for event in consumers)
    return tuple(dict.fromkeys(_problems(saga, outside)))


def lint_all(sagas: Iterable[Saga], consumers: Iterable[str | EventType] = ()) -> tuple[Problem, ...]:
    """Every problem of these definitions, and of them side by side: names, event types and steps that they share."""
    definitions, outside = tuple(sagas), tuple(consumers)
    found = tuple(lint(saga, outside) for saga in definitions)
    alone = tuple(problem for problems in found for problem in problems)
    sound = tuple(saga for saga, problems in zip(definitions, found, strict=True) if not _has_wrong_types(problems))
    return tuple(dict.fromkeys((*alone, *together.together(sound))))


def check(saga: Saga, consumers: Iterable[str | EventType] = ()) -> None:
    """Raise TopologyError, one line a problem, unless the definition can run."""
    _raise_for(lint(saga, consumers))


def check_all(sagas: Iterable[Saga], consumers: Iterable[str | EventType] = ()) -> None:
    """Raise TopologyError, one line a problem, unless these definitions can run side by side."""
    _raise_for(lint_all(sagas, consumers))


def _has_wrong_types(problems: tuple[Problem, ...]) -> bool:
    return any(problem.code is Code.WRONG_TYPE for problem in problems)


def _raise_for(problems: tuple[Problem, ...]) -> None:
    if problems:
        raise TopologyError("\n".join(map(str, problems)))


def _problems(saga: Saga, outside: frozenset[str]) -> Iterator[Problem]:
    graph = flow(saga)
    yield from names.names(saga)
    yield from names.templates(saga)
    yield from reach.completeness(saga)
    yield from reach.start(saga, graph)
    yield from reach.sources(saga, graph)
    yield from reach.purposes(saga, graph, outside)
    yield from reach.ends(saga, graph)
    yield from reach.exits(saga, graph, outside)
    yield from bounds.bounds(saga)
    yield from bounds.compensation(saga)
