"""Definitions by name in Python, as the command line is given them, and beside them those on the log."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from kafka_saga.app import current_app
from kafka_saga.broker.port import Cluster
from kafka_saga.definition.loader import load_definition, load_definitions
from kafka_saga.definition.model import Saga
from kafka_saga.errors import TopologyError
from kafka_saga.inspection.log.deployed import Deployed, deployed_on


def definitions(names: Iterable[str]) -> tuple[Saga, ...]:
    """The definitions behind `module:ATTRIBUTE` names, each once. Raises TopologyError naming a wrong one."""
    return tuple(load_definition(name) for name in dict.fromkeys(names))


def known_on(cluster: Cluster, given: str | None = None) -> Deployed:
    """What is known here of definitions and services: what the log of a cluster tells, and `named_definitions`.

    Raises UnavailableError.
    """
    return deployed_on(cluster).beside(named_definitions(given))


def named_definitions(*given: str | None) -> tuple[Saga, ...]:
    """Every version that Python names: the application's, those of SAGA_DEFINITIONS, and those given as names.

    Their events can be decoded. What is given and is no `module:ATTRIBUTE` is passed over. Raises TopologyError.
    """
    from_environment = load_definitions(os.environ.get("SAGA_DEFINITIONS", ""))
    found = (
        *current_app().definitions,
        *from_environment,
        *definitions(name for name in given if name and ":" in name),
    )
    return tuple({(saga.name, saga.version): saga for saga in found}.values())


def asked_for(names: Sequence[str]) -> tuple[Saga, ...]:
    """The definitions behind these names, or, of none, the application's. Raises TopologyError if that has none."""
    found = definitions(names) if names else tuple(current_app().definitions)
    if not found:
        raise TopologyError(
            "there is no definition to look at: give --definition module:ATTRIBUTE, or name the application "
            "(SAGA_APP=module:ATTRIBUTE, or --app)."
        )
    return found


def name_of(given: str | None) -> str | None:
    """A definition's name, given as it is or as `module:ATTRIBUTE`."""
    return definitions([given])[0].name if given is not None and ":" in given else given
