"""What groups have committed can be asked of a Kafka in any state, and the asker lives."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from kafka_saga.local.broker import EmbeddedKafka
from tests.e2e.support.asker import GROUPS
from tests.e2e.support.deadline import eventually

pytestmark = [pytest.mark.kafka, pytest.mark.e2e]


def test_whoever_asks_for_committed_offsets_outlives_coordinators_that_move(tmp_path: Path) -> None:
    """librdkafka's admin client ends the process if a coordinator says that it is none any more (its issue 5040)."""
    with EmbeddedKafka(home=tmp_path, port=0) as kafka, Asker(kafka.bootstrap) as asker:
        asker.goes_on()  # a new cluster has no coordinators yet
        for _ in range(2):
            kafka.kill()
            kafka.restart()
            asker.goes_on()
        assert asker.ends() == 0


class Asker:
    """A process that asks for as long as it lives; a round counts how many groups it was told of."""

    def __init__(self, bootstrap: str) -> None:
        command = [sys.executable, "-m", "tests.e2e.support.asker", bootstrap]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._rounds: list[int] = []
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def __enter__(self) -> Asker:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._reading.join(30)
        self._process.__exit__(None, None, None)

    def goes_on(self) -> None:
        """Wait for a round that begins after now in which every group is told of, or for the end of the process."""
        begins = len(self._rounds) + 1
        eventually(
            lambda: len(GROUPS) in self._rounds[begins:] or self._process.poll() is not None,
            lambda: time.sleep(0.05),
            60,
            "Kafka to tell of every group",
            lambda: f"the last rounds: {self._rounds[-20:]}",
        )

    def ends(self) -> int:
        """The exit code, having told it to end."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._reading.join(30)
        return self._process.wait(30)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._rounds.append(int(line))
