"""The broker that tests of real Kafka run on: one that is there already, a container, or the embedded one."""

from __future__ import annotations

import gc
import importlib
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kafka_saga.local.broker import EmbeddedKafka

EXISTING = "SAGA_TEST_BOOTSTRAP"
"""Environment variable: the `host:port` of a broker to use."""

IMAGE = "confluentinc/cp-kafka:8.1.0"

_TUNING = {
    "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    "KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "1000",
    "KAFKA_LOG_CLEANER_BACKOFF_MS": "1000",
    "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
    "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
}


@contextmanager
def broker(home: Path) -> Iterator[str]:
    """A broker for as long as the tests run, as `host:port`; `home` is where the embedded one keeps its data."""
    if existing := os.environ.get(EXISTING):
        yield existing
    elif engine_answers():
        with _container() as bootstrap:
            yield bootstrap
    else:
        with EmbeddedKafka(home=home, port=0) as kafka:
            yield kafka.bootstrap


def engine_answers(seconds: int = 2) -> bool:
    """Whether a Docker engine answers a ping; a client without an engine is no engine."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a failed client leaves its socket to the garbage collector
        answers = _ping(seconds)
        gc.collect()
    return answers


def _ping(seconds: int) -> bool:
    try:
        client = importlib.import_module("docker").from_env(timeout=seconds)
    except Exception:  # whatever the client makes of an engine that is not there
        return False
    try:
        return bool(client.ping())
    except Exception:
        return False
    finally:
        client.close()


@contextmanager
def _container() -> Iterator[str]:
    containers = importlib.import_module("testcontainers.community.kafka")
    container = containers.KafkaContainer(IMAGE).with_kraft()
    for name, value in _TUNING.items():
        container.with_env(name, value)
    with container:
        yield str(container.get_bootstrap_server())
