"""Sagas, events and screens for the tests of the command line."""

from __future__ import annotations

import io
from collections.abc import Mapping

from msgspec.structs import replace
from rich.console import Console, RenderableType

from kafka_saga.broker.clock import VirtualClock
from kafka_saga.broker.memory import MemoryCluster
from kafka_saga.broker.partitioner import partition_of
from kafka_saga.broker.port import Cluster
from kafka_saga.broker.records import Outgoing
from kafka_saga.definition.model import Saga
from kafka_saga.definition.topics import SAGA_STATE, topics
from kafka_saga.events.blob import BlobRef
from kafka_saga.events.event import Event
from kafka_saga.inspection.log.decoding import Happened
from kafka_saga.steps.announcements import Announcement, StepOf, announce
from kafka_saga.tracker.core.state import (
    EventRef,
    Incident,
    Pause,
    Progress,
    ReportRef,
    Run,
    SagaState,
    SagaStatus,
    StepState,
    StepStatus,
    Unmatched,
    encode,
)
from kafka_saga.wire.envelope import Envelope, to_headers
from kafka_saga.wire.ids import key_of
from schemas.events.code_review import (
    CommentsCreated,
    CoverageStatus,
    FileCoverage,
    Finding,
    GitSource,
    LlmCompleted,
    PrReceived,
    PrRejected,
    PullRequest,
    ReviewConfig,
    Severity,
    Verdict,
)
from topology.code_review import CODE_REVIEW

T0 = 1_767_225_600_000
KEY = "acme/shop#7"
SAGA = f"{KEY}@3f2a9c1b04de"
PARTITIONS = 4
HOSTILE = "\x1b[2J\x1b]0;owned\x07[bold red]x[/]\u202e\x9b31m\r\n:boom:"


def shown(what: RenderableType, width: int = 80, *, colour: bool = False) -> str:
    """What a renderable looks like, without trailing spaces."""
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=colour,
        color_system="truecolor" if colour else None,
        highlight=False,
        emoji=False,
    )
    console.print(what)
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines()) + "\n"


def running(saga_id: str = SAGA, *, at: int = T0) -> SagaState:
    """A saga whose step ast has its work for 2 s."""
    done = Run("e1", at, StepStatus.DONE, outcome="e2", ended_at=at + 500)
    return SagaState(
        saga_id=saga_id,
        definition="code_review",
        version=1,
        partition=1,
        status=SagaStatus.RUNNING,
        revision=2,
        started_at=at,
        updated_at=at + 500,
        steps=(
            StepState("validate", StepStatus.DONE, 1, 0, at + 500, None, (done,)),
            StepState("ast", StepStatus.QUEUED, 1, 0, at + 500, None, (Run("e2", at + 500, live=True),)),
            StepState("llm"),
            StepState("comment"),
        ),
        events=(
            EventRef("e1", "pr.received", 10, at),
            EventRef("e2", "pr.validated", 5, at + 500, 1, "e1", "validate"),
        ),
    )


def completed(saga_id: str = SAGA) -> SagaState:
    """A saga that took 4 s, with a duplicate start."""
    ends = (500, 2500, 3500, 4000)
    names, steps, trigger = ("validate", "ast", "llm", "comment"), [], 0
    for number, (name, end) in enumerate(zip(names, ends, strict=True), start=1):
        run = Run(f"e{number}", T0 + trigger, StepStatus.DONE, outcome=f"e{number + 1}", ended_at=T0 + end)
        steps.append(StepState(name, StepStatus.DONE, 1, 0, T0 + end, None, (run,)))
        trigger = end
    types = ("pr.received", "pr.validated", "ast.completed", "llm.completed", "comments.created")
    events = tuple(
        EventRef(f"e{n}", kind, n, T0 + at, n, f"e{n - 1}" if n > 1 else None, names[n - 2] if n > 1 else None)
        for n, (kind, at) in enumerate(zip(types, (0, *ends), strict=True), start=1)
    )
    return SagaState(
        saga_id=saga_id,
        definition="code_review",
        version=1,
        partition=1,
        status=SagaStatus.COMPLETED,
        revision=5,
        started_at=T0,
        updated_at=T0 + 4000,
        ended_at=T0 + 4000,
        end="comments.created",
        steps=tuple(steps),
        events=events,
        unmatched=(Unmatched("step.skipped", "saga.steps", 3, T0 + 9000, "this saga was started before"),),
    )


