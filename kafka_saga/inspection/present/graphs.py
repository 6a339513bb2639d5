"""A definition as a graph, and a saga drawn into it: what has happened, what remains, and what was not taken. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass
from functools import cached_property

from kafka_saga.api.sagas import Edge, Graph, NodeKind
from kafka_saga.api.sagas import Node as Drawn
from kafka_saga.definition.graph import Flow, Node, flow
from kafka_saga.definition.model import Saga
from kafka_saga.inspection.log.times import iso
from kafka_saga.inspection.present.spans import progress, span_of
from kafka_saga.statuses import Phase
from kafka_saga.tracker.core.state import SagaState, SagaStatus, StepState, StepStatus
from kafka_saga.wire.wording import length

_HELD = frozenset({SagaStatus.PAUSED, SagaStatus.PAUSING})


def graph_of(definition: Saga) -> Graph:
    """The definition alone."""
    drawing = flow(definition)
    return Graph(nodes=tuple(_plain_nodes(drawing)), edges=tuple(_edges(drawing, frozenset())))


def saga_graph(definition: Saga, state: SagaState, now: int) -> Graph:
    """A saga in its definition; `now` is milliseconds UTC."""
    return _SagaGraph(flow(definition), state, now).drawn()


def event_id(event: str) -> str:
    """The node of the first event."""
    return f"event:{event}"


def step_id(step: str) -> str:
    """The node of a step."""
    return f"step:{step}"


def end_id(event: str) -> str:
    """The node of an event that ends the saga."""
    return f"end:{event}"


def _plain_nodes(drawing: Flow) -> Iterator[Drawn]:
    yield Drawn(id=event_id(drawing.start), name=drawing.start, kind=NodeKind.EVENT)
    for node in drawing.nodes:
        yield Drawn(id=step_id(node.step.name), name=node.step.name, kind=NodeKind.STEP)
    for event in drawing.ends:
        yield Drawn(id=end_id(event), name=event, kind=NodeKind.END)


def _edges(drawing: Flow, happened: Set[tuple[str | None, str]]) -> Iterator[Edge]:
    """Every event that leads somewhere; `happened` are the events of a saga, each with the step that it came from."""
    yield from _leading(drawing, event_id(drawing.start), None, drawing.start, happened)
    for node in drawing.nodes:
        for event in node.emitted:
            yield from _leading(drawing, step_id(node.step.name), node.step.name, event, happened)


def _leading(
    drawing: Flow, source: str, step: str | None, event: str, happened: Set[tuple[str | None, str]]
) -> Iterator[Edge]:
    targets = [step_id(node.step.name) for node in drawing.triggers.get(event, ())]
    targets += [end_id(event)] if event in drawing.ends and step is not None else []
    for target in targets:
        yield Edge(source=source, target=target, label=event, taken=(step, event) in happened)


@dataclass(frozen=True)
class _SagaGraph:
    """A saga, held against the flow of its definition."""

    flow: Flow
    state: SagaState
    now: int

    def drawn(self) -> Graph:
        nodes = (self._start(), *map(self._step, self.flow.nodes), *map(self._end, self.flow.ends))
        return Graph(nodes=nodes, edges=tuple(_edges(self.flow, self._happened)))

    @cached_property
    def _happened(self) -> frozenset[tuple[str | None, str]]:
        counting = (one for one in self.state.events if one.epoch >= self.state.floors.get(one.step or "", 0))
        return frozenset((one.step, one.type) for one in counting)

    @cached_property
    def _steps(self) -> dict[str, StepState]:
        return {step.name: step for step in self.state.steps}

    @cached_property
    def _ahead(self) -> frozenset[int]:
        """The steps that can still come: those at work, and all that these can lead to."""
        if self.state.status.is_final:
            return frozenset()
        at_work = [node.at for node in self.flow.nodes if self._is_at_work(node)]
        if not at_work and (None, self.flow.start) not in self._happened:
            return self.flow.reachable
        return self.flow.closure(at_work)

    def _is_at_work(self, node: Node) -> bool:
        """Whether it has not ended, or its outcome has come and the next step has not been asked for yet."""
        step = self._steps.get(node.step.name)
        if step is None:
            return False
        if step.status.is_undecided:
            return True
        is_triggered = any(event == node.on for _, event in self._happened)
        return step.status is StepStatus.WAITING and is_triggered

    def _start(self) -> Drawn:
        name = self.flow.start
        has_happened = (None, name) in self._happened or self.state.started_at is not None
        state, words = ("happened", "happened") if has_happened else ("", "")
        return Drawn(id=event_id(name), name=name, kind=NodeKind.EVENT, state=state, words=words)

    def _step(self, node: Node) -> Drawn:
        name = node.step.name
        step = self._steps.get(name, StepState(name))
        state, words = self._standing(node, step)
        span = span_of(step, self.now)
        return Drawn(
            id=step_id(name),
            name=name,
            kind=NodeKind.STEP,
            state=state,
            words=words,
            attempt=step.attempt,
            duration_ms=None if span is None else span.length,
            error=step.error,
            retry_at=iso(step.runs[-1].retry_at if step.runs and step.status is StepStatus.RETRYING else None),
        )

    def _standing(self, node: Node, step: StepState) -> tuple[str, str]:
        """The state and its words."""
        if step.status.meaning.phase is Phase.AHEAD or (step.status is StepStatus.SKIPPED and not step.runs):
            return self._to_come(node)
        match step.status:
            case StepStatus.RETRYING:
                return step.status.value, self._retrying(step)
            case StepStatus.FAILED:
                return step.status.value, f"failed at attempt {step.attempt}" if step.attempt > 1 else "failed"
            case StepStatus.RUNNING if told := progress(self.state, step):
                return step.status.value, f"running: {told}"
            case _:
                again = f", attempt {step.attempt}" if step.attempt > 1 else ""
                return step.status.value, f"{step.status.label}{again}"

    def _to_come(self, node: Node) -> tuple[str, str]:
        if node.at not in self._ahead:
            return "not_taken", "not taken"
        return "will_run", self._when(node)

    def _when(self, node: Node) -> str:
        """`will run`; where a decision before it can go another way, `will run if STEP ends with EVENT`."""
        resumed = " when resumed" if self.state.status in _HELD else ""
        for before in self.flow.nodes:
            if before.at in self._ahead and node.on in before.outcomes and len(before.outcomes) > 1:
                return f"will run{resumed} if {before.step.name} ends with {node.on}"
        return f"will run{resumed}"

    def _retrying(self, step: StepState) -> str:
        due = step.runs[-1].retry_at if step.runs else None
        if due is None or self.state.status in _HELD:
            return "retrying when resumed" if self.state.status in _HELD else "retrying"
        return f"retrying in {length(due - self.now)}" if due > self.now else "retrying now"

    def _end(self, event: str) -> Drawn:
        has_ended = self.state.end == event or any(kind == event for _, kind in self._happened)
        if has_ended:
            state, words = "happened", f"ended as {self.flow.ends[event].value}"
        elif any(event in node.outcomes for node in self.flow.nodes if node.at in self._ahead):
            state, words = "", f"can end here as {self.flow.ends[event].value}"
        else:
            state, words = "not_taken", "not taken"
        return Drawn(id=end_id(event), name=event, kind=NodeKind.END, state=state, words=words)
