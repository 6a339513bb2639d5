"""Rules about the flow: every event has a source and a purpose, every step can be reached and can end."""

from __future__ import annotations

from collections.abc import Iterator

from kafka_saga.definition.graph import Flow, Node
from kafka_saga.definition.model import Saga
from kafka_saga.definition.problem import Code, Problem, of_saga, of_step
from kafka_saga.definition.wording import listed


def completeness(saga: Saga) -> Iterator[Problem]:
    """Definitions without steps, without ends, or with steps that emit nothing."""
    if not saga.steps:
        yield Problem(Code.NO_STEPS, of_saga(saga, "steps"), "there are no steps", "add a step triggered by starts_on")
    if not saga.ends:
        mend = "say which events end the saga, as in ends={OrderShipped: COMPLETED}"
        yield Problem(Code.NO_ENDS, of_saga(saga, "ends"), "no event ends the saga", mend)
    for step in saga.steps:
        if not step.emits:
            mend = "name the event that says it is done"
            yield Problem(Code.EMITS_NOTHING, of_step(saga, step, "emits"), "the step emits no outcome", mend)


def start(saga: Saga, flow: Flow) -> Iterator[Problem]:
    """Exactly one step takes the first event, which no step may emit: intake would skip it as a second start."""
    first = flow.triggers.get(flow.start, ())
    if flow.nodes and not first:
        mend = "give one step on=" + saga.starts_on.__name__
        yield Problem(Code.NO_FIRST_STEP, of_saga(saga, "starts_on"), f"{flow.start} triggers no step", mend)
    if len(first) > 1:
        what = f"{flow.start} triggers {_named(first)}, but only one service can take in new sagas"
        mend = "let one first step take it, and trigger the others by its outcome"
        yield Problem(Code.SEVERAL_FIRST_STEPS, of_saga(saga, "starts_on"), what, mend)
    for node in flow.nodes:
        if flow.start in node.emitted and node.on != flow.start:
            what = f"the step emits {flow.start}, which starts sagas and would be skipped as a second start"
            mend = "emit an event of its own and trigger by that"
            yield Problem(Code.EMITS_THE_START, of_step(saga, node.step, _field(node, flow.start)), what, mend)


def sources(saga: Saga, flow: Flow) -> Iterator[Problem]:
    """Steps whose trigger nobody emits, or only steps that nothing reaches; steps that trigger themselves."""
    emitted = {event for node in flow.nodes for event in node.emitted}
    for node in flow.nodes:
        place = of_step(saga, node.step, "on")
        if node.on in node.emitted:
            mend = "emit another event, or move the repetition into retry"
            place_of_outcome = of_step(saga, node.step, _field(node, node.on))
            what = f"the step emits {node.on}, which triggers it"
            yield Problem(Code.EMITS_ITS_TRIGGER, place_of_outcome, what, mend)
        if node.on not in emitted and node.on != flow.start:
            mend = "let a step emit it, or trigger this step by an event that exists"
            yield Problem(Code.NOBODY_EMITS, place, f"nobody emits {node.on}", mend)
        elif node.at not in flow.reachable:
            what = f"the step can never run: nothing that {flow.start} leads to emits {node.on}"
            mend = "let a reachable step emit it, or remove this step"
            yield Problem(Code.UNREACHABLE, place, what, mend)


def purposes(saga: Saga, flow: Flow, consumers: frozenset[str]) -> Iterator[Problem]:
    """Outcomes that end nothing and trigger nothing. By-products are facts for others: they need not trigger."""
    for node in flow.nodes:
        for event in dict.fromkeys(node.outcomes):
            if event not in flow.triggers and event not in flow.ends and event not in consumers:
                what = f"{event} ends nothing and triggers nothing"
                mend = "name it in ends, or let a step be triggered by it, or make it a by-product (also)"
                yield Problem(Code.NOBODY_CONSUMES, of_step(saga, node.step, "emits"), what, mend)


def ends(saga: Saga, flow: Flow) -> Iterator[Problem]:
    """Ending events that nobody emits, that are by-products, or that trigger a step as well."""
    outcomes = {event for node in flow.nodes for event in node.outcomes}
    by_products = {event for node in flow.nodes for event in node.by_products}
    place = of_saga(saga, "ends")
    for event in flow.ends:
        if event not in outcomes | by_products:
            what = f"nobody emits {event}, so it can end nothing"
            yield Problem(Code.END_NOBODY_EMITS, place, what, "let a step emit it, or remove it from ends")
        if event in by_products:
            what = f"{event} is a by-product, and only an outcome can end a saga"
            yield Problem(Code.END_IS_BY_PRODUCT, place, what, "move it from also to emits")
        if event in flow.triggers:
            what = f"{event} ends the saga and triggers {_named(flow.triggers[event])}"
            yield Problem(Code.END_TRIGGERS, place, what, "let it do one or the other")


def exits(saga: Saga, flow: Flow, consumers: frozenset[str]) -> Iterator[Problem]:
    """Cycles and steps from which the saga can never end; dead ends have been told by their outcomes."""
    if not flow.ends:
        return
    for cycle in flow.cycles:
        if not flow.can_end.issuperset(node.at for node in cycle):
            what = f"{_named(cycle)} lead to one another for ever: no event that ends the saga can be reached"
            mend = "give one of them an outcome that ends the saga or leads on to an end"
            yield Problem(Code.CYCLE_WITHOUT_EXIT, of_saga(saga, "steps"), what, mend)
    for node in flow.nodes:
        if node.at not in flow.can_end and node.outcomes and consumers.issuperset(node.outcomes):
            what = "its outcomes are only consumed outside the saga, which can then never end"
            yield Problem(Code.CANNOT_END, of_step(saga, node.step, "emits"), what, "add an outcome that ends the saga")
    if flow.nodes and not flow.reachable & flow.can_end:
        what = f"no event that ends the saga can be reached from {flow.start}"
        yield Problem(Code.NO_REACHABLE_END, of_saga(saga, "ends"), what, "let a reachable step emit one")


def _named(nodes: tuple[Node, ...]) -> str:
    return f"step{'s' if len(nodes) > 1 else ''} {listed(tuple(repr(node.step.name) for node in nodes))}"


def _field(node: Node, event: str) -> str:
    return "emits" if event in node.outcomes else "also"
