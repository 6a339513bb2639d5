"""The guide's table of metrics is what a service shows, no more and no less; its alerts ask for what there is."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from services.chassis.work import Kind
from tests.unit.services.chassis.told import told

GUIDE = (Path(__file__).parents[3] / "docs" / "observability.md").read_text(encoding="utf-8")
NAME = re.compile(r"\b(?:saga|process)_[a-z_]+")

Row = tuple[str, frozenset[str]]
"""Type and labels."""


def documented() -> dict[str, Row]:
    table = GUIDE.partition("<!-- metrics -->")[2].partition("<!-- /metrics -->")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines()[2:]]
    return {row[0].strip("`"): (row[1], frozenset(re.findall(r"`(\w+)`", row[2]))) for row in rows}


def shown() -> dict[str, Row]:
    found: dict[str, Row] = {}
    for family in told().registry.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = {label for sample in family.samples for label in sample.labels} - {"service", "le"}
        assert family.samples, f"{name} is described, but has never been told"
        found[name] = (family.type, frozenset(labels))
    return found


def test_every_metric_is_documented_with_its_type_and_labels_and_no_other() -> None:
    assert documented() == shown()


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
