"""What sagas, events, findings and services look like: narrow and wide, and with hostile text in them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.console import Group, RenderableType

from kafka_saga.api.sagas import IncidentFacts
from kafka_saga.api.topology import PausedScope
from kafka_saga.cli.render.answers import answers_view, matching_view
from kafka_saga.cli.render.events import brief, events_view
from kafka_saga.cli.render.incidents import incident_table, notes, typed
from kafka_saga.cli.render.pauses import pauses_table
from kafka_saga.cli.render.sagas import heading, saga_table, saga_view
from kafka_saga.cli.render.services import services_table
from kafka_saga.cli.render.timeline import bar, timeline
from kafka_saga.cli.render.why import why_view
from kafka_saga.events.commands import Act, SagaCommand
from kafka_saga.inspection.commands.sending import CommandAnswer, CommandVerdict, SentCommand
from kafka_saga.inspection.present.facts import event_facts, incident_facts, open_incidents, saga_facts, why_facts
from kafka_saga.inspection.present.spans import Span
from kafka_saga.local.up_record import ServiceSeen, ServiceStatus
from kafka_saga.tracker.core.explain.around import Around, AtService, Letter
from kafka_saga.tracker.core.state import Incident, Pause, Progress, SagaState
from schemas.events.code_review import Severity
from services.app.findings import findings, summary, written
from tests.unit.kafka_saga.cli.given import (
    HOSTILE,
    SAGA,
    T0,
    comments_created,
    completed,
    failed,
    finding,
    happened,
    llm_completed,
    received,
    rejected,
    retrying,
    running,
    shown,
    stuck,
)

GOLDEN = Path(__file__).parent / "golden"
NOW = T0 + 2500
SERVICES = (
    ServiceSeen(name="validator", status=ServiceStatus.READY, pid=7, log="l"),
    ServiceSeen(name="ast", status=ServiceStatus.RESTARTING, restarts=2, last_end="killed by SIGKILL: no", log="l"),
    ServiceSeen(name="llm", status=ServiceStatus.WAITING, pid=8, reasons=("partition 1 waits",), log="l"),
)
FOUND = (
    finding(Severity.CRITICAL, "shop/pay.py", 3, suggestion="Do not."),
    finding(Severity.LOW, "shop/orders.py", 40),
    finding(),
)
ASKED = SentCommand("c", SagaCommand(command=Act.CANCEL, scope=f"saga:{SAGA}", author="ada"), (1,))
ANSWERS = [
    CommandAnswer(ASKED, CommandVerdict.ACCEPTED),
    CommandAnswer(ASKED, CommandVerdict.REFUSED, "the saga is completed"),
    CommandAnswer(ASKED, CommandVerdict.SILENT),
]


def incidents(*sagas: SagaState) -> list[IncidentFacts]:
    """Their open incidents."""
    return [incident_facts(*one) for one in open_incidents(sagas)]


PAUSED = [
    PausedScope(scope="definition:order", by="ada", reason="", at="2026-01-01T00:00:00.000Z"),
    PausedScope(scope="prefix:acme shop/", by="ada", reason="they asked for it", at="2026-01-01T00:01:00.000Z"),
    PausedScope(scope="step:code_review/llm", by="bob", reason="the model is away", at="2026-01-01T00:02:00.000Z"),
]
VIEWS: dict[str, Callable[[], RenderableType]] = {
    "running": lambda: saga_view(running(), NOW),
    "failed": lambda: saga_view(failed(), NOW),
    "list": lambda: saga_table([running(), completed()], T0 + 60_000),
    "findings": lambda: Group(
        findings(FOUND), summary(llm_completed(*FOUND, skipped="binary")), written(comments_created())
    ),
    "clean": lambda: summary(llm_completed()),
    "events": lambda: events_view(
        completed(),
        [happened(received()), happened(rejected(), 2, "e1", step="validate"), happened(rejected(), 3, "?")],
    ),
    "services": lambda: services_table(SERVICES),
    "retrying": lambda: Group(timeline(retrying(), NOW), notes(retrying(), NOW)),
    "stuck": lambda: Group(heading(stuck(), NOW), timeline(stuck(), NOW), notes(stuck(), NOW)),
    "incidents": lambda: incident_table(incidents(stuck(), running()), T0 + 300_000),
    "pauses": lambda: pauses_table(PAUSED, T0 + 300_000),
    "matching": lambda: matching_view([running(), stuck()] * 6, None, T0 + 60_000),
    "answers": lambda: answers_view(ANSWERS, 10),
}


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times are shown as local time: let that be UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("width", [80, 200])
@pytest.mark.parametrize("name", VIEWS)
def test_it_looks_as_it_should(name: str, width: int) -> None:
    expected = (GOLDEN / f"{name}-{width}.txt").read_text(encoding="utf-8")
    assert shown(VIEWS[name](), width) == expected


@pytest.mark.parametrize("colour", [False, True])
def test_hostile_text_steers_nothing(colour: bool) -> None:
    hostile = finding(path=HOSTILE, message=HOSTILE, rule_id=HOSTILE, suggestion=HOSTILE)
    hostile_saga = replace(
        stuck(),
        pauses=(Pause("saga", HOSTILE, HOSTILE, T0),),
        incidents=(Incident("i", HOSTILE, "ast", HOSTILE, T0, ("retry",)),),
        progress=(Progress("ast", "e2", None, T0, 1, T0, note=HOSTILE),),
    )
    views = Group(
        findings([hostile]),
        summary(llm_completed(hostile, skipped=HOSTILE)),
        saga_view(failed(HOSTILE), NOW),
        saga_table([running(f"{HOSTILE}@x")], NOW),
        events_view(completed(), [happened(received(HOSTILE))]),
        saga_view(hostile_saga, NOW),
        why_view(
            why_facts(
                hostile_saga,
                Around(letters=(Letter("1/2", HOSTILE),), services=(AtService("ast", HOSTILE, 0, still=HOSTILE),)),
                NOW,
            )
        ),
        incident_table(incidents(hostile_saga), NOW),
        pauses_table(
            [PAUSED[0].model_copy(update={"scope": f"prefix:{HOSTILE}", "by": HOSTILE, "reason": HOSTILE})], NOW
        ),
        answers_view([CommandAnswer(ASKED, CommandVerdict.REFUSED, HOSTILE)], 10),
        services_table([SERVICES[1].model_copy(update={"last_end": HOSTILE})]),
    )
    text = shown(views, 200, colour=colour)
    assert "[bold red]x[/]" in text
    for harm in ("\x1b[2J", "\x1b]", "\x07", "\u202e", "\x9b"):
        assert harm not in text


def test_scripts_get_status_reason_and_steps() -> None:
    found = saga_facts(running(), NOW)
    assert (found.saga_id, found.status, found.remaining) == (
        "acme/shop#7@3f2a9c1b04de",
        "running",
        ("ast", "llm", "comment"),
    )
    assert "Step ast (attempt 1) has its work since 00:00:00 UTC, 2.0 s ago" in found.reason
    assert [(step.name, step.status, step.attempt) for step in found.steps][:2] == [
        ("validate", "done", 1),
        ("ast", "queued", 1),
    ]
    assert found.steps[1].duration_ms == 2000


def test_events_for_scripts_carry_what_the_model_says() -> None:
    (one,) = event_facts([happened(received())])
    assert (one.topic, one.offset, one.raw) == ("pr.received", 1, None)
    assert isinstance(one.data, dict)
    assert one.data["title"] == "Sell hats"


def test_bars_stay_on_their_axis() -> None:
    axis = Span(0, 1000)
    assert bar(Span(0, 1000), axis, 10) == (0, 10)
    assert bar(Span(1000, 1000), axis, 10) == (9, 1)
    assert bar(Span(0, 1), axis, 10) == (0, 1)
    assert bar(Span(5, 5), Span(5, 5), 10) == (0, 1)


def test_a_brief_value_is_one_line() -> None:
    assert brief([1, 2]) == "2: [1, 2]"
    assert len(brief("x" * 500)) == 120


@pytest.mark.parametrize(
    ("command", "step", "text"),
    [
        ("retry", "llm", "saga retry 'a b#1@x' --step llm"),
        ("cancel", "llm", "saga cancel 'a b#1@x'"),
        ("rewind", None, "saga rewind 'a b#1@x' --to STEP"),
        ("skip", "llm", "saga skip 'a b#1@x' --step llm --outcome EVENT_TYPE --content JSON"),
    ],
)
def test_a_command_is_shown_as_it_would_be_typed(command: str, step: str | None, text: str) -> None:
    assert typed(command, "a b#1@x", step) == text


def test_an_id_that_a_shell_takes_as_it_is_is_not_quoted() -> None:
    assert typed("cancel", "acme/shop#7@3f2a", None) == "saga cancel acme/shop#7@3f2a"
    assert typed("cancel", "#7@3f2a", None) == "saga cancel '#7@3f2a'"


def test_why_ends_with_the_commands_that_can_be_typed() -> None:
    text = shown(why_view(why_facts(stuck(), Around(), NOW)), 200)
    assert text.endswith(
        "\n\n  saga retry acme/shop#7@3f2a9c1b04de --step llm\n"
        "  saga skip acme/shop#7@3f2a9c1b04de --step llm --outcome EVENT_TYPE --content JSON\n"
        "  saga rewind acme/shop#7@3f2a9c1b04de --to STEP\n"
        "  saga cancel acme/shop#7@3f2a9c1b04de\n"
    )
    assert shown(why_view(why_facts(running(), Around(), NOW)), 200).count("\n") == 1
