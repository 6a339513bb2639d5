"""Definitions by name in Python, as the command line is given them, and beside them those on the log."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from kafka_saga.broker.port import Cluster
from kafka_saga.definition.loader import load_definition
from kafka_saga.definition.model import Saga
from kafka_saga.inspection.log.deployed import Deployed, deployed_on

DEFAULT_DEFINITION = "topology.code_review:CODE_REVIEW"


def definitions(names: Iterable[str]) -> tuple[Saga, ...]:
    """The definitions behind `module:ATTRIBUTE` names; as with `python -m`, the folder one works in counts."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    return tuple(load_definition(name) for name in names)


def known_on(cluster: Cluster, given: str | None = None) -> Deployed:
    """What is known here of definitions and services: what the log of a cluster tells, and `named_definitions`.

    Raises UnavailableError.
    """
    return deployed_on(cluster).beside(named_definitions(given))


def named_definitions(given: str | None = None) -> tuple[Saga, ...]:
    """Every version that SAGA_DEFINITIONS names, and the one that was given as `module:ATTRIBUTE`."""
    names = names_known()
    if given is not None and ":" in given:
        names.append(given)
    return definitions(names)


def readable_definitions(given: Iterable[str]) -> tuple[Saga, ...]:
    """Every definition whose events can be decoded: code review, those that SAGA_DEFINITIONS names, and those given."""
    return definitions(dict.fromkeys((DEFAULT_DEFINITION, *names_known(), *given)))


def names_known() -> list[str]:
    """What SAGA_DEFINITIONS names, as the tracker reads it; code review alone if it is not set."""
    named = (name.strip() for name in os.environ.get("SAGA_DEFINITIONS", DEFAULT_DEFINITION).split(","))
    return [name for name in named if name]


def name_of(given: str | None) -> str | None:
    """A definition's name, given as it is or as `module:ATTRIBUTE`."""
    return definitions([given])[0].name if given is not None and ":" in given else given
