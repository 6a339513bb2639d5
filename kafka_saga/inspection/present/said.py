"""What services say of themselves, where a `saga up` on this machine looks after them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kafka_saga.local.up_record import live_up
from kafka_saga.worker.paths import saga_home


def said_by_services(bootstrap: str) -> Mapping[str, Sequence[str]]:
    """Why each service of a `saga up` on this Kafka is not ready, by name; nothing if there is none."""
    record = live_up(saga_home())
    if record is None or record.bootstrap != bootstrap:
        return {}
    return {service.name: service.reasons for service in record.services}
