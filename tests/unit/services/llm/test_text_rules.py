"""Rules that need no parser, and how secrets are kept out of a review."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events.code_review import CoverageStatus
from services.llm.matches import dedented
from tests.unit.services.llm.given import changed, opinion, rules_found, whole

AWS_KEY = "AKIA" + "ABCDEFGHIJKLMNOP"
KEY_BLOCK = "-----BEGIN RSA PRIVATE {0}-----\n{1}{1}-----END RSA PRIVATE {0}-----\n".format(
    "KEY", "MIIEpAIBAAKCAQEA0Z3VS5\n"
)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("<<<<<<< HEAD\n", "text/merge-conflict"),
        (">>>>>>> main\n", "text/merge-conflict"),
        (KEY_BLOCK, "text/private-key"),
        (f"key: {AWS_KEY}\n", "text/access-token"),
        ("token = ghp_" + "a1B2" * 9 + "\n", "text/access-token"),
        ("db_password: hunter2hunter2\n", "text/hardcoded-secret"),
        ('API_KEY="abcd1234efgh"\n', "text/hardcoded-secret"),
        ("if admin\u202e: go\n", "text/hidden-direction"),
    ],
)
def test_found_in_any_text(text: str, rule: str) -> None:
    assert rules_found(whole("deploy/settings.conf", text)) == [rule]


@pytest.mark.parametrize(
    "text",
    [
        "Title\n=======\n",
        "password: ${DB_PASSWORD}\n",
        "password: changeme-please\n",
        "api_key: <your key here>\n",
        "tokenizer = something_long\n",
        "-----BEGIN CERTIFICATE-----\n",
    ],
)
def test_left_alone(text: str) -> None:
    assert rules_found(whole("settings.conf", text)) == []


@pytest.mark.parametrize(
    ("path", "language", "text"),
    [
        ("a.conf", None, "password: hunter2hunter2\n"),
        ("a.conf", None, f"x = {AWS_KEY}\n"),
        ("a.py", "python", "password = 'hunter2hunter2'\n"),
        ("a.js", "javascript", "const password = 'hunter2hunter2'; eval('hunter2hunter2')\n"),
        ("a.conf", None, KEY_BLOCK),
    ],
)
def test_a_secret_is_never_repeated(path: str, language: str | None, text: str) -> None:
    said = opinion(whole(path, text, language)).findings
    assert said
    for found in said:
        shown = f"{found.evidence} {found.message} {found.suggestion}"
        assert not any(secret in shown for secret in ("hunter2", AWS_KEY, "MIIEpAIB"))
        assert "****" in found.evidence or "PRIVATE KEY" in found.evidence


@given(st.text(max_size=200))
def test_evidence_keeps_its_words_and_loses_only_margins(text: str) -> None:
    assert dedented(text).split() == text.split() or "\x1c" in text or dedented(text).strip() == text.strip()


def test_evidence_is_cut_at_three_hundred_characters_and_loses_the_common_indent() -> None:
    file = whole("a.py", f"if 1:\n    eval('{'y' * 400}')\n", "python")
    said = [f for f in opinion(file).findings if f.rule_id == "ruff/S307"]
    assert [len(f.evidence) for f in said] == [300]
    assert said[0].evidence.startswith("eval('yyy")


def test_prose_is_reviewed_whole_by_the_text_rules_and_other_files_in_part() -> None:
    said = opinion(whole("README.md", "Hello.\n"), whole("app.rb", "puts 1\n"), whole("Makefile", "all:\n"))
    assert [(c.path, c.status, c.reason) for c in said.coverage] == [
        ("README.md", CoverageStatus.REVIEWED, None),
        ("app.rb", CoverageStatus.PARTIAL, "no rules for .rb: only text rules"),
        ("Makefile", CoverageStatus.PARTIAL, "no rules for Makefile: only text rules"),
    ]


def test_only_added_lines_are_told_of() -> None:
    file = whole("a.conf", "<<<<<<< a\n<<<<<<< b\n<<<<<<< c\n")
    part = type(file)(changed("a.conf", added=((2, 2),)), file.text)
    assert [f.start_line for f in opinion(part).findings] == [2]
