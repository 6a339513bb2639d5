"""The order example is a sound definition of another domain."""

from __future__ import annotations

from examples.order.definition import ORDER
from examples.order.events import Item, OrderPlaced
from kafka_saga.definition.lint import lint_all
from kafka_saga.definition.model import FAILED, OnFailure
from kafka_saga.definition.template import saga_id
from topology.code_review import CODE_REVIEW

PLACED = OrderPlaced(order_id="A-1001", customer="Ada", items=(Item(sku="tea", quantity=2),), amount_cents=1240)


def test_it_lints_clean_beside_code_review() -> None:
    assert lint_all([ORDER, CODE_REVIEW]) == ()


def test_an_order_runs_once_whoever_places_it_again() -> None:
    assert saga_id(ORDER, PLACED) == "A-1001@once"
    assert saga_id(ORDER, PLACED.model_copy(update={"amount_cents": 1})) == "A-1001@once"


def test_every_step_can_be_undone_and_bad_news_undoes_them() -> None:
    assert all(step.compensates for step in ORDER.steps)
    assert ORDER.on_failure is OnFailure.COMPENSATE
    assert ORDER.ends_by_type["payment.declined"] is ORDER.ends_by_type["stock.missing"] is FAILED
