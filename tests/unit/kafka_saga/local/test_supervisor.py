"""Services are kept running: real processes, small ones."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kafka_saga.errors import UnavailableError
from kafka_saga.local.backoff import Backoff
from kafka_saga.local.processes import eventually
from kafka_saga.local.service_log import ServiceLog, last_words
from kafka_saga.local.service_process import Program, how_it_ended, readiness_at
from kafka_saga.local.supervisor import Supervisor
from kafka_saga.local.up_record import (
    ServiceSeen,
    ServiceStatus,
    UpRecord,
    live_up,
    remove_up,
    the_only_one,
    up_folder,
    write_up,
)
from tests.unit.kafka_saga.local.small_service import BROKEN, SERVICE, STUBBORN

READY = ServiceStatus.READY


class Run:
    """A supervisor of one program, and what it said."""

    def __init__(self, logs: Path, code: str) -> None:
        self.said: list[str] = []
        program = Program("small", (sys.executable, "-c", code))
        backoff = Backoff(first=0.01, longest=0.05)
        self.supervisor = Supervisor((program,), dict(os.environ), logs, self.said.append, backoff)
        self.supervisor.start()

    @property
    def seen(self) -> ServiceSeen:
        return self.supervisor.seen()[0]

    def until(self, wanted: str) -> None:
        """Turn until a sentence holds `wanted`."""

        def holds() -> bool:
            self.supervisor.turn()
            return any(wanted in sentence for sentence in self.said)

        assert eventually(holds, 60), self.said


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    return tmp_path / "logs"


@pytest.fixture
def small(logs: Path) -> Iterator[Run]:
    run = Run(logs, SERVICE)
    yield run
    run.supervisor.stop()


def test_a_service_gets_ready_and_stops_when_asked(small: Run) -> None:
    small.until("small is ready")
    assert (small.seen.status, small.supervisor.is_ready) == (READY, True)
    small.supervisor.stop()
    assert not any("killed" in sentence for sentence in small.said)


def test_a_killed_service_is_said_and_started_again(small: Run) -> None:
    small.until("small is ready")
    assert small.seen.pid is not None
    os.kill(small.seen.pid, 9)
    small.said.clear()
    small.until("small ended (killed by SIGKILL: serving). It is started again in 0.01 s.")
    small.until("small is ready")
    assert small.seen.restarts == 1


def test_one_that_ends_again_and_again_waits_longer_and_says_why(logs: Path) -> None:
    run = Run(logs, BROKEN)
    run.until("small ended (exit code 3: no such setting: SAGA_X). It is started again in 0.05 s.")
    run.supervisor.stop()
    assert run.seen.restarts >= 2
    assert "no such setting" in (logs / "small.log").read_text()


def test_one_that_does_not_stop_is_killed_and_said(logs: Path) -> None:
    run = Run(logs, STUBBORN)
    run.until("small is ready")
    run.supervisor.stop(patience=0.1)
    assert "small did not stop in time and was killed" in run.said


def test_delays_grow_up_to_a_bound_and_begin_anew_after_a_good_run() -> None:
    backoff = Backoff(first=0.5, longest=30, steady=30)
    assert [backoff.delay(n) for n in (0, 1, 2, 3, 7, 1000)] == [0, 0.5, 1, 2, 30, 30]
    assert (backoff.count(4, ran=2.0), backoff.count(4, ran=31.0)) == (5, 1)


def test_the_last_error_of_a_log_is_what_a_service_said() -> None:
    error = '{"level": "ERROR", "message": "no topic"}'
    crash = '{"level": "ERROR", "message": "stopped", "traceback": "Traceback\\n  x\\nValueError: no"}'
    info = '{"level": "INFO", "message": "stopping"}'
    assert last_words([info, error, info]) == "no topic"
    assert last_words([error, crash]) == "stopped: ValueError: no"
    assert last_words(["plain", info]) == "stopping"
    assert last_words(["[1]", "", "last"]) == "last"
    assert last_words([]) == "it said nothing"


def test_a_log_is_bounded_and_a_disk_that_refuses_holds_nobody_up(tmp_path: Path) -> None:
    log = ServiceLog(tmp_path / "a.log", most=100)
    for number in range(60):
        log.write(b"%09d\n" % number)
    sizes = [path.stat().st_size for path in sorted(tmp_path.iterdir())]
    assert len(sizes) == 2
    assert max(sizes) <= 110
    assert log.last_words() == "000000059"
    (tmp_path / "file").write_text("")
    lost = ServiceLog(tmp_path / "file" / "a.log")
    lost.write(b"x\n")
    assert (lost.lost, lost.last_words()) == (1, "x")


def test_ends_are_said_in_words() -> None:
    assert [how_it_ended(code) for code in (0, 1, -9, -200)] == [
        "exit code 0",
        "exit code 1",
        "killed by SIGKILL",
        "killed by signal 200",
    ]


def test_a_port_where_nobody_answers_is_not_ready() -> None:
    assert not readiness_at(1).is_ready


def test_only_one_runs_at_a_time_and_the_second_says_who(tmp_path: Path) -> None:
    record = UpRecord(pid=os.getpid(), mark="x", since="2026-01-01T00:00:00Z", bootstrap="127.0.0.1:9092")
    with the_only_one(tmp_path):
        with pytest.raises(UnavailableError, match="just starting or stopping"), the_only_one(tmp_path):
            pass
        write_up(tmp_path, record)
        assert live_up(tmp_path) is None, "another process has that pid"
    with the_only_one(tmp_path):
        remove_up(tmp_path)
    assert not (up_folder(tmp_path) / "running.json").exists()
