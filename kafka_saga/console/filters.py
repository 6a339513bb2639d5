"""What the list of sagas shows: a value that is the page's address, the API's question, and the form's content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Self

from multidict import MultiMapping
from yarl import URL

from kafka_saga.api.commands import SagaSelection
from kafka_saga.console.api_client import Params

STATUSES = ("running", "pausing", "paused", "cancelling", "compensating", "completed", "failed", "cancelled")
SORTS = {"started": "started", "updated": "last change", "age": "age", "key": "key"}
AGES = {"60": "1 minute", "600": "10 minutes", "3600": "1 hour", "86400": "1 day", "604800": "7 days"}

_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Filter:
    """Which sagas, in which order, and from where on."""

    status: tuple[str, ...] = ()
    q: str = ""
    definition: str = ""
    step: str = ""
    key_prefix: str = ""
    older_than_s: str = ""
    has_incident: str = ""
    sort: str = ""
    order: str = ""
    cursor: str = ""

    @classmethod
    def of(cls, query: MultiMapping[str]) -> Self:
        """The filter in an address; what makes no sense in it is left out."""
        texts = {one.name: query.get(one.name, "").strip()[:_LONGEST] for one in fields(cls) if one.name != "status"}
        found = tuple(dict.fromkeys(one for one in query.getall("status", []) if one in STATUSES))
        return cls(status=found, **_sensible(texts))

    @property
    def params(self) -> Params:
        """As a query: of the page, and of the API."""
        single = ((one.name, getattr(self, one.name)) for one in fields(self) if one.name != "status")
        return (*(("status", one) for one in self.status), *((name, text) for name, text in single if text))

    @property
    def url(self) -> str:
        """The page that shows this."""
        return str(URL("/sagas").with_query(list(self.params)))

    @property
    def is_narrow(self) -> bool:
        """Whether it leaves anything out."""
        return bool(replace(self, sort="", order="", cursor="") != Filter())

    def toggled(self, status: str) -> Filter:
        """With a status more, or less; from the first page on."""
        rest = tuple(one for one in self.status if one != status)
        return replace(self, status=rest if status in self.status else (*rest, status), cursor="")

    def of_all(self) -> Filter:
        """Of every status."""
        return replace(self, status=(), cursor="")

    def after(self, cursor: str) -> Filter:
        """The next page."""
        return replace(self, cursor=cursor)

    def sorted_by(self, sort: str) -> Filter:
        """In another order; the same again turns it round."""
        turns = sort == (self.sort or "started") and self.order != "asc"
        return replace(self, sort=sort, order="asc" if turns else "desc", cursor="")

    def selection(self) -> SagaSelection | None:
        """What a command to all of them is given to; none if the API cannot say it."""
        if self.q or self.older_than_s or self.has_incident:
            return None
        chosen = SagaSelection(
            status=self.status,
            definition=self.definition or None,
            step=self.step or None,
            key_prefix=self.key_prefix or None,
        )
        return None if chosen.is_empty else chosen


def _sensible(texts: dict[str, str]) -> dict[str, str]:
    allowed: dict[str, Sequence[str]] = {
        "sort": tuple(SORTS),
        "order": ("asc", "desc"),
        "has_incident": ("true", "false"),
    }
    digits = texts["older_than_s"]
    known = {name: text if text in allowed.get(name, (text,)) else "" for name, text in texts.items()}
    return {**known, "older_than_s": digits if digits.isascii() and digits.isdigit() and len(digits) < 10 else ""}
