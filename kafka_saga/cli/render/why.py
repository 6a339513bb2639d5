"""Why a saga is not finished: the tracker's sentence about its state and what is around it, and what can be done."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from kafka_saga.api.sagas import WhyFacts
from kafka_saga.cli.output import safe
from kafka_saga.cli.render.incidents import typed


def why_view(why: WhyFacts) -> RenderableType:
    """For people: the sentence, and the commands that can solve what waits for a person, as they would be typed."""
    parts: list[RenderableType] = [safe(why.reason)]
    commands = {typed(name, why.saga_id, one.step): None for one in why.incidents for name in one.commands}
    if commands:
        parts.append(Text())
    parts += [Padding(safe(command, "cyan"), (0, 0, 0, 2)) for command in commands]
    return Group(*parts)
