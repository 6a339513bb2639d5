"""What is known of one saga at some point of the log, and what the tracker may have known besides.

Facts count from their log time. A ruling is judged by what was known for certain when it was made; what the tracker may
have known besides (it was on the log when the ruling was written) is an excuse, and the only one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.simulation.complaints import Complaint
from tests.simulation.reference.learning import is_late, place, take_in
from tests.simulation.reference.standing import Standing
from tests.simulation.reference.timelines import Fact, Later, Timeline, Wide


class Knowledge:
    """How a saga stands by now (`standing`); `complaints` is what was not as it must be.

    `completed`: when it has ever been completed; `late`: outcomes that certainly came when nobody counted on them.
    """

    def __init__(self, timeline: Timeline, wide: Wide, later: Sequence[Later], slack: int) -> None:
        self.complaints: list[Complaint] = []
        self.standing = Standing(timeline.definition, timeline.name, timeline.partition, wide, slack)
        self.facts: Sequence[Fact | Later] = sorted((*timeline.facts, *later), key=place)
        self.completed: set[int] = set()
        self.late: list[Fact] = []

    def learn(self, known: Fact | Later) -> None:
        if isinstance(known, Fact) and known.seen.id in self.standing.events:
            return
        if isinstance(known, Fact) and is_late(self.standing, known):
            self.late.append(known)
        take_in(self.standing, known)
        self.note_completion()

    def adopt(self, known: Standing) -> None:
        """What the tracker did shows that it knew all this."""
        known.now, self.standing = self.standing.now, known
        self.note_completion()

    def note_completion(self, standing: Standing | None = None) -> None:
        standing = standing or self.standing
        if standing.final() == "completed" and (end := standing.end()) is not None:
            self.completed.add(end.at)

    def by(self, written: int) -> Standing:
        """The standing with everything that was on the log when something was written."""
        *_, last = self.may_have_known(written)
        return last

    def may_have_known(self, written: int) -> Iterator[Standing]:
        """The standing by what was known for certain, then with more and more of what was on the log besides."""
        yield self.standing
        known = self.standing.copy()
        for fact in self.facts:
            if fact.at <= written and not (isinstance(fact, Fact) and fact.seen.id in known.events):
                take_in(known, fact)
                known.now = max(known.now, fact.at + 1)
                yield known
        known.now = max(known.now, written + 1)
        yield known

    def complain(self, rule: str, text: str) -> None:
        definition, saga = self.standing.name
        self.complaints.append(Complaint(rule, f"{saga} of {definition}: {text}", definition, saga))
