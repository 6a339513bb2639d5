"""A definition's flow unrolled into a tree, each step once: what the drawings are made from.

The longest way is the trunk, everything else branches off it; a way that meets a step drawn elsewhere refers to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from kafka_saga.definition.graph import Flow, Node
from kafka_saga.definition.model import COMPLETED, EndStatus, Step


@dataclass(frozen=True, slots=True)
class BackReference:
    """A step that is drawn elsewhere; `back` if this way came through it."""

    step: str
    back: bool


@dataclass(frozen=True, slots=True)
class EventTree:
    """An event, what it ends, and the steps it triggers; the last of these continues the trunk."""

    name: str
    by_product: bool
    end: EndStatus | None
    steps: tuple[StepTree, ...]
    references: tuple[BackReference, ...]


@dataclass(frozen=True, slots=True)
class StepTree:
    """A step and what it emits: branches first, then the outcome that continues the trunk, if it has any."""

    step: Step
    branches: tuple[EventTree, ...]
    trunk: EventTree | None


def grown(flow: Flow) -> tuple[EventTree, tuple[Step, ...]]:
    """The tree from the first event, and the steps that it never reaches."""
    growth = _Growth(flow)
    tree = growth.event(flow.start, by_product=False, path=())
    return tree, tuple(node.step for node in flow.nodes if node.at not in growth.claimed)


@dataclass(slots=True)
class _Growth:
    flow: Flow
    claimed: set[int] = field(default_factory=set)

    def event(self, name: str, by_product: bool, path: Sequence[int]) -> EventTree:
        triggered = self.flow.triggers.get(name, ())
        references = tuple(
            BackReference(node.step.name, node.at in path) for node in triggered if node.at in self.claimed
        )
        fresh = sorted((node for node in triggered if node.at not in self.claimed), key=self._ahead)
        self.claimed.update(node.at for node in fresh)
        # The trunk is last on paper but grows first, so that branches refer to it and not the other way round.
        steps = [self.step(node, (*path, node.at)) for node in reversed(fresh)]
        return EventTree(name, by_product, self.flow.ends.get(name), tuple(reversed(steps)), references)

    def step(self, node: Node, path: Sequence[int]) -> StepTree:
        trunk = max(node.outcomes, key=self._weight, default=None)
        tree = None if trunk is None else self.event(trunk, False, path)
        branches = [self.event(name, False, path) for name in dict.fromkeys(node.outcomes) if name != trunk]
        by_products = [self.event(name, True, path) for name in dict.fromkeys(node.by_products)]
        return StepTree(node.step, (*by_products, *branches), tree)

    def _weight(self, event: str) -> tuple[int, bool]:
        ahead = self._ahead(*self.flow.triggers.get(event, ()))
        return ahead, self.flow.ends.get(event) is COMPLETED

    def _ahead(self, *nodes: Node) -> int:
        """How many steps are still to be drawn from these on, without going back through what is drawn."""
        return len(self.flow.closure((node.at for node in nodes), without=self.claimed))