def failed(reason: str = "unexpected ValueError: no") -> SagaState:
    """A saga whose step ast failed at its second attempt."""
    done = Run("e1", T0, StepStatus.DONE, outcome="e2", ended_at=T0 + 500)
    lost = Run("e2", T0 + 500, StepStatus.FAILED, 2, error=reason, ended_at=T0 + 1500)
    return SagaState(
        saga_id=SAGA,
        definition="code_review",
        version=1,
        partition=1,
        status=SagaStatus.FAILED,
        revision=3,
        started_at=T0,
        updated_at=T0 + 1500,
        ended_at=T0 + 1500,
        error=f"step ast: {reason}",
        steps=(
            StepState("validate", StepStatus.DONE, 1, 0, T0 + 500, None, (done,)),
            StepState("ast", StepStatus.FAILED, 2, 0, T0 + 1500, reason, (lost,)),
            StepState("llm", StepStatus.SKIPPED),
            StepState("comment", StepStatus.SKIPPED),
        ),
    )


def retrying() -> SagaState:
    """A saga whose step ast has failed twice, and whose key was paused for a while."""
    done = Run("e1", T0, StepStatus.DONE, outcome="e2", ended_at=T0 + 500)
    again = Run("e2", T0 + 500, StepStatus.RETRYING, 2, error="429 too many", ended_at=T0 + 2000, retry_at=T0 + 14_500)
    lost = [ReportRef(f"r{n}", "ast", "e2", "step.failed", "429 too many", n, T0 + 700 * n, n) for n in (1, 2)]
    return replace(
        running(),
        steps=(
            StepState("validate", StepStatus.DONE, 1, 0, T0 + 500, None, (done,)),
            StepState("ast", StepStatus.RETRYING, 2, 0, T0 + 500, "429 too many", (again,)),
            StepState("llm"),
            StepState("comment"),
        ),
        reports=tuple(lost),
        pauses=(Pause("acme/", "grace", "quota", T0 + 100, T0 + 400),),
    )


def stuck() -> SagaState:
    """A paused saga of which one step runs, one is parked, and one has failed for good."""
    run = Run("e2", T0 + 500, StepStatus.RUNNING, live=True)
    lost = Run("e2", T0 + 500, StepStatus.FAILED, 5, error="no such model", ended_at=T0 + 1500)
    why = "step llm has failed for good after attempt 5: no such model"
    return replace(
        running(),
        status=SagaStatus.PAUSING,
        steps=(
            StepState("validate", StepStatus.COMPENSATED, 1),
            StepState("ast", StepStatus.RUNNING, 1, 0, T0 + 500, None, (run,)),
            StepState("llm", StepStatus.FAILED, 5, 0, T0 + 1500, "no such model", (lost,)),
            StepState("comment", StepStatus.PARKED, 1),
        ),
        progress=(Progress("ast", "e2", None, T0 + 2000, 1, T0 + 600, 12, 40, "shop/orders.py"),),
        pauses=(Pause("saga", "ada", "deploying", T0 + 1600),),
        incidents=(Incident("i1", "step_failed", "llm", why, T0 + 1500, ("retry", "skip", "rewind", "cancel")),),
    )


def pull_request(title: str = "Sell hats") -> PullRequest:
    """A pull request."""
    return PullRequest(
        repository="acme/shop", number=7, title=title, base_sha="a" * 40, head_sha="3f2a9c1b04de" + "0" * 28
    )


