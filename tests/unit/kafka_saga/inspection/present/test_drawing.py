"""The graph and the timeline of sagas that stand differently, made by a real tracker."""

from __future__ import annotations

from kafka_saga.api.sagas import Graph, SpanKind
from kafka_saga.errors import RetryableError
from kafka_saga.events.commands import Act
from kafka_saga.inspection.present.graphs import graph_of, saga_graph
from kafka_saga.inspection.present.timeline import timeline_of
from kafka_saga.testing import SagaTest
from kafka_saga.tracker.core.state import EventRef, ReportRef, Run, SagaState, StepState, StepStatus
from tests.unit.kafka_saga.views.http_api.reviews import REVIEWS, pull_request, reviews


def words(graph: Graph) -> dict[str, str]:
    """What each node says."""
    return {node.name: node.words for node in graph.nodes}


def drawn(test: SagaTest, saga_id: str) -> Graph:
    return saga_graph(REVIEWS, test.system.saga(saga_id), test.system.clock.now())


def test_a_definition_alone_has_nodes_and_edges_and_says_nothing() -> None:
    graph = graph_of(REVIEWS)
    assert [node.id for node in graph.nodes] == [
        "event:pr.received", "step:validate", "step:ast", "step:llm", "step:comment", "end:pr.rejected",
        "end:comments.created",
    ]  # fmt: skip
    assert ("step:validate", "end:pr.rejected", "pr.rejected") in {(e.source, e.target, e.label) for e in graph.edges}
    assert not any(node.words or node.state for node in graph.nodes)


def test_what_has_happened_and_what_remains_is_said() -> None:
    with reviews() as test:
        run = test.given(pull_request(3, "busy"))
        said = words(drawn(test, run.saga_id))
        assert said["ast"] == "done"
        assert said["llm"] == "retrying in 12.0 s"
        assert said["comment"] == "will run"
        assert said["pr.rejected"] == "not taken"
        assert said["comments.created"] == "can end here as completed"


def test_a_way_that_depends_on_a_decision_names_it() -> None:
    with reviews() as test:
        test.fail("validate", RetryableError("no disk", 60.0))
        run = test.given(pull_request(1))
        said = words(drawn(test, run.saga_id))
        assert said["ast"] == "will run if validate ends with pr.validated"
        assert said["pr.rejected"] == "can end here as completed"


def test_a_way_not_taken_stays_untaken() -> None:
    with reviews() as test:
        run = test.given(pull_request(5, "nothing"))
        graph = drawn(test, run.saga_id)
        assert {node.name for node in graph.nodes if node.state == "not_taken"} == {
            "ast", "llm", "comment", "comments.created",
        }  # fmt: skip
        assert words(graph)["pr.rejected"] == "ended as completed"
        assert {edge.label for edge in graph.edges if edge.taken} == {"pr.received", "pr.rejected"}


def test_attempts_and_the_waits_between_them_are_stretches_of_time() -> None:
    with reviews() as test:
        run = test.given(pull_request(3, "busy"))
        test.advance(seconds=13)
        spans = [span for span in timeline_of(run.state, test.system.clock.now()) if span.step == "llm"]
        assert [(span.kind, span.attempt, span.status) for span in spans] == [
            (SpanKind.ATTEMPT, 1, "failed"),
            (SpanKind.RETRY, 1, "retrying"),
            (SpanKind.ATTEMPT, 2, "failed"),
            (SpanKind.RETRY, 2, "retrying"),
        ]
        assert [span.ended_at for span in spans[:3]] == [span.started_at for span in spans[1:]]
        assert spans[-1].ended_at is None
        assert (spans[-1].note or "").startswith("next attempt in")


def test_a_pause_and_what_is_undone_are_shown() -> None:
    with reviews() as test:
        run = test.given(pull_request(1))
        run.rewind("once more", step="llm")
        test.run()
        spans = timeline_of(run.state, test.system.clock.now())
        undone = [span for span in spans if span.kind is SpanKind.COMPENSATION]
        assert [(span.step, span.status) for span in undone] == [("comment", "compensated")]
    with reviews() as test:
        run = test.given(pull_request(3, "busy"))
        test.command(Act.PAUSE, run.saga_id, "lunch")
        pauses = [span for span in timeline_of(run.state, test.system.clock.now()) if span.kind is SpanKind.PAUSE]
        assert [(span.step, span.note, span.ended_at) for span in pauses] == [("", "by test: lunch", None)]


def test_a_report_of_a_kind_that_is_not_known_is_shown_as_what_the_tracker_takes_it_for() -> None:
    trigger = EventRef("e-1", "trip.begun", 0, 10)
    report = ReportRef("r-1", "book", "e-1", "step.dreamt", "it slept", 1, 20)
    step = StepState("book", StepStatus.FAILED, runs=(Run("e-1", 10, StepStatus.FAILED, ended_at=20),))
    state = SagaState("ann@1", "trip", 1, 0, steps=(step,), events=(trigger,), reports=(report,))
    (attempt,) = timeline_of(state, 30)
    assert (attempt.kind, attempt.status, attempt.error) == (SpanKind.ATTEMPT, "failed", "it slept")
