"""Commands to sagas: whom they concern is asked of the tables, whether they apply of the tracker's own rules."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from schemas import control
from schemas.api.commands import FIRST, Accepted, CommandAnswer, CommandRequest, DryRun, RefusedSaga, SagaSelection
from schemas.envelope import MAX_ID_CHARACTERS
from schemas.events.commands import Act
from services.inspection.actions import why_not
from services.inspection.giving import Order, to_all, to_each
from services.inspection.reading import NotFoundError, began, partition_count
from services.inspection.selection import check_step
from services.inspection.sending import API, Asked, Verdict, new_id, put, send
from services.inspection.skipping import Outcome, judged
from services.tracker.core.state import SagaState, SagaStatus
from services.views.api.problems import ApiError
from services.views.api.routes import Call, Reply
from services.views.api.sources import Sources
from services.views.port import SagaQuery, Sort
from topology.topics import SAGA_COMMANDS

IDEMPOTENCY_KEY = "Idempotency-Key"
MOST = 20_000
"""How many sagas one request can command."""

_PAGE = 500


@dataclass(frozen=True, slots=True)
class _Concerned:
    """The sagas that a command is given to, and those that it would not apply to."""

    sagas: Sequence[SagaState]
    refused: Sequence[RefusedSaga]
    behind_s: float
    total: int
    """How many there are, if `sagas` are only the first."""


async def give_command(api: Sources, call: Call) -> Reply:
    """Give a command to sagas, or say what it would come to."""
    given = call.given(CommandRequest)
    command_id = _command_id(call)
    concerned = await _concerned(api, given)
    if given.dry_run:
        return Reply(_dry(concerned))
    if given.expected is not None and given.expected != concerned.total:
        raise ApiError(
            409,
            f"The command concerns {concerned.total:,} sagas by now, not the {given.expected:,} that were "
            "confirmed: look again with dry_run, and confirm that number.",
        )
    asked = await _asked(api, given, concerned.sagas, _order(given, command_id))
    verdicts = await api.blocking(_sent, api, asked, given.wait_s)
    return Reply(
        Accepted(
            command_id=command_id,
            command_ids=tuple(one.id for one in asked[:FIRST]),
            sagas=concerned.total,
            saga_ids=_ids(concerned.sagas),
            refused=tuple(concerned.refused[:FIRST]),
            answers=tuple(verdicts[:FIRST]),
            behind_s=concerned.behind_s,
        ),
        202,
    )


async def _concerned(api: Sources, given: CommandRequest) -> _Concerned:
    if given.scope is not None:
        return await _within(api, given.scope)
    if given.selection is not None:
        return await _selected(api, given, given.selection)
    return await _named(api, given)


async def _asked(api: Sources, given: CommandRequest, sagas: Sequence[SagaState], order: Order) -> tuple[Asked, ...]:
    if given.scope is None:
        return to_each(sagas, order)
    partitions = await api.blocking(lambda: partition_count(api.cluster(), SAGA_COMMANDS))
    return (to_all(order.command(given.scope), order.command_id, partitions),)


async def _within(api: Sources, scope: str) -> _Concerned:
    """The sagas of a scope that have not ended; those that come later are concerned, too."""
    kind, _, name = scope.partition(":")
    definition, _, step = name.partition("/")
    is_prefix = f"{kind}:" == control.PREFIX
    if not is_prefix:
        _check_scope(api, definition, step)
    query = SagaQuery(
        statuses=tuple(status for status in SagaStatus if not status.is_final),
        definition=None if is_prefix else definition,
        step=None if is_prefix else step or None,
        key_prefix=name if is_prefix else "",
        sort=Sort.KEY,
        descending=False,
        limit=FIRST,
    )
    page = await api.tables.sagas(query)
    return _Concerned(page.sagas, (), page.behind_s, page.total)


def _check_scope(api: Sources, definition: str, step: str) -> None:
    """Raises NotFoundError if there is no such definition, or it has no such step."""
    known = {saga.name: tuple(saga.steps_by_name) for saga in api.definitions}
    if definition not in known:
        raise NotFoundError(f"No definition {definition!r} is known here, only {', '.join(sorted(known))}.")
    if step and step not in known[definition]:
        raise NotFoundError(f"{definition} has no step {step!r}; its steps are {', '.join(known[definition])}.")


async def _named(api: Sources, given: CommandRequest) -> _Concerned:
    """These very sagas, whatever the tables make of it: they may be behind, and the tracker has the last word."""
    keys = dict.fromkeys(saga_id.rpartition("@")[0] for saga_id in given.saga_ids)
    answers = [await api.tables.of_key(key) for key in keys]
    known = {state.saga_id: state for answer in answers for state in answer.sagas}
    missing = [saga_id for saga_id in given.saga_ids if saga_id not in known]
    if missing:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise NotFoundError(f"No saga {missing[0]!r} is known{more}: no command was given.")
    sagas = [known[saga_id] for saga_id in dict.fromkeys(given.saga_ids)]
    for state in sagas:
        _check(api, given, state)
    behind = max((answer.behind_s for answer in answers), default=0.0)
    return _Concerned(sagas, _refused(api, given, sagas), behind, len(sagas))


async def _selected(api: Sources, given: CommandRequest, selection: SagaSelection) -> _Concerned:
    """The sagas that fit, but for those to which the command does not apply."""
    states, behind = await _fitting(api, selection)
    refused = {one.saga_id: one for one in await api.blocking(_refused, api, given, states)}
    sagas = sorted((state for state in states if state.saga_id not in refused), key=began)
    for state in sagas[:1]:
        _check(api, given, state)
    return _Concerned(sagas, list(refused.values()), behind, len(sagas))


async def _fitting(api: Sources, selection: SagaSelection) -> tuple[list[SagaState], float]:
    unknown = [status for status in selection.status if status not in set(SagaStatus)]
    if unknown:
        raise ApiError(400, f"There is no status {unknown[0]!r}; a saga's is one of {', '.join(SagaStatus)}.")
    found: list[SagaState] = []
    behind, after = 0.0, None
    while True:
        query = SagaQuery(
            statuses=selection.status,
            definition=selection.definition,
            step=selection.step,
            key_prefix=selection.key_prefix or "",
            sort=Sort.KEY,
            descending=False,
            limit=_PAGE,
            after=after,
        )
        page = await api.tables.sagas(query)
        if page.total > MOST:
            raise ApiError(409, f"{page.total:,} sagas match, and one request commands at most {MOST:,}: select fewer.")
        found, behind, after = [*found, *page.sagas], max(behind, page.behind_s), page.next
        if after is None:
            return found, behind


def _refused(api: Sources, given: CommandRequest, states: Iterable[SagaState]) -> list[RefusedSaga]:
    """Those that the command does not apply to, by the tracker's rules."""
    now, content = api.clock(), _content(given)
    reasons = (
        (state, why_not(state, api.plan_of(state), given.command, now, given.step, given.outcome, content))
        for state in states
    )
    return [RefusedSaga(saga_id=state.saga_id, why=why) for state, why in reasons if why is not None]


