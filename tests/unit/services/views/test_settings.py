"""Where a worker is, and that nobody leaves the door open."""

from __future__ import annotations

import socket

import pytest

from schemas.errors import ChoreographyError
from services.chassis.definitions import stated
from services.views.service import kept_for
from services.views.settings import views_settings
from topology.code_review import CODE_REVIEW


def test_a_worker_is_at_its_usual_place_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAGA_VIEWS_URL", raising=False)
    assert views_settings().url_at(8420) == "http://127.0.0.1:8420"


def test_a_worker_is_reached_as_it_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGA_VIEWS_URL", "http://views.example:80")
    assert views_settings().url_at(8420) == "http://views.example:80"


def test_a_worker_that_listens_everywhere_is_reached_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGA_VIEWS_HOST", "0.0.0.0")
    monkeypatch.setenv("SAGA_API_TOKEN", "a-long-secret")
    assert views_settings().url_at(8420) == f"http://{socket.gethostname()}:8420"


def test_an_open_door_without_a_token_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGA_VIEWS_HOST", "0.0.0.0")
    monkeypatch.delenv("SAGA_API_TOKEN", raising=False)
    with pytest.raises(ChoreographyError, match="SAGA_API_TOKEN"):
        views_settings()


@pytest.mark.parametrize(("name", "value"), [("SAGA_VIEWS_PORT", "many"), ("SAGA_VIEWS_URL", "views.example")])
def test_a_wrong_setting_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ChoreographyError, match=name):
        views_settings()


def test_finished_sagas_are_shown_as_long_as_their_definition_keeps_them() -> None:
    assert kept_for([stated(CODE_REVIEW)]) == {"code_review": 7 * 24 * 3600 * 1000}
