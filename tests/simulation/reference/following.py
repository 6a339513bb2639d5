"""A saga followed along the log: facts, rulings and what was due, in the order in which they count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kafka_saga.events import lifecycle as events
from tests.simulation.complaints import Complaint
from tests.simulation.reference.demands import EVER, demands
from tests.simulation.reference.judging import Judge
from tests.simulation.reference.knowledge import Knowledge
from tests.simulation.reference.learning import place
from tests.simulation.reference.rest import Tables, problems
from tests.simulation.reference.timelines import Batch, Cut, Fact, Later, Timeline, Wide
from tests.simulation.seen import GIVEN

Moment = Fact | Later | Batch | Cut


class Follower:
    """Follows one saga; `complaints` is what was not as it must be."""

    def __init__(self, timeline: Timeline, wide: Wide, later: Sequence[Later], slack: int) -> None:
        self._timeline = timeline
        self._known = Knowledge(timeline, wide, later, slack)
        self._judge = Judge(self._known, timeline)

    @property
    def complaints(self) -> list[Complaint]:
        """What was not as it must be, so far."""
        return self._known.complaints

    def follow(self, cuts: Sequence[Cut]) -> None:
        """Go through everything that happened, in the order in which it counts."""
        for _, _, moment in sorted(self._moments(cuts), key=lambda item: item[:2]):
            match moment:
                case Fact() | Later():
                    if isinstance(moment, Fact) and moment.seen.command == GIVEN:
                        self._judge.given(moment)
                    self._known.learn(moment)
                case Batch():
                    self._judge.judge(moment)
                case Cut():
                    self._demand(moment)
        self._known.standing.now = EVER

    def _moments(self, cuts: Sequence[Cut]) -> Iterator[tuple[int, int, Moment]]:
        """Rulings before the facts of the same time, which they need not have known; notices about facts after them."""
        yield from ((*place(known), known) for known in self._known.facts)
        yield from ((cut.until, 1, cut) for cut in cuts)
        for batch in self._timeline.batches:
            yield (batch.written, EVER, batch) if batch.until is None else (batch.until, 0, batch)

    def _demand(self, cut: Cut) -> None:
        """What was due in a partition was done for all its sagas."""
        self._known.standing.now = cut.until
        asked = list(demands(self._known.standing, cut.until))
        if not asked:
            return
        still = {rule for rule, _ in demands(self._known.by(cut.written), cut.until)}
        for rule, text in asked:
            if rule in still:
                self._known.complain(rule, f"{text}, though everything before {cut.until} was known at {cut.written}")

    def on_result(self, known: Tables) -> None:
        """Everything has come to rest: what is demanded is done, what was told is so, the tables say how it stands."""
        for rule, text in demands(self._known.standing, EVER):
            self._known.complain(rule, f"in the end {text}")
        self._check_told()
        self._judge.check_pause()
        for rule, text in problems(self._known.standing, self._timeline, known):
            self._known.complain(rule, text)

    def _check_told(self) -> None:
        told = [told.event for batch in self._timeline.batches for told in batch.told]
        for event in told:
            if isinstance(event, events.SagaCompleted) and not self._has_completed(event.at):
                self._known.complain("what_completes_is_done", f"it is told to be completed at {event.at}, and is not")
        late = [event for event in told if isinstance(event, events.LateOutcome)]
        for fact in self._known.late:
            if not any(
                event.outcome == fact.seen.type and abs(event.at - fact.at) <= self._known.standing.slack
                for event in late
            ):
                self._known.complain("late_outcomes_are_told", f"{fact.seen.type} at {fact.seen} came too late, untold")

    def _has_completed(self, at: int) -> bool:
        return any(abs(at - known) <= self._known.standing.slack for known in self._known.completed)
