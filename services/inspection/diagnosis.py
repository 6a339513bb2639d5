"""Why nothing happens: which service that a saga waits for is not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.inspection.groups import Groups
from services.tracker.core.state import SagaState
from topology.code_review import CODE_REVIEW

SERVICE_OF = {"validate": "validator", "ast": "ast", "llm": "llm", "comment": "comments"}
"""Which service, and so which consumer group, owns a step of code review."""

TRACKER = "tracker"
TRACKER_COMMAND = "python -m services.tracker"
"""What starts a tracker alone."""


def service_of(definition: str, step: str) -> str | None:
    """The service that owns a step, where that is known beforehand."""
    return SERVICE_OF.get(step) if definition == CODE_REVIEW.name else None


def started_by(definition: str) -> str:
    """The command that starts all services of a saga and the tracker; empty if there is none."""
    return "saga up" if definition == CODE_REVIEW.name else ""


def awaited(state: SagaState | None) -> tuple[str, ...]:
    """The services that the saga waits for: those of its steps at work, at first the validator; the tracker always."""
    if state is None:
        return (SERVICE_OF["validate"], TRACKER)
    owners = (service_of(state.definition, step.name) for step in state.steps if step.status.is_at_service)
    return (*(owner for owner in owners if owner is not None), TRACKER)


def absent(services: Sequence[str], members: Mapping[str, int]) -> tuple[str, ...]:
    """Those of `services` of which no instance is there."""
    return tuple(service for service in services if members.get(service) == 0)


def sentence(missing: Sequence[str], definition: str) -> str:
    """Say which services of a saga of this definition are missing, and what to do."""
    names = " and ".join(missing)
    is_or_are = "is" if len(missing) == 1 else "are"
    start = started_by(definition)
    then = f"start everything with `{start}`" if start else f"start it with `{TRACKER_COMMAND}`"
    return f"{names} {is_or_are} not running, and the saga waits: {then}."


def missing_services(groups: Groups, state: SagaState | None) -> tuple[str, ...]:
    """The services that the saga waits for and of which none is running."""
    services = awaited(state)
    return absent(services, groups.members(services))
