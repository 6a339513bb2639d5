"""The three systems that are compared, each of four step processes and a tracker, with topics of its own."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from kafka_saga.definition.topics import SAGA_LIFECYCLE, SAGA_STATE, TopicFactory, TopicSpec, topics_of
from kafka_saga.errors import UnavailableError
from kafka_saga.local.processes import ChildProcess, eventually, spawn
from tests.bench.flat import TRACKED
from tests.chain.definition import CHAIN

ROOT = Path(__file__).parents[2]
PARTITIONS = 4
START_SECONDS = 60.0
STEPS = tuple(step.name for step in CHAIN.steps)


@dataclass(frozen=True)
class System:
    """One of the three: `prefix` is what its topics begin with, `commands` has its processes by name."""

    name: str
    prefix: str
    commands: Mapping[str, Sequence[str]]

    def specs(self) -> list[TopicSpec]:
        """The topics it reads and writes."""
        specs = topics_of((CHAIN,), TopicFactory(PARTITIONS))
        if not self.prefix:
            return list(specs)
        used = [spec for spec in specs if spec.name in {*TRACKED, SAGA_STATE, SAGA_LIFECYCLE}]
        return [TopicSpec(self.prefix + s.name, s.partitions, s.replication_factor, s.config) for s in used]

    def environment(self, bootstrap: str) -> dict[str, str]:
        """What its processes are told."""
        return os.environ | {
            "PYTHONPATH": str(ROOT),
            "SAGA_BOOTSTRAP_SERVERS": bootstrap,
            "SAGA_PARTITIONS": str(PARTITIONS),
            "SAGA_DEFINITIONS": "tests.chain.definition:CHAIN",
        }


def systems(*, tracker: bool = True) -> tuple[System, ...]:
    """The framework and its two references, in the order of the report; all without a tracker if so wanted."""
    python = [sys.executable, "-m"]
    saga = {f"chain-{step}": [*python, "tests.chain", step] for step in STEPS}
    lean = {f"lean-{step}": [*python, "tests.bench.lean", step, "lean."] for step in STEPS}
    hops = zip(STEPS, TRACKED, TRACKED[1:], strict=False)
    bare = {f"bare-{step}": [*python, "tests.bench.bare", "hop", "bare.", *ends] for step, *ends in hops}
    if tracker:
        saga["tracker"] = [*python, "services.tracker"]
        lean["lean-tracker"] = [*python, "tests.bench.lean_tracker", "lean."]
        bare["bare-tracker"] = [*python, "tests.bench.bare", "tracker", "bare."]
    return System("saga", "", saga), System("lean", "lean.", lean), System("bare", "bare.", bare)


@dataclass
class Running:
    """A system whose processes run; `startup` has the seconds from start to first assignment, by process."""

    system: System
    processes: dict[str, ChildProcess]
    startup: dict[str, float] = field(default_factory=dict)

    def cpu_seconds(self) -> dict[str, float]:
        """The processor time that each process has used so far."""
        return {name: cpu_seconds(process.pid) for name, process in self.processes.items()}

    def memory_mb(self) -> dict[str, float]:
        """The resident memory of each process, in MB."""
        return {name: psutil.Process(p.pid).memory_info().rss / 1e6 for name, p in self.processes.items()}

    def check(self) -> None:
        """Raises UnavailableError naming the processes that have ended."""
        if ended := [name for name, process in self.processes.items() if not process.is_alive()]:
            raise UnavailableError(f"{', '.join(ended)} ended during the measurement: see build/bench")


def cpu_seconds(pid: int) -> float:
    """The processor time, user and system, of a process."""
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


@contextmanager
def running(system: System, bootstrap: str, logs: Path) -> Iterator[Running]:
    """Start the processes of `system` one after the other, each when the one before has its partitions."""
    found = Running(system, {})
    with ExitStack() as stack:
        for name, command in system.commands.items():
            log = logs / f"{name}.log"
            began = time.monotonic()
            process = spawn(command, system.environment(bootstrap), log, tethered=True)
            stack.callback(process.terminate, 30.0)
            if not eventually(lambda log=log: _is_assigned(log), START_SECONDS):  # type: ignore[misc]
                raise UnavailableError(f"{name} has no partitions after {START_SECONDS:g} s: see {log}")
            found.processes[name] = process
            found.startup[name] = time.monotonic() - began
        yield found


def _is_assigned(log: Path) -> bool:
    return log.exists() and "assigned: " in log.read_text(encoding="utf-8", errors="replace")
