"""Nothing that others wrote steers the terminal."""

from __future__ import annotations

import json

import pytest

from kafka_saga.cli.output import harmless, print_json, safe
from kafka_saga.inspection.log.times import iso
from tests.unit.kafka_saga.cli.given import HOSTILE, T0, shown


def test_control_and_hidden_characters_are_replaced_and_markup_is_text() -> None:
    said = harmless(HOSTILE)
    assert said.isprintable()
    assert "[bold red]x[/]" in said
    assert ":boom:" in said
    assert shown(safe(HOSTILE)).strip().isprintable()


def test_lone_surrogates_can_be_printed() -> None:
    assert harmless("a\udcffb") == "a\ufffdb"


def test_json_is_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"said": HOSTILE})
    printed = capsys.readouterr().out
    assert printed.isascii()
    assert "\x1b" not in printed
    assert json.loads(printed)["said"] == HOSTILE


def test_times_are_rfc_3339() -> None:
    assert (iso(T0 + 5), iso(None)) == ("2026-01-01T00:00:00.005Z", None)
