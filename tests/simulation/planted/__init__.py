"""Known mistakes, to be planted one by one: each replaces a function of the engine or the tracker by a wrong one."""

from __future__ import annotations

from collections.abc import Mapping

from tests.simulation.planted.attempts import ATTEMPTS
from tests.simulation.planted.chassis import CHASSIS
from tests.simulation.planted.commands import COMMANDS
from tests.simulation.planted.compensation import COMPENSATION
from tests.simulation.planted.deadlines import DEADLINES
from tests.simulation.planted.folding import FOLDING
from tests.simulation.planted.incidents import INCIDENTS
from tests.simulation.planted.replacing import Planted

__all__ = ["MISTAKES", "Planted"]

MISTAKES: Mapping[str, Planted] = {
    mistake.__name__: mistake
    for mistake in (*CHASSIS, *COMMANDS, *DEADLINES, *ATTEMPTS, *COMPENSATION, *FOLDING, *INCIDENTS)
}
