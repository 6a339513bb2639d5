"""The rules every review obeys, whoever wrote it: added lines only, no duplicates, bounds, coverage, verdict."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from schemas.documents.code_review import ChangedFile, ChangeSet, LineRange
from schemas.events.code_review import (
    ChangeKind,
    CoverageStatus,
    FileCoverage,
    Finding,
    ReviewConfig,
    Severity,
    Verdict,
)

MAX_FINDINGS = 1000
MAX_FINDINGS_BYTES = 512 * 1024
MAX_SENTENCE = 500
MAX_EVIDENCE = 300
DELETED = "deleted: nothing to review"
UNREPORTED = "the reviewer did not report on this file"
_SEVERITIES = tuple(Severity)
_COVERAGE = (CoverageStatus.REVIEWED, CoverageStatus.PARTIAL, CoverageStatus.SKIPPED)


def rank(severity: Severity) -> int:
    """How much a severity weighs: low 0, medium 1, high 2, critical 3."""
    return _SEVERITIES.index(severity)


def anchored(finding: Finding, added: Iterable[LineRange]) -> Finding | None:
    """`finding` moved to start at its first added line; none if it touches no added line."""
    met = (lines for lines in added if lines.start <= finding.end_line and lines.end >= finding.start_line)
    first = min((max(lines.start, finding.start_line) for lines in met), default=None)
    return None if first is None else finding.model_copy(update={"start_line": first})


def disabled(rule_id: str, patterns: Iterable[str]) -> bool:
    """Whether `rule_id` (`javascript/no-eval`) or its last part (`no-eval`) matches one of the shell-style patterns."""
    names = (rule_id, rule_id.rsplit("/", 1)[-1])
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in names)


def kept(findings: Iterable[Finding], changes: ChangeSet, config: ReviewConfig) -> list[Finding]:
    """What may be said: on added lines of changed files, as the repository asks, once, in order, of bounded length."""
    added: defaultdict[str, list[LineRange]] = defaultdict(list)
    for file in changes.files:
        added[file.path].extend(file.added)
    on_added = (anchored(finding, added[finding.path]) for finding in findings)
    return deduplicated(ordered(_short(f) for f in on_added if f is not None and _wanted(f, config)))


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """By path, line, rule; the order in which a review is written, the same for the same findings."""
    return sorted(findings, key=lambda f: (f.path, f.start_line, f.end_line, f.rule_id, f.message))


def deduplicated(findings: Iterable[Finding]) -> list[Finding]:
    """The first finding of each rule on the same lines of the same file."""
    first: dict[tuple[str, int, int, str], Finding] = {}
    for finding in findings:
        first.setdefault((finding.path, finding.start_line, finding.end_line, finding.rule_id), finding)
    return list(first.values())


def bounded(
    findings: Sequence[Finding], most: int = MAX_FINDINGS, most_bytes: int = MAX_FINDINGS_BYTES
) -> tuple[list[Finding], int]:
    """The most severe findings that an event has room for, in order, and how many were dropped."""
    fitting: list[Finding] = []
    room = most_bytes
    for finding in sorted(findings, key=lambda f: (-rank(f.severity), -f.confidence)):
        room -= len(finding.model_dump_json().encode())
        if len(fitting) == most or room < 0:
            break
        fitting.append(finding)
    return ordered(fitting), len(findings) - len(fitting)


def coverage(changes: ChangeSet, reported: Iterable[FileCoverage]) -> tuple[FileCoverage, ...]:
    """Exactly one coverage per path of the change set, in its order; of several the least flattering."""
    said: dict[str, FileCoverage] = {}
    for report in reported:
        said[report.path] = _worse(said.get(report.path), report)
    covered: dict[str, FileCoverage] = {}
    for file in changes.files:
        covered[file.path] = _worse(covered.get(file.path), _coverage_of(file, said))
    return tuple(covered.values())


def verdict(findings: Sequence[Finding], changes: ChangeSet, covered: Sequence[FileCoverage]) -> Verdict:
    """No coverage, no clean verdict: clean only if all that could be reviewed was reviewed whole.

    Deleted files, and files that the repository's own configuration excludes, do not stand in the way; but if
    nothing was reviewed at all because all of it is excluded, the verdict is incomplete.
    """
    if findings:
        return Verdict.FINDINGS
    status = {report.path: report.status for report in covered}
    living = [file for file in changes.files if file.change is not ChangeKind.DELETED]
    due = [file for file in living if not excluded(file)]
    whole = all(status[file.path] is CoverageStatus.REVIEWED for file in due)
    return Verdict.CLEAN if whole and (due or not living) else Verdict.INCOMPLETE


def excluded(file: ChangedFile) -> bool:
    """Whether the repository's `.saga.toml` keeps `file` out of reviews; the validator's reason then ends so."""
    return (file.skipped or "").endswith("by .saga.toml")


def _coverage_of(file: ChangedFile, said: Mapping[str, FileCoverage]) -> FileCoverage:
    skipped = DELETED if file.change is ChangeKind.DELETED else file.skipped
    if skipped is not None:
        return FileCoverage(path=file.path, status=CoverageStatus.SKIPPED, reason=skipped)
    return said.get(file.path) or FileCoverage(path=file.path, status=CoverageStatus.SKIPPED, reason=UNREPORTED)


def _worse(one: FileCoverage | None, other: FileCoverage) -> FileCoverage:
    return other if one is None else max(one, other, key=lambda report: _COVERAGE.index(report.status))


def _wanted(finding: Finding, config: ReviewConfig) -> bool:
    severe = rank(finding.severity) >= rank(config.min_severity)
    return severe and not disabled(finding.rule_id, config.disabled_rules)


def _short(finding: Finding) -> Finding:
    suggestion = finding.suggestion and finding.suggestion[:MAX_SENTENCE]
    evidence = finding.evidence[:MAX_EVIDENCE]
    return finding.model_copy(
        update={"message": finding.message[:MAX_SENTENCE], "suggestion": suggestion, "evidence": evidence}
    )
