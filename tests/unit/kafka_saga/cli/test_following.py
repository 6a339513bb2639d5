"""A saga is followed to its end, a line a change where nothing can move."""

from __future__ import annotations

import io

from rich.console import Console

from kafka_saga.cli.blockers import hindrance
from kafka_saga.cli.following import MovingScreen, PlainScreen, changes, follow, screen_on
from kafka_saga.inspection.diagnose.diagnosis import absent, awaited, missing_services, sentence, started_by
from kafka_saga.inspection.log.deployed import NOTHING_DEPLOYED, deployed_on
from kafka_saga.inspection.log.reading import Feed
from tests.unit.kafka_saga.cli.cluster import Members
from tests.unit.kafka_saga.cli.given import HOSTILE, SAGA, completed, failed, log_with, running, shown, state_record
from topology.code_review import CODE_REVIEW


def test_each_change_of_a_step_is_a_line() -> None:
    assert changes(None, running()) == ["validate    done      500 ms", "ast         started"]
    assert changes(running(), completed()) == [
        "ast         done      2.0 s",
        "llm         done      1.0 s",
        "comment     done      500 ms",
    ]
    assert changes(running(), running()) == []
    assert changes(running(), failed("no"))[0] == "ast         failed    1.0 s  attempt 2  no"


def test_a_saga_is_followed_until_it_ends() -> None:
    cluster = log_with({SAGA: running()})
    feed, screen = Feed(cluster, SAGA), MovingScreen("a review")
    state = feed.current()
    cluster.producer("more").transact([state_record(SAGA, completed())], {}, object())
    ended = follow(feed, state, screen, 10, lambda _: "")
    assert ended == completed()
    assert screen.state == completed()


def test_one_that_does_not_end_is_given_back_as_it_stands() -> None:
    feed = Feed(log_with({SAGA: running()}), SAGA)
    assert follow(feed, feed.current(), MovingScreen("x"), 0, lambda _: "") == running()


def test_without_a_terminal_lines_are_printed_and_a_note_once() -> None:
    console = Console(file=io.StringIO(), width=80)
    with screen_on(console, "title") as screen:
        assert isinstance(screen, PlainScreen)
        screen.show(running())
        screen.note("ast is not running")
        screen.note("ast is not running")
        screen.show(failed(HOSTILE))
    assert isinstance(console.file, io.StringIO)
    said = console.file.getvalue()
    assert said.count("ast is not running") == 1
    assert "\x1b" not in said
    assert "[bold red]x[/]" in said


def test_the_moving_screen_shows_steps_and_what_is_wrong() -> None:
    screen = MovingScreen(f"{SAGA} {HOSTILE}")
    assert "waiting for the first service" in shown(screen.render())
    screen.show(running())
    screen.note("ast is not running")
    text = shown(screen.render())
    assert "validate" in text
    assert "ast is not running" in text


def test_the_service_that_the_saga_waits_for_is_named() -> None:
    cluster = log_with({})
    deployed = deployed_on(cluster)
    assert hindrance(cluster, Members(), None, SAGA, CODE_REVIEW).startswith("validator and tracker are not running")
    assert awaited(running(), deployed) == ("ast", "tracker")
    assert awaited(running(), NOTHING_DEPLOYED) == ("tracker",)
    assert missing_services(Members(), running(), NOTHING_DEPLOYED) == ("the service of step ast", "tracker")
    assert [started_by(name, NOTHING_DEPLOYED) for name in ("code_review", "order")] == ["saga up", ""]
    assert absent(("ast", "tracker"), {"ast": 0, "tracker": 1}) == ("ast",)
    up = "ast is not running, and the saga waits: start everything with `saga up`."
    start = started_by("code_review", deployed)
    assert sentence(("ast",), start) == up
    assert "ast and tracker are not running" in sentence(("ast", "tracker"), start)
    assert sentence(("tracker",), started_by("order", deployed)).endswith(
        "the saga waits: start it with `saga tracker`."
    )
