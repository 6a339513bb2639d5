"""A review on the terminal: findings by file and line, coverage, verdict, and where it is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from kafka_saga.cli.output import safe
from schemas.events.code_review import (
    CommentsCreated,
    CoverageStatus,
    FileCoverage,
    Finding,
    LlmCompleted,
    Severity,
    Verdict,
)

SEVERITY_STYLE = {
    Severity.CRITICAL: "bold white on red",
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
}
_VERDICT = {
    Verdict.CLEAN: ("✓ Clean: nothing to say about the added lines.", "bold green"),
    Verdict.FINDINGS: ("", ""),
    Verdict.INCOMPLETE: ("Nothing was found, but not everything was seen: this is no clean verdict.", "bold yellow"),
}
_WIDEST = max(len(severity.value) for severity in Severity)


def findings(found: Sequence[Finding]) -> RenderableType:
    """Every finding, by path and line."""
    in_order = sorted(found, key=lambda one: (one.path, one.start_line, one.end_line, one.rule_id))
    files = [Group(*map(finding, group)) for _, group in groupby(in_order, key=lambda one: one.path)]
    return Group(*(part for file in files for part in (file, Text())))


def finding(one: Finding) -> RenderableType:
    """Path, line, severity and rule on one line; the message and the suggestion below."""
    head = Text.assemble(
        (f" {one.severity.value} ".center(_WIDEST + 2), SEVERITY_STYLE[one.severity]),
        "  ",
        safe(f"{one.path}:{one.start_line}", "bold"),
        (f"-{one.end_line}" if one.end_line > one.start_line else "", "bold"),
        "  ",
        safe(one.rule_id, "dim"),
    )
    body = [Padding(safe(one.message), (0, 0, 0, _WIDEST + 4))]
    if one.suggestion:
        body.append(Padding(Text.assemble(("→ ", "green"), safe(one.suggestion, "green")), (0, 0, 0, _WIDEST + 4)))
    return Group(head, *body)


def summary(review: LlmCompleted) -> RenderableType:
    """Verdict, findings by severity, coverage, and what was not seen."""
    parts: list[RenderableType] = []
    words, style = _VERDICT[review.verdict]
    if words:
        parts.append(Text(words, style))
    if review.findings:
        parts.append(Text.assemble(("Findings  ", "dim"), counts(review.findings)))
    if review.findings_dropped:
        parts.append(Text(f"          and {review.findings_dropped} more, less severe, that did not fit", "yellow"))
    parts.append(Text.assemble(("Coverage  ", "dim"), coverage_line(review.coverage)))
    parts += [_unseen(one) for one in review.coverage if one.status is not CoverageStatus.REVIEWED]
    return Group(*parts)


def counts(found: Sequence[Finding]) -> Text:
    """`2 critical, 1 low`."""
    by_severity = Counter(one.severity for one in found)
    parts = [
        Text(f"{by_severity[severity]} {severity.value}", SEVERITY_STYLE[severity].replace("white on ", ""))
        for severity in reversed(Severity)
        if by_severity[severity]
    ]
    return Text(", ").join(parts)


def coverage_line(coverage: Sequence[FileCoverage]) -> Text:
    """`5 files: 4 reviewed, 1 skipped`."""
    by_status = Counter(one.status for one in coverage)
    parts = ", ".join(f"{by_status[status]} {status.value}" for status in CoverageStatus if by_status[status])
    files = "file" if len(coverage) == 1 else "files"
    return Text(f"{len(coverage)} {files}" + (f": {parts}" if parts else ""))


def written(created: CommentsCreated) -> Text:
    """Where the review lies."""
    return Text.assemble(
        ("Written   ", "dim"), safe(created.location, "bold"), "\n          ", safe(", ".join(created.files), "dim")
    )


def _unseen(one: FileCoverage) -> Text:
    return Text.assemble("          ", safe(one.path), "  ", safe(f"{one.status.value}: {one.reason or ''}", "yellow"))
