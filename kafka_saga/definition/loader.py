"""Finds what `module:ATTRIBUTE` names in Python, such as a saga definition: `shop.definition:ORDER`."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from kafka_saga.definition.model import Saga
from kafka_saga.errors import TopologyError


def load_definition(reference: str) -> Saga:
    """The saga that `module:ATTRIBUTE` names. Raises TopologyError, saying what is missing and what to do."""
    return _saga_of(*named(reference, "definition", "shop.definition:ORDER"))


def load_definitions(references: str) -> tuple[Saga, ...]:
    """The sagas behind names that are separated by commas, as in `SAGA_DEFINITIONS`. Raises as `load_definition`."""
    return tuple(load_definition(name.strip()) for name in references.split(",") if name.strip())


def named(reference: str, kind: str, example: str) -> tuple[ModuleType, str]:
    """The imported module of `module:ATTRIBUTE`, and the attribute, which may not be there.

    `kind` says what is looked for, and `example` how it is written. Raises TopologyError, saying what to do.
    """
    module_name, colon, attribute = reference.partition(":")
    if not colon or not attribute.isidentifier() or not all(part.isidentifier() for part in module_name.split(".")):
        raise TopologyError(f"{reference!r} names no {kind}. Write module:ATTRIBUTE, as in {example}.")
    return _imported(module_name), attribute


def _imported(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise TopologyError(
                f"there is no module {error.name!r}. Install its package, or set PYTHONPATH to the folder it is in."
            ) from error
        raise _unimportable(name, error) from error
    except Exception as error:
        raise _unimportable(name, error) from error


def _unimportable(name: str, error: Exception) -> TopologyError:
    return TopologyError(f"module {name!r} cannot be imported: {type(error).__name__}: {error}. Mend the module first.")


def _saga_of(module: ModuleType, attribute: str) -> Saga:
    found: object = getattr(module, attribute, None)
    if isinstance(found, Saga):
        return found
    if found is None:
        what = f"module {module.__name__!r} has no {attribute}"
    else:
        what = f"{module.__name__}:{attribute} is a {type(found).__name__}, not a Saga"
    sagas = ", ".join(name for name, value in vars(module).items() if isinstance(value, Saga))
    raise TopologyError(f"{what}. The definitions in it: {sagas or 'none'}.")
