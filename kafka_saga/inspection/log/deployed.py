"""What is deployed, as `saga.definitions` tells: the definitions, and which service does which of their steps."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from kafka_saga.broker.port import Cluster
from kafka_saga.broker.records import Record, TopicPartition
from kafka_saga.definition.described import saga_of
from kafka_saga.definition.model import Saga, latest_versions
from kafka_saga.definition.topics import SAGA_DEFINITIONS
from kafka_saga.errors import TopologyError
from kafka_saga.inspection.log.reading import NotFoundError, read_on
from kafka_saga.steps.announcements import Announced, take
from kafka_saga.steps.definition_registry import Statement, stated_in

LOG = logging.getLogger("saga.inspection")

DefinitionVersion = tuple[str, int]
"""A definition's name, and its version."""

Owners = Mapping[tuple[str, str], Mapping[int, str]]
"""By definition and step: the service that does it in each version that is announced."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """Definitions by name and version, and who does their steps."""

    definitions: Mapping[DefinitionVersion, Saga] = field(default_factory=dict)
    owners: Owners = field(default_factory=dict)

    def definition(self, name: str, version: int) -> Saga | None:
        """That version of a definition; `None` if it is not known."""
        return self.definitions.get((name, version))

    @property
    def latest(self) -> Mapping[str, Saga]:
        """Of each definition the latest version, by name."""
        return latest_versions(self.definitions.values())

    def owner(self, definition: str, version: int, step: str) -> str | None:
        """The service that does a step, as announced for that version, else for the latest; `None` if by nobody."""
        versions = self.owners.get((definition, step))
        return None if versions is None else versions.get(version) or versions[max(versions)]

    def services(self, definition: str) -> frozenset[str]:
        """The services that do steps of a definition, in any version."""
        found = (versions.values() for (name, _), versions in self.owners.items() if name == definition)
        return frozenset(service for services in found for service in services)

    def beside(self, named: Iterable[Saga]) -> Deployed:
        """The same, with definitions that Python names: they count before the log's, since they can decode events."""
        return replace(self, definitions={**self.definitions, **{(saga.name, saga.version): saga for saga in named}})


NOTHING_DEPLOYED = Deployed()


@dataclass(frozen=True, slots=True)
class _Known:
    """What the log has told, up to where, and what that comes to."""

    read_to: Mapping[TopicPartition, int] = field(default_factory=dict)
    statements: Mapping[str, Statement] = field(default_factory=dict)
    announced: Mapping[str, Announced] = field(default_factory=dict)
    deployed: Deployed = NOTHING_DEPLOYED


class Deployments:
    """What is deployed, by the log; each look reads what came since the one before.

    Looks may overlap: what one has learnt is taken over as a whole, once it is at the end.
    """

    def __init__(self) -> None:
        self._known = _Known()

    @property
    def known(self) -> Deployed:
        """As the last look found it."""
        return self._known.deployed

    def look(self, cluster: Cluster) -> Deployed:
        """What is deployed now; nothing before any service has run. Raises UnavailableError."""
        known = self._known
        statements, announced = dict(known.statements), dict(known.announced)

        def take_in(record: Record) -> None:
            take(announced, record)
            if (statement := stated_in(record)) is not None:
                statements.setdefault(statement.key, statement)

        try:
            read_to = read_on(cluster, SAGA_DEFINITIONS, known.read_to, take_in)
        except NotFoundError:
            return known.deployed
        if read_to != known.read_to:
            self._known = _Known(read_to, statements, announced, _deployed(statements.values(), announced.values()))
        return self.known


def deployed_on(cluster: Cluster) -> Deployed:
    """What is deployed on a cluster, read once. Raises UnavailableError."""
    return Deployments().look(cluster)


def _deployed(statements: Iterable[Statement], announced: Iterable[Announced]) -> Deployed:
    sagas = (saga for statement in statements if (saga := _saga(statement)) is not None)
    return Deployed({(saga.name, saga.version): saga for saga in sagas}, owners_by(announced))


def owners_by(announced: Iterable[Announced]) -> Owners:
    """Who does which step: of several services that announce one, the last to have done so."""
    owners: dict[tuple[str, str], dict[int, str]] = {}
    for _, announcement in sorted(announced, key=lambda one: (one.at, one.announcement.service)):
        for at in announcement.steps:
            owners.setdefault((at.definition, at.step), {})[at.version] = announcement.service
    return owners


def _saga(statement: Statement) -> Saga | None:
    """The definition that a statement describes; one that this version cannot read is said in the log."""
    try:
        return saga_of(statement.definition)
    except TopologyError as error:
        LOG.warning("%s on %s is left out: %s", statement.key, SAGA_DEFINITIONS, error)
        return None
