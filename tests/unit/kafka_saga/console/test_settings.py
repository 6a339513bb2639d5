from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from kafka_saga.console.process import load_settings
from kafka_saga.console.settings import ConsoleSettings

GUIDE = Path(__file__).parents[4] / "docs" / "console.md"
MARKED = re.compile(r"(<!-- settings -->\n)(.*?)(<!-- /settings -->)", re.DOTALL)


def table() -> str:
    rows = [
        f"| `SAGA_{name.upper()}` | {'' if info.default in {None, ''} else f'`{info.default}`'} | {info.description} |"
        for name, info in ConsoleSettings.model_fields.items()
    ]
    return "\n".join(["| variable | default | meaning |", "|---|---|---|", *rows, ""])


def test_every_setting_is_documented() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    if os.environ.get("SAGA_UPDATE_GOLDEN"):
        GUIDE.write_text(MARKED.sub(lambda found: found[1] + table() + found[3], text), encoding="utf-8")
        pytest.skip("written anew")
    found = MARKED.search(text)
    assert found is not None
    assert found[2] == table()


@pytest.mark.parametrize(
    ("host", "is_private"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("10.1.1.1", False), ("box", False)],
)
def test_only_this_machines_own_addresses_are_private(host: str, is_private: bool) -> None:
    assert ConsoleSettings.model_validate({"console_host": host, "console_token": "x" * 16}).is_private is is_private


@pytest.mark.parametrize("token", ["short", "two words, long", "a line's end\n", "schlüssel-token", "\x00" * 9])
def test_a_token_that_no_header_can_hold_is_refused(token: str) -> None:
    with pytest.raises(ValidationError, match="api_token"):
        ConsoleSettings.model_validate({"api_token": token})


def test_it_does_not_start_for_others_without_a_token() -> None:
    with pytest.raises(ValidationError, match="set SAGA_CONSOLE_TOKEN"):
        ConsoleSettings.model_validate({"console_host": "0.0.0.0", "console_token": None})


def test_a_wrong_setting_ends_the_process_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGA_CONSOLE_TOKEN", "short")
    with pytest.raises(SystemExit, match="SAGA_CONSOLE_TOKEN: String should have at least 16 characters"):
        load_settings()