def _check(api: Sources, given: CommandRequest, state: SagaState) -> None:
    """What can never apply is refused at once. Raises SelectionError, ContentError."""
    check_step(state, given.step)
    if given.command is Act.SKIP and given.step is not None:
        outcome = None if given.outcome is None else Outcome(given.outcome, _content(given) or "{}")
        judged(state, given.step, outcome, {saga.name: saga for saga in api.definitions})


def _dry(concerned: _Concerned) -> DryRun:
    return DryRun(
        sagas=concerned.total,
        saga_ids=_ids(concerned.sagas),
        refused=tuple(concerned.refused[:FIRST]),
        behind_s=concerned.behind_s,
    )


def _sent(api: Sources, asked: Sequence[Asked], wait: float) -> list[CommandAnswer]:
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
            answer="pending" if one.verdict is Verdict.SILENT else one.verdict.value,
            why=one.why,
        )
        for one in answers
    ]


def _order(given: CommandRequest, command_id: str) -> Order:
    return Order(given.command, given.author, given.reason, given.step, given.outcome, _content(given), command_id)


def _content(given: CommandRequest) -> str | None:
    if given.content is None:
        return None
    return json.dumps(given.content, ensure_ascii=False, separators=(",", ":"))


def _command_id(call: Call) -> str:
    key = call.request.headers.get(IDEMPOTENCY_KEY)
    if key is None:
        return new_id()
    if not 0 < len(key) <= MAX_ID_CHARACTERS or not key.isprintable() or not key.isascii():
        raise ApiError(400, f"{IDEMPOTENCY_KEY} has 1 to {MAX_ID_CHARACTERS} printable ASCII characters.")
    return key


def _ids(states: Sequence[SagaState]) -> tuple[str, ...]:
    return tuple(state.saga_id for state in states[:FIRST])
