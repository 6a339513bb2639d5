"""One service as a child process: started, asked whether it is ready, stopped."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kafka_saga.local.ports import HOST, any_port, is_free
from kafka_saga.local.service_log import ServiceLog

_LAUNCH = Path(__file__).with_name("launch.py")
_PROBE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Program:
    """What a service is: its name and how it is started."""

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a service works on its records, and why not."""

    is_ready: bool
    reasons: tuple[str, ...] = ()


class ServiceProcess:
    """A running service. It is killed when we end, even by a kill (Linux; elsewhere it must be stopped)."""

    def __init__(self, program: Program, environment: Mapping[str, str], log: ServiceLog) -> None:
        self.port = any_port(is_free)
        self.started_at = time.monotonic()
        own = {"SAGA_HTTP_HOST": HOST, "SAGA_HTTP_PORT": str(self.port), "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-I", "-S", str(_LAUNCH), str(os.getpid()), *program.command]
        self._child = subprocess.Popen(
            command,
            env={**environment, **own},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if self._child.stdout is not None:
            log.follow(self._child.stdout)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    @property
    def ran(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self.started_at

    def ended(self) -> int | None:
        """Its exit code (negative: the signal that killed it), none while it runs."""
        return self._child.poll()

    def readiness(self) -> Readiness:
        """Ask it, waiting half a second at most."""
        return readiness_at(self.port)

    def terminate(self) -> None:
        """Ask it to end."""
        self._send(signal.SIGTERM)
        self._send(signal.SIGCONT)

    def kill(self) -> None:
        """End it and wait until it is gone."""
        self._send(signal.SIGKILL)
        self._child.wait(30)

    def _send(self, number: signal.Signals) -> None:
        if self._child.poll() is None:
            with suppress(ProcessLookupError):
                self._child.send_signal(number)


def readiness_at(port: int, seconds: float = _PROBE_SECONDS) -> Readiness:
    """What `/readyz` at `port` of this machine says."""
    connection = http.client.HTTPConnection(HOST, port, timeout=seconds)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        said = json.loads(answer.read())
    except (OSError, ValueError, http.client.HTTPException):
        return Readiness(is_ready=False)
    finally:
        connection.close()
    reasons = said.get("reasons", []) if isinstance(said, dict) else []
    return Readiness(answer.status == http.HTTPStatus.OK, tuple(map(str, reasons)))


def how_it_ended(code: int) -> str:
    """An exit code in words: `exit code 1`, `killed by SIGKILL`."""
    if code >= 0:
        return f"exit code {code}"
    with suppress(ValueError):
        return f"killed by {signal.Signals(-code).name}"
    return f"killed by signal {-code}"
