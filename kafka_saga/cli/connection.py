"""Which Kafka a command talks to, and how long it waits for it."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from functools import cached_property

import typer

from kafka_saga.broker.kafka import KafkaCluster
from kafka_saga.broker.port import Cluster
from kafka_saga.cli.api_client import DEFAULT_URL, Api
from kafka_saga.inspection.log.clients import Clients
from kafka_saga.inspection.log.groups import Groups, KafkaGroups
from kafka_saga.local.record import default_bootstrap
from kafka_saga.worker.settings import passed_through

PATIENCE = 3.0
"""Seconds until a Kafka that does not answer is said to be away."""


@dataclass(frozen=True)
class Connection:
    """The brokers to talk to, `chosen` if somebody named them; and the HTTP API, none if it is not to be asked.

    Clients are opened once, for the whole command, and kept until `close`.
    """

    bootstrap: str
    chosen: bool = False
    views: Api | None = None

    @property
    def properties(self) -> dict[str, str]:
        """librdkafka's properties."""
        return {"bootstrap.servers": self.bootstrap, **passed_through(os.environ)}

    def cluster(self) -> Cluster:
        """Kafka, given up after a few seconds without an answer."""
        return self._clients

    def api(self) -> Api | None:
        """The HTTP API, if it answers for this Kafka."""
        return self.views if self.views is not None and self.views.answers() else None

    def groups(self) -> Groups:
        """Kafka's consumer groups."""
        return self._clients.groups()

    def close(self) -> None:
        """Release what is kept; whoever asks after that opens clients anew."""
        self._clients.renew()

    @cached_property
    def _clients(self) -> Clients:
        return Clients(
            lambda: KafkaCluster(self.properties, patience=PATIENCE), lambda: KafkaGroups(self.properties, PATIENCE)
        )


def connection_for(bootstrap: str | None, *, with_api: bool = True) -> Connection:
    """The brokers that were named on the command line, else by the environment, else where ours runs."""
    chosen = bootstrap or os.environ.get("SAGA_BOOTSTRAP_SERVERS")
    found = chosen or default_bootstrap()
    url = os.environ.get("SAGA_VIEWS_URL")
    is_told = url is not None and bootstrap is None
    views = Api(url or DEFAULT_URL, None if is_told else found) if with_api else None
    return Connection(found, bool(chosen), views)


def connection_of(context: typer.Context) -> Connection:
    """The connection that the global options asked for."""
    return context.find_object(Connection) or kept(context, connection_for(None))


def kept(context: typer.Context, connection: Connection) -> Connection:
    """A connection that is closed when the command ends."""
    context.call_on_close(connection.close)
    return connection


def set_up_logs() -> None:
    """Keep the client's own reports of broken connections off the terminal: we say it in a sentence.

    What had to be left out of an answer is said.
    """
    for name in ("saga.librdkafka", "saga"):
        logger = logging.getLogger(name)
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
    left_out = logging.getLogger("saga.inspection")
    if not left_out.handlers:
        said = logging.StreamHandler()
        said.setFormatter(logging.Formatter("saga: %(message)s"))
        left_out.addHandler(said)
