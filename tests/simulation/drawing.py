"""What a seed draws: the shape of its sagas, and the faults of its run. Rare kinds have draws of their own."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from kafka_saga.events.commands import Act
from tests.simulation.cast import TURNS, Cast
from tests.simulation.definitions.drawn import KINDS
from tests.simulation.faults import (
    AddDefinition,
    Away,
    Begin,
    Beside,
    Command,
    Crash,
    Deploy,
    Doubt,
    Fault,
    Foreign,
    Hold,
    Leave,
    Refuse,
    Stall,
    Static,
    Trouble,
)
from tests.simulation.rare import RARE
from tests.simulation.shapes import SHAPES, shape

INSIDE = ("inside", "before_offsets", "before_commit")
STALLS = ("", "before_begin", "inside", "before_offsets")
ERRORS = ("", "", "retryable", "retryable", "patient", "terminal", "unexpected")
ACTS = (Act.PAUSE, Act.PAUSE, Act.RESUME, Act.CANCEL, Act.CANCEL, Act.RETRY, Act.REDRIVE, Act.REWIND, Act.SKIP)


def drawn_shape(seed: int) -> str:
    """The name of a seed's shape: one of the fixed in a quarter of the seeds."""
    rng = Random(f"shape of {seed}")
    return rng.choice(SHAPES) if rng.random() < 0.25 else f"{rng.choice(tuple(KINDS))}-{rng.randrange(10_000)}"


def drawn_faults(seed: int, name: str, sagas: int) -> tuple[int, list[Fault]]:
    """How many trackers run, and what happens."""
    rng = Random(seed)
    trackers = 0 if rng.random() < 0.06 else 2
    deployed = list(_deployed(Random(f"deployed by {seed}"), name, trackers))
    beside = [shape(fault.shape, "side") for fault in deployed if isinstance(fault, Beside)]
    cast = Cast((shape(name), *beside), sagas, trackers)
    within = TURNS * 5 // 6 if deployed else TURNS // 2
    faults: list[Fault] = [*deployed, *_starts(rng, cast, within), *_machines(rng, cast)]
    if trackers:
        faults += [*_troubles(rng, cast), *_people(rng, cast), *_oversleeping(rng, cast)]
        for draw, share in RARE.items():
            own = Random(f"{draw.__name__} of {seed}")
            faults += draw(own, cast) if own.random() < share else ()
    return trackers, faults


# ---- what is there


def _deployed(rng: Random, name: str, trackers: int) -> Iterator[Fault]:
    draw = rng.random()
    if draw < 0.07:
        yield Beside(f"{rng.choice(tuple(KINDS))}-{rng.randrange(10_000)}", rng.random() < 0.5)
        if trackers and rng.random() < 0.5:
            yield AddDefinition(rng.randrange(40, 260), rng.randrange(1, 30))
    if 0.05 < draw < 0.12 and name not in SHAPES:
        yield Deploy(rng.randrange(5, 120), rng.randrange(2, 10))
    if rng.random() < 0.05:
        yield Static()


def _starts(rng: Random, cast: Cast, within: int) -> Iterator[Fault]:
    for definition in range(len(cast.shapes)):
        for saga in range(cast.sagas):
            began = _begun(rng, cast, saga, definition)
            for _ in range(2 if rng.random() < 0.2 else 1):
                yield Begin(rng.randrange(within), *began)


def _begun(rng: Random, cast: Cast, saga: int, definition: int) -> tuple[int, int, int, int, bool, int]:
    turning = cast.turning(definition)
    if turning >= 0:
        turns_at = turning if rng.random() < 0.6 else -1
    else:
        turns_at = cast.step(rng, definition) if rng.random() < 0.4 else -1
    rounds = rng.choice((1, 1, 2, 3)) if turns_at >= 0 and cast.shapes[definition].kind == "loop" else 1
    return saga, turns_at, rng.choice((1, 2)), rounds, rng.random() < 0.4, definition


# ---- what is common


def _machines(rng: Random, cast: Cast) -> Iterator[Fault]:
    for _ in range(rng.choice((0, 1, 2, 2, 3, 4, 6))):
        yield _machine(rng, rng.randrange(TURNS), rng.randrange(cast.processes))
    if rng.random() < 0.3:
        yield Foreign(rng.randrange(TURNS), rng.randrange(1000))


def _machine(rng: Random, at: int, process: int) -> Fault:
    down = rng.randrange(1, 60)
    match rng.randrange(8):
        case 0 | 1:
            return Crash(at, process, rng.choice(("", "before_begin", *INSIDE, "after_commit")), down)
        case 2:
            return Leave(at, process, down)
        case 3 | 4:
            return Stall(at, process, rng.choice(STALLS), rng.randrange(30, 80))
        case 5:
            return Doubt(at, process, rng.choice((*INSIDE, "after_commit")))
        case 6:
            return Refuse(at, process, rng.choice(INSIDE))
        case _:
            return Away(at, rng.randrange(1, 40))


def _oversleeping(rng: Random, cast: Cast) -> Iterator[Fault]:
    """A tracker that comes back with rulings after another has taken over."""
    if rng.random() < 0.3:
        at, process = rng.randrange(TURNS // 4, TURNS), cast.workers + rng.randrange(cast.trackers)
        yield Stall(at, process, "before_rulings", rng.randrange(60, 110))


def _troubles(rng: Random, cast: Cast) -> Iterator[Fault]:
    for _ in range(rng.randrange(6)):
        first, definition = rng.choice((1, 1, 1, 2)), cast.definition(rng)
        yield Trouble(
            rng.randrange(cast.sagas),
            cast.step(rng, definition),
            first,
            first + rng.choice((0, 0, 1, 5)),
            rng.choice((0, 0, 300, 2_000, 15_000, 15_000, 70_000)),
            rng.choice(ERRORS),
            rng.random() < 0.25,
            definition,
            rng.choice((0, 2, 2, 3)) if cast.shapes[definition].kind == "loop" else 0,
        )


def _people(rng: Random, cast: Cast) -> Iterator[Fault]:
    for _ in range(rng.choice((0, 0, 1, 2, 2, 3, 5))):
        saga, at, definition = rng.randrange(cast.sagas), rng.randrange(20, TURNS), cast.definition(rng)
        act = rng.choice(ACTS)
        yield Command(at, saga, act, cast.step(rng, definition), definition)
        if act is Act.PAUSE and rng.random() < 0.7:
            yield Command(at + rng.randrange(5, 80), saga, Act.RESUME, 0, definition)
    if rng.random() < 0.12:
        yield _hold(rng, cast)


def _hold(rng: Random, cast: Cast) -> Fault:
    definition = cast.definition(rng)
    at, turns = rng.randrange(TURNS), rng.randrange(10, 80) if rng.random() < 0.8 else -1
    if rng.random() < 0.4:
        return Hold(at, -1, turns, rng.choice(("k", "k0", "k1", "k2")), definition)
    return Hold(at, cast.step(rng, definition) if rng.random() < 0.7 else -1, turns, "", definition)
