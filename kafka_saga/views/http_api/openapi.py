"""The API's document (OpenAPI 3.1), made of the table of routes and the models that validate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from kafka_saga.api.problems import PROBLEM_JSON, Problem
from kafka_saga.views.http_api.routes import Route

Json = dict[str, Any]  # a document's edge: what JSON Schema may hold

_REF = "#/components/schemas/{model}"
_EVERYWHERE = {
    400: "what is asked is not as it should be; `errors` names the fields",
    503: "the tables are restored, a partition's owner is gone, or Kafka is away; ask again after `retry_after`",
}
_ABOUT = (
    "Every answer says in `behind_s`, and in the header `Saga-Behind-Seconds`, how far it is behind the log. "
    "Errors are RFC 9457 problems. Times are RFC 3339 UTC with milliseconds, durations whole milliseconds."
)


def document(routes: Sequence[Route], prefix: str, *, needs_token: bool) -> Json:
    """The document of these routes below `prefix`."""
    paths: Json = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, needs_token=needs_token)
    components: Json = {"schemas": _schemas(routes)}
    if needs_token:
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Sagas on Kafka", "version": "1", "description": _ABOUT},
        "servers": [{"url": prefix}],
        "paths": paths,
        "components": components,
    }


def _operation(route: Route, *, needs_token: bool) -> Json:
    operation: Json = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": [route.tag],
        "parameters": list(_parameters(route)),
        "responses": {**_answers(route), **_problems(route, needs_token=needs_token)},
    }
    if route.description:
        operation["description"] = route.description
    if route.body is not None:
        operation["requestBody"] = {
            "required": True, "content": {"application/json": {"schema": _reference(route.body)}}
        }  # fmt: skip
    if route.is_write and needs_token:
        operation["security"] = [{"token": []}]
    return operation


def _parameters(route: Route) -> Iterator[Json]:
    for name, schema in route.path_params.items():
        yield {"name": name, "in": "path", "required": True, **_described(schema)}
    for name, schema in route.header_params.items():
        yield {"name": name, "in": "header", "required": False, **_described(schema)}
    if route.params is not None:
        schema = route.params.model_json_schema(ref_template=_REF)
        needed = schema.get("required", [])
        for name, about in schema.get("properties", {}).items():
            yield {"name": name, "in": "query", "required": name in needed, **_described(_given(about))}


def _described(schema: Mapping[str, object]) -> Json:
    about = dict(schema)
    described: Json = {"description": about.pop("description")} if "description" in about else {}
    return {**described, "schema": about}


def _given(schema: Mapping[str, Any]) -> Json:
    """A query has no null: what is not given is left out."""
    found = {name: value for name, value in schema.items() if name not in {"anyOf", "title", "default"}}
    options = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    if len(options) == 1:
        found |= options[0]
    default = schema.get("default")
    return found if default is None or default == [] else {**found, "default": default}


def _answers(route: Route) -> Json:
    if route.events:
        content = {"text/event-stream": {"schema": _events(route)}}
        return {"200": {"description": "events, as they come, until either side goes", "content": content}}
    links = {name: {"operationId": name, "parameters": dict(found)} for name, found in route.links.items()}
    return {
        str(status): {
            "description": (model.__doc__ or model.__name__).strip().partition("\n")[0],
            "headers": {
                "Saga-Behind-Seconds": {"description": "seconds behind the log", "schema": {"type": "number"}}
            },
            "content": {"application/json": {"schema": _reference(model)}},
            **({"links": links} if links else {}),
        }
        for status, model in route.answers.items()
    }  # fmt: skip


def _events(route: Route) -> Json:
    """What each event of a stream is: its name, and as its data the JSON that goes with the name."""
    kinds = [
        {"properties": {"event": {"const": str(name)}, "data": {"contentSchema": _reference(model)}}}
        for name, model in route.events.items()
    ]
    return {
        "type": "object",
        "required": ["event", "data"],
        "properties": {
            "event": {"type": "string"},
            "data": {"type": "string", "contentMediaType": "application/json"},
        },
        "oneOf": kinds,
    }


def _problems(route: Route, *, needs_token: bool) -> Json:
    known: dict[int, str] = {**_EVERYWHERE, **route.problems}
    if route.is_write:
        known |= {
            403: "the request comes from another site",
            413: "more than 1 MiB",
            415: "the content is no JSON in UTF-8",
        }
        known |= {401: "the token is missing or wrong"} if needs_token else {}
    return {
        str(status): {"description": why, "content": {PROBLEM_JSON: {"schema": _reference(Problem)}}}
        for status, why in sorted(known.items())
    }


def _schemas(routes: Sequence[Route]) -> Json:
    answers = dict.fromkeys(model for route in routes for model in (*route.answers.values(), *route.events.values()))
    given = [route.body for route in routes if route.body is not None]
    answered: tuple[type[BaseModel], ...] = tuple({**answers, Problem: None})
    wanted: list[tuple[type[BaseModel], Any]] = [(model, "serialization") for model in answered]
    wanted += [(model, "validation") for model in given]
    _, schema = models_json_schema(wanted, ref_template=_REF)
    found: Json = schema["$defs"]
    return found | _enums(routes, found)


def _enums(routes: Iterable[Route], known: Mapping[str, object]) -> Json:
    """What the parameters of queries refer to."""
    found: Json = {}
    for route in routes:
        if route.params is not None:
            found |= route.params.model_json_schema(ref_template=_REF).get("$defs", {})
    return {name: schema for name, schema in found.items() if name not in known}


def _reference(model: type[BaseModel]) -> Json:
    return {"$ref": _REF.format(model=model.__name__)}
