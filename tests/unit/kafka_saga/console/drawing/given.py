"""Graphs, timelines and reviews to draw: of the shipped definition, of an order that is undone, and hostile ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from kafka_saga.api.sagas import Edge, Graph, Node, NodeKind, Span, SpanKind
from kafka_saga.api.topology import DefinitionTopology, Figures, Lag, StepTopology
from schemas.review import Coverage, Review, ReviewFile, ReviewFinding

NOW = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)
HOSTILE = '"><script>alert(1)</script>\u202egnp.exe\x00\ud800 ' + "長い名前" * 20


def event(name: str, state: str = "happened") -> Node:
    return Node(id=f"event:{name}", name=name, kind=NodeKind.EVENT, state=state, words=state)


def step(name: str, state: str = "", words: str = "", **more: object) -> Node:
    return Node.model_validate(
        {"id": f"step:{name}", "name": name, "kind": "step", "state": state, "words": words or state, **more}
    )


def end(name: str, state: str = "", words: str = "") -> Node:
    return Node(id=f"end:{name}", name=name, kind=NodeKind.END, state=state, words=words)


def edge(source: str, target: str, label: str, taken: bool = False) -> Edge:
    return Edge(source=source, target=target, label=label, taken=taken)


REVIEWING = Graph(
    nodes=(
        event("pr.received"),
        step("validate", "done", attempt=1, duration_ms=1240),
        step("ast", "running", "running: 12 of 40, parsing", attempt=1, duration_ms=8300),
        step("llm", "will_run", "will run"),
        step("comment", "will_run", "will run"),
        end("pr.rejected", "not_taken", "not taken"),
        end("comments.created", "", "can end here as completed"),
    ),
    edges=(
        edge("event:pr.received", "step:validate", "pr.received", taken=True),
        edge("step:validate", "step:ast", "pr.validated", taken=True),
        edge("step:validate", "end:pr.rejected", "pr.rejected"),
        edge("step:ast", "step:llm", "ast.completed"),
        edge("step:llm", "step:comment", "llm.completed"),
        edge("step:comment", "end:comments.created", "comments.created"),
    ),
)

UNDONE = Graph(
    nodes=(
        event("order.placed"),
        step("payment", "compensated", duration_ms=310, attempt=1),
        step("stock", "failed", "failed at attempt 3", attempt=3, duration_ms=125_000, error="the warehouse is closed"),
        step("shipping", "not_taken", "not taken"),
        end("payment.declined", "not_taken", "not taken"),
        end("stock.missing", "happened", "ended as failed"),
        end("shipment.created", "not_taken", "not taken"),
    ),
    edges=(
        edge("event:order.placed", "step:payment", "order.placed", taken=True),
        edge("step:payment", "step:stock", "payment.authorized", taken=True),
        edge("step:payment", "end:payment.declined", "payment.declined"),
        edge("step:stock", "step:shipping", "stock.reserved"),
        edge("step:stock", "end:stock.missing", "stock.missing", taken=True),
        edge("step:shipping", "end:shipment.created", "shipment.created"),
    ),
)

# Branches, joins, two loops, one of a step with itself, and an edge over several layers.
TANGLED = Graph(
    nodes=(
        event("start"),
        step("fetch", "done", duration_ms=12),
        step("left", "retrying", "retrying in 12 s", attempt=2, duration_ms=45_000),
        step("right", "skipped", "skipped"),
        step("check", "queued", "queued"),
        step("join", "will_run", "will run if check ends with check.passed.completely"),
        step("repair", "parked", "parked"),
        step("island", "not_taken", "not taken"),
        end("finished", "", "can end here as completed"),
    ),
    edges=(
        edge("event:start", "step:fetch", "start", taken=True),
        edge("step:fetch", "step:left", "fetched", taken=True),
        edge("step:fetch", "step:right", "fetched", taken=True),
        edge("step:fetch", "step:check", "fetched", taken=True),
        edge("step:left", "step:join", "left.done"),
        edge("step:right", "step:join", "right.done", taken=True),
        edge("step:check", "step:join", "check.passed.completely"),
        edge("step:check", "step:repair", "check.failed"),
        edge("step:repair", "step:check", "repaired"),
        edge("step:join", "step:fetch", "once.more"),
        edge("step:join", "step:join", "again"),
        edge("step:join", "end:finished", "finished"),
        edge("step:fetch", "end:finished", "nothing.to.do"),
    ),
)

HOSTILE_GRAPH = Graph(
    nodes=(
        event(HOSTILE),
        step(HOSTILE, "running", f"running: {HOSTILE}", error=HOSTILE, duration_ms=10**15),
        step("W" * 300, "an <unknown> state", "x" * 300),
        end("", "", ""),
    ),
    edges=(
        edge(f"event:{HOSTILE}", f"step:{HOSTILE}", HOSTILE, taken=True),
        edge(f"step:{HOSTILE}", f"step:{'W' * 300}", HOSTILE),
        edge(f"step:{'W' * 300}", "end:", "&<>'\""),
        edge("step:nowhere", "end:", "dangling"),
    ),
)


def load(name: str, done: int, failed: int, lag: Lag | None) -> StepTopology:
    windows = {"1m": Figures(started=done + failed, done=done, failed=failed, retried=failed)}
    return StepTopology(name=name, topics=(name,), service=name, instances=1, lag=lag, windows=windows)


def plain(graph: Graph) -> Graph:
    """The definition alone."""
    nodes = tuple(Node(id=one.id, name=one.name, kind=one.kind) for one in graph.nodes)
    return Graph(nodes=nodes, edges=tuple(edge(one.source, one.target, one.label) for one in graph.edges))


TOPOLOGY = DefinitionTopology(
    name="code_review",
    version=1,
    graph=plain(REVIEWING),
    steps=(
        load("validate", 1204, 0, Lag(events=0)),
        load("ast", 1180, 24, Lag(events=310, seconds=42.5)),
        load("llm", 97, 0, Lag(events=1, seconds=0.3)),
        load("comment", 0, 0, None),
    ),
)


def at(seconds: float) -> str:
    return f"{NOW - timedelta(hours=1) + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"


def span(name: str, kind: SpanKind, status: str, start: float, stop: float | None, **more: object) -> Span:
    known = {"step": name, "attempt": 1, "epoch": 0, "kind": kind, "status": status}
    ended = None if stop is None else at(stop)
    return Span.model_validate({**known, "started_at": at(start), "ended_at": ended, **more})


SPANS = (
    span("validate", SpanKind.ATTEMPT, "done", 0, 1.2),
    span("ast", SpanKind.WAIT, "queued", 1.2, 240),
    span("ast", SpanKind.ATTEMPT, "failed", 240, 900, error="the parser ran out of memory"),
    span("ast", SpanKind.RETRY, "retrying", 900, 1300),
    span("ast", SpanKind.ATTEMPT, "done", 1300, 1800, attempt=2),
    span("llm", SpanKind.ATTEMPT, "failed", 1800, 1800.02, error="503"),
    span("llm", SpanKind.RETRY, "retrying", 1800.02, 1805),
    span("llm", SpanKind.ATTEMPT, "failed", 1805, 1805.02, attempt=2, error="503"),
    span("llm", SpanKind.RETRY, "retrying", 1805.02, 1815),
    span("llm", SpanKind.ATTEMPT, "running", 1815, None, attempt=3, note="12 of 40"),
    span("payment", SpanKind.COMPENSATION, "failed", 2500, 2600, error="no answer"),
    span("payment", SpanKind.COMPENSATION, "compensated", 2700, 3300, attempt=2),
    span("", SpanKind.PAUSE, "paused", 2000, 2900, note="by ada: the model is being exchanged"),
)

EMPTY = " "
PATCH = f"""diff --git a/src/app.py b/src/app.py
--- a/src/app.py
+++ b/src/app.py
@@ -1,7 +1,9 @@ import os
 import os
