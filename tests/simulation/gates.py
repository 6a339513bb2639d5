"""The gate (docs/architecture.md 7, invariant 8): nothing starts that control forbids, and it is followed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from kafka_saga.definition.topics import SAGA_CONTROL
from kafka_saga.events.lifecycle import SagaUndoing
from kafka_saga.wire import control
from kafka_saga.wire.control import ControlEntry
from kafka_saga.wire.ids import key_of
from tests.simulation.handlers import Called, HandlerEnd, Sight
from tests.simulation.history import History
from tests.simulation.rules import Findings, rule
from tests.simulation.seen import NOBODY, Seen

Forbids = Callable[[ControlEntry], bool]


class Entries:
    """The records of `saga.control` about each scope, in the order of each partition."""

    def __init__(self, log: History) -> None:
        self._log = log
        self._found: dict[tuple[int, str], list[Seen]] = defaultdict(list)
        for seen in log.of(SAGA_CONTROL):
            self._found[seen.partition, (seen.key or b"").decode()].append(seen)
        self._prefixes = {scope for _, scope in self._found if scope.startswith(control.PREFIX)}

    def about(self, call: Called, scope: str) -> Sequence[Seen]:
        """Those about a scope in the partition of a call; a saga's lie in one partition only."""
        return self._found.get((self.partition(call), scope), ())

    def partition(self, call: Called) -> int:
        """The partition of the record that asked for a call; if that is not known, that of its saga."""
        return call.delivery[1] if call.delivery is not None else self._log.partition(call.name) or 0

    def prefixes(self, call: Called) -> Iterator[str]:
        """The scopes of the prefixes that a call's key has."""
        key = key_of(call.saga_id)
        yield from (scope for scope in self._prefixes if key.startswith(scope.removeprefix(control.PREFIX)))

    def forbid(self, call: Called, scope: str, forbids: Forbids, *, revision: int = -1) -> bool:
        """Whether the last entry that the process must know forbids the call, and nothing has lifted that since.

        A command of the tracker is not bound by entries up to the `revision` that it was issued under.
        """
        about = self.about(call, scope)
        read, since = call.sight.read.get(self.partition(call), 0), call.sight.since
        known = [seen for seen in about if seen.offset < read or seen.written_at < since]
        if not known:
            return False
        later = [seen for seen in about if seen.offset > known[-1].offset and seen.written_at <= call.at]
        entries = [_entry(seen.value) for seen in (known[-1], *later)]
        return all(entry is not None and entry.revision > revision and forbids(entry) for entry in entries)


@rule
def nothing_starts_that_is_cancelled(log: History, calls: Sequence[Called]) -> Findings:
    """8. No handler starts in a process that has read that its saga is cancelled, or has come to its partition since.

    Until a process has read the entry it may start one: how long that takes depends on what each poll returns.
    """
    entries = Entries(log)
    for call in calls:
        scope = control.of_saga(call.saga_id)
        if not call.compensating and entries.forbid(call, scope, lambda entry: entry.cancelled is not None):
            what = "which must know that the saga is cancelled"
            yield call.name, f"{call.saga_id}: {call.step} starts at {call.sight.process}, {what}"


@rule
def nothing_starts_that_is_paused_here(log: History, calls: Sequence[Called]) -> Findings:
    """8. No handler starts in a process that has read of a pause that concerns it.

    Commands that were issued under a later revision than the pause of a saga or a prefix are excepted, as
    `kafka_saga/steps/control_gates.py` has it; the topics of a paused step or definition stand still for everything.
    """
    entries = Entries(log)
    for call in _placed(calls):
        own = [control.of_saga(call.saga_id), *entries.prefixes(call)]
        wide = [control.of_step(call.definition, call.step), control.of_definition(call.definition)]
        for scope, revision in (*((scope, call.revision) for scope in own), *((scope, -1) for scope in wide)):
            if entries.forbid(call, scope, lambda entry: entry.paused is not None, revision=revision):
                yield call.name, f"{call.saga_id}: {call.step} starts at {call.sight.process}, and {scope} is paused"


