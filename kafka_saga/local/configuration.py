"""What the broker is told: server.properties and the JVM's command line, as pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kafka_saga.local.ports import HOST

LOG4J = Path(__file__).with_name("log4j2.xml")
_DAY_MINUTES = 24 * 60
_MIB = 1024 * 1024


@dataclass(frozen=True)
class Listeners:
    """The two ports of a broker that is its own controller."""

    broker: int
    controller: int

    @property
    def bootstrap(self) -> str:
        """What clients connect to."""
        return f"{HOST}:{self.broker}"


def server_properties(data: Path, listeners: Listeners) -> dict[str, str]:
    """Properties of a single KRaft node on the loopback that keeps its data in `data`."""
    return _node(listeners) | {"log.dirs": str(data)} | _SINGLE_NODE | _SAGAS | _SMALL


def _node(listeners: Listeners) -> dict[str, str]:
    controller = f"{HOST}:{listeners.controller}"
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{controller}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "listeners": f"PLAINTEXT://{listeners.bootstrap},CONTROLLER://{controller}",
        "advertised.listeners": f"PLAINTEXT://{listeners.bootstrap}",
    }


#: One node holds every copy.
_SINGLE_NODE = {
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # There is nobody to hand partitions to. While a broker tries, they have no leader, and a transaction that commits
    # just then loses the marker of one of them: an outcome without its offset (decision 0005).
    "controlled.shutdown.enable": "false",
}

#: What our services rely on.
_SAGAS = {
    "num.partitions": "4",
    "auto.create.topics.enable": "false",
    # offsets of an empty group must outlive the events, or `earliest` repeats them all: 30 days
    "offsets.retention.minutes": str(30 * _DAY_MINUTES),
    "transactional.id.expiration.ms": str(_DAY_MINUTES * 60_000),
    # instances may ask for quick takeover
    "group.min.session.timeout.ms": "1000",
    "group.initial.rebalance.delay.ms": "0",
    # compaction soon after the fact, so that it can be seen
    "log.cleaner.backoff.ms": "1000",
}

#: A laptop, not a data centre.
_SMALL = {
    "offsets.topic.num.partitions": "4",
    # Only closed segments are compacted (100 MiB by default). A broker that restarts must have loaded these topics
    # before it is told that it leads them again, or its coordinator answers with old offsets (decision 0005).
    "offsets.topic.segment.bytes": str(_MIB),
    "transaction.state.log.segment.bytes": str(_MIB),
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.num.partitions": "4",
    # 128 MiB by default, taken from the heap at once
    "log.cleaner.dedupe.buffer.size": str(16 * _MIB),
    "metadata.log.segment.bytes": str(16 * _MIB),
    "metadata.max.retention.bytes": str(64 * _MIB),
    "socket.request.max.bytes": str(100 * _MIB),
    # the controller lets a restarted broker in when the session of the killed one has ended (9 s by default)
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
}


def render(properties: Mapping[str, str]) -> str:
    """Write properties in Java's format (java.util.Properties.load): a backslash is the escape character."""
    return "".join(f"{key}={value.replace(chr(92), chr(92) * 2)}\n" for key, value in properties.items())


def jvm_command(java: Path, log: Path, heap_mib: int, main: str, *arguments: str) -> list[str]:
    """The command line that runs Java class `main`; the class path travels in the environment (CLASSPATH)."""
    return [
        str(java),
        f"-Xmx{heap_mib}m",
        "-XX:+ExitOnOutOfMemoryError",
        f"-XX:ErrorFile={log.with_name('jvm-crash.log')}",
        "-XX:+IgnoreUnrecognizedVMOptions",
        "--enable-native-access=ALL-UNNAMED",
        "-Djava.awt.headless=true",
        "-Djava.net.preferIPv4Stack=true",
        f"-Dlog4j2.configurationFile={LOG4J.as_uri()}",
        f"-Dsaga.log={log}",
        main,
        *arguments,
    ]
