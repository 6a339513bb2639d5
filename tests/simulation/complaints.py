"""What the simulation says of a run that is not as it must be: the rule that is broken, where, and how."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class Complaint(NamedTuple):
    """One thing that is not as it must be.

    `rule` names what is broken, as tests and findings refer to it; `text` says it to people. `definition` and `saga`
    are those of the saga that it is about, empty if it is about none.
    """

    rule: str
    text: str
    definition: str = ""
    saga: str = ""

    def __str__(self) -> str:
        return f"{self.rule}: {self.text}"


Complaints = Iterator[Complaint]
"""What a rule says: one complaint for each thing that is not as it must be."""
