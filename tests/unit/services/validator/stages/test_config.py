"""Which configuration governs, and is it right?"""

from __future__ import annotations

import pytest

from schemas.events.code_review import ReviewConfig, Severity, StageStatus
from tests.unit.services.validator.given import Desk, Entry, History, diff_event, git_event, link, submodule

ALL_FIELDS = b"""
[review]
include = ["src/**", "*.py"]
exclude = ["docs/", "!docs/keep.md"]
min_severity = "medium"
disabled_rules = ["F401"]
max_file_bytes = 1000
max_inline_comments = 0
"""


def _with(history: History, config: bytes | Entry) -> tuple[str, str]:
    base = history.commit({"a.py": b"1\n", ".saga.toml": config})
    return base, history.commit({"a.py": b"2\n", ".saga.toml": config}, base)


def test_without_a_file_the_defaults_govern(history: History, desk: Desk) -> None:
    base = history.commit({"a.py": b"1\n"})
    assert (
        desk.accepts(git_event(history.folder, base, history.commit({"a.py": b"2\n"}, base))).config == ReviewConfig()
    )


def test_every_field_is_taken_from_the_base(history: History, desk: Desk) -> None:
    base, head = _with(history, ALL_FIELDS)
    assert desk.accepts(git_event(history.folder, base, head)).config == ReviewConfig(
        include=("src/**", "*.py"),
        exclude=("docs/", "!docs/keep.md"),
        min_severity=Severity.MEDIUM,
        disabled_rules=("F401",),
        max_file_bytes=1000,
        max_inline_comments=0,
        origin=f".saga.toml@{base}",
    )


def test_the_head_cannot_change_its_own_rules(history: History, desk: Desk) -> None:
    base = history.commit({"a.py": b"1\n"})
    head = history.commit({"a.py": b"2\n", ".saga.toml": b"[review]\nexclude = ['*']\n"}, base)
    assert desk.accepts(git_event(history.folder, base, head)).config == ReviewConfig()


def test_the_base_itself_counts_and_not_the_place_where_head_forked(history: History, desk: Desk) -> None:
    fork = history.commit({"a.py": b"1\n"})
    base = history.commit({"a.py": b"1\n", ".saga.toml": ALL_FIELDS}, fork)
    head = history.commit({"a.py": b"2\n"}, fork)
    assert desk.accepts(git_event(history.folder, base, head)).config.min_severity is Severity.MEDIUM


def test_an_inline_diff_has_the_defaults(desk: Desk) -> None:
    text = "--- a/.saga.toml\n+++ b/.saga.toml\n@@ -0,0 +1 @@\n+[review]\n"
    validated = desk.accepts(diff_event(text))
    assert validated.config == ReviewConfig()
    assert "not known" in (validated.stages[1].note or "")


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (b"[review]\nmax_file_bytes = 0\n", "review.max_file_bytes: Input should be greater than 0"),
        (b"[review]\nmax_file_bytes = '10'\n", "review.max_file_bytes: Input should be a valid integer"),
        (b"[review]\nmax_file_bytes = true\n", "review.max_file_bytes: Input should be a valid integer"),
        (b"[review]\nmax_file_bytes = 99999999999\n", "review.max_file_bytes: Input should be less than"),
        (b"[review]\nmax_inline_comments = 31\n", "review.max_inline_comments: Input should be less than"),
        (b"[review]\nmin_severity = 'urgent'\n", "review.min_severity: Input should be 'low', 'medium', 'high' or"),
        (b"[review]\ninclude = '*.py'\n", "review.include: Input should be a valid list"),
        (b"[review]\ninclude = [1]\n", "review.include.0: Input should be a valid string"),
        (b"[review]\nexclude = ['']\n", "review.exclude.0: String should have at least 1 character"),
        (b"[review]\nexclude = ['!']\n", "review.exclude.0: Value error, '!' is not a gitignore pattern"),
        (b"[review]\nexlude = []\n", "review.exlude: unknown key"),
        (b"[reviews]\n", "reviews: unknown key"),
        (b"review = 1\n", "review: Input should be"),
        (b"[review\n", "not TOML: "),
        (b"\xff", "not UTF-8 at byte 0"),
        (b"x = " + b"[" * 50_000, "not TOML: nested too deeply"),
        (b"#" * 70_000, "is too large: 70,000 bytes, limit 65,536"),
    ],
)
def test_a_wrong_configuration_is_rejected_by_field(history: History, desk: Desk, config: bytes, reason: str) -> None:
    base, head = _with(history, config)
    rejected = desk.rejects(git_event(history.folder, base, head))
    assert rejected.code == "bad_config"
    assert rejected.reason.startswith(f".saga.toml at {base[:12]}")
    assert reason in rejected.reason
    assert rejected.stages[3].status is StageStatus.SKIPPED


def test_all_wrong_fields_are_named_at_once(history: History, desk: Desk) -> None:
    base, head = _with(history, b"[review]\nmax_file_bytes = 0\nfoo = 1\n")
    reason = desk.rejects(git_event(history.folder, base, head)).reason
    assert "review.max_file_bytes: " in reason
    assert "review.foo: unknown key" in reason


@pytest.mark.parametrize("entry", [link("/etc/passwd"), submodule("a" * 40)])
def test_a_configuration_that_is_no_file_is_rejected(history: History, desk: Desk, entry: Entry) -> None:
    base, head = _with(history, entry)
    rejected = desk.rejects(git_event(history.folder, base, head))
    assert rejected.code == "bad_config"
    assert "must be a file" in rejected.reason


def test_a_folder_of_that_name_is_rejected(history: History, desk: Desk) -> None:
    base = history.commit({"a.py": b"1\n", ".saga.toml/x": b""})
    head = history.commit({"a.py": b"2\n", ".saga.toml/x": b""}, base)
    assert desk.rejects(git_event(history.folder, base, head)).code == "bad_config"
