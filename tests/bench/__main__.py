"""`python -m tests.bench`: the framework against the bare and the lean loop, on a Kafka of its own."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console

from kafka_saga.broker.kafka import KafkaCluster
from kafka_saga.errors import ChoreographyError
from kafka_saga.local.broker import EmbeddedKafka
from kafka_saga.worker.settings import Settings
from tests.bench.figures import Round
from tests.bench.measuring import Contender, Sizes, measure, warm_up
from tests.bench.parts import parts_us
from tests.bench.probe import Probe
from tests.bench.report import Findings, show, write
from tests.bench.systems import ROOT, System, running, systems
from tests.bench.tracking import measured
from tests.bench.views import measured as views_measured

QUICK = Sizes(rounds=1, seconds=2.0, unloaded=60, warm_up=500)


def main(arguments: Sequence[str]) -> int:
    """Measure, print, write build/bench.json."""
    wanted = _parsed(arguments)
    console = Console(width=120)
    logging.getLogger("saga.librdkafka").addHandler(logging.NullHandler())
    try:
        found = _bench(_sizes(wanted), console, tracker=not wanted.without_tracker)
    except ChoreographyError as error:
        console.print(f"bench: {error}", style="red")
        return 1
    show(found, console)
    write(found, wanted.output)
    console.print(f"Written to {wanted.output}.")
    return 0


def _bench(sizes: Sizes, console: Console, *, tracker: bool) -> Findings:
    console.print("the tracker and the views alone, each time on a log of its own ...", style="dim")
    alone = {**measured(), **views_measured()} if tracker else {}
    tracking = {name: round(value, 3) for name, value in alone.items()}
    with _kafka(console) as (settings, broker), ExitStack() as stack:
        contenders = [stack.enter_context(_contender(system, settings, tracker)) for system in systems(tracker=tracker)]
        memory = {"idle": _memory(contenders)}
        warm_up(contenders, sizes, broker)
        rounds: list[Round] = measure(contenders, sizes, broker, lambda line: console.print(line, style="dim"))
        memory["after"] = _memory(contenders)
        startup = {name: round(s, 2) for one in contenders for name, s in one.running.startup.items()}
        return Findings(rounds, parts_us(settings), memory, startup, tracker, tracking)


@contextmanager
def _kafka(console: Console) -> Iterator[tuple[Settings, int]]:
    """A broker with no history; its address goes to every process by the environment."""
    with (
        tempfile.TemporaryDirectory(prefix="saga-bench-") as home,
        EmbeddedKafka(Path(home), 0, say=lambda line: console.print(line, style="dim")) as kafka,
    ):
        os.environ["SAGA_BOOTSTRAP_SERVERS"] = kafka.bootstrap
        status = kafka.status().running
        yield Settings(), status.pid if status else 0


@contextmanager
def _contender(system: System, settings: Settings, tracker: bool) -> Iterator[Contender]:
    logs = ROOT / "build" / "bench"
    logs.mkdir(parents=True, exist_ok=True)
    KafkaCluster(settings.kafka_properties).admin().create_missing(system.specs())
    probe = Probe(system, settings, tracker=tracker)
    with running(system, settings.bootstrap_servers, logs) as started:
        yield Contender(started, probe)
    probe.close()


def _memory(contenders: Sequence[Contender]) -> dict[str, float]:
    return {name: round(mb, 1) for one in contenders for name, mb in one.running.memory_mb().items()}


def _sizes(wanted: argparse.Namespace) -> Sizes:
    sizes = QUICK if wanted.quick else Sizes()
    return Sizes(wanted.rounds or sizes.rounds, sizes.seconds, sizes.unloaded, wanted.sagas, sizes.warm_up)


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    environment = os.environ
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--sagas", type=int, default=int(environment.get("BENCH_SAGAS", "0")) or None,
                        help="sagas of one load; default: what takes 15 s")  # fmt: skip
    parser.add_argument("--rounds", type=int, default=int(environment.get("BENCH_ROUNDS", "0")) or None)
    parser.add_argument("--quick", action="store_true", help="one short round, to see that it works")
    parser.add_argument("--without-tracker", action="store_true", help="the step processes alone, in all three systems")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "bench.json")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
