"""What follows what, with throughput, failures and consumer lag where they arise, and what is paused."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from aiohttp import web
from markupsafe import Markup

from kafka_saga.api.topology import DefinitionTopology, PausedScope, Topology
from kafka_saga.console import drawing
from kafka_saga.console.keys import API
from kafka_saga.console.rendering import is_fragment, page
from kafka_saga.wire import control

ROUTES = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class Shown:
    """A definition on the page: what of it can be paused, what is, the steps that this concerns, and its drawing."""

    definition: DefinitionTopology
    scopes: tuple[str, ...]
    pauses: tuple[PausedScope, ...]
    paused: Collection[str]
    drawn: Markup


@ROUTES.get("/topology")
async def topology(request: web.Request) -> web.Response:
    """Every definition as a graph and as a table; pauses that concern none of them come first."""
    found = await request.app[API].get(Topology, "/topology")
    definitions = [shown(one, found.paused) for one in found.definitions]
    told = {scope for one in definitions for scope in one.scopes}
    elsewhere = [one for one in found.paused if one.scope not in told]
    context = {"definitions": definitions, "elsewhere": elsewhere, "behind_s": found.behind_s}
    return page(request, "parts/topology.html" if is_fragment(request) else "topology.html", context)


def shown(definition: DefinitionTopology, pauses: Collection[PausedScope]) -> Shown:
    """A definition with the pauses that concern it: one of all of it is one of each step."""
    whole = control.of_definition(definition.name)
    steps = {control.of_step(definition.name, step.name): step.name for step in definition.steps}
    mine = tuple(one for one in pauses if one.scope == whole or one.scope in steps)
    held = {one.scope for one in mine}
    paused = frozenset(name for scope, name in steps.items() if whole in held or scope in held)
    return Shown(definition, (whole, *steps), mine, paused, drawing.topology(definition, paused))
