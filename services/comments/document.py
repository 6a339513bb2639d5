"""The review as one document: what `review.json` holds and what the other formats are made from."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

from pydantic import Field

from kafka_saga import Value
from schemas.events.code_review import FileCoverage, Finding, LlmCompleted, PullRequest, Severity, Verdict

_SEVERITIES = tuple(Severity)


class SeverityCounts(Value):
    """How many findings there are of each severity."""

    critical: int = 0
    high: int = 0
    medium: int = 0
    low: int = 0


class Review(Value):
    """A finished review. The same outcome of the llm step makes the same document, byte for byte: no clock is read."""

    schema_version: int = Field(default=1, description="version of this document's layout")
    marker: str = Field(description="names this review; posting it again under the same marker changes nothing")
    pull_request: PullRequest
    reviewer: str = Field(description="who reviewed: `offline-rules`")
    verdict: Verdict
    counts: SeverityCounts = Field(description="findings by severity, inline and summarised together")
    inline: tuple[Finding, ...] = Field(description="the most severe findings, by path and line")
    summarised: tuple[Finding, ...] = Field(description="all other findings, by path and line")
    findings_dropped: int = Field(ge=0, description="findings beyond what an event holds; they are nowhere")
    coverage: tuple[FileCoverage, ...] = Field(description="how much of each changed file was reviewed")


def marker_of(idempotency_key: str) -> str:
    """The marker of the review that is posted under `idempotency_key`: plain characters, whatever the key holds."""
    return f"saga-review-{hashlib.sha256(idempotency_key.encode()).hexdigest()[:32]}"


def compose(event: LlmCompleted, marker: str) -> Review:
    """The review that `event` asks for, with at most `config.max_inline_comments` inline findings."""
    inline, summarised = split(event.findings, event.config.max_inline_comments)
    return Review(
        marker=marker,
        pull_request=event.pull_request,
        reviewer=event.reviewer,
        verdict=event.verdict,
        counts=SeverityCounts(**Counter(finding.severity.value for finding in event.findings)),
        inline=inline,
        summarised=summarised,
        findings_dropped=event.findings_dropped,
        coverage=event.coverage,
    )


def split(findings: Sequence[Finding], most: int) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """The `most` most severe findings and the others, both by path and line."""
    by_weight = sorted(findings, key=lambda f: (-_SEVERITIES.index(f.severity), -f.confidence, *_place(f)))
    return _in_order(by_weight[:most]), _in_order(by_weight[most:])


def _in_order(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=_place))


def _place(finding: Finding) -> tuple[str, int, int, str, str]:
    return finding.path, finding.start_line, finding.end_line, finding.rule_id, finding.message
