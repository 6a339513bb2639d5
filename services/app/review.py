"""`saga review`: asks for a review as anybody would, follows it live, and shows what came of it."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from kafka_saga.broker.port import Cluster
from kafka_saga.cli.blockers import diagnosis
from kafka_saga.cli.connection import Connection, connection_of
from kafka_saga.cli.following import Screen, follow, screen_on
from kafka_saga.cli.output import err, out, print_json, safe
from kafka_saga.cli.render.sagas import heading
from kafka_saga.cli.render.timeline import timeline
from kafka_saga.definition.template import saga_id
from kafka_saga.inspection.log.reading import Feed, partition_count
from kafka_saga.tracker.core.explain.reason import reason
from kafka_saga.tracker.core.state import SagaState, SagaStatus
from kafka_saga.wire.ids import split_id
from schemas.events.code_review import PrReceived, Severity
from services.app.exits import Exit
from services.app.findings import findings, summary, written
from services.app.outcome import ReviewOutcome, exit_code, outcome_of, review_json
from services.app.target import Wishes, pull_request
from topology.code_review import CODE_REVIEW


class FailOn(StrEnum):
    """From which severity on a finding makes the exit code 3."""

    NEVER = "never"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def severity(self) -> Severity | None:
        """The least severity that counts."""
        return None if self is FailOn.NEVER else Severity(self.value)


def review(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="A folder of a git repository.")] = Path(),
    commits: Annotated[
        str | None,
        typer.Argument(
            metavar="[BASE..HEAD]",
            help="What to review [default: the branch since it left main; on main the last commit].",
        ),
    ] = None,
    number: Annotated[
        int | None, typer.Option(min=1, help="Pull request number [default: 1, or the branch's own].")
    ] = None,
    repository: Annotated[
        str | None, typer.Option(help="Repository name [default: owner/name of origin, else the folder's].")
    ] = None,
    title: Annotated[str | None, typer.Option(help="Title [default: the head commit's subject].")] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds to wait for the result.")] = 600,
    fail_on: Annotated[FailOn, typer.Option(help="The least severity that makes the exit code 3.")] = FailOn.HIGH,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout; progress on stderr.")] = False,
) -> None:
    """Review commits of a local git repository, live."""
    event = pull_request(path, Wishes(commits, repository, number, title))
    code = run_review(connection_of(context), event, timeout, fail_on.severity, as_json=as_json)
    raise typer.Exit(code)


def run_review(
    connection: Connection, event: PrReceived, timeout: float, fail_on: Severity | None, *, as_json: bool = False
) -> Exit:
    """Publish (unless this head is known), follow, print; the exit code."""
    cluster, console = connection.cluster(), err() if as_json else out()
    feed = Feed(cluster, saga_id(CODE_REVIEW, event))
    try:
        state = feed.current()
        is_known = state is not None
        if not is_known:
            publish(cluster, event)
        state = _followed(connection, feed, state, event, console, timeout)
    finally:
        feed.close()
    if state is None:
        return _unseen(connection, event, timeout)
    outcome = outcome_of(cluster, state)
    code = exit_code(outcome, fail_on)
    now = round(time.time() * 1000)
    if as_json:
        print_json(review_json(outcome, code, now, already=is_known))
    else:
        console.print(shown(outcome, now, already=is_known))
    return code


def publish(cluster: Cluster, event: PrReceived) -> None:
    """Publish it as plain JSON, without key and headers: what any program can do."""
    topic = event.event_type
    partition_count(cluster, topic)
    publisher = cluster.publisher()
    try:
        publisher.publish(topic, None, event.model_dump_json().encode(), [])
    finally:
        publisher.close()


def shown(outcome: ReviewOutcome, now: int, *, already: bool) -> RenderableType:
    """The whole result for people."""
    state = outcome.state
    parts: list[RenderableType] = [Text()]
    if already:
        parts += [safe(_already(state), "yellow"), Text()]
    if outcome.review is not None:
        if outcome.review.findings:
            parts.append(findings(outcome.review.findings))
        parts.append(summary(outcome.review))
    if outcome.created is not None:
        parts.append(written(outcome.created))
    if outcome.rejected is not None:
        parts.append(Text.assemble(("Rejected  ", "bold yellow"), safe(outcome.rejected.reason)))
    if state.status is not SagaStatus.COMPLETED:
        parts.append(safe(reason(state, now), "bold red" if state.status.is_final else "yellow"))
    parts += [Text(), heading(state, now), Padding(timeline(state, now), (0, 0, 0, 2))]
    return Group(*parts)


def _already(state: SagaState) -> str:
    _, short = split_id(state.saga_id)
    done = "was reviewed before" if state.status.is_final else "is being reviewed"
    return f"Head {short} {done}: nothing was started, this is that review."


def _followed(
    connection: Connection, feed: Feed, state: SagaState | None, event: PrReceived, console: Console, timeout: float
) -> SagaState | None:
    name = saga_id(CODE_REVIEW, event)
    title = f"{name}  {event.title}"
    if state is not None and state.status.is_final:
        return state
    if not console.is_terminal:
        console.print(safe(f"Reviewing {title}"), soft_wrap=True)
    with screen_on(console, title) as screen:
        _show(screen, state)
        return follow(feed, state, screen, timeout, lambda seen: diagnosis(connection, seen, name, CODE_REVIEW))


def _show(screen: Screen, state: SagaState | None) -> None:
    if state is not None:
        screen.show(state)


def _unseen(connection: Connection, event: PrReceived, timeout: float) -> Exit:
    name = saga_id(CODE_REVIEW, event)
    why = diagnosis(connection, None, name, CODE_REVIEW)
    why = why or "the services are there, but slow: see `saga dlq ls` and their logs."
    err().print(safe(f"Nothing was heard of {name} within {timeout:g} s: {why}", "red"), soft_wrap=True)
    return Exit.TIMEOUT
