"""Why nothing happens: which service that a saga waits for is not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kafka_saga.app import current_app
from kafka_saga.inspection.log.deployed import Deployed
from kafka_saga.inspection.log.groups import Groups
from kafka_saga.tracker.core.state import SagaState

TRACKER = "tracker"
TRACKER_COMMAND = "saga tracker"
"""What starts a tracker alone."""


def started_by(definition: str, deployed: Deployed) -> str:
    """The command that starts all services of a definition and the tracker; empty if there is none.

    `saga up` starts those of the application: it is the command if no other service does a step. Before any service of
    a definition has run, it is the application's by its name.
    """
    app, services = current_app(), deployed.services(definition)
    is_apps = services <= app.services.keys() if services else definition in app.latest and bool(app.services)
    return "saga up" if is_apps else ""


def awaited(state: SagaState, deployed: Deployed) -> tuple[str, ...]:
    """The services that the saga waits for: those that announce its steps at work; the tracker always."""
    at_work = (step.name for step in state.steps if step.status.is_at_service)
    owners = (deployed.owner(state.definition, state.version, step) for step in at_work)
    return (*dict.fromkeys(owner for owner in owners if owner is not None), TRACKER)


def absent(services: Sequence[str], members: Mapping[str, int]) -> tuple[str, ...]:
    """Those of `services` of which no instance is there."""
    return tuple(service for service in services if members.get(service) == 0)


def sentence(missing: Sequence[str], start: str) -> str:
    """Say which services of a saga are missing, and what to do; `start` starts all of them, empty if nothing does."""
    names = " and ".join(missing)
    is_or_are = "is" if len(missing) == 1 else "are"
    then = f"start everything with `{start}`" if start else f"start it with `{TRACKER_COMMAND}`"
    return f"{names} {is_or_are} not running, and the saga waits: {then}."


def never_run(state: SagaState, deployed: Deployed) -> tuple[str, ...]:
    """The steps at work that no service has ever announced."""
    at_work = (step.name for step in state.steps if step.status.is_at_service)
    return tuple(step for step in at_work if deployed.owner(state.definition, state.version, step) is None)


def missing_services(groups: Groups, state: SagaState, deployed: Deployed) -> tuple[str, ...]:
    """The services that the saga waits for and of which none is running; one without a name by its step."""
    services = awaited(state, deployed)
    unknown = (f"the service of step {step}" for step in never_run(state, deployed))
    return (*unknown, *absent(services, groups.members(services)))
