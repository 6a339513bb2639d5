"""How problems say where they are: `code_review v1, step 'llm', on`."""

from __future__ import annotations

from kafka_saga.definition.model import Saga, Step


def of_saga(saga: Saga, field: str = "") -> str:
    """The saga, or one field of it."""
    name = saga.name if saga.name.isprintable() else ascii(saga.name)
    return _joined(f"{name} v{saga.version}", field)


def of_step(saga: Saga, step: Step, field: str = "") -> str:
    """A step of the saga, or one field of it."""
    return _joined(f"{of_saga(saga)}, step {step.name!r}", field)


def _joined(place: str, field: str) -> str:
    return f"{place}, {field}" if field else place
