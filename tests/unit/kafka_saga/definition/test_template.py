"""Templates name a saga from its first event, and nothing but that."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from enum import Enum, StrEnum
from typing import Annotated, ClassVar, Literal, NewType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from kafka_saga.definition.template import MAX_LENGTH, Template, business_key, saga_id, template
from kafka_saga.errors import DecodeError, DecodeProblem, TopologyError
from kafka_saga.events.event import Event
from kafka_saga.wire.ids import split_id
from schemas.events.code_review import GitSource, PrReceived
from tests.unit.kafka_saga.definition.small import GOOD, Begun
from topology.code_review import CODE_REVIEW

PR = PrReceived(
    repository="acme/shop",
    number=7,
    title="Faster",
    base_sha="0" * 40,
    head_sha="3f2a9c1b04de5566",
    source=GitSource(path="/repositories/shop"),
)
SHOP_7 = "acme/shop#7"


def begun(name: str = "a", number: int = 1) -> Begun:
    return Begun(name=name, number=number)


def test_a_saga_is_named_from_its_first_event() -> None:
    assert business_key(CODE_REVIEW, PR) == SHOP_7
    assert saga_id(CODE_REVIEW, PR) == "acme/shop#7@3f2a9c1b04de"


def test_a_template_names_its_fields_once_and_in_order() -> None:
    assert Template("{b}-{a:.3}-{b}").fields == ("b", "a")
    assert Template("once").fields == ()


def test_doubled_braces_are_literal() -> None:
    assert Template("{{{number}}}").render(begun(number=3)) == "{3}"


def test_a_template_is_parsed_once() -> None:
    assert template("{name}") is template("{name}")
    assert repr(template("{name}")) == "Template('{name}')"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{a.b}", "attributes and items of a field are refused"),
        ("{a[0]}", "attributes and items of a field are refused"),
        ("{a.__class__.__mro__}", "attributes and items of a field are refused"),
        ("{a!r}", "the conversion !r is refused"),
        ("{}", "this is no field name"),
        ("{0}", "this is no field name"),
        ("{_private}", "this is no field name"),
        ("{__class__}", "this is no field name"),
        ("{a b}", "this is no field name"),
        ("{a:{b}}", "fields inside the format spec"),
        ("{a:99999999999}", "Use widths below 1000"),
        ("{a:n}", "no locale"),
        ("{a", "cannot be read"),
        ("a}", "cannot be read"),
    ],
)
def test_anything_but_plain_fields_is_refused(text: str, said: str) -> None:
    with pytest.raises(TopologyError, match=said):
        Template(text)


@given(st.text(alphabet="{}ab.[]!:0_ \x00é", max_size=12))
def test_any_text_is_a_template_or_refused(text: str) -> None:
    with suppress(TopologyError):
        Template(text)


class Colour(StrEnum):
    RED = "red"


class Plain(str, Enum):  # noqa: UP042 - the kind of enum whose format differs between versions of Python
    RED = "red"


Number = NewType("Number", int)


class Various(Event):
    event_type: ClassVar[str] = "various"

    text: Annotated[str, Field(min_length=1)]
    number: Number
    either: str | int
    literal: Literal["a", 1]
    colour: Colour
    plain: Plain
    nullable: Annotated[str, Field(min_length=1)] | None
    share: float
    flag: bool
    parts: tuple[str, ...]
    inner: BaseModel


@pytest.mark.parametrize("text", ["{text}", "{number:05d}", "{either}", "{literal}", "{colour:.2}", "{text:>9}"])
def test_fields_of_text_and_whole_numbers_have_no_flaws(text: str) -> None:
    assert Template(text).flaws(Various) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{txt}", "Various has no field txt"),
        ("{event_type}", "Various has no field event_type"),
        ("{nullable}", "Various.nullable may be null"),
        ("{share}", "Various.share is neither str nor int"),
        ("{flag}", "Various.flag is neither str nor int"),
        ("{parts}", "Various.parts is neither str nor int"),
        ("{inner}", "Various.inner is neither str nor int"),
        ("{plain}", "Various.plain is neither str nor int"),
        ("{text:d}", "the format spec 'd' does not suit Various.text"),
        ("{either:.2}", "the format spec '.2' does not suit Various.either"),
    ],
)
def test_what_cannot_always_be_rendered_is_a_flaw(text: str, said: str) -> None:
    (flaw,) = Template(text).flaws(Various)
    assert flaw.what == said
    assert flaw.mend


@pytest.mark.parametrize(
    ("key", "run", "event", "where", "what"),
    [
        ("{name}", "{number}", begun(name=""), "key template '{name}', field name", "empty"),
        ("{name}", "{number}", begun(name="  "), "key template '{name}', field name", "empty"),
        ("{number}", "{name}", begun(name=""), "run template '{name}', field name", "empty"),
        ("{number}", "{number}-{name}", begun(name="a@b"), "run template '{number}-{name}', field name", "'@'"),
        ("{name}/{number}", "x", begun(name="a\nb"), "key template '{name}/{number}', field name", "control"),
        ("{name}", "x", begun(name="a\x00"), "key template '{name}', field name", "control"),
        ("{name}", "x", begun(name="\u202eabc"), "key template '{name}', field name", "control"),
        ("{name}", "x", begun(name="x" * 501), "key template '{name}', field name", "501 characters, 500"),
        ("{note}", "x", begun(), "template '{note}', field note", "is null"),
        ("{share}", "x", begun(), "template '{share}', field share", "is a float"),
    ],
)
def test_an_event_that_cannot_name_a_saga_is_invalid(key: str, run: str, event: Event, where: str, what: str) -> None:
    with pytest.raises(DecodeError) as caught:
        saga_id(replace(GOOD, key=key, run=run), event)
    assert caught.value.problem is DecodeProblem.INVALID
    assert caught.value.where == where
    assert what in caught.value.what


def test_a_key_may_hold_an_at_sign() -> None:
    assert split_id(saga_id(GOOD, begun(name="ada@example.org", number=4))) == ("ada@example.org", "4")


@given(name=st.text(max_size=MAX_LENGTH + 5), number=st.integers())
def test_every_name_is_split_back_or_refused(name: str, number: int) -> None:
    with suppress(DecodeError):
        made = saga_id(GOOD, begun(name=name, number=number))
        assert split_id(made) == (name, str(number))
        assert made.isprintable() or not name.isascii()
