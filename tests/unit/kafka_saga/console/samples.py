"""Answers of the API for the console's tests: a shop's reviews, in every state that a page has to show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from kafka_saga.api.health import Health, HealthStatus
from kafka_saga.api.incidents import DeadLetter, DeadLetterPage, IncidentItem, IncidentPage, Origin
from kafka_saga.api.sagas import (
    Action,
    AtService,
    Edge,
    EventFacts,
    EventList,
    Graph,
    IncidentFacts,
    Node,
    NodeKind,
    PauseFacts,
    SagaDetails,
    SagaPage,
    SagaSummary,
    Span,
    SpanKind,
    StepFacts,
    UnmatchedRecord,
    Why,
)
from kafka_saga.api.topology import (
    DefinitionTopology,
    Figures,
    FiguresReport,
    Lag,
    PausedScope,
    StepFigures,
    StepTopology,
    Topology,
)
from kafka_saga.wire.ids import key_of
from schemas.review import Coverage, Review, ReviewFile, ReviewFinding

START = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=4)
HOSTILE = "<script>alert('title')</script> \u202egnp.exe <img src=x onerror=alert(1)>"
SAGA = "acme/shop#7@3f2a9c1b04de"
STUCK = "acme/shop#9@77aa00bb11cc"
HOSTILE_SAGA = "evil/<b>#1@aaaaaaaaaaaa"


def at(seconds: float) -> str:
    """A time, so many seconds after the start."""
    return (START + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def summary(saga_id: str, status: str, reason: str, title: str | None, **more: object) -> SagaSummary:
    values: dict[str, object] = {
        "saga_id": saga_id, "key": key_of(saga_id), "definition": "code_review", "version": 1,
        "status": status, "reason": reason, "current_steps": (), "started_at": at(0), "ended_at": None,
        "updated_at": at(60), "duration_ms": 240_000, "revision": 5, "incidents": 0, "title": title,
    }  # fmt: skip
    return SagaSummary.model_validate(values | more)


SUMMARIES = (
    summary(SAGA, "running", "Step llm is tried again in 12.0 s, at 12:00:41 UTC (attempt 3 of 8), since attempt 2 "
            "failed: 429 Too Many Requests.", "Ask before deleting", current_steps=("llm",)),
    summary("acme/shop#8@910c77f3a210", "paused", "Paused by ada since 12:00:42 UTC, 1 min ago: waiting for the "
            "release. Step ast goes on after `saga resume`.", "Move the basket to its own service",
            current_steps=("ast",), started_at=at(-7000)),
    summary(STUCK, "running", "An incident waits for a person since 12:00:02 UTC, 3 min ago: step comment failed "
            "(attempt 5 of 5): the folder cannot be written. Decide by `saga retry | skip | cancel`.",
            "Rename Order.total to Order.sum", current_steps=("comment",), incidents=1, started_at=at(-90_000)),
    summary("acme/docs#112@00c0ffee0012", "completed", "Completed in 4.1 s: comments.created.", "Fix typos",
            ended_at=at(4.1), duration_ms=4_100),
    summary("acme/docs#113@00c0ffee0013", "failed", "Failed after 5.6 s: step llm: the key is not valid. Undone: "
            "comment.", "Say what the cache does", ended_at=at(5.6), duration_ms=5_600),
    summary("acme/shop#6@beefbeef0001", "cancelled", "Cancelled after 2.0 s by superseding acme/shop#6@beefbeef0002.",
            "Try the new parser", ended_at=at(2), duration_ms=2_000),
    summary("acme/shop#5@beefbeef0005", "compensating", "The saga is cancelled: undoing step comment runs for 1.2 s.",
            "Drop Python 3.8", current_steps=("comment",)),
    summary(HOSTILE_SAGA, "running", f"Step ast is running: {HOSTILE}", HOSTILE, current_steps=("ast",)),
)  # fmt: skip

INCIDENT = IncidentFacts(
    id="inc-1", saga_id=STUCK, definition="code_review", status="running", kind="step_failed", step="comment",
    reason="step comment failed (attempt 5 of 5): the folder /srv/reviews cannot be written: Permission denied",
    at=at(2), commands=("retry", "skip", "cancel"),
)  # fmt: skip


def saga_page() -> SagaPage:
    counts: dict[str, int] = {}
    for one in SUMMARIES:
        counts[one.status] = counts.get(one.status, 0) + 1
    return SagaPage(items=SUMMARIES, next="more", total=128, counts=counts | {"completed": 121}, behind_s=0.2)


def step(name: str, status: str, **more: object) -> StepFacts:
    values: dict[str, object] = {
        "name": name, "status": status, "attempt": 1, "epoch": 0, "since": at(1), "duration_ms": 900, "error": None,
        "retry_at": None, "progress": None,
    }  # fmt: skip
    return StepFacts.model_validate(values | more)


GRAPH = Graph(
    nodes=(
        Node(id="e1", name="pr.received", kind=NodeKind.EVENT, state="happened", words="12:00:00"),
        Node(id="s1", name="validate", kind=NodeKind.STEP, state="done", words="done", attempt=1, duration_ms=812),
        Node(id="s2", name="ast", kind=NodeKind.STEP, state="done", words="done", attempt=1, duration_ms=14_200),
        Node(id="s3", name="llm", kind=NodeKind.STEP, state="retrying", words="retrying in 12.0 s", attempt=2,
             duration_ms=151_000, error="429 Too Many Requests", retry_at=at(260)),
        Node(id="s4", name="comment", kind=NodeKind.STEP, state="will_run", words="will run"),
        Node(id="x1", name="pr.rejected", kind=NodeKind.END, state="not_taken", words="not taken"),
        Node(id="x2", name="comments.created", kind=NodeKind.END, state="will_run", words="completed"),
    ),
    edges=(
        Edge(source="e1", target="s1", label="pr.received", taken=True),
        Edge(source="s1", target="x1", label="pr.rejected"),
        Edge(source="s1", target="s2", label="pr.validated", taken=True),
        Edge(source="s2", target="s3", label="ast.completed", taken=True),
        Edge(source="s3", target="s4", label="llm.completed"),
        Edge(source="s4", target="x2", label="comments.created"),
    ),
)  # fmt: skip


def span(step_name: str, start: float, end: float | None, kind: SpanKind, status: str, **more: object) -> Span:
    values: dict[str, object] = {
        "step": step_name, "attempt": 1, "epoch": 0, "kind": kind, "status": status, "started_at": at(start),
        "ended_at": None if end is None else at(end),
    }  # fmt: skip
    return Span.model_validate(values | more)


TIMELINE = (
    span("validate", 0, 0.8, SpanKind.ATTEMPT, "done"),
    span("ast", 0.8, 3, SpanKind.WAIT, "queued"),
    span("ast", 3, 15, SpanKind.ATTEMPT, "done"),
    span("llm", 15, 80, SpanKind.ATTEMPT, "failed", error="timeout"),
    span("llm", 80, 90, SpanKind.RETRY, "retrying"),
    span("llm", 90, 200, SpanKind.ATTEMPT, "failed", attempt=2, error="429 Too Many Requests"),
    span("llm", 200, None, SpanKind.RETRY, "retrying", attempt=3),
)

ACTIONS = (
    Action(command="pause", label="Pause", outcomes={}),
    Action(command="retry", step="llm", steps=("llm",), label="Retry llm now", outcomes={}),
    Action(command="rewind", step="ast", steps=("validate", "ast"), label="Rewind", outcomes={}),
    Action(command="skip", step="llm", steps=("llm",), outcomes={"llm": ("llm.completed",)}, label="Skip llm"),
    Action(command="cancel", label="Cancel", outcomes={}),
)


def details(saga_id: str = SAGA, **more: object) -> SagaDetails:
    found = next(one for one in SUMMARIES if one.saga_id == saga_id)
    values: dict[str, object] = {
        **found.model_dump(exclude={"current_steps", "incidents"}),
        "end": None, "error": None, "partition": 1, "epoch": 0, "traceparent": None, "events": (),
        "steps": (
            step("validate", "done"), step("ast", "done", duration_ms=14_200),
            step("llm", "retrying", attempt=2, error="429 Too Many Requests", retry_at=at(260), duration_ms=151_000),
            step("comment", "waiting", attempt=0, since=None, duration_ms=None),
        ),
        "remaining": ("llm", "comment"),
        "unmatched": (UnmatchedRecord(type="ast.completed", topic="ast.completed", partition=1, offset=41, at=at(16),
                                      why="the step has ended with another outcome"),),
        "pauses": (), "incidents": (INCIDENT,) if found.incidents else (), "timeline": TIMELINE, "graph": GRAPH,
        "actions": ACTIONS, "latest_of_key": True, "other_runs": (f"{found.key}@0123456789ab",), "behind_s": 0.2,
    }  # fmt: skip
    if found.status == "paused":
        values["pauses"] = (
            PauseFacts(scope="saga", by="ada", reason="waiting for the release", at=at(42), until=None),
        )
        values["actions"] = (Action(command="resume", label="Resume", outcomes={}), *ACTIONS[1:])
    return SagaDetails.model_validate(values | more)


def why(saga_id: str = SAGA) -> Why:
    service = AtService(step="llm", service="llm", instances=0, place="queued", ahead=12, stands_still="")
    return Why(saga_id=saga_id, status="running", reason="Step llm is tried again in 12.0 s.", services=(service,),
               trackers=1, behind=0.1, dead_letters=("dead.letters/1/3",), incidents=())  # fmt: skip


def event(number: int, kind: str, cause: str | None, seconds: float, data: dict[str, object]) -> EventFacts:
    return EventFacts(
        id=f"event-{number}", type=kind, topic=kind, partition=1, offset=number, at=at(seconds), cause=cause,
        step="ast" if number else None, attempt=1, epoch=0, headers={"ce_type": kind, "ce_id": f"event-{number}"},
        data=data,
    )  # fmt: skip


def events() -> EventList:
    return EventList(
        items=(
            event(0, "pr.received", None, 0, {"repository": "acme/shop", "number": 7, "title": HOSTILE}),
            event(1, "pr.validated", "event-0", 0.8, {"files": ["shop/admin.py", "shop/basket.py"]}),
            event(2, "ast.completed", "event-1", 15, {"files": [{"path": "shop/admin.py", "symbols_changed": 3}]}),
            event(3, "step.failed", "event-2", 80, {"reason": "timeout after 30 min", "retryable": True}),
        ),
        behind_s=0.2,
    )


def incidents() -> IncidentPage:
    first = IncidentItem(**INCIDENT.model_dump(), key="acme/shop#9", age_ms=180_000)
    other = first.model_copy(update={
        "id": "inc-2", "saga_id": HOSTILE_SAGA, "reason": HOSTILE, "commands": ("redrive", "cancel"), "step": "ast",
    })  # fmt: skip
    return IncidentPage(items=(first, other), next=None, total=2, behind_s=0.2)


def letters() -> DeadLetterPage:
    letter = DeadLetter(
        id="dead.letters/1/3", partition=1, offset=3, original=Origin(topic="pr.received", partition=2, offset=17),
        reason="number: Input should be greater than or equal to 1 (it is 0)", code="invalid", service="validator",
        at=at(30), saga_id=SAGA, step="validate", headers={"content-type": "application/json"},
        text='{"repository": "acme/shop", "number": 0, "title": "' + HOSTILE + '"}', raw="e30=", redriven_at=None,
    )  # fmt: skip
    again = letter.model_copy(update={"id": "dead.letters/0/1", "partition": 0, "offset": 1, "redriven_at": at(100)})
    return DeadLetterPage(items=(letter, again), next=None, total=2, behind_s=0.2)


def figures(done: int, failed: int) -> Figures:
    return Figures(started=done + failed, done=done, failed=failed, retried=failed, p50_ms=1_240, p95_ms=14_800)


def step_topology(name: str, topic: str, lag: int) -> StepTopology:
    return StepTopology(
        name=name, topics=(topic,), service=name, instances=2 if name != "llm" else 0,
        lag=Lag(events=lag, seconds=4.2 if lag else None),
        windows={"1m": figures(62, 1 if name == "llm" else 0), "1h": figures(3_410, 12)},
    )  # fmt: skip


def topology() -> Topology:
    blank = Graph(
        nodes=tuple(node.model_copy(update={"state": "", "words": "", "duration_ms": None, "attempt": 0, "error": None,
                                            "retry_at": None}) for node in GRAPH.nodes),
        edges=tuple(edge.model_copy(update={"taken": False}) for edge in GRAPH.edges),
    )  # fmt: skip
    steps = (step_topology("validate", "pr.received", 0), step_topology("ast", "pr.validated", 3),
             step_topology("llm", "ast.completed", 412), step_topology("comment", "llm.completed", 0))  # fmt: skip
    return Topology(
        definitions=(DefinitionTopology(name="code_review", version=1, graph=blank, steps=steps),), paused=paused()
    )


def paused() -> tuple[PausedScope, ...]:
    pauses = (("step:code_review/llm", "the model is away"), (f"prefix:{HOSTILE}", HOSTILE), ("definition:order", ""))
    return tuple(PausedScope(scope=scope, by="ada", reason=reason, at=at(40)) for scope, reason in pauses)


def figures_report() -> FiguresReport:
    steps = tuple(StepFigures(definition="code_review", step=one, windows={}) for one in ("validate", "ast", "llm"))
    return FiguresReport(counts={"running": 3}, definitions={"code_review": {"running": 3}}, incidents=2, steps=steps)


PATCH = """@@ -1,4 +1,6 @@
 import shutil
