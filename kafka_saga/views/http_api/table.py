"""The table of routes: the API's document, dispatch and validation are all made of it."""

from __future__ import annotations

from collections.abc import Mapping

from kafka_saga.api.commands import Accepted, CommandRequest, DryRun
from kafka_saga.api.health import Health
from kafka_saga.api.incidents import DeadLetterPage, IncidentPage, Redriven, RedriveRequest
from kafka_saga.api.sagas import EventList, SagaDetails, SagaPage, Why
from kafka_saga.api.topology import FiguresReport, Topology
from kafka_saga.views.http_api.handlers.changes import EVENTS, changes
from kafka_saga.views.http_api.handlers.commands import IDEMPOTENCY_KEY, give_command
from kafka_saga.views.http_api.handlers.incidents import list_incidents, list_letters, redrive_letter
from kafka_saga.views.http_api.handlers.sagas import events, list_sagas, one_saga, why
from kafka_saga.views.http_api.handlers.topology import figures, health, topology
from kafka_saga.views.http_api.params import (
    ChangesParams,
    IncidentListParams,
    LetterListParams,
    SagaListParams,
    SagaParams,
)
from kafka_saga.views.http_api.routes import Route

SAGA_ID: Mapping[str, Mapping[str, object]] = {
    "saga_id": {
        "type": "string",
        "minLength": 1,
        "maxLength": 500,
        "description": "KEY@RUN, percent-encoded as one segment: `acme%2Fshop%237%403f2a9c1b04de`",
    }
}
_PLACE: Mapping[str, Mapping[str, object]] = {
    "partition": {"type": "integer", "minimum": 0, "description": "of dead.letters"},
    "offset": {"type": "integer", "minimum": 0, "description": "of the letter itself, not of what it was made of"},
}
_KEY: Mapping[str, Mapping[str, object]] = {
    IDEMPOTENCY_KEY: {
        "type": "string",
        "minLength": 1,
        "maxLength": 200,
        "pattern": "^[!-~]([ -~]*[!-~])?$",
        "description": "an id of your own: for a day the same request under it counts once, another one is refused",
    }
}
NO_SAGA = {404: "no saga of this id is known"}
_NO_PAGE = {404: "the cursor leads nowhere in this list: ask again without it"}


def _about(saga_id: str) -> Mapping[str, Mapping[str, str]]:
    """The links to all that is said about a saga, whose id an expression gives."""
    return {name: {"saga_id": saga_id} for name in ("getSaga", "whyIsItNotFinished", "listEvents")}


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/sagas",
        name="listSagas",
        summary="Sagas, filtered, ordered and paged",
        description="Pages are by place in the order, not by number: what changes meanwhile moves, nothing is lost. "
        "With `sort=updated` a saga can come twice.",
        handler=list_sagas,
        answers={200: SagaPage},
        tag="sagas",
        params=SagaListParams,
        problems=_NO_PAGE,
        links=_about("$response.body#/items/0/saga_id"),
    ),
    Route(
        method="GET",
        path="/sagas/{saga_id}",
        name="getSaga",
        summary="One saga in full: steps, timeline, graph, and the actions that apply now",
        handler=one_saga,
        answers={200: SagaDetails},
        tag="sagas",
        path_params=SAGA_ID,
        params=SagaParams,
        problems=NO_SAGA,
    ),
    Route(
        method="GET",
        path="/sagas/{saga_id}/why",
        name="whyIsItNotFinished",
        summary="Why a saga is not finished, by its state and what is around it on Kafka",
        handler=why,
        answers={200: Why},
        tag="sagas",
        path_params=SAGA_ID,
        problems=NO_SAGA,
    ),
    Route(
        method="GET",
        path="/sagas/{saga_id}/events",
        name="listEvents",
        summary="Everything that happened to a saga, decoded",
        handler=events,
        answers={200: EventList},
        tag="sagas",
        path_params=SAGA_ID,
        problems=NO_SAGA,
    ),
    Route(
        method="GET",
        path="/changes",
        name="streamChanges",
        summary="What changes from now on, as server-sent events",
        description="`saga` (a summary; of each saga at most 5 a second), `gone`, `behind`, and `gap`: more has "
        "changed than is told, ask for the list again. `problem`: the stream ends, connect again. Every 10 s "
        "at least a comment.",
        handler=changes,
        answers={},
        tag="sagas",
        params=ChangesParams,
        events=EVENTS,
    ),
    Route(
        method="POST",
        path="/commands",
        name="giveCommand",
        summary="Pause, resume, cancel, retry, redrive, rewind or skip: some sagas, or all that a selection means",
        handler=give_command,
        answers={200: DryRun, 202: Accepted},
        tag="commands",
        body=CommandRequest,
        header_params=_KEY,
        problems={
            **NO_SAGA,
            409: "other sagas than were confirmed, or too many; or the key was used for another command",
        },
    ),
    Route(
        method="GET",
        path="/incidents",
        name="listIncidents",
        summary="What only a person can decide, the oldest first",
        handler=list_incidents,
        answers={200: IncidentPage},
        tag="incidents",
        params=IncidentListParams,
        problems=_NO_PAGE,
        links=_about("$response.body#/items/0/saga_id"),
    ),
    Route(
        method="GET",
        path="/dead-letters",
        name="listDeadLetters",
        summary="Records that no service could read, the latest first",
        handler=list_letters,
        answers={200: DeadLetterPage},
        tag="incidents",
        params=LetterListParams,
        problems=_NO_PAGE,
        links={
            "redriveDeadLetter": {
                "partition": "$response.body#/items/0/partition",
                "offset": "$response.body#/items/0/offset",
            }
        },
    ),
    Route(
        method="POST",
        path="/dead-letters/{partition}/{offset}/redrive",
        name="redriveDeadLetter",
        summary="Publish a dead letter again, as it was, to where it came from",
        handler=redrive_letter,
        answers={200: Redriven},
        tag="incidents",
        path_params=_PLACE,
        body=RedriveRequest,
        problems={404: "no dead letter lies there", 409: "it was redriven before, or cannot be"},
    ),
    Route(
        method="GET",
        path="/topology",
        name="getTopology",
        summary="Definitions as graphs, with throughput, failures and how far each service is behind",
        handler=topology,
        answers={200: Topology},
        tag="system",
    ),
    Route(
        method="GET",
        path="/figures",
        name="getFigures",
        summary="How many sagas of each status there are, and what happened at each step",
        handler=figures,
        answers={200: FiguresReport},
        tag="system",
    ),
    Route(
        method="GET",
        path="/health",
        name="getHealth",
        summary="How the tables are, and which worker holds what",
        handler=health,
        answers={200: Health},
        tag="system",
    ),
)
