"""The templates that name a saga from its first event: `key="{customer}/{number}"`, `run="{digest:.12}"`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, IntEnum, StrEnum
from functools import lru_cache
from string import Formatter
from types import NoneType, UnionType
from typing import Annotated, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel

from kafka_saga.definition.model import Saga
from kafka_saga.errors import DecodeError, DecodeProblem, TopologyError
from kafka_saga.wire.ids import RUN_SEPARATOR, id_of

MAX_LENGTH = 500
"""Characters that a rendered key or run may have: both travel in headers and in Kafka keys."""

# Control characters, line and paragraph separators, marks that reorder text on a screen, and lone surrogates,
# which UTF-8 cannot carry.
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_SEPARATOR = re.compile(RUN_SEPARATOR)
_LARGE_NUMBER = re.compile(r"\d{4}")


class TemplatePart(NamedTuple):
    """A piece of a template: literal text, then a field (none at the end) with its format spec."""

    literal: str
    field: str | None
    spec: str


class Flaw(NamedTuple):
    """What is wrong with a template for a given event, and how to mend it."""

    what: str
    mend: str


class Template:
    """Text with fields of an event: `{number}`, `{head_sha:.12}`; nothing else of format strings is allowed.

    Raises TopologyError, saying what is refused, for anything but plain field names with an optional format spec.
    """

    __slots__ = ("fields", "parts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.parts = tuple(_parse(text))
        self.fields = tuple(dict.fromkeys(part.field for part in self.parts if part.field is not None))

    def __repr__(self) -> str:
        return f"Template({self.text!r})"

    def render(self, event: BaseModel) -> str:
        """The text for `event`. Raises DecodeError (invalid) where a field holds neither text nor a whole number."""
        return "".join([part.literal + self._value(part, event) for part in self.parts])

    def culprits(self, event: BaseModel, unsound: re.Pattern[str]) -> tuple[str, ...]:
        """The fields of `event` whose rendered value holds a match of `unsound`."""
        found = (part.field for part in self.parts if part.field and unsound.search(self._value(part, event)))
        return tuple(dict.fromkeys(found))

    def flaws(self, model: type[BaseModel]) -> tuple[Flaw, ...]:
        """Why this template cannot be rendered from every valid `model`; empty if it can."""
        return tuple(
            flaw for part in self.parts if part.field is not None for flaw in _flaws(part.field, part.spec, model)
        )

    def _value(self, part: TemplatePart, event: BaseModel) -> str:
        if part.field is None:
            return ""
        value: object = getattr(event, part.field, None)
        if isinstance(value, str | int) and not isinstance(value, bool):
            return format(value, part.spec)
        said = "is null" if value is None else f"is a {type(value).__name__}"
        raise DecodeError(
            DecodeProblem.INVALID,
            f"template {self.text!r}, field {part.field}",
            f"{said}; text or a whole number is needed to name the saga",
        )


@lru_cache(maxsize=1024)
def template(text: str) -> Template:
    """The parsed template of `text`, parsed once."""
    return Template(text)


def business_key(saga: Saga, event: BaseModel) -> str:
    """What belongs together: `acme/shop#7`. Raises DecodeError (invalid), naming the template and the field."""
    return _identifier("key", saga.key, event)


def saga_id(saga: Saga, event: BaseModel) -> str:
    """`key@run`: `acme/shop#7@3f2a9c1b04de`. Raises DecodeError (invalid), naming the template and the field."""
    return id_of(business_key(saga, event), _identifier("run", saga.run, event))


def _identifier(name: str, text: str, event: BaseModel) -> str:
    parsed = template(text)
    rendered = parsed.render(event)
    if not rendered.strip():
        raise _refusal(name, parsed, parsed.fields, "gives an empty text")
    if UNPRINTABLE.search(rendered):
        raise _refusal(name, parsed, parsed.culprits(event, UNPRINTABLE), "gives a control character")
    if name == "run" and RUN_SEPARATOR in rendered:
        raise _refusal(name, parsed, parsed.culprits(event, _SEPARATOR), "gives an '@', which parts key and run")
    if len(rendered) > MAX_LENGTH:
        raise _refusal(name, parsed, parsed.fields, f"gives {len(rendered)} characters, {MAX_LENGTH} are allowed")
    return rendered


def _refusal(name: str, parsed: Template, fields: tuple[str, ...], what: str) -> DecodeError:
    where = f"{name} template {parsed.text!r}, field {', '.join(fields) or '(none)'}"
    return DecodeError(DecodeProblem.INVALID, where, what)


def _parse(text: str) -> Iterator[TemplatePart]:
    try:
        pieces = tuple(Formatter().parse(text))
    except ValueError as error:
        raise TopologyError(f"template {text!r} cannot be read: {error}. Write fields as {{name}}.") from None
    for literal, name, spec, conversion in pieces:
        if name is not None:
            _refuse_all_but_plain(text, name, spec or "", conversion)
        yield TemplatePart(literal, name, spec or "")


def _refuse_all_but_plain(text: str, name: str, spec: str, conversion: str | None) -> None:
    said = f"template {text!r}, field {{{name}}}"
    if "." in name or "[" in name:
        raise TopologyError(f"{said}: attributes and items of a field are refused. Use a field of the event itself.")
    if conversion:
        raise TopologyError(f"{said}: the conversion !{conversion} is refused. Leave it out.")
    if not name.isidentifier() or name.startswith("_"):
        raise TopologyError(f"{said}: this is no field name. Name a field of the first event, as in {{number}}.")
    if "{" in spec or "}" in spec:
        raise TopologyError(f"{said}: fields inside the format spec {spec!r} are refused. Write it out.")
    if _LARGE_NUMBER.search(spec) or spec.endswith("n"):
        raise TopologyError(f"{said}: the format spec {spec!r} is refused. Use widths below 1000, and no locale (n).")


def _flaws(name: str, spec: str, model: type[BaseModel]) -> Iterator[Flaw]:
    info = model.model_fields.get(name)
    if info is None:
        known = ", ".join(model.model_fields) or "none"
        yield Flaw(f"{model.__name__} has no field {name}", f"use one of its fields ({known})")
        return
    types = tuple(_types(info.annotation))
    if NoneType in types:
        yield Flaw(f"{model.__name__}.{name} may be null", "use a field that always has a value")
    others = tuple(item for item in types if item is not NoneType)
    if not all(_is_text_or_whole_number(item) for item in others) or not others:
        yield Flaw(f"{model.__name__}.{name} is neither str nor int", "use a field that is str or int")
    elif not all(_formats(item, spec) for item in others):
        yield Flaw(f"the format spec {spec!r} does not suit {model.__name__}.{name}", "use a spec of its type")


def _types(annotation: object) -> Iterator[object]:
    """The plain types that an annotation allows: unions taken apart, aliases and constraints taken off."""
    origin = get_origin(annotation)
    if origin is Union or origin is UnionType:
        for item in get_args(annotation):
            yield from _types(item)
    elif origin is Annotated:
        yield from _types(get_args(annotation)[0])
    elif origin is Literal:
        yield from (type(item) for item in get_args(annotation))
    elif hasattr(annotation, "__supertype__"):
        yield from _types(annotation.__supertype__)
    elif hasattr(annotation, "__value__"):
        yield from _types(annotation.__value__)
    else:
        yield annotation


def _is_text_or_whole_number(kind: object) -> bool:
    """Enums other than StrEnum and IntEnum are refused: Python versions differ in how they format them."""
    if not isinstance(kind, type) or not issubclass(kind, str | int) or issubclass(kind, bool):
        return False
    return not issubclass(kind, Enum) or issubclass(kind, StrEnum | IntEnum)


def _formats(kind: object, spec: str) -> bool:
    try:
        format("a" if isinstance(kind, type) and issubclass(kind, str) else 1, spec)
    except ValueError:
        return False
    return True
