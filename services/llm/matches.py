"""A rule, a match of a rule in a file, and how matches become findings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic import Field

from kafka_saga import Value
from schemas.events.code_review import Finding, Severity
from services.llm.judgement import MAX_EVIDENCE, anchored
from services.llm.reviewer import FileToReview

_LITERAL = re.compile(r"""(["'`])(?P<body>[^"'`\s]{4,})\1""")
_BARE_VALUE = re.compile(r"(?<=[:=])(\s*)(?P<body>[^\s\"'`]{4,})\s*$")
_TOKEN = re.compile(
    r"\b(?:(?:AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20,}|xox[abprs]-[A-Za-z0-9-]{10,}|sk_live_[A-Za-z0-9]{16,})"
)
_KEY_MATERIAL = re.compile(r"[A-Za-z0-9+/=]{32,}")


class Rule(Value):
    """What a rule says when it matches, and how sure it is."""

    id: str
    message: str
    severity: Severity
    category: str
    confidence: float = Field(ge=0, le=1)
    suggestion: str | None = None
    secret: bool = Field(default=False, description="whether what it matches must not be repeated in the review")


@dataclass(frozen=True, slots=True)
class Match:
    """Where a rule matched: lines from 1, both ends included; `message` replaces the rule's if given."""

    rule: Rule
    path: str
    start: int
    end: int
    message: str | None = None


@dataclass(frozen=True, slots=True)
class FileScan:
    """What the rules of a language found in one file; `gap` says what they could not see, if so."""

    matches: tuple[Match, ...] = ()
    gap: str | None = None


def failed_scans(program: str, exit_code: int, stderr: str, files: int) -> list[FileScan]:
    """One scan per file that says that `program` failed, and how."""
    said = trimmed(" ".join(stderr.split()) or "it said nothing", 200)
    return [FileScan(gap=f"{program} failed (exit code {exit_code}): {said}; only text rules")] * files


def findings_of(file: FileToReview, matches: Iterable[Match]) -> list[Finding]:
    """The matches that touch added lines, as findings; lines that hold a secret are masked in all evidence."""
    known = list(matches)
    shown = _without_secrets(file, known)
    findings = (anchored(_finding(match, file), file.changed.added) for match in known)
    return [f.model_copy(update={"evidence": evidence(shown, f)}) for f in findings if f is not None]


def _without_secrets(file: FileToReview, matches: Iterable[Match]) -> list[str]:
    lines = [_TOKEN.sub(lambda m: m[0][:4] + "****", line) for line in file.lines]
    for match in matches:
        if match.rule.secret:
            first, *others = lines[match.start - 1 : match.end]
            # of a secret over several lines, such as a key, only the first shows what it is
            lines[match.start - 1 : match.end] = [_masked(first), *("****" for _ in others)]
    return lines


def _finding(match: Match, file: FileToReview) -> Finding:
    last = max(len(file.lines), 1)
    start = min(max(match.start, 1), last)
    return Finding(
        path=match.path,
        start_line=start,
        end_line=min(max(match.end, start), last),
        severity=match.rule.severity,
        category=match.rule.category,
        confidence=match.rule.confidence,
        message=match.message or match.rule.message,
        suggestion=match.rule.suggestion,
        rule_id=match.rule.id,
        evidence="",
    )


def evidence(lines: Sequence[str], finding: Finding) -> str:
    """The finding's lines out of a file's: common indent removed, at most 300 characters."""
    return trimmed(dedented("\n".join(lines[finding.start_line - 1 : finding.end_line])))


def dedented(text: str) -> str:
    """`text` without the indent that all its lines share, and without blank lines around it."""
    lines = text.strip("\n").split("\n")
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[indent:].rstrip() for line in lines)


def trimmed(text: str, limit: int = MAX_EVIDENCE) -> str:
    """`text`, cut to `limit` characters with an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _masked(line: str) -> str:
    line = _LITERAL.sub(lambda m: f"{m[1]}{m['body'][:2]}****{m[1]}", line)
    line = _BARE_VALUE.sub(lambda m: f"{m[1]}{m['body'][:2]}****", line)
    return _KEY_MATERIAL.sub("****", line)
