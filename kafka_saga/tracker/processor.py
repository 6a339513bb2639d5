"""The tracker as a processor with a punctuator: records in; states, lifecycle, commands and control out.

What a record or a ruling leads to is one transaction. A record is folded when it is read; rulings are made when
everything up to some time has been read (`reach`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from kafka_saga.broker.records import Outgoing, Record
from kafka_saga.definition.model import Saga
from kafka_saga.definition.topics import SAGA_COMMANDS, SAGA_CONTROL, SAGA_STATE, SAGA_STEPS
from kafka_saga.engine.processor import Roles, Stores
from kafka_saga.engine.state_store import Change, StoreSpec
from kafka_saga.engine.work import Ended, Kind, Write
from kafka_saga.errors import TopologyError
from kafka_saga.events.commands import SagaCommand
from kafka_saga.tracker.command_reader import CommandReader, Wrong
from kafka_saga.tracker.control_entries import entry_of, same
from kafka_saga.tracker.core.changes import changes as changes_of
from kafka_saga.tracker.core.decisions import Compensate, Decision, Emit, Execute, Forget, Notice, Refused
from kafka_saga.tracker.core.derive import derived
from kafka_saga.tracker.core.due_items import next_due
from kafka_saga.tracker.core.facts import CommandFact, Fact, SupersederFact, fact_of
from kafka_saga.tracker.core.fold import fold
from kafka_saga.tracker.core.plan import SagaPlan
from kafka_saga.tracker.core.rulings import due
from kafka_saga.tracker.core.state import SagaState, decode, encode
from kafka_saga.tracker.lifecycle import NO_RULING, Ground
from kafka_saga.tracker.lifecycle import record as lifecycle_record
from kafka_saga.tracker.partition_state import PartitionState, scope_of
from kafka_saga.tracker.plans import Plans
from kafka_saga.tracker.step_commands import given_outcome, work_of
from kafka_saga.wire import control

LOG = logging.getLogger("saga.tracker")

PIECE = 500
"""Sagas ruled about in one turn: a transaction of at most some thousand records."""

STATES = StoreSpec(SAGA_STATE, encode, decode)
CONTROL = StoreSpec(SAGA_CONTROL, control.encode, control.decode)

AGAIN_AFTER = 60_000
"""Milliseconds after which something is tried again that Kafka has not taken."""

Written = tuple[list[Outgoing], tuple[Change, ...]]
"""What a new state leads to: records, and changes of the stores."""


class Case(msgspec.Struct, frozen=True, gc=False):
    """A saga in hand: its partition's state, its key there, the plan it follows, and the time of day."""

    partition: PartitionState
    key: bytes
    plan: SagaPlan
    now: int


