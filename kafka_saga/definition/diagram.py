"""Draws a definition: as text for a terminal of 80 columns, and as a mermaid flowchart."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from textwrap import wrap

from kafka_saga.definition.graph import Flow, flow
from kafka_saga.definition.model import EndStatus, OnCancel, OnConflict, OnFailure, Retry, Saga, Step
from kafka_saga.definition.tree import BackReference, EventTree, StepTree, grown
from kafka_saga.definition.wording import duration

WIDTH = 80


def as_text(saga: Saga) -> str:
    """The definition as a drawing in text: the longest way straight down, decisions as branches to the right."""
    tree, unreached = grown(flow(saga))
    width = max((len(step.name) for step in saga.steps), default=0)
    lines = [*_header(saga), "", *_event_lines(tree, width)]
    if unreached:
        lines += ["", f"never reached: {', '.join(step.name for step in unreached)}"]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def as_mermaid(saga: Saga) -> str:
    """The definition as a mermaid flowchart, as GitHub renders it in a ```mermaid block."""
    graph = flow(saga)
    events = dict.fromkeys((graph.start, *(name for node in graph.nodes for name in (node.on, *node.emitted))))
    ids = {name: f"event{number}" for number, name in enumerate(events, start=1)}
    lines = [
        "flowchart TD",
        *(f"    {ids[name]}{_mermaid_event(name, graph)}" for name in events),
        *(f"    step{node.at + 1}{_mermaid_step(node.step)}" for node in graph.nodes),
        *(f"    {line}" for line in _mermaid_edges(graph, ids)),
        *(f"    {line}" for line in _MERMAID_CLASSES),
    ]
    return "\n".join(lines) + "\n"


def step_notes(step: Step) -> tuple[str, str, str]:
    """What bounds a step, how it is retried, and what else is special about it; each may be empty."""
    bounds = [f"timeout {duration(step.timeout)}"]
    bounds += [f"deadline {duration(step.deadline)}"] if step.deadline is not None else []
    special = ["compensates"] if step.compensates else []
    special += ["interrupted on cancel"] if step.on_cancel is OnCancel.INTERRUPT else []
    return ", ".join(bounds), _retry_note(step.retry), ", ".join(special)


def _retry_note(retry: Retry) -> str:
    if retry.attempts == 1:
        return "1 attempt"
    first, last = duration(retry.first), duration(_last_delay(retry))
    return f"{retry.attempts} attempts, {first if first == last else f'{first} to {last}'} apart"


def _last_delay(retry: Retry) -> timedelta:
    try:
        return (
            retry.first
            if retry.attempts < 2
            else min(retry.max_delay, retry.first * retry.factor ** (retry.attempts - 2))
        )
    except (ArithmeticError, ValueError):
        return retry.max_delay


def _header(saga: Saga) -> Iterator[str]:
    yield f"{saga.name} v{saga.version}"
    yield from wrap(saga.description, WIDTH)
    yield ""
    for label, value in _facts(saga):
        yield f"  {label:<13}{value}"


def _facts(saga: Saga) -> Iterator[tuple[str, str]]:
    yield "saga id", f"{saga.key}@{saga.run}"
    yield "deadline", "none" if saga.deadline is None else duration(saga.deadline)
    match saga.on_failure:
        case OnFailure.COMPENSATE:
            yield "on failure", f"settle for up to {duration(saga.settle_timeout)}, then compensate"
        case OnFailure.INCIDENT:
            yield "on failure", "raise an incident"
    match saga.on_conflict:
        case OnConflict.SUPERSEDE:
            yield "on conflict", "the later start supersedes the running saga"
        case OnConflict.ALLOW:
            yield "on conflict", "sagas of one key run side by side"


# A block's trunk is its third column; what branches off is a block of its own, four columns further.
_TRUNK = "  │"


def _event_lines(tree: EventTree, width: int) -> Iterator[str]:
    yield f"  ○ {tree.name}{_event_note(tree)}"
    for side in tree.steps[:-1]:
        yield "  ├───┐"
        yield from (f"  │ {line}" for line in _step_lines(side, width))
    for trunk in tree.steps[-1:]:
        yield _TRUNK
        yield from _step_lines(trunk, width)


def _event_note(tree: EventTree) -> str:
    notes = [f"■ {tree.end.value}"] if tree.end else []
    notes += map(_reference_note, tree.references)
    return ("  (by-product)" if tree.by_product else "") + (f" ── {', '.join(notes)}" if notes else "")


def _reference_note(reference: BackReference) -> str:
    return f"↺ back to {reference.step}" if reference.back else f"→ on to {reference.step}"


def _step_lines(tree: StepTree, width: int) -> Iterator[str]:
    bounds, retry, special = step_notes(tree.step)
    yield f"┌─┴{'─' * width}┐  {bounds}"
    yield f"│ {tree.step.name:<{width}} │  {retry}"
    yield f"└─{'┬' if tree.trunk or tree.branches else '─'}{'─' * width}┘  {special}"
    for branch in tree.branches:
        yield from _branch_lines(branch, width)
    if tree.trunk:
        yield from [_TRUNK] if tree.branches and not tree.branches[-1].steps else []
        yield from _event_lines(tree.trunk, width)


def _branch_lines(tree: EventTree, width: int) -> Iterator[str]:
    first, *rest = _event_lines(tree, width)
    yield f"  ├{'┄┄┄' if tree.by_product else '───'}{first[2:]}"
    yield from (f"  │ {line}" for line in rest)
    yield from [_TRUNK] if tree.steps else []


def _mermaid_event(name: str, graph: Flow) -> str:
    end = graph.ends.get(name)
    if end is None:
        return f'(["{_escaped(name)}"]):::{"start" if name == graph.start else "event"}'
    return f'(["{_escaped(name)}<br/><i>{end.value}</i>"]):::{end.value}'


def _mermaid_step(step: Step) -> str:
    notes = "".join(f"<br/>{_escaped(note)}" for note in step_notes(step) if note)
    return f'["<b>{_escaped(step.name)}</b>{notes}"]:::step'


def _mermaid_edges(graph: Flow, ids: dict[str, str]) -> Iterator[str]:
    for node in graph.nodes:
        yield f"{ids[node.on]} --> step{node.at + 1}"
        yield from (f"step{node.at + 1} --> {ids[name]}" for name in dict.fromkeys(node.outcomes))
        yield from (f"step{node.at + 1} -. by-product .-> {ids[name]}" for name in dict.fromkeys(node.by_products))


def _escaped(label: str) -> str:
    """Mermaid's own entity codes; the hash first, since they are made of it."""
    for sign, code in (("#", "35"), ("&", "38"), ('"', "34"), ("<", "60"), (">", "62"), ("`", "96")):
        label = label.replace(sign, f"#{code};")
    return label


# Colours with a text colour of their own are readable on GitHub's light and dark pages alike.
_MERMAID_CLASSES = (
    "classDef start fill:#dbeafe,stroke:#1d4ed8,color:#0f172a,stroke-width:2px",
    "classDef event fill:#eff6ff,stroke:#60a5fa,color:#0f172a",
    "classDef step fill:#f8fafc,stroke:#475569,color:#0f172a",
    *(
        f"classDef {status.value} {style}"
        for status, style in {
            EndStatus.COMPLETED: "fill:#dcfce7,stroke:#15803d,color:#0f172a,stroke-width:2px",
            EndStatus.FAILED: "fill:#fee2e2,stroke:#b91c1c,color:#0f172a,stroke-width:2px",
            EndStatus.CANCELLED: "fill:#f1f5f9,stroke:#64748b,color:#0f172a,stroke-width:2px",
        }.items()
    ),
)
