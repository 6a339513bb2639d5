"""Where a worker is, and that nobody leaves the door open."""

from __future__ import annotations

import socket

import pytest
from yarl import URL

from kafka_saga.errors import ChoreographyError
from kafka_saga.steps.definition_registry import stated
from kafka_saga.views.expiry import kept_for
from kafka_saga.views.settings import views_settings
from topology.code_review import CODE_REVIEW


def test_a_worker_is_at_its_usual_place_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAGA_VIEWS_URL", raising=False)
    assert views_settings().url_at(8420) == "http://127.0.0.1:8420"


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("http://views.example:8421", "http://views.example:8421"),
        ("http://Views.Example:80/", "http://views.example"),
        ("https://[::1]:8421", "https://[::1]:8421"),
    ],
)
def test_a_worker_is_reached_as_it_was_told(given: str, meant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However an address is written: workers compare theirs as text, as Faust passes them on."""
    monkeypatch.setenv("SAGA_VIEWS_URL", given)
    assert views_settings().url_at(8420) == meant == str(URL(meant))


def test_a_worker_at_an_address_of_ipv6_is_reached_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAGA_VIEWS_URL", raising=False)
    monkeypatch.setenv("SAGA_VIEWS_HOST", "::1")
    assert views_settings().url_at(8420) == "http://[::1]:8420"


def test_a_worker_that_listens_everywhere_is_reached_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGA_VIEWS_HOST", "0.0.0.0")
    monkeypatch.setenv("SAGA_API_TOKEN", "a-long-secret")
    assert views_settings().url_at(8420) == f"http://{socket.gethostname()}:8420"


def test_an_open_door_without_a_token_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGA_VIEWS_HOST", "0.0.0.0")
    monkeypatch.delenv("SAGA_API_TOKEN", raising=False)
    with pytest.raises(ChoreographyError, match="SAGA_API_TOKEN"):
        views_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SAGA_VIEWS_PORT", "many"),
        ("SAGA_VIEWS_URL", "views.example"),
        ("SAGA_VIEWS_URL", "views.example:8420"),
        ("SAGA_VIEWS_URL", "http://"),
        ("SAGA_VIEWS_URL", "http://views.example/api"),
        ("SAGA_VIEWS_URL", "http://views.example:8420?x"),
        ("SAGA_VIEWS_URL", "http://views.example:99999"),
        ("SAGA_VIEWS_URL", "http://[::1"),
        ("SAGA_API_TOKEN", "short"),
        ("SAGA_API_TOKEN", "two words of it"),
        ("SAGA_API_TOKEN", "with-a-line-end\n"),
        ("SAGA_API_TOKEN", "schlüsselbund"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ChoreographyError, match=name) as refused:
        views_settings()
    assert "SAGA_API_TOKEN" not in name or value not in str(refused.value)


def test_finished_sagas_are_shown_as_long_as_their_definition_keeps_them() -> None:
    assert kept_for([stated(CODE_REVIEW)]) == {"code_review": 7 * 24 * 3600 * 1000}
