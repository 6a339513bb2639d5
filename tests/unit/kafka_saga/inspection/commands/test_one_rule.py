"""Whether a command applies is the tracker's rule: the command line and the HTTP API say what the tracker would."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from urllib.parse import quote

import pytest

from kafka_saga.api.command_fields import NEED_STEP, TAKES
from kafka_saga.engine.blob_store import BlobStore
from kafka_saga.events.commands import Act
from kafka_saga.inspection.commands.giving import Order, matching, planned
from kafka_saga.inspection.commands.selection import Selection, SelectionError, fits
from kafka_saga.tracker.core.commands import RefusedError, obey
from kafka_saga.tracker.core.plan import SagaPlan, nothing, saga_plan, unknown_version
from kafka_saga.tracker.core.state import PendingCommand, SagaState, SagaStatus
from kafka_saga.views.http_api.dependencies import Dependencies
from tests.unit.kafka_saga.cli.cluster import Answered, Members
from tests.unit.kafka_saga.cli.given import log_with
from tests.unit.kafka_saga.tracker.orders import ORDER
from tests.unit.kafka_saga.tracker.standings import standings
from tests.unit.kafka_saga.views.http_api.serving import Client, serving
from tests.unit.kafka_saga.views.http_api.tables import MemoryTables

NAMED = "tests.unit.kafka_saga.tracker.orders:ORDER"
STEPS = (None, *ORDER.steps_by_name, "nothing")
OUTCOMES = (None, *dict.fromkeys(event.event_type for step in ORDER.steps for event in step.emits))
COMMANDS = tuple(
    Order(act, "ada", step=step, outcome=outcome, content=None if outcome is None else "{}")
    for act in TAKES
    for step in (STEPS if "step" in TAKES[act] else (None,))
    for outcome in (OUTCOMES if act is Act.SKIP else (None,))
)
"""Every command to a saga, with every step and outcome that it can be given, and some that it cannot."""

ENDS = {(step.name, event.event_type) for step in ORDER.steps for event in step.emits}
SENSIBLE = tuple(
    one
    for one in COMMANDS
    if not (one.act in NEED_STEP and one.step is None) and (one.outcome is None or (one.step, one.outcome) in ENDS)
)
"""Those that the API takes: others are refused as they are typed, whatever the saga."""


@dataclass(frozen=True)
class Asking:
    """Those that are asked about the same sagas."""

    sagas: Mapping[str, SagaState]
    log: Answered
    api: Client

    def obeyed(self, order: Order) -> set[str]:
        """The sagas to which the command applies: the tracker's rule."""
        return {saga_id for saga_id, state in self.sagas.items() if refusal(state, order) is None}

    def dry(self, order: Order, **whom: object) -> tuple[set[str], set[str]]:
        """The sagas to which the API says that the command applies, and those to which it does not."""
        content: dict[str, object] = {} if order.content is None else {"content": {}}
        body = {"command": order.act, "author": "ada", "step": order.step, "outcome": order.outcome, "dry_run": True}
        found = self.api.post("/commands", body | content | whom)
        assert found.status == 200, found.json
        return set(found.json["saga_ids"]), {one["saga_id"] for one in found.json["refused"]}


