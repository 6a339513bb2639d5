"""The topics of a definition as plain data, and what an existing topic lacks; nothing here talks to Kafka."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from kafka_saga.definition.durations import days, hours
from kafka_saga.definition.model import Saga, Step
from kafka_saga.definition.wording import duration
from kafka_saga.errors import TopologyError

SAGA_STEPS: Final = "saga.steps"
SAGA_COMMANDS: Final = "saga.commands"
SAGA_CONTROL: Final = "saga.control"
SAGA_STATE: Final = "saga.state"
SAGA_LIFECYCLE: Final = "saga.lifecycle"
SAGA_DEFINITIONS: Final = "saga.definitions"
DEAD_LETTERS: Final = "dead.letters"

RESERVED_TOPICS: Final = frozenset(
    {SAGA_STEPS, SAGA_COMMANDS, SAGA_CONTROL, SAGA_STATE, SAGA_LIFECYCLE, SAGA_DEFINITIONS, DEAD_LETTERS}
)
"""The topics that every definition shares."""

RESERVED_PREFIXES: Final = ("saga.", "__")
RESERVED_SUFFIXES: Final = (".work", ".compensated", ".intake", ".state")

EVENT_RETENTION: Final = days(30)
"""How long events stay: the longest saga life, since records are referred to by where they lie."""

MIB: Final = 1024 * 1024
MAX_MESSAGE_BYTES: Final = 1 * MIB
MAX_DEAD_LETTER_BYTES: Final = 4 * MIB
"""A dead letter carries a whole record and why it is dead, so it may be larger than any record."""


@dataclass(frozen=True)
class TopicSpec:
    """What a topic must be. `config` are Kafka's topic settings, as text."""

    name: str
    partitions: int
    replication_factor: int
    config: Mapping[str, str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "config", MappingProxyType(dict(self.config)))


@dataclass(frozen=True, slots=True)
class TopicFactory:
    """Makes specs that agree: one partition count for all, one replication factor, one retention of events."""

    partitions: int
    replication_factor: int = 1
    retention: timedelta = EVENT_RETENTION

    def __post_init__(self) -> None:
        if self.partitions < 1 or self.replication_factor < 1:
            raise TopologyError(
                f"{self.partitions} partitions with replication factor {self.replication_factor} make no topic. "
                "Mend: give at least 1 of each."
            )

    def log(self, name: str, max_message_bytes: int = MAX_MESSAGE_BYTES) -> TopicSpec:
        """A topic whose records stay for the events' retention: events, reports, commands, dead letters."""
        return self._spec(name, {"cleanup.policy": "delete", **self._expiring()}, max_message_bytes)

    def changelog(self, name: str) -> TopicSpec:
        """A compacted topic that keeps the last record of each key, rolled and cleaned early."""
        return self._spec(name, {"cleanup.policy": "compact", **_COMPACTING})

    def expiring_changelog(self, name: str) -> TopicSpec:
        """A compacted topic whose entries live as long as events do."""
        return self._spec(name, {"cleanup.policy": "compact,delete", **self._expiring(), **_COMPACTING})

    def _expiring(self) -> dict[str, str]:
        # Only whole closed segments expire, so they are rolled daily; size never cuts retention short.
        return {
            "retention.ms": _milliseconds(self.retention),
            "retention.bytes": "-1",
            "segment.ms": _milliseconds(min(days(1), self.retention)),
        }

    def _spec(self, name: str, config: Mapping[str, str], max_message_bytes: int = MAX_MESSAGE_BYTES) -> TopicSpec:
        common = {
            "message.timestamp.type": "LogAppendTime",
            "max.message.bytes": str(max_message_bytes),
            "min.insync.replicas": "2" if self.replication_factor > 2 else "1",
        }
        return TopicSpec(name, self.partitions, self.replication_factor, {**common, **config})


def intake_topic(saga: Saga) -> str:
    """The changelog of the saga ids that intake has seen start."""
    return f"{saga.name}.intake"


def state_topic(service: str) -> str:
    """The changelog of a service's keyed state."""
    return f"{service}.state"


def is_reserved(name: str) -> bool:
    """Whether an event type may not be called `name`, since it is or may become a topic of ours or of Kafka's."""
    return name in RESERVED_TOPICS or name.startswith(RESERVED_PREFIXES) or name.endswith(RESERVED_SUFFIXES)


def topic_names(saga: Saga) -> tuple[str, ...]:
    """The topics that belong to this definition alone, in the order of the diagram."""
    return (*saga.events, *(name for step in saga.steps for name in _step_topics(step)), intake_topic(saga))


