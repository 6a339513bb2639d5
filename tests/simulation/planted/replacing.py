"""How a mistake is planted: a name means something wrong for a while, and then what it meant before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

from kafka_saga.tracker import plans
from kafka_saga.tracker.core import due_items
from kafka_saga.tracker.core.due_items import DueItem, DueKind
from kafka_saga.tracker.core.plan import SagaPlan, saga_plan

Planted = Callable[[], AbstractContextManager[None]]
"""Plants a mistake for as long as its context lasts."""


@contextmanager
def replaced(owner: Any, name: str, wrong: Any) -> Iterator[None]:
    """`owner.name` is `wrong` for a while."""
    right = getattr(owner, name)
    setattr(owner, name, wrong)
    try:
        yield
    finally:
        setattr(owner, name, right)


@contextmanager
def together(*mistakes: AbstractContextManager[None]) -> Iterator[None]:
    """Several replacements at once: of one function that several modules have imported, or of one idea."""
    with ExitStack() as stack:
        for mistake in mistakes:
            stack.enter_context(mistake)
        yield


def without_items(part: str, *kinds: DueKind) -> AbstractContextManager[None]:
    """A part of the due items lacks those of these kinds."""
    right = getattr(due_items, part)

    def wrong(*given: Any) -> Iterator[DueItem]:
        return (item for item in right(*given) if item.what not in kinds)

    return replaced(due_items, part, wrong)


def with_outlines(wrong: Callable[[SagaPlan], SagaPlan]) -> AbstractContextManager[None]:
    """Trackers follow wrong plans of their definitions: so the due items and their short way agree."""
    return replaced(plans, "saga_plan", lambda definition: wrong(saga_plan(definition)))