def received(title: str = "Sell hats") -> PrReceived:
    """Its first event."""
    return PrReceived(**pull_request(title).model_dump(), source=GitSource(path="/work/shop"))


def finding(severity: Severity = Severity.HIGH, path: str = "shop/orders.py", line: int = 17, **more: str) -> Finding:
    """A finding."""
    fields = {"message": "SQL is put together from text.", "rule_id": "ruff/S608", "evidence": "q = f'...'"} | more
    return Finding(
        path=path, start_line=line, end_line=line, severity=severity, category="security", confidence=0.9, **fields
    )


def llm_completed(*findings: Finding, skipped: str | None = None) -> LlmCompleted:
    """A review with these findings."""
    coverage = [FileCoverage(path="shop/orders.py", status=CoverageStatus.REVIEWED)]
    if skipped:
        coverage.append(FileCoverage(path="logo.png", status=CoverageStatus.SKIPPED, reason=skipped))
    verdict = Verdict.FINDINGS if findings else Verdict.INCOMPLETE if skipped else Verdict.CLEAN
    return LlmCompleted(
        pull_request=pull_request(),
        config=ReviewConfig(),
        changes=BlobRef(sha256="0" * 64, size=1),
        reviewer="offline-rules",
        verdict=verdict,
        findings=findings,
        coverage=tuple(coverage),
    )


def comments_created() -> CommentsCreated:
    """Where the review lies."""
    return CommentsCreated(
        pull_request=pull_request(),
        verdict=Verdict.FINDINGS,
        sink="folder",
        marker="m",
        location="/reviews/7",
        inline_comments=1,
        summarised=0,
        files=("review.json", "review.md"),
    )


def rejected(reason: str = "nothing new") -> PrRejected:
    """A rejection."""
    return PrRejected(pull_request=pull_request(), code="nothing_new", reason=reason, stages=())


def happened(event: Event, number: int = 1, cause: str | None = None, *, step: str | None = None) -> Happened:
    """An event of the saga, decoded."""
    place = (event.event_type, 1, number)
    return Happened(f"e{number}", event.event_type, place, T0 + 100 * number, cause, step, 1, 0, None, event)


def headers_of(event_type: str, identity: str, saga_id: str = SAGA) -> list[tuple[str, bytes]]:
    """The envelope of an event of the saga."""
    envelope = Envelope(
        id=identity,
        type=event_type,
        source="/services/x",
        time="2026-01-01T00:00:00Z",
        subject=saga_id,
        definition="code_review",
        version=1,
    )
    return to_headers(envelope)


SERVICES = {"validate": "validator", "ast": "ast", "llm": "llm", "comment": "comments"}
"""Which service does a step of code review."""


def announced(cluster: Cluster, saga: Saga = CODE_REVIEW, services: Mapping[str, str] = SERVICES) -> None:
    """Have the log say which services do the steps of a definition."""
    for step in saga.steps:
        at = StepOf(saga.name, saga.version, step.name)
        announce(cluster, Announcement(services[step.name], (at,), (step.on.event_type,)), VirtualClock())


def log_with(states: Mapping[str, SagaState | bytes | None], *more: Outgoing) -> MemoryCluster:
    """A log in memory with all topics, the services of code review, these states in their partitions, these records."""
    cluster = MemoryCluster(VirtualClock())
    cluster.admin().create_missing(topics(CODE_REVIEW, PARTITIONS))
    announced(cluster)
    producer = cluster.producer("test")
    producer.transact([*(state_record(name, state) for name, state in states.items()), *more], {}, object())
    return cluster


def state_record(saga_id: str, state: SagaState | bytes | None) -> Outgoing:
    """A record of `saga.state`."""
    number = partition_of(key_of(saga_id).encode(), PARTITIONS)
    value = encode(state) if isinstance(state, SagaState) else state
    return Outgoing(SAGA_STATE, number, saga_id.encode(), value, [])
