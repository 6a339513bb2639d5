"""The clients of a command: each opened once, and closed when the command ends."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from kafka_saga.cli import connection as connecting
from kafka_saga.cli.connection import Connection, connection_of
from kafka_saga.inspection.log.reading import states
from tests.unit.kafka_saga.cli.cluster import Counted, Members
from tests.unit.kafka_saga.cli.given import SAGA, log_with, running


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Counted:
    found = Counted(log_with({SAGA: running()}))
    monkeypatch.setattr(connecting, "KafkaCluster", lambda properties, patience: found)
    monkeypatch.setattr(connecting, "KafkaGroups", lambda properties, patience: Members({}))
    return found


def looked(connection: Connection) -> int:
    """How many sagas there are: an admin client and a reader are needed for that."""
    return len(states(connection.cluster()))


def test_what_a_command_asks_is_asked_by_clients_that_are_opened_once(opened: Counted) -> None:
    connection = Connection("127.0.0.1:9092")
    assert [looked(connection), looked(connection)] == [1, 1]
    assert (opened.admins, len(opened.readers)) == (1, 1)
    assert connection.groups() is connection.groups()


def test_what_is_closed_is_opened_anew_for_the_next_question(opened: Counted) -> None:
    connection = Connection("127.0.0.1:9092")
    assert looked(connection) == 1
    groups = connection.groups()
    connection.close()
    assert [reader.is_closed for reader in opened.readers] == [True]
    assert looked(connection) == 1
    assert (opened.admins, len(opened.readers)) == (2, 2)
    assert connection.groups() is not groups


@pytest.mark.parametrize("fails", [False, True])
def test_the_clients_of_a_command_are_closed_however_it_ends(opened: Counted, fails: bool) -> None:
    app = typer.Typer()

    @app.command()
    def count(context: typer.Context) -> None:
        looked(connection_of(context))
        assert not opened.readers[0].is_closed
        if fails:
            raise typer.Exit(1)

    assert CliRunner().invoke(app, []).exit_code == int(fails)
    assert [reader.is_closed for reader in opened.readers] == [True]