@rule
def older_epochs_are_skipped(log: History, calls: Sequence[Called]) -> Findings:
    """8. No handler starts for an epoch below the floor that its process has read."""
    entries = Entries(log)
    for call in _placed(calls):
        if call.compensating:
            continue
        scope, step, epoch = control.of_saga(call.saga_id), call.step, call.epoch
        is_over = _over(step, epoch)
        if entries.forbid(call, scope, is_over, revision=call.revision):
            what = f"{step} of epoch {epoch} starts at {call.sight.process}"
            yield call.name, f"{call.saga_id}: {what}, which must know that a later one has begun"


@rule
def what_is_cancelled_is_interrupted(log: History, ends: Sequence[HandlerEnd]) -> Findings:
    """8. A handler that is to be interrupted does not come to its end by itself, once its process has read why."""
    entries = Entries(log)
    for end in ends:
        call = end.called
        if not end.interrupts or call.compensating or not end.is_working:
            continue
        if _is_called_off(entries, end):
            what = f"{call.step} has {end.how} by itself at {end.sight.process}"
            yield call.name, f"{call.saga_id}: {what}, which had read that nobody wants it"


@rule
def nothing_runs_on_what_is_undone(log: History, calls: Sequence[Called]) -> Findings:
    """8. No handler starts on an event that has been undone before, nor on what that has led to.

    What somebody else emits again, once its saga has ended, starts handlers anew; what they do is undone as late. So is
    what a service does that has not read yet that its saga was given up.
    """
    undone = {seen.cause: seen.written_at for seen in reversed(log.compensated)}
    for call in _placed(calls) if undone else ():
        asked = log.at.get(call.delivery) if call.delivery is not None else None
        if asked is None or call.compensating or asked.id in log.astray or asked.stray:
            continue
        if _is_given_up(log, call):
            continue
        chain = list(log.chain(asked))
        if any(copy.is_foreign for event in chain for copy in log.by_id[event.id]):
            continue
        for event in chain:
            if undone.get(event.id, call.at) < call.at:
                what = f"{call.step} starts on what {event.type} has led to"
                yield call.name, f"{call.saga_id}: {what}, {call.at - undone[event.id]} ms after that was undone"
                break


def _is_given_up(log: History, call: Called) -> bool:
    """Whether the saga of a call was failing or cancelled by then, and not brought back since."""
    goals = [
        told.event.goal
        for told in log.told_of(call.name)
        if isinstance(told.event, SagaUndoing) and told.seen.written_at <= call.at
    ]
    return bool(goals) and goals[-1] != "redo"


@rule
def control_is_followed(log: History, sights: Sequence[Sight]) -> Findings:
    """8. When everything has come to rest, every process has read control to its end wherever it works."""
    ends = {seen.partition: seen.offset for seen in log.of(SAGA_CONTROL)}
    for process, _, read in sights:
        for number, offset in read.items():
            if offset <= ends.get(number, -1):
                text = f"{process} has read {SAGA_CONTROL}[{number}] to {offset}, and it reaches to {ends[number]}"
                yield NOBODY, text


def _placed(calls: Sequence[Called]) -> Iterator[Called]:
    """Those of which it is known what asked for them, and so under which revision."""
    return (call for call in calls if call.delivery is not None)


def _is_called_off(entries: Entries, end: HandlerEnd) -> bool:
    """Whether the last entry that the process had read itself, when the handler ended, calls the handler off."""
    call, read = end.called, end.sight.read.get(entries.partition(end.called), 0)
    known = [seen for seen in entries.about(call, control.of_saga(call.saga_id)) if seen.offset < read]
    entry = _entry(known[-1].value) if known else None
    if entry is None or entry.revision <= call.revision:
        return False
    return entry.cancelled is not None or _over(call.step, call.epoch)(entry)


def _over(step: str, epoch: int) -> Forbids:
    return lambda entry: entry.floors.get(step, 0) > epoch


@lru_cache(maxsize=4096)
def _entry(value: bytes | None) -> ControlEntry | None:
    return control.decode(value) if value is not None else None
