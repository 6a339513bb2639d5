"""Commands to sagas for people and scripts: whom they concern, and what the tracker says to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from kafka_saga.cli.output import safe
from kafka_saga.cli.render.sagas import saga_table
from kafka_saga.events.commands import Act
from kafka_saga.inspection.commands.sending import CommandAnswer, CommandVerdict, SentCommand
from kafka_saga.inspection.diagnose.diagnosis import TRACKER_COMMAND
from kafka_saga.tracker.core.state import SagaState

SHOWN = 8
"""How many of many sagas are listed."""

VERDICT_STYLE = {CommandVerdict.ACCEPTED: "green", CommandVerdict.REFUSED: "bold red", CommandVerdict.SILENT: "yellow"}


class AnswerJson(msgspec.Struct, frozen=True):
    """A command and its answer for scripts; `answer` is accepted, refused, not answered yet, or not asked."""

    command_id: str
    command: str
    scope: str
    answer: str
    why: str


def answer_json(answer: CommandAnswer) -> AnswerJson:
    """An answer for scripts."""
    asked = answer.asked
    return AnswerJson(asked.id, asked.command.command.value, asked.command.scope, answer.verdict.value, answer.why)


def dry_json(asked: SentCommand) -> AnswerJson:
    """A command that is not sent, for scripts."""
    return AnswerJson(asked.id, asked.command.command.value, asked.command.scope, "not asked", "--dry-run")


def matching_view(found: Sequence[SagaState], scope: str | None, now: int) -> RenderableType:
    """How many sagas are concerned, and some of them."""
    parts: list[RenderableType] = [safe(_how_many(len(found), scope))]
    if found:
        parts.append(Padding(saga_table(found[-SHOWN:], now), (0, 0, 0, 2)))
    if len(found) > SHOWN:
        parts.append(Text(f"  and {len(found) - SHOWN:,} more, started earlier", "dim"))
    return Group(*parts)


def asked_view(asked: Sequence[SentCommand], act: Act) -> str:
    """What is to be done, in a few words: `Cancel 12 sagas`."""
    verb = act.value.capitalize()
    only = asked[0] if len(asked) == 1 else None
    return f"{verb} {only.subject}" if only is not None else f"{verb} {len(asked):,} sagas"


def answers_view(answers: Sequence[CommandAnswer], wait: float, *, is_tracker_away: bool = False) -> RenderableType:
    """What the tracker said: of one command a sentence, of many how many, and those that are not accepted."""
    if len(answers) == 1:
        parts: list[RenderableType] = [_line(answers[0])]
    else:
        counts = Counter(answer.verdict for answer in answers)
        total = Text(", ").join(
            Text(f"{counts[kind]:,} {kind}", VERDICT_STYLE[kind]) for kind in CommandVerdict if counts[kind]
        )
        refused = [answer for answer in answers if answer.verdict is CommandVerdict.REFUSED]
        parts = [total, *(Text("  ").append_text(_line(answer)) for answer in refused[:SHOWN])]
        if len(refused) > SHOWN:
            parts.append(Text(f"  and {len(refused) - SHOWN:,} more: --json lists all", "dim"))
    if any(answer.verdict is CommandVerdict.SILENT for answer in answers):
        parts.append(_silence(wait, is_tracker_away=is_tracker_away))
    return Group(*parts)


def _how_many(count: int, scope: str | None) -> str:
    if scope is None:
        return "1 saga matches:" if count == 1 else f"{count:,} sagas match:"
    name = scope.replace(":", " ", 1)
    if not count:
        return f"No saga is concerned now; {name} counts for those that come, too."
    return f"{count:,} {'saga is' if count == 1 else 'sagas are'} concerned now; {name} counts for those to come, too:"


def _line(answer: CommandAnswer) -> Text:
    style = VERDICT_STYLE[answer.verdict]
    why = f": {answer.why}" if answer.why else ""
    said = f"{answer.asked.command.command.value} {answer.verdict.value}"
    return Text.assemble(safe(answer.asked.subject, "bold"), "  ", (said, style), safe(f"{why.rstrip('.')}."))


def _silence(wait: float, *, is_tracker_away: bool) -> Text:
    start = f"it is not running: start it (`{TRACKER_COMMAND}`, or everything with `saga up`)"
    why = start if is_tracker_away else "see `saga status` and its log"
    return Text(
        f"The tracker has not answered within {wait:g} s ({why}). The command stays on saga.commands, and is "
        "obeyed or refused when the tracker reads it.",
        "yellow",
    )
