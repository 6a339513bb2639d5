"""What sagas, events, findings and services look like: narrow and wide, and with hostile text in them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.console import Group, RenderableType

from schemas.events.code_review import Severity
from services.cli.views.events import brief, events_json, events_view
from services.cli.views.findings import findings, summary, written
from services.cli.views.sagas import saga_json, saga_table, saga_view
from services.cli.views.services import services_table
from services.cli.views.timeline import Span, bar
from services.local.up_record import ServiceSeen, ServiceStatus
from tests.unit.services.cli.given import (
    HOSTILE,
    T0,
    comments_created,
    completed,
    failed,
    finding,
    happened,
    llm_completed,
    received,
    rejected,
    running,
    shown,
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
    views = Group(
        findings([hostile]),
        summary(llm_completed(hostile, skipped=HOSTILE)),
        saga_view(failed(HOSTILE), NOW),
        saga_table([running(f"{HOSTILE}@x")], NOW),
        events_view(completed(), [happened(received(HOSTILE))]),
        services_table([SERVICES[1].model_copy(update={"last_end": HOSTILE})]),
    )
    text = shown(views, 200, colour=colour)
    assert "[bold red]x[/]" in text
    for harm in ("\x1b[2J", "\x1b]", "\x07", "\u202e", "\x9b"):
        assert harm not in text


def test_scripts_get_status_reason_and_steps() -> None:
    found = saga_json(running(), NOW)
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
    (one,) = events_json([happened(received())])
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
