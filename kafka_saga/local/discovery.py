"""Where Kafka is, when nobody said."""

from __future__ import annotations

import os
from collections.abc import Mapping

from kafka_saga.local.ports import DEFAULT_PORT, HOST
from kafka_saga.local.record import live_record, record_path
from kafka_saga.worker.paths import saga_home


def default_bootstrap(environment: Mapping[str, str] = os.environ) -> str:
    """Return `SAGA_BOOTSTRAP_SERVERS`, else where the running embedded Kafka listens, else 127.0.0.1:9092."""
    if chosen := environment.get("SAGA_BOOTSTRAP_SERVERS"):
        return chosen
    record = live_record(record_path(saga_home(environment)))
    return record.bootstrap if record else f"{HOST}:{DEFAULT_PORT}"
