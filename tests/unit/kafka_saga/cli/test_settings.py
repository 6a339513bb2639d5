"""`saga settings` names every variable, the application's too, and tells no secret."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from kafka_saga.app import NO_APP, App
from kafka_saga.cli.main import app
from kafka_saga.cli.settings import settings_of


def test_the_applications_settings_stand_beside_the_frameworks() -> None:
    mine = App(settings=("services.comments.settings:ReviewSettings",))
    beside = [one.variable for one in settings_of(mine) if one not in settings_of(NO_APP)]
    assert beside == ["SAGA_REVIEW_DIR"]
    variables = [one.variable for one in settings_of(mine)]
    assert {"SAGA_BOOTSTRAP_SERVERS", "SAGA_VIEWS_PORT", "SAGA_CONSOLE_PORT"} <= set(variables)
    assert len(variables) == len(set(variables))


def test_what_the_environment_says_is_shown_but_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGA_PARTITIONS", "7")
    monkeypatch.setenv("SAGA_API_TOKEN", "a secret of sixteen")
    monkeypatch.delenv("SAGA_SESSION_TIMEOUT", raising=False)
    printed = CliRunner().invoke(app, ["settings", "--json"]).stdout
    found = {one["variable"]: (one["value"], one["default"]) for one in json.loads(printed)}
    assert found["SAGA_PARTITIONS"] == ("7", "12")
    assert found["SAGA_SESSION_TIMEOUT"] == (None, "10")
    assert found["SAGA_API_TOKEN"][0] == "(set)"
    assert "a secret" not in printed + CliRunner().invoke(app, ["settings"]).stdout
