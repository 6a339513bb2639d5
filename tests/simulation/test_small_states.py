"""That what a state no longer keeps is not missed: with next to nothing kept, no invariant breaks either."""

from __future__ import annotations

from contextlib import ExitStack

from kafka_saga.tracker.core import pruning, rulings
from kafka_saga.tracker.core.pauses import Wide
from kafka_saga.tracker.core.plan import SagaPlan
from kafka_saga.tracker.core.state import SagaState, encode
from tests.simulation.plan import plan_of
from tests.simulation.planted.replacing import replaced
from tests.simulation.verdict import judge

SEEDS = 500


def test_sagas_whose_states_keep_next_to_nothing_fare_as_well() -> None:
    smaller: list[str] = []
    right = pruning.pruned

    def pruned(state: SagaState, plan: SagaPlan, wide: Wide) -> SagaState:
        after = right(state, plan, wide)
        if len(encode(after)) < len(encode(state)):
            smaller.append(state.saga_id)
        return after

    with ExitStack() as around:
        for kept in ("KEPT_SENT", "KEPT_PAUSES", "KEPT_EVENTS"):
            around.enter_context(replaced(pruning, kept, 0))
        around.enter_context(replaced(rulings, "pruned", pruned))
        failing = [seed for seed in range(SEEDS) if not judge(plan_of(seed)).is_clean]
    assert failing == []
    assert len(smaller) > 20
