"""Why a saga is not finished: the tracker's sentence about its state and what is around it, and what can be done."""

from __future__ import annotations

import msgspec
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from services.cli.output import safe
from services.cli.views.incidents import IncidentJson, incident_json, typed
from services.cli.views.standing import standing
from services.tracker.core.state import SagaState
from services.tracker.core.why.around import Around


class AtServiceJson(msgspec.Struct, frozen=True):
    """A step at work for scripts; `ahead` are the unfinished records before it, `instances` none if not known."""

    step: str
    service: str
    instances: int | None
    place: str
    ahead: int
    stands_still: str


class WhyJson(msgspec.Struct, frozen=True):
    """Why a saga is not finished, for scripts; `behind` is in seconds."""

    saga_id: str
    status: str
    reason: str
    services: tuple[AtServiceJson, ...]
    trackers: int | None
    behind: float
    dead_letters: tuple[str, ...]
    incidents: tuple[IncidentJson, ...]


def why_view(state: SagaState, around: Around, now: int) -> RenderableType:
    """For people: the sentence, and the commands that can solve what waits for a person, as they would be typed."""
    parts: list[RenderableType] = [safe(standing(state, now, around))]
    commands = {typed(name, state.saga_id, one.step): None for one in state.incidents for name in one.commands}
    if commands:
        parts.append(Text())
    parts += [Padding(safe(command, "cyan"), (0, 0, 0, 2)) for command in commands]
    return Group(*parts)


def why_json(state: SagaState, around: Around, now: int) -> WhyJson:
    """For scripts."""
    return WhyJson(
        saga_id=state.saga_id,
        status=state.status.value,
        reason=standing(state, now, around),
        services=tuple(
            AtServiceJson(one.step, one.service, one.instances, one.place.value, one.ahead, one.still)
            for one in around.services
        ),
        trackers=around.trackers,
        behind=around.behind,
        dead_letters=tuple(letter.place for letter in around.letters),
        incidents=tuple(incident_json(state, incident) for incident in state.incidents),
    )
