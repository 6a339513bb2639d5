"""The flow of a definition as a graph: which step can follow which, and where it can end.

It reads broken definitions too, since the linter judges by it: steps are known by their place, not by their name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from functools import cached_property

from kafka_saga.definition.model import EndStatus, EventType, Saga, Step


def event_name(event: EventType) -> str:
    """The event's type, or `<Class>` where the class names none."""
    name: object = getattr(event, "event_type", None)
    return name if isinstance(name, str) else f"<{event.__name__}>"


@dataclass(frozen=True)
class Node:
    """A step in the graph; `at` is its place in the definition, events are given by their names."""

    at: int
    step: Step
    on: str
    outcomes: tuple[str, ...]
    by_products: tuple[str, ...]

    @property
    def emitted(self) -> tuple[str, ...]:
        """Outcomes first, then by-products."""
        return self.outcomes + self.by_products


@dataclass(frozen=True)
class Flow:
    """The graph of a definition: nodes are steps, one follows another if it is triggered by what that emits."""

    start: str
    nodes: tuple[Node, ...]
    ends: Mapping[str, EndStatus]

    @cached_property
    def triggers(self) -> Mapping[str, tuple[Node, ...]]:
        """The steps that each event triggers."""
        events = dict.fromkeys(node.on for node in self.nodes)
        return {event: tuple(node for node in self.nodes if node.on == event) for event in events}

    @cached_property
    def followers(self) -> tuple[frozenset[int], ...]:
        """For each step, the steps that directly follow it."""
        return tuple(
            frozenset(after.at for event in node.emitted for after in self.triggers.get(event, ()))
            for node in self.nodes
        )

    def closure(self, first: Iterable[int], without: Set[int] = frozenset()) -> frozenset[int]:
        """The steps `first` and all that can come after them, on ways that avoid the steps `without`."""
        seen: set[int] = set()
        pending = list(first)
        while pending:
            at = pending.pop()
            if at not in seen and at not in without:
                seen.add(at)
                pending.extend(self.followers[at])
        return frozenset(seen)

    @cached_property
    def downstream(self) -> tuple[frozenset[int], ...]:
        """For each step, every step that can come after it; itself only in a cycle."""
        return tuple(self.closure(self.followers[node.at]) for node in self.nodes)

    @cached_property
    def reachable(self) -> frozenset[int]:
        """The steps that the first event can lead to."""
        return self.closure(node.at for node in self.triggers.get(self.start, ()))

    @cached_property
    def can_end(self) -> frozenset[int]:
        """The steps from which an outcome that ends the saga can be reached."""
        ending = {node.at for node in self.nodes if self.ends.keys() & set(node.outcomes)}
        return frozenset(node.at for node in self.nodes if node.at in ending or ending & self.downstream[node.at])

    @cached_property
    def cycles(self) -> tuple[tuple[Node, ...], ...]:
        """The sets of two or more steps that all lead to one another, in the order of the definition."""
        groups = {
            frozenset(other for other in self.downstream[node.at] if node.at in self.downstream[other])
            for node in self.nodes
        }
        return tuple(tuple(self.nodes[at] for at in group) for group in sorted(map(sorted, groups)) if len(group) > 1)


def flow(saga: Saga) -> Flow:
    """The graph of `saga`, whose fields must have the right types."""
    return Flow(
        start=event_name(saga.starts_on),
        nodes=tuple(
            Node(at, step, event_name(step.on), tuple(map(event_name, step.emits)), tuple(map(event_name, step.also)))
            for at, step in enumerate(saga.steps)
        ),
        ends={event_name(event): status for event, status in saga.ends.items()},
    )