def shared_topics(make: TopicFactory) -> tuple[TopicSpec, ...]:
    """The topics that every definition shares."""
    return (
        make.log(SAGA_STEPS),
        make.log(SAGA_COMMANDS),
        make.changelog(SAGA_CONTROL),
        make.changelog(SAGA_STATE),
        make.log(SAGA_LIFECYCLE),
        make.changelog(SAGA_DEFINITIONS),
        make.log(DEAD_LETTERS, MAX_DEAD_LETTER_BYTES),
    )


def saga_topics(saga: Saga, make: TopicFactory) -> tuple[TopicSpec, ...]:
    """The topics of this definition alone. Raises TopologyError if it may outlive its events."""
    if saga.deadline is not None and saga.deadline > make.retention:
        raise TopologyError(
            f"{saga.name} v{saga.version}: a saga may live {duration(saga.deadline)}, but its events are kept only "
            f"{duration(make.retention)}. Mend: raise the retention, or shorten the saga's deadline."
        )
    *logs, intake = topic_names(saga)
    return (*(make.log(name) for name in logs), make.expiring_changelog(intake))


def topics(
    saga: Saga, partitions: int, replication_factor: int = 1, retention: timedelta = EVENT_RETENTION
) -> tuple[TopicSpec, ...]:
    """Every topic that `saga` needs, shared ones included; all with the same partition count."""
    return topics_of((saga,), TopicFactory(partitions, replication_factor, retention))


def topics_of(sagas: Iterable[Saga], make: TopicFactory) -> tuple[TopicSpec, ...]:
    """Every topic that these definitions need, each once."""
    specs = (*(spec for saga in sagas for spec in saga_topics(saga, make)), *shared_topics(make))
    return tuple({spec.name: spec for spec in specs}.values())


def differences(
    spec: TopicSpec, actual_config: Mapping[str, str], actual_partitions: int, beside: str | None = None
) -> tuple[str, ...]:
    """What makes an existing topic unfit, as sentences; empty if it will do.

    `beside` names a topic that has the partition count of `spec`, so that the sentence names both. Settings an
    operator may tune (segments, cleaning) are not compared; a longer retention or a larger limit will do.
    """
    return (*_partition_differences(spec, actual_partitions, beside), *_config_differences(spec, actual_config))


def _step_topics(step: Step) -> Iterator[str]:
    yield step.work_topic
    if step.compensates:
        yield step.compensated_type


def _milliseconds(length: timedelta) -> str:
    return str(length // timedelta(milliseconds=1))


_COMPACTING: Final = MappingProxyType(
    {
        "min.cleanable.dirty.ratio": "0.1",
        "segment.ms": _milliseconds(hours(1)),
        "delete.retention.ms": _milliseconds(days(1)),
    }
)


def _partition_differences(spec: TopicSpec, actual: int, beside: str | None) -> Iterator[str]:
    if actual != spec.partitions:
        other = f"{beside} has {spec.partitions}" if beside else f"{spec.partitions} are needed"
        yield (
            f"topic {spec.name} has {actual} partitions, {other}: a saga's records must be in the same partition "
            f"everywhere; recreate {spec.name} with {spec.partitions}, or set SAGA_PARTITIONS={actual} "
            "if all topics can have that many"
        )


def _config_differences(spec: TopicSpec, actual: Mapping[str, str]) -> Iterator[str]:
    for name, wanted in spec.config.items():
        found = actual.get(name)
        if name in _JUDGED and (found is None or not _JUDGED[name](found, wanted)):
            said = f"has {name}={found}" if found is not None else f"does not say its {name}"
            command = f"kafka-configs --alter --entity-type topics --entity-name {spec.name}"
            yield (
                f"topic {spec.name} {said}, {_least(name)}{wanted} is needed: set it with "
                f"`{command} --add-config {_quoted(name, wanted)}`"
            )


def _quoted(name: str, value: str) -> str:
    return f"{name}=[{value}]" if "," in value else f"{name}={value}"


def _least(name: str) -> str:
    return "at least " if _JUDGED[name] in {_at_least, _at_least_or_unlimited} else ""


def _same(found: str, wanted: str) -> bool:
    return found.lower() == wanted.lower()


def _same_set(found: str, wanted: str) -> bool:
    return {item.strip() for item in found.split(",")} == set(wanted.split(","))


def _at_least(found: str, wanted: str) -> bool:
    return found.removeprefix("-").isdecimal() and int(found) >= int(wanted)


def _at_least_or_unlimited(found: str, wanted: str) -> bool:
    return found == "-1" or _at_least(found, wanted)


_JUDGED: Final = MappingProxyType(
    {
        "message.timestamp.type": _same,
        "cleanup.policy": _same_set,
        "retention.ms": _at_least_or_unlimited,
        "retention.bytes": _same,
        "max.message.bytes": _at_least,
        "min.insync.replicas": _at_least,
    }
)
