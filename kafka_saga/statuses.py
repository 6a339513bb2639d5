"""What the status of a step means, to the tracker that decides by it and to everything that shows it: one table.

Nothing else lists several statuses for a purpose: it asks here.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum, auto
from typing import NamedTuple


class Phase(Enum):
    """How far a step of a status is."""

    AHEAD = auto()
    """It has not been asked for."""
    OPEN = auto()
    """It has been asked for, and has neither ended nor failed for good."""
    STUCK = auto()
    """It has failed for good: something else has to happen."""
    UNDOING = auto()
    """Its outcome is being undone."""
    OVER = auto()
    """Nothing more is expected of it."""


class Tone(StrEnum):
    """What a status means to a person at a glance."""

    AHEAD = "ahead"
    WORK = "work"
    GOOD = "good"
    WARN = "warn"
    HELD = "held"
    BAD = "bad"
    UNDO = "undo"
    OFF = "off"


class Icon(StrEnum):
    """The sign beside the word."""

    RING = "ring"
    DOTS = "dots"
    SPIN = "spin"
    AGAIN = "again"
    PAUSE = "pause"
    CHECK = "check"
    CROSS = "cross"
    SKIP = "skip"
    BACK = "back"


class StepStatus(StrEnum):
    """How a step stands, or a run of it.

    `skipped` is one that will never run, because the saga went another way or has ended; `running` is known of
    handlers that report progress, others are `queued` until they end.
    """

    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    RETRYING = "retrying"
    PARKED = "parked"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    COMPENSATING = "compensating"
    COMPENSATED = "compensated"

    @property
    def meaning(self) -> Meaning:
        """Its row of the table."""
        return MEANINGS[self]

    @property
    def label(self) -> str:
        """Its name as people read it."""
        return self.value.replace("_", " ")

    @property
    def is_open(self) -> bool:
        """Whether the step has been asked for and has neither ended nor failed for good."""
        return self in _OPEN

    @property
    def is_undecided(self) -> bool:
        """Whether its saga cannot end before the step does: it is open, or has failed."""
        return self in _UNDECIDED

    @property
    def is_current(self) -> bool:
        """Whether a saga stands at a step of this status: it is open, has failed, or is being undone."""
        return self in _CURRENT

    @property
    def is_remaining(self) -> bool:
        """Whether the step has yet to end."""
        return self in _REMAINING

    @property
    def is_lasting(self) -> bool:
        """Whether the time of the step goes on."""
        return self in _LASTING

    @property
    def is_at_service(self) -> bool:
        """Whether a service has been asked to do the step, or to undo it, and has not answered."""
        return self in _AT_SERVICE


class Meaning(NamedTuple):
    """What a status means. `sign` and `style` are for terminals (a character, and a style of rich).

    `when_stopped` is the status that the step has once its saga does not go on (`None`: the same). `has_failed`: its
    last attempt has, so that the next one is another. `is_put_off`: it is run again as soon as nothing holds it up.
    `is_redrivable`: a redrive that names no step means it. `is_timed`: how long it has taken so far is worth saying.
    """

    phase: Phase
    tone: Tone
    icon: Icon
    sign: str
    style: str
    when_stopped: StepStatus | None = None
    is_at_service: bool = False
    has_failed: bool = False
    is_put_off: bool = False
    is_redrivable: bool = False
    is_timed: bool = False


MEANINGS: Mapping[StepStatus, Meaning] = {
    StepStatus.WAITING: Meaning(Phase.AHEAD, Tone.AHEAD, Icon.RING, "·", "dim", StepStatus.SKIPPED),
    StepStatus.QUEUED: Meaning(Phase.OPEN, Tone.WORK, Icon.DOTS, "●", "yellow", is_at_service=True),
    StepStatus.RUNNING: Meaning(
        Phase.OPEN, Tone.WORK, Icon.SPIN, "●", "bold yellow", is_at_service=True, is_timed=True
    ),
    StepStatus.RETRYING: Meaning(
        Phase.OPEN, Tone.WARN, Icon.AGAIN, "↻", "yellow", StepStatus.FAILED, has_failed=True
    ),
    StepStatus.PARKED: Meaning(Phase.OPEN, Tone.HELD, Icon.PAUSE, "‖", "cyan", StepStatus.SKIPPED, is_put_off=True),
    StepStatus.DONE: Meaning(Phase.OVER, Tone.GOOD, Icon.CHECK, "✓", "green", is_timed=True),
    StepStatus.FAILED: Meaning(
        Phase.STUCK, Tone.BAD, Icon.CROSS, "✗", "bold red", has_failed=True, is_redrivable=True, is_timed=True
    ),
    StepStatus.SKIPPED: Meaning(
        Phase.OVER, Tone.OFF, Icon.SKIP, "-", "dim", is_put_off=True, is_redrivable=True
    ),
    StepStatus.COMPENSATING: Meaning(
        Phase.UNDOING, Tone.UNDO, Icon.BACK, "↶", "magenta", is_at_service=True, is_timed=True
    ),
    StepStatus.COMPENSATED: Meaning(Phase.OVER, Tone.UNDO, Icon.BACK, "↶", "dim magenta", is_timed=True),
}  # fmt: skip


def _in(*phases: Phase) -> frozenset[StepStatus]:
    return frozenset(status for status, meaning in MEANINGS.items() if meaning.phase in phases)


_OPEN = _in(Phase.OPEN)
_UNDECIDED = _in(Phase.OPEN, Phase.STUCK)
_CURRENT = _in(Phase.OPEN, Phase.STUCK, Phase.UNDOING)
_REMAINING = _in(Phase.AHEAD, Phase.OPEN)
_LASTING = _in(Phase.OPEN, Phase.UNDOING)
_AT_SERVICE = frozenset(status for status, meaning in MEANINGS.items() if meaning.is_at_service)
_BY_NAME = {status.value: meaning for status, meaning in MEANINGS.items()}


def meaning_of(word: str) -> Meaning | None:
    """What the status of this name means; `None` for a word that is no status of a step."""
    return _BY_NAME.get(word)
