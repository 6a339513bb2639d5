"""Rules that need no parser: merge conflicts, keys and tokens, characters that make code look like what it is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from schemas.events.code_review import Severity
from services.llm.matches import Match, Rule
from services.llm.reviewer import FileToReview

_REVOKE = "Revoke it, and read the new one from the environment or a secret store."

MERGE_CONFLICT = Rule(
    id="text/merge-conflict",
    message="A merge conflict was committed unresolved.",
    severity=Severity.HIGH,
    category="correctness",
    confidence=0.95,
    suggestion="Resolve it and remove the markers.",
)
PRIVATE_KEY = Rule(
    id="text/private-key",
    message="A private key is written into the repository; whoever can read it has the key.",
    severity=Severity.CRITICAL,
    category="security",
    confidence=0.95,
    suggestion=_REVOKE,
    secret=True,
)
ACCESS_TOKEN = Rule(
    id="text/access-token",
    message="This looks like an access token of a cloud or code hosting service.",
    severity=Severity.CRITICAL,
    category="security",
    confidence=0.9,
    suggestion=_REVOKE,
    secret=True,
)
HARDCODED_SECRET = Rule(
    id="text/hardcoded-secret",
    message="A secret seems to be written into this file.",
    severity=Severity.HIGH,
    category="security",
    confidence=0.4,
    suggestion=_REVOKE,
    secret=True,
)
HIDDEN_DIRECTION = Rule(
    id="text/hidden-direction",
    message="A character that reverses text makes this line read differently from what runs (CVE-2021-42574).",
    severity=Severity.HIGH,
    category="security",
    confidence=0.9,
    suggestion="Remove it, or write it as an escape.",
)


@dataclass(frozen=True, slots=True)
class TextRule:
    """A rule with the pattern that finds it in a line; `unparsed` ones are for files that no other rules read."""

    rule: Rule
    pattern: re.Pattern[str]
    unparsed: bool = False


_PLACEHOLDER = r"(?!.*(?:example|placeholder|change-?me|your[_-]|xxxx|\*\*\*|\$\{|\{\{|<))"
TEXT_RULES = (
    TextRule(MERGE_CONFLICT, re.compile(r"^(?:<{7}|>{7}|\|{7})(?: |$)")),
    TextRule(
        ACCESS_TOKEN,
        re.compile(
            r"\b(?:(?:AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36,}|xox[abprs]-[0-9A-Za-z-]{20,}|sk_live_[0-9A-Za-z]{20,})\b"
        ),
    ),
    TextRule(
        HARDCODED_SECRET,
        re.compile(
            r"(?i)\b[\w-]*(?:passwd|password|secret|api[_-]?key|private[_-]?key|access[_-]?token)[\"']?\s*[:=]\s*"
            + _PLACEHOLDER
            + r"[\"']?[^\s\"'#,;]{8,}[\"']?\s*$"
        ),
        unparsed=True,
    ),
    TextRule(HIDDEN_DIRECTION, re.compile("[\u202a-\u202e\u2066-\u2069]")),
)
_KEY_BEGIN = re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----")
_KEY_END = re.compile(r"-----END (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----")
ALL_RULES = (PRIVATE_KEY, *(text_rule.rule for text_rule in TEXT_RULES))


def text_matches(file: FileToReview, parsed: bool) -> Iterator[Match]:
    """Where the text rules match; `parsed` says whether the rules of a language read this file too."""
    yield from _private_keys(file)
    rules = [text_rule for text_rule in TEXT_RULES if not (parsed and text_rule.unparsed)]
    for number, line in enumerate(file.lines, start=1):
        for text_rule in rules:
            if text_rule.pattern.search(line):
                yield Match(text_rule.rule, file.path, number, number)


def _private_keys(file: FileToReview) -> Iterator[Match]:
    begin: int | None = None
    for number, line in enumerate(file.lines, start=1):
        if _KEY_BEGIN.search(line):
            begin = number
        if begin is not None and _KEY_END.search(line):
            yield Match(PRIVATE_KEY, file.path, begin, number)
            begin = None
    if begin is not None:
        yield Match(PRIVATE_KEY, file.path, begin, len(file.lines))
