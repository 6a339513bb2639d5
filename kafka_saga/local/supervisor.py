"""Keeps services running: one process each, started again with backoff when they end, stopped in order.

Nothing here waits except `stop`: whoever owns the supervisor calls `turn` several times a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from kafka_saga.local.backoff import Backoff
from kafka_saga.local.processes import eventually
from kafka_saga.local.service_log import ServiceLog
from kafka_saga.local.service_process import Program, Readiness, ServiceProcess, how_it_ended
from kafka_saga.local.up_record import ServiceSeen, ServiceStatus

DRAIN = 25.0
"""Seconds that services get to stop: longer than the time they give their running handlers."""

_PROBE_EVERY = {ServiceStatus.STARTING: 0.2, ServiceStatus.WAITING: 0.5, ServiceStatus.READY: 2.0}


@dataclass(slots=True)
class _Member:
    """One service and what is known of it."""

    program: Program
    log: ServiceLog
    process: ServiceProcess | None = None
    status: ServiceStatus = ServiceStatus.STARTING
    reasons: tuple[str, ...] = ()
    failures: int = 0
    restarts: int = 0
    restart_at: float = 0.0
    probe_at: float = 0.0
    last_end: str | None = None

    def seen(self) -> ServiceSeen:
        process = self.process
        return ServiceSeen(
            name=self.program.name,
            status=self.status,
            pid=process.pid if process else None,
            port=process.port if process else None,
            restarts=self.restarts,
            reasons=self.reasons,
            last_end=self.last_end,
            log=str(self.log.path),
        )


@dataclass
class Supervisor:
    """Runs `programs` in `environment`, their logs in the folder `logs`; `say` gets a sentence for what happens."""

    programs: Sequence[Program]
    environment: Mapping[str, str]
    logs: Path
    say: Callable[[str], None]
    backoff: Backoff = field(default_factory=Backoff)
    insists: Callable[[], bool] = lambda: False
    _members: list[_Member] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._members = [_Member(program, ServiceLog(self.logs / f"{program.name}.log")) for program in self.programs]

    def start(self) -> None:
        """Start every service."""
        for member in self._members:
            self._start(member)

    def turn(self) -> None:
        """Look at every service once: note its end, start it again when that is due, ask whether it is ready."""
        now = time.monotonic()
        for member in self._members:
            if member.process is None:
                self._restart_if_due(member, now)
            elif (code := member.process.ended()) is not None:
                self._note_end(member, member.process, code)
            elif now >= member.probe_at:
                self._probe(member, member.process)

    def seen(self) -> tuple[ServiceSeen, ...]:
        """How each service is, as far as the last turns have shown."""
        return tuple(member.seen() for member in self._members)

    @property
    def is_ready(self) -> bool:
        """Whether every service is ready."""
        return all(member.status is ServiceStatus.READY for member in self._members)

    def stop(self, patience: float = DRAIN) -> None:
        """Ask all to end at once; kill what has not ended after `patience` seconds, or when the user insists."""
        for member in self._members:
            member.status = ServiceStatus.STOPPED
            if member.process is not None:
                member.process.terminate()
        eventually(lambda: self.insists() or not self._running(), patience)
        for member in self._running():
            self.say(f"{member.program.name} did not stop in time and was killed")
            if member.process is not None:
                member.process.kill()

    def _running(self) -> list[_Member]:
        return [member for member in self._members if member.process is not None and member.process.ended() is None]

    def _start(self, member: _Member) -> None:
        member.status, member.reasons, member.probe_at = ServiceStatus.STARTING, (), 0.0
        member.process = ServiceProcess(member.program, self.environment, member.log)

    def _restart_if_due(self, member: _Member, now: float) -> None:
        if now >= member.restart_at:
            member.restarts += 1
            self._start(member)

    def _note_end(self, member: _Member, process: ServiceProcess, code: int) -> None:
        member.failures = self.backoff.count(member.failures, process.ran)
        delay = self.backoff.delay(member.failures)
        member.last_end = f"{how_it_ended(code)}: {member.log.last_words()}"
        member.process, member.status, member.reasons = None, ServiceStatus.RESTARTING, ()
        member.restart_at = time.monotonic() + delay
        self.say(f"{member.program.name} ended ({member.last_end}). It is started again in {delay:g} s.")

    def _probe(self, member: _Member, process: ServiceProcess) -> None:
        before, found = member.status, process.readiness()
        member.status, member.reasons = _judged(before, found), found.reasons
        member.probe_at = time.monotonic() + _PROBE_EVERY[member.status]
        if member.status is not before:
            self._tell(member)

    def _tell(self, member: _Member) -> None:
        if member.status is ServiceStatus.READY:
            self.say(f"{member.program.name} is ready")
        elif member.status is ServiceStatus.WAITING:
            with suppress(IndexError):
                self.say(f"{member.program.name} is not ready: {member.reasons[0]}")


def _judged(before: ServiceStatus, found: Readiness) -> ServiceStatus:
    """What an answer makes of a service: one that was never ready is still starting."""
    if found.is_ready:
        return ServiceStatus.READY
    is_starting = before is ServiceStatus.STARTING and found.reasons in {(), ("starting",)}
    return ServiceStatus.STARTING if is_starting else ServiceStatus.WAITING
