"""Which of ruff's rules a review uses, and how severe, how certain and of what kind their findings are."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.events.code_review import Severity

LOW, MEDIUM, HIGH = Severity.LOW, Severity.MEDIUM, Severity.HIGH


@dataclass(frozen=True, slots=True)
class Family:
    """Rules whose codes begin with `prefix`; of several families the one with the longest prefix counts."""

    prefix: str
    about: str
    severity: Severity
    category: str
    confidence: float
    secret: bool = False


FAMILIES = (
    Family("F", "names, imports and literals (Pyflakes)", MEDIUM, "correctness", 0.9),
    Family("F401", "unused import", LOW, "maintainability", 0.9),
    Family("F403", "star import", LOW, "maintainability", 0.8),
    Family("F405", "name perhaps from a star import", LOW, "maintainability", 0.5),
    Family("F541", "f-string without placeholders", LOW, "maintainability", 0.9),
    Family("F7", "statement where it cannot be", HIGH, "correctness", 0.95),
    Family("F821", "undefined name", HIGH, "correctness", 0.9),
    Family("F823", "local variable used before it is set", HIGH, "correctness", 0.9),
    Family("F841", "unused variable", LOW, "maintainability", 0.8),
    Family("E711", "comparison with None", LOW, "correctness", 0.8),
    Family("E712", "comparison with True or False", LOW, "correctness", 0.6),
    Family("E721", "comparison of types", MEDIUM, "correctness", 0.7),
    Family("E722", "bare except", MEDIUM, "error-handling", 0.9),
    Family("B", "likely bugs (bugbear)", MEDIUM, "correctness", 0.7),
    Family("B007", "unused loop variable", LOW, "maintainability", 0.7),
    Family("B009", "getattr with a constant", LOW, "maintainability", 0.8),
    Family("B010", "setattr with a constant", LOW, "maintainability", 0.8),
    Family("B024", "abstract class without abstract method", LOW, "maintainability", 0.6),
    Family("B027", "empty method in an abstract class", LOW, "maintainability", 0.6),
    Family("B028", "warning without stacklevel", LOW, "maintainability", 0.6),
    Family("B904", "raise without from in an except clause", LOW, "error-handling", 0.8),
    Family("S", "insecure calls and settings (bandit)", MEDIUM, "security", 0.6),
    Family("S102", "exec", HIGH, "security", 0.9),
    Family("S105", "hard-coded secret, assigned", HIGH, "security", 0.5, secret=True),
    Family("S106", "hard-coded secret, argument", HIGH, "security", 0.5, secret=True),
    Family("S107", "hard-coded secret, default", HIGH, "security", 0.5, secret=True),
    Family("S110", "try, except, pass", MEDIUM, "error-handling", 0.8),
    Family("S112", "try, except, continue", MEDIUM, "error-handling", 0.8),
    Family("S113", "request without a timeout", MEDIUM, "reliability", 0.8),
    Family("S307", "eval", HIGH, "security", 0.9),
    Family("S501", "TLS certificates not verified", HIGH, "security", 0.95),
    Family("S506", "YAML loaded as objects", HIGH, "security", 0.9),
    Family("S602", "subprocess through a shell", HIGH, "security", 0.8),
    Family("S604", "call with shell=True", HIGH, "security", 0.7),
    Family("S605", "process started through a shell", HIGH, "security", 0.8),
    Family("S608", "SQL put together from text", HIGH, "security", 0.6),
    Family("S701", "templates without escaping", HIGH, "security", 0.8),
    Family("ASYNC", "blocking calls and lost cancellation in async code", MEDIUM, "correctness", 0.8),
    Family("BLE", "blind except", MEDIUM, "error-handling", 0.6),
    Family("PIE794", "class field defined twice", MEDIUM, "correctness", 0.9),
    Family("PIE796", "enum value used twice", MEDIUM, "correctness", 0.8),
    Family("PLE", "certain errors (pylint)", HIGH, "correctness", 0.9),
    Family("PLW", "suspicious code (pylint)", MEDIUM, "correctness", 0.6),
    Family("RUF006", "task that nobody holds", MEDIUM, "correctness", 0.8),
    Family("RUF008", "mutable default of a dataclass", HIGH, "correctness", 0.9),
    Family("RUF009", "function call as default of a dataclass", MEDIUM, "correctness", 0.7),
    Family("T100", "debugger call", MEDIUM, "leftover", 0.95),
    Family("T20", "print", LOW, "leftover", 0.4),
)
"""The selection. More noise than use, and so left out, are the codes in `IGNORED`."""

IGNORED = (
    "B008", "B905", "B911", "B912",
    "PLW0603", "PLW1510", "PLW2901",
    "S101", "S108", "S310", "S311", "S603", "S606", "S607",
)  # fmt: skip

NEEDS_WHOLE_FILE = ("F401", "F403", "F405", "F811", "F82", "F84", "B018", "PLE06", "PLW06")
"""Codes that mean nothing where only the hunks of a file are known."""


def selected() -> tuple[str, ...]:
    """The prefixes to select."""
    return tuple(family.prefix for family in FAMILIES)


def family_of(code: str) -> Family | None:
    """The family of a rule's code; none if it is not ours."""
    return max((f for f in FAMILIES if code.startswith(f.prefix)), key=lambda f: len(f.prefix), default=None)
