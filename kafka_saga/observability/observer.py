"""What a worker tells about itself, and the log lines that come of it; told where a batch ends, not per record."""

from __future__ import annotations

import logging
from enum import StrEnum
from typing import Protocol

from kafka_saga.engine.runner import Runner
from kafka_saga.engine.work import Batch, Ended, Kind

LOG = logging.getLogger("saga.delivery")

NOTABLE = {
    Kind.FAILED: logging.WARNING,
    Kind.DEAD: logging.WARNING,
    Kind.SKIPPED: logging.INFO,
    Kind.PARKED: logging.INFO,
}
"""What does not end well, with the level it is logged at."""


class Rebalance(StrEnum):
    """How partitions come and go."""

    ASSIGNED = "assigned"
    REVOKED = "revoked"
    LOST = "lost"


class Observer(Protocol):
    """What is told."""

    def committed(self, batch: Batch, seconds: float) -> None:
        """A batch is on the log; committing took so long."""

    def aborted(self, *, in_doubt: bool) -> None:
        """A transaction was rolled back, or nobody knows whether it was."""

    def rebalanced(self, how: Rebalance) -> None:
        """Partitions have come or gone."""

    def restored(self, seconds: float) -> None:
        """Everything assigned runs, so long after it was assigned."""

    def turned(self, runner: Runner) -> None:
        """The loop has gone round once."""


class Silent:
    """Tells nothing."""

    def committed(self, batch: Batch, seconds: float) -> None:
        """Nothing."""

    def aborted(self, *, in_doubt: bool) -> None:
        """Nothing."""

    def rebalanced(self, how: Rebalance) -> None:
        """Nothing."""

    def restored(self, seconds: float) -> None:
        """Nothing."""

    def turned(self, runner: Runner) -> None:
        """Nothing."""


class Journal(Silent):
    """Logs what did not end well."""

    def committed(self, batch: Batch, seconds: float) -> None:
        """One line for each."""
        for ended in batch.ended:
            if ended.kind in NOTABLE:
                _log(ended)


def _log(ended: Ended) -> None:
    headers = dict(ended.record.headers)
    extra = {
        "saga_id": (headers.get("ce_subject") or b"").decode(errors="replace"),
        "step": ended.job.step.name if ended.job else "",
        "attempt": (headers.get("ce_attempt") or b"1").decode(errors="replace"),
        "record": ended.record.where,
    }
    LOG.log(NOTABLE[ended.kind], "%s: %s", ended.kind.value, ended.reason, extra=extra)