class TrackerProcessor:
    """Follows the sagas of these definitions. Raises TopologyError if they do not go together."""

    def __init__(self, definitions: Sequence[Saga], partitions: int) -> None:
        self._plans = Plans(definitions)
        self._asking = CommandReader(definitions, partitions)
        self._partitions: dict[int, PartitionState] = {}
        self.topics: tuple[str, ...] = (*self._plans.inputs, SAGA_STEPS, SAGA_COMMANDS)
        self.stores: tuple[StoreSpec, ...] = (
            STATES,
            CONTROL,
        )

    @property
    def roles(self) -> Roles:
        """What a worker asks it: records, and what is due by time."""
        return Roles(self, punctuator=self)

    # ---- tasks

    def restored(self, number: int, stores: Stores, now: int) -> None:
        """Know again when each saga is due. Raises TopologyError if live sagas follow a version that was dropped."""
        partition = PartitionState(number, stores)
        glances = tuple(partition.glances())
        self._plans.refuse_dropped(glances)
        partition.restore(glances, self._plans.names, self._plans.exclusive)
        for glance in glances:
            if not glance.hash and self._plans.knows(glance.definition, glance.version):
                partition.schedule.set(glance.saga_id.encode(), 0)  # it can be concluded now what the facts mean
        self._partitions[number] = partition

    def gone(self) -> None:
        """Nothing is ours any more."""
        self._partitions.clear()

    def due_at(self, number: int) -> int | None:
        """When the next saga is due."""
        partition = self._partitions.get(number)
        return partition.schedule.first() if partition is not None else None

    def times(self) -> list[int]:
        """When each saga that waits for a time is due, of all tasks; may be asked from another thread."""
        return [time for partition in tuple(self._partitions.values()) for time in partition.schedule.times()]

    def reach(self, number: int, until: int, read: Mapping[str, int]) -> None:
        """Everything before `until` is folded in: what was due by then can be ruled."""
        self._partitions[number].reach(until, read)

    def punctuate(self, number: int, stores: Stores, now: int) -> Sequence[Write]:
        """Rulings, a piece a turn."""
        partition = self._partitions.get(number)
        if partition is None or not partition.until:
            return ()
        keys = partition.schedule.pop(partition.until, PIECE)
        return [made for key in keys if (made := self._taken_up(partition, key, now)) is not None]

    def rule(self, number: int, saga_id: str, until: int, now: int) -> Write | None:
        """Rule about one saga as of `until`, as a replay does; none if there is nothing to decide."""
        partition = self._partitions[number]
        partition.until = until
        return self._rule(partition, saga_id.encode(), now)

    # ---- records

    def route(self, record: Record, stores: Stores, now: int) -> Ended:
        """Fold a record into its saga; what names none of ours is for the services to judge."""
        partition = self._partitions[record.partition]
        partition.read[record.topic] = record.offset + 1
        if record.topic == SAGA_COMMANDS:
            return self._asked(partition, record, now)
        fact = fact_of(
            record.topic, record.partition, record.offset, record.timestamp, record.key, dict(record.headers)
        )
        if fact is None or not self._plans.has(fact.envelope.definition):
            return Ended(record, Kind.IGNORED, [])
        key = fact.envelope.subject.encode()
        if (why := partition.unreadable.get(key)) is not None:
            return Ended(record.emptied, Kind.IGNORED, [], reason=why)
        outgoing, changes = self._folded(partition, key, fact, now)
        return Ended(record.emptied, Kind.DONE, outgoing, changes)

    def refuse(self, ended: Ended, reason: str, now: int) -> Ended:
        """What Kafka does not take of one saga must not hold up the others.

        A command is refused; any other record is passed over, and logged.
        """
        self._look_again(ended.number, ended.changes)
        if (answered := self._refused(ended.record, f"Kafka does not take what it leads to: {reason}", now)) is None:
            sagas = ", ".join(one.key.decode() for one in ended.changes if one.topic == SAGA_STATE)
            LOG.error("%s of %s is passed over, and its saga stays as it was: %s", ended.where, sagas, reason)
            return Ended(ended.record, Kind.IGNORED, [], reason=reason)
        return answered

    def _refused(self, record: Record, why: str, now: int) -> Ended | None:
        """A command is answered with a refusal; none for what is no command."""
        refused = self._asking.refusal(record, why) if record.topic == SAGA_COMMANDS else None
        if refused is None:
            return None
        return Ended(record, Kind.DONE, [self._answer(self._partitions[record.partition], record, refused, now)])

    def dropped(self, made: Write) -> None:
        """A ruling that Kafka does not take is tried again, but not at once."""
        self._look_again(made.number, made.changes)

    def _look_again(self, number: int, changes: Iterable[Change]) -> None:
        partition = self._partitions[number]
        for change in changes:
            if change.topic == SAGA_STATE:
                partition.schedule.set(change.key, partition.until + AGAIN_AFTER)

    # ---- folding

    def _folded(self, partition: PartitionState, key: bytes, fact: Fact, now: int) -> Written:
        found: SagaState | None = partition.states.get(key)
        before, told = self._concluded(found) if found is not None else (None, ())
        case = Case(partition, key, self._plans.plan_for(before, fact), now)
        state, decisions = fold(before, fact, case.plan)
        outgoing, changes = self._written(case, found, _timed(case, state), (*told, *decisions))
        if before is None or before.started_at is None:
            more, others = self._rivals(partition, state, now)
            return outgoing + more, (*changes, *others)
        return outgoing, changes

    def _rivals(self, partition: PartitionState, state: SagaState, now: int) -> Written:
        """Of the sagas of a key one is to run, the one that started last: those before it hear of it."""
        if state.definition not in self._plans.exclusive or state.started_at is None:
            return [], ()
        start = state.events[0]
        outgoing: list[Outgoing] = []
        changes: tuple[Change, ...] = ()
        for other in sorted(partition.running(state)):
            fact = SupersederFact(other, partition.number, start.offset, start.at, state.saga_id)
            more, others = self._folded(partition, other.encode(), fact, now)
            outgoing, changes = outgoing + more, (*changes, *others)
        return outgoing, changes

    def _asked(self, partition: PartitionState, record: Record, now: int) -> Ended:
        """A command: for one saga it waits for its ruling, a wider pause begins and ends at once."""
        asked = self._asking.read(record)
        match asked:
            case Wrong(letter):
                return Ended(record, Kind.DEAD, [letter], reason="no command")
            case CommandFact() if (why := partition.unreadable.get(asked.saga_id.encode())) is not None:
                return self._refused(record, why, now) or Ended(record, Kind.IGNORED, [], reason=why)
            case CommandFact():
                outgoing, changes = self._folded(partition, asked.saga_id.encode(), asked, now)
                return Ended(record, Kind.DONE, outgoing, changes)
            case Refused():
                return Ended(record, Kind.DONE, [self._answer(partition, record, asked, now)])
            case SagaCommand():
                return self._wide(partition, record, asked, now)

    def _wide(self, partition: PartitionState, record: Record, command: SagaCommand, now: int) -> Ended:
        before: control.ControlEntry | None = partition.control.get(command.scope.encode())
        revision = partition.next_revision(record.timestamp)
        entry, answer = self._asking.answer(command, record, before, revision)
        outgoing = [self._answer(partition, record, answer, now)]
        if entry is None:
            return Ended(record, Kind.DONE, outgoing)
        partition.note(command.scope, entry)
        changes = (CONTROL.change(command.scope.encode(), entry), *self._looked_at_again(partition, command.scope))
        return Ended(record, Kind.DONE, outgoing, changes)

    def _answer(self, partition: PartitionState, record: Record, answer: Decision, now: int) -> Outgoing:
        subject = self._asking.subject(record, partition.number)
        return lifecycle_record(subject, answer, now, NO_RULING, record.offset)  # type: ignore[arg-type]

    def _looked_at_again(self, partition: PartitionState, scope: str) -> Iterable[Change]:
        """A wide pause has begun or ended: sagas are due at other times."""
        for key in partition.states.keys():  # noqa: SIM118  # a store is no dict
            state: SagaState | None = partition.states.get(key) if key not in partition.unreadable else None
            if state is None or not control.concerns(scope, state.definition, state.key):
                continue
            timed = _timed(Case(partition, key, self._plans.plan_of(state), 0), state)
            partition.schedule.set(key, timed.due)
            if timed.due != state.due:
                yield STATES.change(key, timed)

    # ---- ruling

    def _taken_up(self, partition: PartitionState, key: bytes, now: int) -> Write | None:
        """What has become due: something of a saga, or the end of what is remembered of a wide scope."""
        scope = scope_of(key)
        if scope is None:
            return self._rule(partition, key, now)
        partition.note(scope, None)
        return Write(partition.number, [], (CONTROL.change(scope.encode(), None),))

    def _rule(self, partition: PartitionState, key: bytes, now: int) -> Write | None:
        found: SagaState | None = partition.states.get(key)
        if found is None:
            return None
        before, told = self._concluded(found)
        case = Case(partition, key, self._plans.plan_of(before), now)
        ruled = due(before, partition.until, case.plan, partition.wide_of(before))
        if ruled.state is found:
            partition.schedule.set(key, ruled.due)
            return None
        timed = replace(ruled.state, due=ruled.due) if ruled.state is not None else None
        ground = Ground(before.revision, partition.until, partition.read)
        return Write(partition.number, *self._written(case, found, timed, (*told, *ruled.decisions), ground))

    def _concluded(self, state: SagaState) -> tuple[SagaState, tuple[Notice, ...]]:
        """A saga whose version was not known when its facts came, and is now: what they mean."""
        if state.hash or not self._plans.knows(state.definition, state.version):
            return state, ()
        plan = self._plans.plan_of(state)
        steps = tuple(step.waiting for step in plan.steps.values())
        fresh = replace(state, revision=state.revision + 1, hash=plan.definition.content_hash, steps=steps)
        concluded = derived(fresh, plan, plan.steps)
        return concluded, changes_of(state, concluded, plan)

    # ---- writing

    def _written(
        self,
        case: Case,
        before: SagaState | None,
        state: SagaState | None,
        decisions: Sequence[Decision],
        ground: Ground = NO_RULING,
    ) -> Written:
        """Everything that a new state leads to; of a saga that is forgotten, what was decided before."""
        about = state or before
        issued = (
            case.partition.issue()
        )  # before the entry: it gates what the same ruling has sent before it was cancelled
        changes = _forgotten(case) if state is None else (STATES.change(case.key, state), *_entry(case, state))
        case.partition.schedule.set(case.key, state.due if state is not None else None)
        if about is None:
            return [], changes
        if about.definition in self._plans.exclusive and (before is None or before.status is not about.status):
            case.partition.mark(about)
        return self._said(about, decisions, issued, case.now, ground), changes

    def _said(
        self, about: SagaState, decisions: Sequence[Decision], issued: int, now: int, ground: Ground
    ) -> list[Outgoing]:
        """The records of what was decided."""
        said = [one for one in decisions if one != Forget()]
        return [_record(about, one, issued, now, ground, index) for index, one in enumerate(said)]


