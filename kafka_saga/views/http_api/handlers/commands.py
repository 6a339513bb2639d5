"""Commands to sagas: put on the log once for each key, and answered as the tracker answers if that is waited for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kafka_saga.api.commands import FIRST, Accepted, CommandAnswer, CommandRequest, DryRun
from kafka_saga.definition.topics import SAGA_COMMANDS
from kafka_saga.inspection.commands.giving import Order, to_all, to_each
from kafka_saga.inspection.commands.sending import API, CommandVerdict, Keyed, SentCommand, new_id, put, send
from kafka_saga.inspection.log.reading import partition_count
from kafka_saga.tracker.core.state import SagaState
from kafka_saga.views.http_api.dependencies import Dependencies
from kafka_saga.views.http_api.handlers.targets import Targets, concerned_by, content_of, within
from kafka_saga.views.http_api.idempotency import Given
from kafka_saga.views.http_api.problems import ApiError
from kafka_saga.views.http_api.routes import Call, Reply
from kafka_saga.wire.envelope import MAX_ID_CHARACTERS

IDEMPOTENCY_KEY = "Idempotency-Key"


async def give_command(api: Dependencies, call: Call) -> Reply:
    """Give a command to sagas, or say what it would come to."""
    given, key = call.given(CommandRequest), _key(call)
    if given.dry_run:
        return Reply(_dry(await concerned_by(api, given)))
    if key is None:
        return Reply(await _give(api, given, None), 202)
    request = Keyed(key, given.fingerprint)
    await api.blocking(lambda: api.keys.find(api.cluster(), request, api.clock()))
    with api.keys.in_hand(request):
        earlier = api.keys.known(request)
        if earlier is None or not earlier.is_complete:
            return Reply(await _give(api, given, request), 202)
    return Reply(await _again(api, given, earlier), 202)


async def _again(api: Dependencies, given: CommandRequest, earlier: Given) -> Accepted:
    """What is said of a request that comes again: as it was given, whatever the sagas have become."""
    ids = tuple(earlier.sagas)
    said = Accepted(
        command_id=earlier.request.key,
        command_ids=ids[:FIRST],
        sagas=len(ids),
        saga_ids=tuple(earlier.sagas.values())[:FIRST],
        repeated=True,
    )
    if given.scope is None:
        return said
    now = await within(api, given.scope)
    return said.model_copy(update={"sagas": now.total, "saga_ids": _ids(now.sagas), "behind_s": now.behind_s})


async def _give(api: Dependencies, given: CommandRequest, request: Keyed | None) -> Accepted:
    """Put the commands on the log."""
    concerned = await concerned_by(api, given)
    if given.expected is not None and given.expected != concerned.total:
        raise ApiError(
            409,
            f"The command concerns {concerned.total:,} sagas by now, not the {given.expected:,} that were "
            "confirmed: look again with dry_run, and confirm that number.",
        )
    command_id = new_id() if request is None else request.key
    asked = await _asked(api, given, concerned.sagas, _order(given, command_id))
    if request is not None:
        request = replace(request, size=len(asked))
        asked = tuple(replace(one, request=request) for one in asked)
    verdicts = await api.blocking(_sent, api, asked, given.wait_s)
    if request is not None and asked:
        await api.blocking(api.keys.note, request, api.clock(), {one.id: one.saga_id or "" for one in asked})
    return Accepted(
        command_id=command_id,
        command_ids=tuple(one.id for one in asked[:FIRST]),
        sagas=concerned.total,
        saga_ids=_ids(concerned.sagas),
        refused=tuple(concerned.refused[:FIRST]),
        answers=tuple(verdicts[:FIRST]),
        behind_s=concerned.behind_s,
    )


async def _asked(
    api: Dependencies, given: CommandRequest, sagas: Sequence[SagaState], order: Order
) -> tuple[SentCommand, ...]:
    if given.scope is None:
        return to_each(sagas, order, is_the_one=len(set(given.saga_ids)) == 1)
    partitions = await api.blocking(lambda: partition_count(api.cluster(), SAGA_COMMANDS))
    return (to_all(order.command(given.scope), order.command_id, partitions),)


def _dry(concerned: Targets) -> DryRun:
    return DryRun(
        sagas=concerned.total,
        saga_ids=_ids(concerned.sagas),
        refused=tuple(concerned.refused[:FIRST]),
        behind_s=concerned.behind_s,
    )


def _sent(api: Dependencies, asked: Sequence[SentCommand], wait: float) -> list[CommandAnswer]:
    """Put the commands on the log; what the tracker says to them, if that is waited for."""
    cluster = api.cluster()
    if not asked:
        return []
    if not wait:
        put(cluster, asked, API)
        return []
    answers = send(cluster, asked, wait, API)
    return [
        CommandAnswer(
            saga_id=one.asked.saga_id or "",
            command_id=one.asked.id,
            answer="pending" if one.verdict is CommandVerdict.SILENT else one.verdict.value,
            why=one.why,
        )
        for one in answers
    ]


def _order(given: CommandRequest, command_id: str) -> Order:
    return Order(given.command, given.author, given.reason, given.step, given.outcome, content_of(given), command_id)


def _key(call: Call) -> str | None:
    given = call.request.headers.getall(IDEMPOTENCY_KEY, [])
    if not given:
        return None
    if len(given) > 1:
        raise ApiError(400, f"{IDEMPOTENCY_KEY} is given {len(given)} times: give it once.")
    (key,) = given
    if not 0 < len(key) <= MAX_ID_CHARACTERS or not key.isprintable() or not key.isascii():
        raise ApiError(400, f"{IDEMPOTENCY_KEY} has 1 to {MAX_ID_CHARACTERS} printable ASCII characters.")
    return key


def _ids(states: Sequence[SagaState]) -> tuple[str, ...]:
    return tuple(state.saga_id for state in states[:FIRST])
