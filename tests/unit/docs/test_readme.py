"""What the README shows is so: what `saga why` says of the example order, and what each claim is shown by."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from examples.order.definition import ORDER
from examples.order.events import Item, OrderPlaced
from examples.order.handlers import COMPENSATIONS, HANDLERS
from kafka_saga.errors import RetryableError, TerminalError
from kafka_saga.testing import SagaRun, SagaTest

README = Path(__file__).parents[3] / "README.md"
MARKED = re.compile(r"(<!-- why -->\n)(.*?)(<!-- /why -->)", re.DOTALL)
STRIKE = TerminalError("the carrier is on strike")


def placed(world: SagaTest) -> SagaRun:
    items = (Item(sku="lamp", quantity=1),)
    return world.given(OrderPlaced(order_id="A-1", customer="Ada", items=items, amount_cents=1_999))


def running(world: SagaTest) -> SagaRun:
    world.delay("stock", timedelta(seconds=50))
    order = placed(world)
    world.advance(seconds=42)
    return order


def retrying(world: SagaTest) -> SagaRun:
    world.fail("shipping", RetryableError("429 Too Many Requests", retry_after=30))
    order = placed(world)
    world.advance(seconds=50)
    return order


def paused(world: SagaTest) -> SagaRun:
    order = running(world).pause("stocktaking")
    world.advance(minutes=1)
    return order


def undoing(world: SagaTest) -> SagaRun:
    """The warehouse of the example is closed at first."""
    world.fail("shipping", STRIKE)
    return placed(world)


def stuck(world: SagaTest) -> SagaRun:
    world.fail("shipping", STRIKE)
    world.fail("stock", TerminalError("the shelf is gone"), compensating=True)
    return placed(world)


def undone(world: SagaTest) -> SagaRun:
    order = undoing(world)
    world.advance(minutes=1)
    return order


SITUATIONS = (running, retrying, paused, undoing, stuck, undone)


def sentences(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Each order has a book of its own, since what was done once is not done again."""
    for situation in SITUATIONS:
        monkeypatch.setenv("SAGA_ORDER_BOOK", str(folder / f"{situation.__name__}.sqlite"))
        with SagaTest(ORDER, HANDLERS, COMPENSATIONS) as world:
            yield situation(world).why


def test_the_readme_quotes_what_is_said_of_unfinished_orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = ">\n".join(f"> {sentence}\n" for sentence in sentences(tmp_path, monkeypatch))
    text = README.read_text(encoding="utf-8")
    if os.environ.get("SAGA_UPDATE_GOLDEN"):
        README.write_text(MARKED.sub(lambda found: found[1] + expected + found[3], text), encoding="utf-8")
        pytest.skip("written anew")
    found = MARKED.search(text)

    assert found is not None
    assert found[2] == expected


def test_what_claims_are_shown_by_is_there() -> None:
    section = README.read_text(encoding="utf-8").partition("shown by |")[2].partition("\n\n")[0]
    shown = re.findall(r"\| `([^`|]+)` \|$", section, re.MULTILINE)
    targets = re.findall(r"^(\w+):", (README.parent / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)

    assert len(shown) >= 9
    for one in shown:
        command, _, target = one.partition(" ")
        assert target in targets if command == "make" else (README.parent / one).is_file()


def test_the_saga_of_ones_own_runs_as_it_stands() -> None:
    [snippet] = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {"__name__": "snippet"}

    exec(compile(snippet, str(README), "exec"), names)  # noqa: S102  # what the README shows is what runs
    tests = [function for name, function in names.items() if name.startswith("test_")]
    assert tests
    for test in tests:
        test()
