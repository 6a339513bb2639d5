"""Sagas: the list, one in full, why it is not finished, its events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kafka_saga.api.sagas import EventList, SagaDetails, SagaPage, SagaSummary, Why
from kafka_saga.definition.topics import SAGA_STATE
from kafka_saga.inspection.commands.actions import actions_for
from kafka_saga.inspection.diagnose.surroundings import around_of
from kafka_saga.inspection.log.decoding import Happened, Place, codec_for, history, read_places
from kafka_saga.inspection.present.facts import event_facts, saga_facts, summary_of, why_facts
from kafka_saga.inspection.present.graphs import saga_graph
from kafka_saga.inspection.present.timeline import timeline_of
from kafka_saga.tracker.core.explain.around import Around
from kafka_saga.tracker.core.state import SagaState
from kafka_saga.views.http_api.cursors import cursor_text, place_of
from kafka_saga.views.http_api.dependencies import Dependencies
from kafka_saga.views.http_api.handlers.lookup import found, record_of
from kafka_saga.views.http_api.params import Include, Order, SagaListParams, SagaParams
from kafka_saga.views.http_api.routes import Call, Reply
from kafka_saga.views.http_api.titles import Read
from kafka_saga.views.port import SagaQuery, Sort
from kafka_saga.views.titles import title_of, titled_events
from kafka_saga.wire.codec import Codec


async def list_sagas(api: Dependencies, call: Call) -> Reply:
    """A page of the sagas that the filters mean."""
    asked = call.asked(SagaListParams)
    order = f"sagas:{asked.sort.value}:{asked.order.value}"
    page = await api.tables.sagas(query_of(asked, order))
    api.titles.note(page.titles)
    api.titles.ahead(page.sagas, _titles(api))
    with_state = Include.STATE in asked.include
    items = tuple(_line(api, state, with_state=with_state) for state in page.sagas)
    next_ = cursor_text(order, page.next)
    return Reply(SagaPage(items=items, next=next_, total=page.total, counts=page.counts, behind_s=page.behind_s))


def query_of(asked: SagaListParams, order: str) -> SagaQuery:
    """The question to the tables. Raises ApiError if the cursor is none of this order."""
    return SagaQuery(
        statuses=tuple(status.value for status in asked.status),
        definition=asked.definition,
        step=asked.step,
        key_prefix=asked.key_prefix or "",
        older_than_ms=None if asked.older_than_s is None else asked.older_than_s * 1000,
        has_incident=asked.has_incident,
        text=asked.q or "",
        sort=asked.sort,
        descending=asked.order is Order.DESC,
        limit=asked.limit,
        after=place_of(order, asked.cursor, str if asked.sort is Sort.KEY else int),
    )


async def one_saga(api: Dependencies, call: Call) -> Reply:
    """A saga in full."""
    state, of_key = await found(api, call.path["saga_id"])
    now = api.clock()
    definition = api.definition_of(state)
    details = SagaDetails(
        **dict(saga_facts(state, now)),
        timeline=timeline_of(state, now),
        graph=None if definition is None else saga_graph(definition, state, now),
        actions=actions_for(state, api.plan_of(state)),
        latest_of_key=of_key.sagas[0].saga_id == state.saga_id,
        other_runs=tuple(one.saga_id for one in of_key.sagas if one.saga_id != state.saga_id),
        title=await api.titles.of(state, _titles(api)),
        state=record_of(state) if Include.STATE in call.asked(SagaParams).include else None,
        behind_s=of_key.behind_s,
    )
    return Reply(details)


async def why(api: Dependencies, call: Call) -> Reply:
    """Why a saga is not finished."""
    state, of_key = await found(api, call.path["saga_id"])
    around = await api.reading(_around, api, state)
    facts = why_facts(state, around, api.clock())
    return Reply(Why(**dict(facts), behind_s=of_key.behind_s))


async def events(api: Dependencies, call: Call) -> Reply:
    """Everything that happened to a saga, decoded."""
    state, of_key = await found(api, call.path["saga_id"])
    happened = await api.reading(history_of, api, state)
    return Reply(EventList(items=tuple(event_facts(happened)), behind_s=of_key.behind_s))


def _line(api: Dependencies, state: SagaState, *, with_state: bool) -> SagaSummary:
    more = {"title": api.titles.known(state.saga_id), "state": record_of(state) if with_state else None}
    return summary_of(state, api.clock()).model_copy(update=more)


def _codec(api: Dependencies) -> Codec:
    return codec_for(api.deployed.definitions.values())


def history_of(api: Dependencies, state: SagaState) -> list[Happened]:
    """The events of a saga, decoded. Blocks; raises UnavailableError."""
    cluster = api.cluster()
    cluster.admin().partitions([SAGA_STATE])  # gives up sooner than reading does, if Kafka is away
    return history(cluster, state, _codec(api))


def _around(api: Dependencies, state: SagaState) -> Around:
    return around_of(api.cluster(), api.groups(), state, api.said(), api.look_at_deployed())


def _titles(api: Dependencies) -> Read:
    """Reads the first events of some sagas, all of them in as few rounds as there are of one partition."""

    async def read(states: Sequence[SagaState]) -> Mapping[str, str | None]:
        return await api.reading(_read_titles, api, states)

    return read


def _read_titles(api: Dependencies, states: Sequence[SagaState]) -> dict[str, str | None]:
    titled = titled_events(api.definitions)  # of other topics there is nothing to learn, and they may not exist
    heads = [state for state in states if state.events and state.events[0].cause is None]
    known = [_first_place(state) for state in heads if state.events[0].type in titled]
    codec = Codec(titled.values())
    said = (title_of(record, codec) for record in read_places(api.cluster(), known).values())
    found = dict(one for one in said if one is not None)
    return {state.saga_id: found.get(state.saga_id) for state in states}


def _first_place(state: SagaState) -> Place:
    return state.events[0].type, state.partition, state.events[0].offset
