"""Whom a command concerns: asked of the tables; and to whom it would not apply: by the tracker's own rules."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kafka_saga.api.commands import FIRST, CommandRequest, RefusedSaga, SagaSelection
from kafka_saga.events.commands import Act
from kafka_saga.inspection.commands.actions import why_not
from kafka_saga.inspection.commands.selection import check_step
from kafka_saga.inspection.commands.skipping import GivenOutcome, judged
from kafka_saga.inspection.log.reading import NotFoundError, began
from kafka_saga.tracker.core.state import SagaState, SagaStatus
from kafka_saga.views.http_api.dependencies import Dependencies
from kafka_saga.views.http_api.problems import ApiError
from kafka_saga.views.port import SagaQuery, Sort
from kafka_saga.wire import control
from kafka_saga.wire.ids import key_of

MOST = 20_000
"""How many sagas one request can command."""

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Targets:
    """The sagas that a command is given to, and those that it would not apply to."""

    sagas: Sequence[SagaState]
    refused: Sequence[RefusedSaga]
    behind_s: float
    total: int
    """How many there are, if `sagas` are only the first."""


async def concerned_by(api: Dependencies, given: CommandRequest) -> Targets:
    """Whom a request means, in whichever way it says it. Raises ApiError, NotFoundError, SelectionError."""
    if given.scope is not None:
        return await within(api, given.scope)
    if given.selection is not None:
        return await _selected(api, given, given.selection)
    return await _named(api, given)


async def within(api: Dependencies, scope: str) -> Targets:
    """The sagas of a scope that have not ended; those that come later are concerned, too."""
    about = control.parsed(scope)
    is_prefix = about.kind == control.PREFIX
    if not is_prefix:
        _check_scope(api, about)
    query = SagaQuery(
        statuses=tuple(status for status in SagaStatus if not status.is_final),
        definition=None if is_prefix else about.name,
        step=about.step,
        key_prefix=about.name if is_prefix else "",
        sort=Sort.KEY,
        descending=False,
        limit=FIRST,
    )
    page = await api.tables.sagas(query)
    return Targets(page.sagas, (), page.behind_s, page.total)


def _check_scope(api: Dependencies, scope: control.Scope) -> None:
    """Raises NotFoundError if there is no such definition, or it has no such step."""
    known = {name: tuple(saga.steps_by_name) for name, saga in api.deployed.latest.items()}
    if scope.name not in known:
        raise NotFoundError(f"No definition {scope.name!r} is known here, only {', '.join(sorted(known))}.")
    if scope.step is not None and scope.step not in known[scope.name]:
        steps = ", ".join(known[scope.name])
        raise NotFoundError(f"{scope.name} has no step {scope.step!r}; its steps are {steps}.")


async def _named(api: Dependencies, given: CommandRequest) -> Targets:
    """These very sagas, whatever the tables make of it: they may be behind, and the tracker has the last word."""
    keys = dict.fromkeys(key_of(saga_id) for saga_id in given.saga_ids)
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
    return Targets(sagas, _refused(api, given, sagas), behind, len(sagas))


async def _selected(api: Dependencies, given: CommandRequest, selection: SagaSelection) -> Targets:
    """The sagas that fit, but for those to which the command does not apply."""
    states, behind = await _fitting(api, selection)
    refused = {one.saga_id: one for one in await api.blocking(_refused, api, given, states)}
    sagas = sorted((state for state in states if state.saga_id not in refused), key=began)
    for state in sagas[:1]:
        _check(api, given, state)
    return Targets(sagas, list(refused.values()), behind, len(sagas))


async def _fitting(api: Dependencies, selection: SagaSelection) -> tuple[list[SagaState], float]:
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


def _refused(api: Dependencies, given: CommandRequest, states: Iterable[SagaState]) -> list[RefusedSaga]:
    """Those that the command does not apply to, by the tracker's rules."""
    content = content_of(given)
    reasons = (
        (state, why_not(state, api.plan_of(state), given.command, given.step, given.outcome, content))
        for state in states
    )
    return [RefusedSaga(saga_id=state.saga_id, why=why) for state, why in reasons if why is not None]


def _check(api: Dependencies, given: CommandRequest, state: SagaState) -> None:
    """What can never apply is refused at once. Raises SelectionError, ContentError."""
    check_step(state, given.step)
    if given.command is Act.SKIP and given.step is not None:
        outcome = None if given.outcome is None else GivenOutcome(given.outcome, content_of(given) or "{}")
        judged(state, given.step, outcome, api.definition_of(state))


def content_of(given: CommandRequest) -> str | None:
    """The content of a skipped step's outcome, as JSON text."""
    if given.content is None:
        return None
    return json.dumps(given.content, ensure_ascii=False, separators=(",", ":"))
