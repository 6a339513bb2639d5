"""Markup as a tree, and what no drawing may hold."""

from __future__ import annotations

from html.parser import HTMLParser

from markupsafe import Markup

_ALONE = frozenset({"path", "rect", "line", "circle", "br"})


class Page(HTMLParser):
    """The elements, attributes and texts of a piece of markup; it complains about tags that do not match."""

    def __init__(self, markup: Markup) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(markup)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._met(tag, attrs)
        self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _ALONE
        self._met(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.texts)

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.attributes if key == name]

    def _met(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(key, value or "") for key, value in attrs]


def page(markup: Markup) -> Page:
    """The markup, read; it must be harmless: no script, no style, no handler, no address elsewhere, ids only once."""
    found = Page(markup)
    assert not {"script", "style", "iframe", "object", "foreignobject", "img", "b"} & set(found.tags)
    assert not [key for key, _ in found.attributes if key.startswith("on") or key == "style"]
    assert [href for href in found.values("href") if not href.startswith(("#", "?"))] == []
    ids = found.values("id")
    assert len(ids) == len(set(ids))
    assert not [one for one in ids if not one or any(sign.isspace() for sign in one)]
    assert "\u202e" not in markup
    assert "\x00" not in markup
    markup.encode()
    return found
