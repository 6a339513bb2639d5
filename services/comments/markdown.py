"""The review as Markdown, made to be read on GitHub."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import PurePosixPath

from schemas.events.code_review import CoverageStatus, FileCoverage, Finding, PullRequest, Severity, Verdict
from services.comments.document import Review
from services.comments.escaping import block, code, plain

FOLDED_ABOVE = 20
_VERDICTS = {
    Verdict.CLEAN: "✅ **Clean.** Every file was reviewed, and there is nothing to say.",
    Verdict.FINDINGS: "🔎 **Findings.**",
    Verdict.INCOMPLETE: "⚠️ **Incomplete.** Nothing was found, but not everything could be reviewed; see the coverage.",
}
_SIGNS = {Severity.CRITICAL: "⛔", Severity.HIGH: "🔴", Severity.MEDIUM: "🟠", Severity.LOW: "🟡"}


def as_markdown(review: Review) -> str:
    """`review` as GitHub-flavoured Markdown, with its marker in a comment on the first line."""
    blocks = [f"<!-- {review.marker} -->", *_head(review.pull_request), _verdict(review)]
    if review.inline or review.summarised:
        blocks.append(_counts(review))
    blocks += [*_inline(review.inline), *_summarised(review), *_coverage(review.coverage)]
    blocks.append(f"<sub>Reviewed by {plain(review.reviewer)}. Only lines that the change adds are judged.</sub>")
    return "\n\n".join(blocks) + "\n"


def _head(pr: PullRequest) -> Iterator[str]:
    yield f"# Review of {plain(pr.repository)} \\#{pr.number}"
    author = f" by {plain(pr.author)}" if pr.author else ""
    yield f"Title: {plain(pr.title)}{author}<br>\nCommits: {code(pr.base_sha[:12])} → {code(pr.head_sha[:12])}"


def _verdict(review: Review) -> str:
    said = _VERDICTS[review.verdict]
    if review.findings_dropped:
        said += f" {review.findings_dropped} less severe findings are beyond the bound and are not listed anywhere."
    return said


def _counts(review: Review) -> str:
    numbers = [(severity, getattr(review.counts, severity.value)) for severity in reversed(Severity)]
    head = " | ".join(f"{_SIGNS[severity]} {severity.value}" for severity, _ in numbers)
    return f"| {head} |\n|{' ---: |' * 4}\n| {' | '.join(str(number) for _, number in numbers)} |"


def _inline(findings: Sequence[Finding]) -> Iterator[str]:
    if findings:
        yield "## Comments"
    for path, group in groupby(findings, key=lambda finding: finding.path):
        yield f"### {code(path)}"
        for finding in group:
            yield from _finding(finding)


def _finding(finding: Finding) -> Iterator[str]:
    sign, where = _SIGNS[finding.severity], _lines(finding)
    kind = f"{plain(finding.category)} · {code(finding.rule_id)} · confidence {finding.confidence:.0%}"
    yield f"{sign} **{finding.severity.value}**, {where} · {kind}<br>\n{plain(finding.message)}"
    if finding.evidence.strip():
        yield block(finding.evidence, PurePosixPath(finding.path).suffix.removeprefix("."))
    if finding.suggestion:
        yield f"> **Suggestion:** {plain(finding.suggestion)}"


def _lines(finding: Finding) -> str:
    if finding.end_line == finding.start_line:
        return f"line {finding.start_line}"
    return f"lines {finding.start_line}–{finding.end_line}"  # noqa: RUF001 - a range of lines has an en dash


def _summarised(review: Review) -> Iterator[str]:
    if not review.summarised:
        return
    yield "## More findings"
    plural = "" if len(review.summarised) == 1 else "s"
    yield f"{len(review.summarised)} less severe finding{plural}, by file and rule:"
    lines: defaultdict[tuple[str, str, Severity], list[int]] = defaultdict(list)
    for finding in review.summarised:
        lines[finding.path, finding.rule_id, finding.severity].append(finding.start_line)
    rows = (
        (code(path, in_table=True), code(rule, in_table=True), severity.value, str(len(at)), _some(at))
        for (path, rule, severity), at in lines.items()
    )
    yield _table(("File", "Rule", "Severity", "Count", "Lines"), rows, len(lines))


def _some(numbers: Sequence[int], most: int = 10) -> str:
    shown = ", ".join(str(number) for number in numbers[:most])
    return f"{shown}, …" if len(numbers) > most else shown


def _coverage(coverage: Sequence[FileCoverage]) -> Iterator[str]:
    if not coverage:
        return
    yield "## Coverage"
    count = {status: sum(c.status is status for c in coverage) for status in CoverageStatus}
    yield ", ".join(f"{number} {status.value}" for status, number in count.items() if number) + "."
    rows = ((code(c.path, in_table=True), c.status.value, plain(c.reason or "")) for c in coverage)
    yield _table(("File", "Status", "Reason"), rows, len(coverage))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], count: int) -> str:
    lines = [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]
    table = "\n".join(lines)
    if count <= FOLDED_ABOVE:
        return table
    return f"<details>\n<summary>{count} rows</summary>\n\n{table}\n\n</details>"
