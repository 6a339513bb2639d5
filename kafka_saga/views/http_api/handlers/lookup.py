"""One saga, as its owner's table has it."""

from __future__ import annotations

import json

from kafka_saga.inspection.log.reading import NotFoundError
from kafka_saga.tracker.core.state import SagaState, encode
from kafka_saga.views.http_api.dependencies import Dependencies
from kafka_saga.views.port import KeySagas
from kafka_saga.wire.ids import is_id, key_of


async def found(api: Dependencies, saga_id: str) -> tuple[SagaState, KeySagas]:
    """The saga, and all of its key. Raises NotFoundError."""
    if not is_id(saga_id):
        raise NotFoundError(f"{saga_id!r} is no saga's id, which is KEY@RUN: /api/v1/sagas?key_prefix= finds by key.")
    of_key = await api.tables.of_key(key_of(saga_id))
    for state in of_key.sagas:
        if state.saga_id == saga_id:
            return state, of_key
    raise NotFoundError(f"No saga {saga_id!r} is known: it may have ended long ago, or not have been seen yet.")


def record_of(state: SagaState) -> dict[str, object]:
    """The record on `saga.state`, as it is."""
    fields: dict[str, object] = json.loads(encode(state))
    return fields
