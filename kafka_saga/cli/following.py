"""Follows one saga to its end, and shows it: moving on a terminal, a line a change elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.spinner import Spinner
from rich.text import Text

from kafka_saga.cli.output import safe
from kafka_saga.cli.render.timeline import timeline
from kafka_saga.inspection.log.reading import Feed
from kafka_saga.tracker.core.state import SagaState, StepState, StepStatus
from kafka_saga.wire.wording import length

QUIET = 5.0
"""Seconds without any change after which we look whether the services are there."""

_TURN = 0.2


class Screen(Protocol):
    """Where progress is shown."""

    def show(self, state: SagaState) -> None:
        """The saga has changed."""

    def note(self, sentence: str) -> None:
        """Something is to be said besides; said once."""


def follow(
    feed: Feed, state: SagaState | None, screen: Screen, timeout: float, diagnose: Callable[[SagaState | None], str]
) -> SagaState | None:
    """The saga when it has ended, or as it stands after `timeout` seconds.

    `diagnose` is asked, whenever nothing has happened for a while, whether there is something to say about it.
    """
    until = time.monotonic() + timeout
    ask_at = time.monotonic() + QUIET
    while not (state and state.status.is_final) and time.monotonic() < until:
        newer = feed.following(_TURN)
        if newer is not None and (state is None or newer.revision > state.revision):
            state = newer
            screen.show(state)
            ask_at = time.monotonic() + QUIET
        elif time.monotonic() > ask_at:
            if said := diagnose(state):
                screen.note(said)
            ask_at = time.monotonic() + QUIET
    return state


@contextmanager
def screen_on(console: Console, title: str) -> Iterator[Screen]:
    """A screen that suits the console."""
    if console.is_terminal:
        moving = MovingScreen(title)
        with Live(get_renderable=moving.render, console=console, transient=True, refresh_per_second=12):
            yield moving
    else:
        yield PlainScreen(console)


@dataclass
class MovingScreen:
    """The timeline, redrawn in place."""

    title: str
    state: SagaState | None = None
    said: str = ""
    _spinner: Spinner = field(default_factory=lambda: Spinner("dots", style="yellow"))

    def show(self, state: SagaState) -> None:
        """The saga has changed."""
        self.state, self.said = state, ""

    def note(self, sentence: str) -> None:
        """Say it below the timeline until the saga moves on."""
        self.said = sentence

    def render(self) -> RenderableType:
        """What is on the screen now."""
        parts: list[RenderableType] = [safe(self.title, "bold")]
        if self.state is None:
            parts.append(Spinner("dots", Text("published; waiting for the first service", "dim"), style="yellow"))
        else:
            parts.append(Padding(timeline(self.state, round(time.time() * 1000), self._spinner), (0, 0, 0, 2)))
        if self.said:
            parts.append(safe(self.said, "yellow"))
        return Group(*parts)


@dataclass
class PlainScreen:
    """A line for each thing that happens."""

    console: Console
    state: SagaState | None = None
    said: str = ""

    def show(self, state: SagaState) -> None:
        """Print what has changed."""
        for change in changes(self.state, state):
            self.console.print(safe(change), soft_wrap=True)
        self.state = state

    def note(self, sentence: str) -> None:
        """Print it, unless it was the last thing said."""
        if sentence != self.said:
            self.console.print(safe(sentence), soft_wrap=True)
        self.said = sentence


def changes(before: SagaState | None, after: SagaState) -> list[str]:
    """What happened between two states, a line for each step: `ast         done      1.2 s`."""
    known = {step.name: step for step in before.steps} if before else {}
    return [
        _change(step)
        for step in after.steps
        if _moment(step) != _moment(known.get(step.name)) and step.status is not StepStatus.WAITING
    ]


def _moment(step: StepState | None) -> tuple[StepStatus, int, int]:
    return (StepStatus.WAITING, 0, 0) if step is None else (step.status, step.attempt, len(step.runs))


def _change(step: StepState) -> str:
    status = "started" if step.status is StepStatus.QUEUED else step.status.value
    took = ""
    if step.runs and (ended := step.runs[-1].ended_at) is not None:
        took = length(ended - step.runs[-1].at)
    attempt = f"  attempt {step.attempt}" if step.attempt > 1 else ""
    error = f"  {step.error}" if step.error else ""
    return f"{step.name:<10}  {status:<8}  {took}{attempt}{error}".rstrip()
