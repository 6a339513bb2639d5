"""What can happen in a simulated run, each as a value that prints as code.

`at` counts turns of single processes. `definition` is 0, or 1 for the one that runs beside; `saga` is a number that
counts its sagas, `step` one that counts its steps round.
"""

from __future__ import annotations

from dataclasses import dataclass

from kafka_saga.events.commands import Act

# ---- machines


@dataclass(frozen=True, slots=True)
class Crash:
    """A process dies at a point of its next transaction (or at once), and comes back after `down` turns."""

    at: int
    process: int
    point: str
    down: int


@dataclass(frozen=True, slots=True)
class Leave:
    """A process stops in order, and comes back after `down` turns."""

    at: int
    process: int
    down: int


@dataclass(frozen=True, slots=True)
class Stall:
    """A process stands still at a point of its next transaction (or at once) for longer than its session.

    The point `before_rulings` is that of a transaction that takes in no record: only the offsets that it sends
    unchanged tell it that its task is another's by now.
    """

    at: int
    process: int
    point: str
    turns: int


@dataclass(frozen=True, slots=True)
class Doubt:
    """A process does not learn whether its next transaction was committed; `point` decides whether it was."""

    at: int
    process: int
    point: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """The broker rolls back a process's next transaction."""

    at: int
    process: int
    point: str


@dataclass(frozen=True, slots=True)
class Away:
    """The broker does not answer for so many turns."""

    at: int
    turns: int


@dataclass(frozen=True, slots=True)
class Clock:
    """From now on the clock is off by so much that stamps one partition number, or that number of one topic alone."""

    at: int
    partition: int
    milliseconds: int
    topic: str = ""


@dataclass(frozen=True, slots=True)
class SlowMarkers:
    """For so many turns the markers of transactions reach about a third of the partitions late; `pick` says which."""

    at: int
    turns: int
    pick: int


@dataclass(frozen=True, slots=True)
class Static:
    """All processes are static members of their groups."""


@dataclass(frozen=True, slots=True)
class Kill:
    """Attempts of a step of a saga, from one to another, kill their process, so many times in all."""

    saga: int
    step: int
    first: int
    last: int
    times: int
    compensating: bool = False
    definition: int = 0


# ---- what is deployed


@dataclass(frozen=True, slots=True)
class Beside:
    """A second definition of this shape runs in the same tracker; its sagas may have the ids of the first's."""

    shape: str
    same_ids: bool


@dataclass(frozen=True, slots=True)
class Deploy:
    """Services are replaced by version 2 one by one, every so many turns; the tracker knows both from the start."""

    at: int
    every: int


@dataclass(frozen=True, slots=True)
class AddDefinition:
    """Trackers know the first definition only; each stops in order, and `down` turns later starts with both."""

    at: int
    down: int


# ---- sagas, and people


@dataclass(frozen=True, slots=True)
class Begin:
    """A saga is started, as anyone would; more than once is a duplicate.

    It may turn off its way at a step, by another outcome (`way`), as many times as there are `rounds`; its handlers may
    emit their by-products.
    """

    at: int
    saga: int
    turns_at: int = -1
    way: int = 1
    rounds: int = 1
    also: bool = False
    definition: int = 0


@dataclass(frozen=True, slots=True)
class SameIdOther:
    """Somebody else publishes a normalised start of a saga under an id of their own."""

    at: int
    saga: int
    definition: int = 0


@dataclass(frozen=True, slots=True)
class Foreign:
    """A participant of somebody else's emits again an event that is there: the `pick`th of all."""

    at: int
    pick: int


@dataclass(frozen=True, slots=True)
class Stray:
    """A record that is none, of one of the kinds in `tests.simulation.strays`; `pick` decides what is left open."""

    at: int
    kind: str
    pick: int
    definition: int = 0


@dataclass(frozen=True, slots=True)
class Command:
    """A person gives a command about a saga; `step` counts the definition's steps, for those that name one."""

    at: int
    saga: int
    act: Act
    step: int
    definition: int = 0


@dataclass(frozen=True, slots=True)
class Mass:
    """A thousand and one commands for one saga at once, each with an id of its own."""

    at: int
    saga: int
    definition: int = 0


@dataclass(frozen=True, slots=True)
class Hold:
    """A person pauses a key prefix, a step, or else the definition, for so many turns or for ever (-1)."""

    at: int
    step: int
    turns: int
    prefix: str = ""
    definition: int = 0


@dataclass(frozen=True, slots=True)
class Trouble:
    """Attempts of a step of a saga, from one to another, take longer and then may fail.

    Of a step that runs several times, `run` says in which (from 1; 0: in all).
    """

    saga: int
    step: int
    first: int
    last: int
    milliseconds: int
    error: str
    compensating: bool = False
    definition: int = 0
    run: int = 0


# ---- after everything has come to rest


@dataclass(frozen=True, slots=True)
class Again:
    """So many minutes after everything has come to rest, the start of a saga is published again."""

    minutes: int
    saga: int
    definition: int = 0


@dataclass(frozen=True, slots=True)
class Late:
    """So many minutes after everything has come to rest, a person gives a command."""

    minutes: int
    saga: int
    act: Act
    step: int
    definition: int = 0


OfSaga = Begin | SameIdOther | Command | Mass | Trouble | Kill | Again | Late
"""Faults that are about one saga."""

Timed = (
    Crash | Leave | Stall | Doubt | Refuse | Away | Clock | SlowMarkers | Deploy | AddDefinition
    | Begin | SameIdOther | Foreign | Stray | Command | Mass | Hold
)  # fmt: skip
"""Faults that happen at a turn."""

Fault = Timed | Static | Kill | Beside | Trouble | Again | Late
