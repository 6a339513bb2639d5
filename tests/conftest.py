"""What every test may ask for: a real broker, and the log that the contract suite runs on, in memory and on Kafka."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from kafka_saga.broker.port import Cluster
from tests.support.broker import broker
from tests.support.driver import Driver
from tests.support.logs import KafkaDriver, MemoryDriver

os.environ.setdefault("SAGA_APP", "services.app:APP")  # whatever the virtual environment says


@pytest.fixture(scope="session")
def kafka_bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker of this test process (under pytest-xdist: one per worker); names must be unique to their test."""
    with broker(tmp_path_factory.mktemp("kafka")) as bootstrap:
        yield bootstrap


@pytest.fixture
def kafka(kafka_bootstrap: str) -> Iterator[KafkaDriver]:
    """Real Kafka as a log under test."""
    driver = KafkaDriver(kafka_bootstrap)
    yield driver
    driver.close()


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.kafka)])
def driver(request: pytest.FixtureRequest) -> Driver:
    """A log under test: once in memory, once on real Kafka."""
    if request.param == "memory":
        return MemoryDriver()
    real: KafkaDriver = request.getfixturevalue("kafka")
    return real


@pytest.fixture
def cluster(driver: Driver) -> Cluster:
    """The port to the log under test."""
    return driver.cluster