-import sys
+import subprocess
+import sys\r
{EMPTY}
 def main(argument):
-    print(argument)
+    subprocess.run(argument, shell=True)  # a line that is rather long, so that a narrow screen has to scroll sideways
+\tif True: pass  # \u202e reversed <b>bold</b>
     return 0
{EMPTY}
@@ -20,3 +22,2 @@ def other():
     pass
-    gone = 1
     last = 2
\\ No newline at end of file
"""


def finding(line: int, severity: str, message: str, **more: object) -> ReviewFinding:
    known = {"line": line, "end_line": None, "rule": "S602", "category": "security", "confidence": 0.95}
    return ReviewFinding.model_validate({**known, "severity": severity, "message": message, **more})


REVIEW = Review(
    available=True,
    repository="ada/engine",
    number=7,
    title=HOSTILE,
    files=(
        ReviewFile(
            path="src/app.py",
            status="modified",
            additions=4,
            deletions=3,
            coverage="reviewed",
            patch=PATCH,
            findings=(
                finding(6, "critical", "A shell runs what a person typed.", suggestion="subprocess.run([argument])"),
                finding(2, "low", "The import is not sorted.", end_line=3, rule="I001", category="style"),
                finding(6, "medium", HOSTILE, rule=HOSTILE, suggestion=HOSTILE, evidence=HOSTILE),
            ),
        ),
        ReviewFile(
            path="image.png", status="added", skipped="not text", coverage="skipped", coverage_reason="not text"
        ),
        ReviewFile(path=f"docs/{HOSTILE}.md", status="renamed", old_path="docs/old.md", coverage="partial", patch=""),
    ),
    findings_outside=(
        finding(40, "high", "This function is never called any more.", path="src/app.py"),
        finding(3, "high", "This one calls what was removed.", path="src/elsewhere.py"),
    ),
    findings_dropped=3,
    coverage=Coverage(files=3, reviewed=1, partial=1, skipped=1),
)
