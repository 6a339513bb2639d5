"""Small signs beside a state's word: each state has a form of its own, not only a colour."""

from __future__ import annotations

from enum import StrEnum

from markupsafe import Markup

from kafka_saga import statuses
from kafka_saga.console.drawing.markup import classes, element, figure
from kafka_saga.statuses import MEANINGS, Icon

SIZE = 14


class PictureTone(StrEnum):
    """The colour of a state in a picture, where its sign has a form of its own, too."""

    OK = "ok"
    WORK = "work"
    WARN = "warn"
    BAD = "bad"
    UNDO = "undo"
    HELD = "held"
    AHEAD = "ahead"
    OFF = "off"
    PLAIN = "plain"


_CHECK = "M2.5 7.5 6 11l5.5-7.5"
_CROSS = "M3 3l8 8M11 3l-8 8"
_AGAIN = "M11.5 7a4.5 4.5 0 1 1-1.5-3.4M11.5 1.5v3h-3"
_PAUSE = "M4.5 3v8M9.5 3v8"
_BACK = "M5 2 2 5l3 3M2 5h6a3.5 3.5 0 0 1 0 7H5"
RING = "M7 2.5a4.5 4.5 0 1 1 0 9a4.5 4.5 0 1 1 0-9"
_PLAY = "M4 2.5 11 7l-7 4.5z"
_DASH = "M3 7h8"
_SKIP = "M2.5 3l4 4-4 4M7.5 3l4 4-4 4"
ALERT = "M7 1.5 13 12.5H1zM7 5.5v3M7 10.5v.2"

_PATHS = {
    Icon.RING: RING, Icon.DOTS: RING, Icon.SPIN: _PLAY, Icon.AGAIN: _AGAIN, Icon.PAUSE: _PAUSE, Icon.CHECK: _CHECK,
    Icon.CROSS: _CROSS, Icon.SKIP: _SKIP, Icon.BACK: _BACK,
}  # fmt: skip


def _toned(tone: statuses.Tone) -> PictureTone:
    return PictureTone.OK if tone is statuses.Tone.GOOD else PictureTone(tone.value)


_STATES: dict[str, tuple[PictureTone, str]] = {
    **{status.value: (_toned(one.tone), _PATHS[one.icon]) for status, one in MEANINGS.items()},
    "happened": (PictureTone.OK, _CHECK),
    "completed": (PictureTone.OK, _CHECK),
    "paused": (PictureTone.HELD, _PAUSE),
    "will_run": (PictureTone.AHEAD, RING),
    "not_taken": (PictureTone.OFF, _DASH),
}


def tone(state: str) -> PictureTone:
    """The tone of a state; of one that is not known here, plain."""
    return _STATES.get(state, (PictureTone.PLAIN, ""))[0]


def mark(state: str, x: float, y: float) -> Markup:
    """The sign of a state at a place of a drawing; nothing for a state without one."""
    path = _STATES.get(state, (PictureTone.PLAIN, ""))[1]
    if not path:
        return Markup("")
    place = f"translate({figure(x)} {figure(y)})"
    return element("path", {"class": "draw-mark", "transform": place, "d": path})


def icon(tone: PictureTone, path: str) -> Markup:
    """A sign as a picture within text; its word has to stand beside it."""
    names = classes("draw-icon", f"tone-{tone}")
    box = {"class": names, "viewBox": f"0 0 {SIZE} {SIZE}", "width": SIZE, "height": SIZE, "aria-hidden": "true"}
    return element("svg", box, element("path", {"class": "draw-mark", "d": path}))
