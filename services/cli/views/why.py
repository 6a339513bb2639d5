"""Why a saga is not finished: the tracker's sentence, and what the cluster adds to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from rich.console import Group, RenderableType
from rich.text import Text

from schemas import control
from services.cli.letters import DeadLetter
from services.cli.output import clock, safe
from services.cli.surroundings import MOST, Held, Place, Surroundings, Waiting
from services.cli.views.incidents import IncidentJson, incident_json, notes
from services.cli.views.standing import standing
from services.tracker.core.reason import length
from services.tracker.core.state import SagaState

_SHOWN = 3
_SCOPES = {
    control.PREFIX: ("Every key that begins with", "--key-prefix"),
    control.DEFINITION: ("The definition", "--definition"),
    control.STEP: ("Step", "--step"),
}


class WaitingJson(msgspec.Struct, frozen=True):
    """A step at work for scripts; `ahead` are the unfinished records before it."""

    step: str
    service: str | None
    instances: int
    topic: str
    partition: int
    place: str
    ahead: int
    stands_still: str | None


class WhyJson(msgspec.Struct, frozen=True):
    """Why a saga is not finished, for scripts; `besides` are the sentences that the cluster adds."""

    saga_id: str
    status: str
    reason: str
    besides: tuple[str, ...]
    waiting: tuple[WaitingJson, ...]
    trackers: int
    dead_letters: tuple[str, ...]
    incidents: tuple[IncidentJson, ...]


def why_view(state: SagaState, around: Surroundings, now: int) -> RenderableType:
    """For people: the sentence, what else is known, and what can be done."""
    parts: list[RenderableType] = [safe(standing(state, now), "bold")]
    parts += [safe(sentence) for sentence in besides(state, around, now)]
    if state.incidents:
        parts += [Text(), notes(state, now)]
    return Group(*parts)


def why_json(state: SagaState, around: Surroundings, now: int) -> WhyJson:
    """For scripts."""
    return WhyJson(
        saga_id=state.saga_id,
        status=state.status.value,
        reason=standing(state, now),
        besides=tuple(besides(state, around, now)),
        waiting=tuple(_waiting_json(one) for one in around.waiting),
        trackers=around.trackers,
        dead_letters=tuple(letter.place for letter in around.letters),
        incidents=tuple(incident_json(state, incident) for incident in state.incidents),
    )


def besides(state: SagaState, around: Surroundings, now: int) -> Iterator[str]:
    """What the cluster knows that the saga's state does not, in sentences."""
    for held in around.held:
        yield held_sentence(held, now)
    for waiting in around.waiting:
        yield from _waiting(waiting)
    if not around.trackers and not state.status.is_final:
        yield (
            "The tracker is not running, so this is as old as its last record, and no retry, deadline or command is "
            "decided: start it with `saga up`."
        )
    if around.letters:
        yield _letters(around.letters)


def _waiting(one: Waiting) -> Iterator[str]:
    where = f"{one.delivery.at.topic}[{one.delivery.at.partition}]"
    if one.service is None:
        yield f"Which service owns step {one.step} is not known: none has ever read {where}."
        return
    if not one.instances:
        yield f"Its service {one.service} is not running: start it, all of them with `saga up`."
    if one.still is not None:
        yield f"{one.service}: {one.still.rstrip('.')}; or `saga dlq continue {one.service}`."
    match one.place:
        case Place.QUEUED if one.ahead:
            many = f"{MOST:,} or more records are" if one.ahead >= MOST else _records(one.ahead)
            yield f"{many} before it in {where}."
        case Place.QUEUED if one.instances:
            yield f"Nothing is before it in {where}: {one.service} is about to take it, or has just done so."
        case Place.TAKEN:
            yield f"{one.service} ({_instances(one.instances)}) has taken it."
        case Place.ENDED:
            yield f"{one.service} is done with it; the tracker has not read that yet."


def held_sentence(held: Held, now: int) -> str:
    """Who paused what, why, since when, and how it goes on."""
    kind, _, name = held.scope.partition(":")
    what, option = _SCOPES[f"{kind}:"]
    why = f" ({held.hold.reason})" if held.hold.reason else ""
    since = f"since {clock(held.hold.at)}, {length(now - held.hold.at)} ago"
    return f"{what} {name} is paused by {held.hold.by}{why} {since}: `saga resume {option} {name}`."


def _letters(letters: Sequence[DeadLetter]) -> str:
    some = ", ".join(f"{one.place} ({one.service}: {one.reason})" for one in letters[-_SHOWN:])
    more = f", and {len(letters) - _SHOWN:,} older" if len(letters) > _SHOWN else ""
    one_is = "A record of it is a dead letter" if len(letters) == 1 else f"{len(letters):,} records are dead letters"
    return f"{one_is}: {some}{more}. See `saga dlq show {letters[-1].place}`; `saga dlq redrive` publishes it again."


def _records(count: int) -> str:
    return "1 record is" if count == 1 else f"{count:,} records are"


def _instances(count: int) -> str:
    return "1 instance" if count == 1 else f"{count} instances"


def _waiting_json(one: Waiting) -> WaitingJson:
    at = one.delivery.at
    return WaitingJson(
        one.step, one.service, one.instances, at.topic, at.partition, one.place.value, one.ahead, one.still
    )
