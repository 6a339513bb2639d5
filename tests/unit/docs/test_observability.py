"""The guide's table of metrics is what a service shows, no more and no less; its alerts ask for what there is."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path

import yaml
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry, ProcessCollector

from services.chassis.requests import Requests
from services.chassis.work import Kind
from services.views.answers import Answers
from services.views.feed import Feed
from services.views.holdings import Holdings
from services.views.kept import Outcome
from services.views.metrics import ViewsMetrics
from services.views.position import Positions
from tests.unit.services.chassis.told import told

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
NAME = re.compile(r"\b(?:saga|process)_[a-z_]+")

Row = tuple[str, frozenset[str]]
"""Type and labels."""


def documented(whose: str) -> dict[str, Row]:
    table = GUIDE.partition(f"<!-- {whose} -->")[2].partition(f"<!-- /{whose} -->")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines()[2:]]
    return {row[0].strip("`"): (row[1], frozenset(re.findall(r"`(\w+)`", row[2]))) for row in rows}


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
    holdings, positions = Holdings({}), Positions()
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


def test_every_kind_of_a_record_of_the_views_is_explained() -> None:
    (explained,) = re.findall(r"of each worker by itself \(`kind`: (.*)\)", GUIDE)
    assert {outcome.name.lower() for outcome in Outcome} == set(re.findall(r"`(\w+)`", explained))


def test_everything_that_ships_is_scraped() -> None:
    composed = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    ours = {name for name, service in composed.items() if "services." in str(service.get("command", ""))}
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
