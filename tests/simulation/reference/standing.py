"""How a saga stands by what is known of it: its runs, what has to be undone, its pauses, its end. Queries only."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace

from kafka_saga.definition.model import EndStatus, Saga, Step
from kafka_saga.wire.control import of_definition, of_step
from tests.simulation.reference.clocks import Interval, due, lasts
from tests.simulation.reference.runs import FAILED, PARKED, Run, Undo, outcomes_of
from tests.simulation.reference.timelines import Fact, Wide
from tests.simulation.seen import SagaName, Seen

SAGAS_OWN = ("", "", 0)
"""What has fired if the saga's own deadline has."""

SEVERITY = {EndStatus.COMPLETED: 0, EndStatus.CANCELLED: 1, EndStatus.FAILED: 2}


@dataclass
class Standing:
    """What is known of one saga at a time (`now`, milliseconds UTC, log time).

    `slack`: by how many milliseconds the brokers' clocks may be apart.
    """

    definition: Saga
    name: SagaName
    partition: int
    wide: Wide
    slack: int = 0
    now: int = 0
    start: Fact | None = None
    events: dict[str, Fact] = field(default_factory=dict)
    runs: dict[tuple[str, str], Run] = field(default_factory=dict)
    undone: dict[str, Run] = field(default_factory=dict)
    floors: dict[str, int] = field(default_factory=dict)
    lifted: dict[str, int] = field(default_factory=dict)
    """When the last floor of a step was written."""

    epoch: int = 0
    begun: int = 0
    """When a person had it go on from somewhere: its deadline runs anew from there."""

    undo: Undo | None = None
    pauses: list[Interval] = field(default_factory=list)
    fired: set[tuple[str, str, int]] = field(default_factory=set)
    incidents: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    rival: str | None = None
    """A saga of the key that started later, while this one ran."""

    may_be_outrun: bool = False
    """Whether a saga of the key started later while it is not certain that this one ran."""

    def copy(self) -> Standing:
        """The same once more, to see what would follow from further facts."""
        return replace(
            self,
            events=dict(self.events),
            runs={place: run.copy() for place, run in self.runs.items()},
            undone={outcome: run.copy() for outcome, run in self.undone.items()},
            floors=dict(self.floors),
            lifted=dict(self.lifted),
            undo=None if self.undo is None else replace(self.undo),
            pauses=list(self.pauses),
            fired=set(self.fired),
            incidents=dict(self.incidents),
            answered=set(self.answered),
        )

    # ---- runs

    def current(self) -> Iterator[Run]:
        """The runs that count: no later epoch has begun at their step or before."""
        if not self.floors:
            return iter(self.runs.values())
        return (run for run in self.runs.values() if self.epoch_of(run) >= self.floors.get(run.step.name, 0))

    def epoch_of(self, run: Run) -> int:
        """The epoch of the outcome that a run has ended by, else the one under which it was last asked for."""
        outcome = self.outcome(run)
        return run.epoch if outcome is None else outcome.seen.epoch

    def outcome(self, run: Run) -> Fact | None:
        """By which a run has ended, if it has."""
        floor = self.floors.get(run.step.name, 0)
        for one in run.outcomes:
            if one.seen.epoch >= floor:
                return one
        return None

    def is_live(self, steps: Collection[str] | None = None) -> bool:
        """Whether a delivery of these steps (`None`: of any) is out."""
        return any(run.is_live for run in self.runs.values() if steps is None or run.step.name in steps)

    def has_failed(self, run: Run) -> bool:
        """Whether a run has failed for good."""
        return self.outcome(run) is None and run.is_exhausted

    def status(self, run: Run) -> str:
        """How a run stands: live, done, failed, retrying, parked or skipped."""
        if self.outcome(run) is not None:
            return "done"
        if run.last is None:
            return "live"
        if run.last.seen.type == FAILED:
            return "failed" if run.is_exhausted else "retrying"
        return "parked" if run.last.seen.type == PARKED else "skipped"

    # ---- pauses

    def is_paused(self) -> bool:
        """Whether the saga, or a prefix of its key, is paused."""
        return lasts([*self.pauses, *self._prefixes()])

    def frozen(self, step: str | None = None, taken_up: int | None = None) -> list[Interval]:
        """The pauses of everything of the saga, and of a step if one is named.

        `taken_up`: when something was due that goes before a pause of a prefix that begins later.
        """
        name = self.definition.name
        prefixes = [one for one in self._prefixes() if taken_up is None or one[0] <= taken_up]
        wide = [*prefixes, *self.wide.of(self.partition, of_definition(name), self.now)]
        more = self.wide.of(self.partition, of_step(name, step), self.now) if step else ()
        return [*self.pauses, *wide, *more]

    def deadline_of(self, run: Run) -> int | None:
        """When the deadline of a run passes; `None` if never, as it stands."""
        if run.step.deadline is None:
            return None
        length = round(run.step.deadline.total_seconds() * 1000)
        return due(self.asked_since(run), length, self.frozen(run.step.name))

    def sagas_deadline(self) -> int | None:
        """When the deadline of the saga passes; `None` if never, as it stands."""
        if self.definition.deadline is None or self.start is None:
            return None
        return due(
            max(self.start.at, self.begun), round(self.definition.deadline.total_seconds() * 1000), self.frozen()
        )

    @staticmethod
    def asked_since(run: Run) -> int:
        """Since when a run is asked for in its epoch."""
        if run.deliveries[-1].epoch == run.cause.seen.epoch:
            return run.cause.at
        return next(one.asked for one in run.deliveries if one.epoch == run.epoch)

    def _prefixes(self) -> list[Interval]:
        return self.wide.prefixes(self.partition, self.name.key, self.now)

    # ---- undoing

    def owed(self) -> list[Fact]:
        """Every outcome that has to be undone or has been, the last one first."""
        steps = {step.name: step for step in self.definition.steps if step.compensates}
        found = [
            fact
            for fact in self.events.values()
            if (step := steps.get(fact.seen.step)) is not None
            and fact.seen.type in outcomes_of(step)
            and ((self.undo is not None and self.undo.is_over) or fact.seen.epoch < self.floors.get(step.name, 0))
        ]
        return sorted(found, key=place_of, reverse=True)

    def unpaid(self) -> list[Fact]:
        """What has to be undone and is not."""
        return [fact for fact in self.owed() if not self.is_paid(fact)]

    def is_paid(self, outcome: Fact) -> bool:
        """Whether an outcome is undone, or a person has said that it need not be."""
        run = self.undone.get(outcome.seen.id)
        return run is not None and (bool(run.outcomes) or run.is_waived)

    def stuck(self) -> list[Fact]:
        """What cannot be undone: its attempts are used up."""
        return [fact for fact in self.unpaid() if self.undone.get(fact.seen.id, _NEVER).is_exhausted]

    def is_undoing(self) -> bool:
        """Whether a command to undo something is out."""
        return any(run.is_live for run in self.undone.values())

    # ---- the end

    def end(self) -> Fact | None:
        """The final event of a saga in which no branch has anything left to do: the gravest, then the last."""
        ends = self.definition.ends_by_type
        found = [
            fact
            for fact in self.events.values()
            if fact.seen.type in ends and fact.seen.epoch >= self.floors.get(fact.seen.step, 0)
        ]
        if not found or any(self.outcome(run) is None for run in self.current()):
            return None
        return max(found, key=lambda fact: (SEVERITY[ends[fact.seen.type]], fact.at, fact.seen.id))

    def final(self) -> str | None:
        """The status that the saga has ended with; `None` if it goes on."""
        if self.undo is not None:
            return self.undo.goal if self.undo.has_ended else None
        end = self.end()
        is_good = end is not None and self.definition.ends_by_type[end.seen.type] is EndStatus.COMPLETED
        return "completed" if is_good else None

    def has_undoable(self, end: Fact) -> bool:
        """Whether a step that can be undone is done, beside the one that has ended the saga."""
        steps = {step.name: step for step in self.definition.steps if step.compensates}
        return any(
            fact is not end and fact.seen.step in steps and fact.seen.type in outcomes_of(steps[fact.seen.step])
            for fact in self.events.values()
        )


def place_of(fact: Fact) -> tuple[int, int, str, int]:
    """By which events are ordered: log time, and what is caused after its cause."""
    return (fact.at, fact.depth, fact.seen.type, fact.seen.offset)


_NEVER = Run(Step("", on=None, emits=()), Fact(0, 0, Seen("", 0, 0, 0, None, None, {})))  # type: ignore[arg-type]
"""Of what nobody has tried to undo."""
