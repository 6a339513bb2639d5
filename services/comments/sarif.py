"""The review as SARIF 2.1.0 (OASIS), as code scanning tools and editors read it."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from urllib.parse import quote, urlsplit

from schemas.events.code_review import CoverageStatus, FileCoverage, Finding, PullRequest, Severity
from services.comments.document import Review

Json = dict[str, object]
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT = "%SRCROOT%"
_LEVELS = {Severity.LOW: "note", Severity.MEDIUM: "warning", Severity.HIGH: "error", Severity.CRITICAL: "error"}
_SCORES = {Severity.LOW: "3.0", Severity.MEDIUM: "5.5", Severity.HIGH: "8.0", Severity.CRITICAL: "9.5"}
"""GitHub's `security-severity`: above 9.0 critical, 7.0 high, 4.0 medium, else low."""


def as_sarif(review: Review) -> str:
    """`review` as the text of a SARIF log with one run; all findings are results, inline or not."""
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(review)]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _run(review: Review) -> Json:
    findings = sorted((*review.inline, *review.summarised), key=lambda f: (f.path, f.start_line, f.end_line, f.rule_id))
    rules = _rules(findings)
    index = {rule_id: position for position, rule_id in enumerate(rules)}
    pr = review.pull_request
    return {
        "tool": {"driver": {"name": f"saga {review.reviewer}", "rules": list(rules.values())}},
        "automationDetails": {"id": f"saga/{quote(pr.repository, safe='')}/{pr.number}/"},
        "originalUriBaseIds": {ROOT: {"description": {"text": "The top folder of the repository."}}},
        "versionControlProvenance": [_revision(pr)],
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": _gaps(review.coverage)}],
        "results": _results(findings, index),
        "properties": {"marker": review.marker, "verdict": review.verdict.value},
    }


def _rules(findings: Sequence[Finding]) -> dict[str, Json]:
    """One rule per id, told by its most severe finding."""
    worst: dict[str, Finding] = {}
    for finding in findings:
        known = worst.setdefault(finding.rule_id, finding)
        if float(_SCORES[finding.severity]) > float(_SCORES[known.severity]):
            worst[finding.rule_id] = finding
    return {rule_id: _rule(worst[rule_id]) for rule_id in sorted(worst)}


def _rule(finding: Finding) -> Json:
    properties: Json = {"tags": [finding.category], "precision": _precision(finding.confidence)}
    if finding.category == "security":
        properties["security-severity"] = _SCORES[finding.severity]
    return {
        "id": finding.rule_id,
        "shortDescription": {"text": f"{finding.category}: {finding.rule_id}"},
        "defaultConfiguration": {"level": _LEVELS[finding.severity]},
        "properties": properties,
    }


def _precision(confidence: float) -> str:
    if confidence >= 0.9:
        return "very-high"
    if confidence >= 0.7:
        return "high"
    return "medium" if confidence >= 0.5 else "low"


def _results(findings: Sequence[Finding], index: dict[str, int]) -> list[Json]:
    seen: Counter[str] = Counter()
    results = []
    for finding in findings:
        content = fingerprint(finding)
        seen[content] += 1
        results.append(_result(finding, index[finding.rule_id], f"{content}:{seen[content]}"))
    return results


def fingerprint(finding: Finding) -> str:
    """What stays the same when a finding moves to other lines: its rule, its file and the text it is about."""
    text = "\x1f".join((finding.rule_id, finding.path, " ".join(finding.evidence.split())))
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]


def _result(finding: Finding, rule_index: int, unique: str) -> Json:
    suggestion = f"\n{finding.suggestion}" if finding.suggestion else ""
    return {
        "ruleId": finding.rule_id,
        "ruleIndex": rule_index,
        "level": _LEVELS[finding.severity],
        "rank": round(finding.confidence * 100, 1),
        "message": {"text": without_links(finding.message + suggestion)},
        "locations": [{"physicalLocation": _location(finding)}],
        "partialFingerprints": {"sagaFinding/v1": unique},
        "properties": {"severity": finding.severity.value, "category": finding.category},
    }


def without_links(text: str) -> str:
    """`text` as a SARIF message that links nowhere (3.11.6: `[text](target)` is a link, a backslash undoes it)."""
    if "](" not in text:
        return text
    return re.sub(r"([\\\[\]])", r"\\\1", text)


def _location(finding: Finding) -> Json:
    region: Json = {"startLine": finding.start_line, "endLine": finding.end_line}
    if finding.evidence:
        region["snippet"] = {"text": finding.evidence}
    return {"artifactLocation": {"uri": quote(finding.path, safe="/"), "uriBaseId": ROOT}, "region": region}


def _revision(pr: PullRequest) -> Json:
    return {"repositoryUri": repository_uri(pr), "revisionId": pr.head_sha, "mappedTo": {"uriBaseId": ROOT}}


def repository_uri(pr: PullRequest) -> str:
    """The repository's address, if the pull request's begins with it, else a name that is a URI."""
    name = f"/{pr.repository}"
    parts = urlsplit(pr.url or "")
    if parts.scheme in {"http", "https"} and parts.hostname and f"{parts.path}/".startswith(f"{name}/"):
        return f"{parts.scheme}://{quote(parts.hostname)}{quote(name)}"
    return f"urn:saga:repository:{quote(pr.repository, safe='')}"


def _gaps(coverage: Sequence[FileCoverage]) -> list[Json]:
    gaps = [c for c in coverage if c.status is not CoverageStatus.REVIEWED]
    return [
        {
            "level": "note",
            "message": {"text": f"{gap.status.value}: {gap.reason or 'no reason given'}"},
            "locations": [
                {"physicalLocation": {"artifactLocation": {"uri": quote(gap.path, safe="/"), "uriBaseId": ROOT}}}
            ],
        }
        for gap in gaps
    ]
