"""How an invariant is written: a function that says what is wrong with which saga, and gives its name to that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import ParamSpec

from tests.simulation.complaints import Complaint, Complaints
from tests.simulation.seen import SagaName

P = ParamSpec("P")

Findings = Iterator[tuple[SagaName, str]]
"""What an invariant finds: whom it is about, and a sentence."""


def rule(check: Callable[P, Findings]) -> Callable[P, Complaints]:
    """The invariant `check`, whose complaints bear its name."""

    @wraps(check)
    def complaints(*given: P.args, **named: P.kwargs) -> Complaints:
        for (definition, saga), text in check(*given, **named):
            yield Complaint(check.__name__, text, definition, saga)

    return complaints
