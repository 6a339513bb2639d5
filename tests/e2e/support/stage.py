"""A Kafka with the topics of the views, and the workers on it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kafka_saga.local.broker import EmbeddedKafka
from tests.e2e.support import views
from tests.e2e.support.deadline import eventually
from tests.e2e.support.fleet import Fleet


@dataclass
class Stage:
    """A Kafka, and the workers on it."""

    kafka: EmbeddedKafka
    fleet: Fleet
    pause: threading.Event

    @property
    def bootstrap(self) -> str:
        return self.kafka.bootstrap

    def until(self, condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
        eventually(condition, self.look_away, seconds, what, self.fleet.dump)

    def look_away(self) -> None:
        """Processes that died are started again, and others get a moment of the processor."""
        self.fleet.tend()
        self.pause.wait(0.05)


@contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """A stage for one test."""
    with EmbeddedKafka(home=folder / "kafka", port=0) as kafka, Fleet(kafka.bootstrap, folder) as fleet:
        views.make_topics(kafka.bootstrap)
        yield Stage(kafka, fleet, threading.Event())