def _record(state: SagaState, decision: Decision, issued: int, now: int, ground: Ground, index: int) -> Outgoing:
    match decision:
        case Execute() | Compensate():
            return work_of(state, decision, issued, now)
        case Emit():
            return given_outcome(state, decision, now)
        case Forget():
            raise TopologyError("a saga that is forgotten has nothing to say")
        case notice:
            return lifecycle_record(state, notice, now, ground, index)


def _timed(case: Case, state: SagaState) -> SagaState:
    """The state, with when it is due."""
    at = next_due(state, case.plan, case.partition.wide_of(state))
    return state if at == state.due else replace(state, due=at)


def _entry(case: Case, state: SagaState) -> tuple[Change, ...]:
    """What services must know of the saga, if that has changed."""
    if not (state.pauses or state.undo or state.floors):
        return ()
    scope = control.of_saga(state.saga_id).encode()
    known: control.ControlEntry | None = case.partition.control.get(scope)
    wanted = entry_of(state, 0)
    if same(known, wanted):
        return ()
    revision = case.partition.next_revision(max(case.partition.until, state.updated_at))
    return (CONTROL.change(scope, replace(wanted, revision=revision) if wanted else None),)


def _forgotten(case: Case) -> tuple[Change, ...]:
    scope = control.SAGA.encode() + case.key
    entry = (CONTROL.change(scope, None),) if case.partition.control.get(scope) is not None else ()
    return (STATES.change(case.key, None), *entry)
