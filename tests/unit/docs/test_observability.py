"""The guide has metrics and health of everything that ships, no more and no less; its alerts ask for what there is."""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry, ProcessCollector

from kafka_saga.engine.work import Kind
from kafka_saga.observability.http_metrics import Requests
from kafka_saga.views.answers import Answers
from kafka_saga.views.feed import Feed
from kafka_saga.views.metrics import ViewsMetrics
from kafka_saga.views.partition_tables import PartitionTables
from kafka_saga.views.position import Positions
from kafka_saga.views.stored_sagas import StepOutcome
from services.app import SERVICES
from tests.unit.kafka_saga.engine.told import told

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
NAME = re.compile(r"\b(?:saga|process)_[a-z_]+")

Row = tuple[str, frozenset[str]]
"""Type and labels."""


def table(name: str) -> list[list[str]]:
    """The rows of a table of the guide, without its head."""
    found = GUIDE.partition(f"<!-- {name} -->")[2].partition(f"<!-- /{name} -->")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in found.strip().splitlines()[2:]]


def documented(whose: str) -> dict[str, Row]:
    return {row[0].strip("`"): (row[1], frozenset(re.findall(r"`(\w+)`", row[2]))) for row in table(whose)}


def sources() -> Iterator[ast.Module]:
    """Every module of the services."""
    for path in sorted(path for folder in ("kafka_saga", "services") for path in (ROOT / folder).rglob("*.py")):
        yield ast.parse(path.read_text(encoding="utf-8"))


def texts(node: ast.AST) -> Iterator[str]:
    """The texts in a piece of code; what is filled in is an ellipsis."""
    match node:
        case ast.JoinedStr(values=parts):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in parts)
        case ast.Constant(value=str(text)):
            yield text
        case _:
            for child in ast.iter_child_nodes(node):
                yield from texts(child)


def named_by(module: ast.Module) -> set[str]:
    """The names of metrics in a module that makes some."""
    origins = [node.module or "" for node in ast.walk(module) if isinstance(node, ast.ImportFrom)]
    makes = any(origin.partition(".")[0] == "prometheus_client" for origin in origins)
    return {text for text in texts(module) if makes and NAME.fullmatch(text)}


def reasons_in(module: ast.Module) -> Iterator[str]:
    """The sentences with which a process says at `/readyz` that it is not ready."""
    for node in ast.walk(module):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if name.endswith("why_not_ready"):
                about = ast.get_docstring(node, clean=False)
                yield from (text for text in texts(node) if " " in text and text != about)
            case (
                ast.keyword(arg="reasons", value=value)
                | ast.AnnAssign(target=ast.Name(id="reasons"), value=ast.expr() as value)
            ):
                yield from texts(value)
            case ast.Assign(targets=[ast.Attribute(attr="reasons")], value=value):
                yield from texts(value)


def shown_by(registry: CollectorRegistry) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for family in registry.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = {label for sample in family.samples for label in sample.labels} - {"service", "le"}
        assert family.samples, f"{name} is described, but has never been told"
        found[name] = (family.type, frozenset(labels))
    return found


class Alone:
    """A worker that has no partition yet."""

    owners: Mapping[int, str] = {}
    ready: frozenset[int] = frozenset()

    def look(self) -> None:
        pass


def of_views() -> CollectorRegistry:
    """What a worker of the views tells of its tables."""
    registry = CollectorRegistry()
    holdings, positions = PartitionTables({}), Positions()
    answers = Answers("http://127.0.0.1:1", 4, holdings, positions, Alone())
    registry.register(ViewsMetrics(answers, holdings, positions, Feed()))
    return registry


def of_http() -> CollectorRegistry:
    """What a server tells of its requests, once there was one."""
    registry = CollectorRegistry()
    requests = Requests("console", registry)

    async def ask() -> None:
        async with TestClient(TestServer(requests.before(web.Application()))) as client:
            await client.get("/")

    asyncio.run(ask())
    return registry


def of_processes() -> CollectorRegistry:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    return registry


def shown() -> dict[str, Row]:
    """All of it."""
    return shown_by(told().registry) | shown_by(of_views()) | shown_by(of_http())


def test_every_metric_is_documented_with_its_type_and_labels_and_no_other() -> None:
    processes = shown_by(of_processes())
    assert documented("metrics of processes") == processes
    assert documented("metrics") | processes == shown_by(told().registry)
    assert documented("metrics of views") == shown_by(of_views())
    assert documented("metrics of http") == shown_by(of_http())


def test_no_metric_is_made_anywhere_that_was_not_looked_at_here() -> None:
    ours = {name.removesuffix("_total") for name in shown() if name.startswith("saga_")}
    assert set().union(*map(named_by, sources())) == ours


def test_every_reason_for_not_being_ready_is_documented_and_no_other() -> None:
    assert {reason for _, reason, _ in table("reasons")} == {
        text for module in sources() for text in reasons_in(module)
    }


def test_every_kind_of_a_record_of_the_views_is_explained() -> None:
    (explained,) = re.findall(r"of each worker by itself \(`kind`: (.*)\)", GUIDE)
    assert {outcome.name.lower() for outcome in StepOutcome} == set(re.findall(r"`(\w+)`", explained))


def test_everything_that_ships_is_scraped() -> None:
    composed = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    ours = {name for name, service in composed.items() if "services." in str(service.get("command", ""))}
    assert ours == {program.parent.name for program in (ROOT / "services").glob("*/__main__.py")} == set(SERVICES)
    blocks = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    jobs = next(found for block in blocks if (found := yaml.safe_load(block)).get("scrape_configs"))["scrape_configs"]
    assert set(jobs[0]["dns_sd_configs"][0]["names"]) == ours


def test_names_have_their_unit_at_the_end() -> None:
    for name, (kind, _) in shown().items():
        assert name.endswith("_total") == (kind == "counter"), name
        if kind == "histogram":
            assert name.endswith("_seconds"), name


def test_alerts_and_examples_ask_for_metrics_that_exist() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    rules = next(found for block in blocks if (found := yaml.safe_load(block)).get("groups"))["groups"][0]["rules"]
    asked = {name for rule in rules for name in NAME.findall(rule["expr"])}
    asked |= {name for text in re.findall(r"`([^`]*(?:rate|quantile)\([^`]*)`", GUIDE) for name in NAME.findall(text)}
    known = shown()
    bare = {name.removesuffix("_bucket") if name.endswith("_bucket") else name for name in asked}
    assert len(rules) >= 8
    assert bare - known.keys() == set()


def test_every_kind_of_an_end_is_explained() -> None:
    assert {kind.value for kind in Kind} <= set(re.findall(r"`(\w+)`", GUIDE.partition("<!-- metrics -->")[0]))