@pytest.fixture(scope="module")
def asking() -> Iterator[Asking]:
    sagas = {state.saga_id: state for state in standings().values()}
    log = Answered(log_with(sagas))
    sources = Dependencies(MemoryTables(sagas.values()), lambda: log, Members, BlobStore("memory://rule"), (ORDER,))
    with serving(sources) as client:
        yield Asking(sagas, log, client)


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line knows the definitions that the tracker follows."""
    monkeypatch.setenv("SAGA_DEFINITIONS", NAMED)


def refusal(state: SagaState, order: Order) -> str | None:
    """Why the tracker refuses the command."""
    asked = PendingCommand("one", order.act.value, order.author, 9, 9, "", order.step, order.outcome, order.content)
    try:
        obey(state, asked, plan_of(state))
    except RefusedError as refused:
        return str(refused)
    return None


def plan_of(state: SagaState) -> SagaPlan:
    """As the tracker has it."""
    if not state.definition:
        return nothing(ORDER)
    return saga_plan(ORDER) if state.version == ORDER.version else unknown_version(ORDER)


def of(order: Order) -> str:
    return "-".join(filter(None, (order.act, order.step, order.outcome)))


@pytest.mark.parametrize("order", COMMANDS, ids=of)
def test_the_command_line_selects_the_sagas_that_the_tracker_would_obey(asking: Asking, order: Order) -> None:
    found = matching(asking.log, Selection(key_prefix="acme/"), order)
    assert {state.saga_id for state in found.sagas} == asking.obeyed(order)


@pytest.mark.parametrize("order", SENSIBLE, ids=of)
def test_the_api_says_of_a_selection_what_the_tracker_would(asking: Asking, order: Order) -> None:
    meant, refused = asking.dry(order, selection={"key_prefix": "acme/"})
    assert meant == asking.obeyed(order)
    assert refused == set(asking.sagas) - meant


@pytest.mark.parametrize("order", [one for one in SENSIBLE if one.step is None], ids=of)
def test_the_api_says_of_named_sagas_what_the_tracker_would(asking: Asking, order: Order) -> None:
    named, refused = asking.dry(order, saga_ids=list(asking.sagas))
    assert named == set(asking.sagas)
    assert refused == named - asking.obeyed(order)


def test_the_api_offers_the_actions_that_the_tracker_would_obey(asking: Asking) -> None:
    for saga_id, state in asking.sagas.items():
        offered = asking.api.get(f"/sagas/{quote(saga_id, safe='')}").json["actions"]
        found = {
            (one["command"], step, outcome)
            for one in offered
            for step in one["steps"] or [None]
            for outcome in (one["outcomes"] or {}).get(step) or [None]
        }
        right = {(one.act, one.step, one.outcome) for one in COMMANDS if refusal(state, one) is None}
        assert found == {one for one in right if is_offered(one, right)}, saga_id


Told = tuple[str, str | None, str | None]
"""A command, its step and its outcome."""


def is_offered(told: Told, right: Set[Told]) -> bool:
    """Whether a command is offered as it stands: with the step named, and a compensation is skipped by no outcome."""
    act, step, outcome = told
    is_whole = act in {Act.PAUSE, Act.RESUME, Act.CANCEL}
    return (is_whole or step is not None) and (outcome is None or (act, step, None) not in right)


@pytest.mark.parametrize(
    ("selection", "scope"),
    [
        *((Selection(step=f"order/{step}"), f"step:order/{step}") for step in ORDER.steps_by_name),
        (Selection(definition="order"), "definition:order"),
        (Selection(key_prefix="acme/"), "prefix:acme/"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_the_command_line_and_the_api_say_alike_whom_a_wide_pause_concerns(
    asking: Asking, selection: Selection, scope: str
) -> None:
    plan = planned(asking.log, selection, Order(Act.PAUSE, "ada"))
    assert plan.scope == scope
    assert {state.saga_id for state in plan.sagas} == asking.dry(Order(Act.PAUSE, "ada"), scope=scope)[0]


@pytest.mark.parametrize("step", ORDER.steps_by_name)
def test_a_list_by_step_holds_the_sagas_whose_current_step_it_is(asking: Asking, step: str) -> None:
    listed = {one["saga_id"]: one["current_steps"] for one in asking.api.get("/sagas?limit=500").json["items"]}
    filtered = {one["saga_id"] for one in asking.api.get(f"/sagas?limit=500&step={step}").json["items"]}
    at_it = {saga_id for saga_id, state in asking.sagas.items() if fits(Selection(step=step), state)}
    assert filtered == at_it == {saga_id for saga_id, steps in listed.items() if step in steps}


def test_a_selection_by_status_is_judged_by_the_tracker_alone(asking: Asking) -> None:
    chosen = Selection(statuses=frozenset({SagaStatus.COMPLETED}))
    found = matching(asking.log, chosen, Order(Act.CANCEL, "ada"))
    assert [state.status for state in found.sagas] == [SagaStatus.COMPLETED]


def test_sagas_whose_version_is_not_known_here_are_left_out_and_named(asking: Asking) -> None:
    plan = planned(asking.log, Selection(key_prefix="acme/"), Order(Act.CANCEL, "ada"))
    assert plan.unknown == ("order v2",)


def test_what_no_saga_can_be_asked_as_it_was_typed_is_an_error(asking: Asking) -> None:
    with pytest.raises(SelectionError, match="has no step 'nothing'; its steps are payment, stock, shipping"):
        planned(asking.log, Selection(key_prefix="acme/"), Order(Act.REWIND, "ada", step="nothing"))


def test_a_definition_that_is_given_by_its_module_is_known(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAGA_DEFINITIONS")
    order = Order(Act.CANCEL, "ada")
    assert matching(asking.log, Selection(definition="order"), order).sagas == []
    assert matching(asking.log, Selection(definition="order"), order).unknown == {"order v1", "order v2"}
    found = matching(asking.log, Selection(definition="order", model=NAMED), order)
    assert {state.saga_id for state in found.sagas} == asking.obeyed(order)