+import subprocess

 def purge(path):
-    remove(path)
+    if eval(input("sure? ")):
+        subprocess.run(f"rm -rf {path}", shell=True)
"""


def finding(line: int, severity: str, rule: str, message: str, **more: object) -> ReviewFinding:
    values: dict[str, object] = {
        "line": line, "end_line": None, "severity": severity, "rule": rule, "category": "security", "confidence": 0.9,
        "message": message,
    }  # fmt: skip
    return ReviewFinding.model_validate(values | more)


def review() -> Review:
    found = (
        finding(5, "critical", "S307", "eval runs whatever a person types.", suggestion="Compare with an answer."),
        finding(6, "high", "S602", "A shell sees the path: a path with ; runs commands.", suggestion="Pass a list."),
    )
    admin = ReviewFile(path="shop/admin.py", status="modified", language="python", additions=3, deletions=1,
                       coverage="reviewed", patch=PATCH, findings=found)  # fmt: skip
    odd = ReviewFile(path=f"shop/{HOSTILE}.py", status="added", additions=1, coverage="partial",
                     coverage_reason="too long: the first 500 lines", patch="@@ -0,0 +1 @@\n+" + HOSTILE + "\n",
                     findings=(finding(1, "low", "E501", HOSTILE),))  # fmt: skip
    image = ReviewFile(path="logo.png", status="added", skipped="binary", coverage="skipped")
    return Review(available=True, repository="acme/shop", number=7, title="Ask before deleting", author="grace",
                  base="1" * 40, head="2" * 40, verdict="findings", location="/var/lib/saga/reviews/acme-shop-7",
                  files=(admin, odd, image), findings={"critical": 1, "high": 1, "low": 1},
                  findings_outside=(finding(0, "medium", "SAGA1", "A test is missing.", path="tests/test_admin.py"),),
                  coverage=Coverage(files=3, reviewed=1, partial=1, skipped=1), behind_s=0.2)  # fmt: skip


def health() -> Health:
    return Health(status=HealthStatus.READY, workers=(), behind_s=0.2)
