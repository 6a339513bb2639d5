"""Elements of HTML and SVG, put together so that no text can become markup."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from markupsafe import Markup, escape

from kafka_saga.console.words import visible

Child = str | Markup
Attributes = Mapping[str, object]
"""Texts, coordinates, and what may be none, true or false."""

_EMPTY = frozenset({"path", "rect", "line", "circle", "br"})


def element(name: str, attributes: Attributes | None = None, *children: Child) -> Markup:
    """An element. Attributes that are none or false are left out; true stands for the attribute's name alone."""
    head = "".join(_attribute(key, value) for key, value in (attributes or {}).items())
    if name in _EMPTY and not children:
        return Markup(f"<{name}{head}/>")  # noqa: S704 - the names are ours, and the values are escaped
    return Markup(f"<{name}{head}>{joined(children)}</{name}>")  # noqa: S704


def joined(children: Iterable[Child]) -> Markup:
    """Markup as it is and text escaped, one after the other."""
    return Markup("").join(shown(child) for child in children)


def shown(child: Child) -> Markup:
    """Text with what hides or reorders it made visible; of a piece of markup itself."""
    return child if isinstance(child, Markup) else escape(visible(child))


def classes(*names: str | None) -> str:
    """The value of a class attribute."""
    return " ".join(name for name in names if name)


def figure(number: float) -> str:
    """A coordinate, to a tenth of a pixel."""
    return f"{number:.1f}".removesuffix(".0")


def _attribute(key: str, value: object) -> str:
    match value:
        case None | False:
            return ""
        case True:
            return f" {key}"
        case str():
            return f' {key}="{escape(visible(value))}"'
        case int() | float():
            return f' {key}="{figure(value)}"'
        case _:
            raise TypeError(f"the attribute {key} cannot be {value!r}")
