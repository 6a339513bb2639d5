"""Avro schemas from models: what is carried, and what is refused in one sentence."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, create_model

from kafka_saga.errors import TopologyError
from kafka_saga.wire.avro_schema import avro_schema


class Colour(StrEnum):
    RED = "red"


class Leaf(BaseModel):
    """A leaf."""

    text: str


class Empty(BaseModel):
    pass


class Chain(BaseModel):
    after: Chain | None = None


class Left(BaseModel):
    right: tuple[Right, ...] = ()


class Right(BaseModel):
    left: Left


Left.model_rebuild()


def field_of(kind: Any, default: Any = ...) -> dict[str, Any]:
    (field,) = avro_schema(create_model("Model", a=(kind, default)))["fields"]
    assert isinstance(field, dict)
    return field


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        (str, "string"),
        (int, "long"),
        (float, "double"),
        (bool, "boolean"),
        (bytes, "bytes"),
        (Colour, "string"),
        (Literal["a", "b"], "string"),
        (Annotated[int, Field(ge=1)], "long"),
        (str | None, ["string", "null"]),
        (tuple[int, ...], {"type": "array", "items": "long"}),
        (list[str], {"type": "array", "items": "string"}),
        (frozenset[str], {"type": "array", "items": "string"}),
        (dict[str, bool], {"type": "map", "values": "boolean"}),
        (tuple[Colour | None, ...], {"type": "array", "items": ["string", "null"]}),
    ],
)
def test_types_and_their_schemas(kind: Any, schema: Any) -> None:
    assert field_of(kind) == {"name": "a", "type": schema}


@pytest.mark.parametrize(
    ("kind", "default", "schema", "written"),
    [
        (int, 7, "long", 7),
        (Colour, Colour.RED, "string", "red"),
        (tuple[int, ...], (), {"type": "array", "items": "long"}, []),
        (dict[str, str], {}, {"type": "map", "values": "string"}, {}),
        (str | None, None, ["null", "string"], None),
        (str | None, "a", ["string", "null"], "a"),
        (None | str, "a", ["string", "null"], "a"),
        (list[str], Field(default_factory=list), {"type": "array", "items": "string"}, []),
        (str, Field(default_factory=lambda: "made"), "string", "made"),
    ],
)
def test_a_default_is_of_its_unions_first_branch(kind: Any, default: Any, schema: Any, written: Any) -> None:
    assert field_of(kind, default) == {"name": "a", "type": schema, "default": written}


@pytest.mark.parametrize("default", [(1,), Leaf(text="a")])
def test_a_default_that_avro_cannot_say_is_left_out(default: Any) -> None:
    assert "default" not in field_of(tuple[int, ...] if default == (1,) else Leaf, default)


def test_a_record_is_written_out_once_and_then_named() -> None:
    schema = avro_schema(create_model("Model", a=(Leaf, ...), b=(tuple[Leaf, ...], ...)))

    first, second = (field["type"] for field in schema["fields"])
    assert first["name"] == "Leaf"
    assert first["doc"] == "A leaf."
    assert second == {"type": "array", "items": "saga.Leaf"}


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (complex, "Model.a: Avro cannot carry <class 'complex'>. Use str"),
        (Literal[1], "Model.a: Avro cannot carry"),
        (tuple[int, str], "Model.a: Avro cannot carry"),
        (dict[int, str], "Model.a: Avro cannot carry"),
        (Any, "Model.a: Avro cannot carry"),
        (Chain, "Chain.after: Chain contains itself. Flatten it"),
        (Left, "Right.left: Left contains itself"),
        (tuple[Empty, ...], "Model.a: items of Empty take no bytes in Avro"),
        (create_model("Leaf", other=(int, ...)) | Leaf, "Model.a: two different models are called Leaf"),
    ],
)
def test_what_avro_cannot_carry_is_refused(kind: Any, said: str) -> None:
    with pytest.raises(TopologyError, match=re.escape(said)):
        field_of(kind)


def test_an_alias_is_refused() -> None:
    with pytest.raises(TopologyError, match=r"Model\.a: has an alias"):
        field_of(str, Field(alias="b"))
