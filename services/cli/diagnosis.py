"""Why nothing happens: which service that a saga waits for is not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from services.chassis.kafka.errors import LOG, note, unreachable
from services.cli.connection import PATIENCE, Connection
from services.tracker.core.state import SagaState, StepStatus

SERVICE_OF = {"validate": "validator", "ast": "ast", "llm": "llm", "comment": "comments"}
"""Which service, and so which consumer group, owns a step of code review."""

TRACKER = "tracker"


def awaited(state: SagaState | None) -> tuple[str, ...]:
    """The services that the saga waits for: those of its queued steps, at first the validator; the tracker always."""
    if state is None:
        return (SERVICE_OF["validate"], TRACKER)
    queued = [step.name for step in state.steps if step.status is StepStatus.QUEUED]
    return (*(SERVICE_OF[name] for name in queued if name in SERVICE_OF), TRACKER)


def absent(services: Sequence[str], members: Mapping[str, int]) -> tuple[str, ...]:
    """Those of `services` of which no instance is there."""
    return tuple(service for service in services if members.get(service) == 0)


def sentence(missing: Sequence[str]) -> str:
    """Say which services are missing, and what to do."""
    names = " and ".join(missing)
    is_or_are = "is" if len(missing) == 1 else "are"
    return f"{names} {is_or_are} not running, and the saga waits: start everything with `saga up`."


def members_of(connection: Connection, groups: Sequence[str]) -> dict[str, int]:
    """How many instances of each service are there. Raises UnavailableError if Kafka does not answer."""
    properties: dict[str, Any] = {"error_cb": note, **connection.properties}
    client = AdminClient(properties, logger=LOG)
    futures = client.describe_consumer_groups(list(groups), request_timeout=PATIENCE)
    counts: dict[str, int] = {}
    for group, future in futures.items():
        try:
            counts[group] = len(future.result(PATIENCE + 1).members)
        except (KafkaException, FutureTimeoutError) as error:
            if not _is_unknown_group(error):
                raise unreachable(connection.bootstrap, PATIENCE) from None
            counts[group] = 0
    return counts


def _is_unknown_group(error: BaseException) -> bool:
    """Kafka 4 answers for a group that it has never seen with an error (KIP-1043), older ones with a dead group."""
    found = error.args[0] if error.args else None
    return getattr(found, "name", lambda: "")() == "GROUP_ID_NOT_FOUND"


def missing_services(connection: Connection, state: SagaState | None) -> tuple[str, ...]:
    """The services that the saga waits for and of which none is running."""
    services = awaited(state)
    return absent(services, members_of(connection, services))
