"""`python -m tests.chaos --minutes M`: sagas while everything is killed and stopped, then the invariants."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import SystemRandom

from kafka_saga.wire.ids import key_of
from tests.chaos.evidence import trace
from tests.chaos.figures import Figures
from tests.chaos.run import Run, judge_again
from tests.e2e.support.observed import Log

MOST_TOLD = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, or judge again what a run has left; the exit code is 1 if anything is not as it must be."""
    wanted = _parsed(arguments)
    if wanted.judge is not None:
        figures, wrong, log = judge_again(wanted.judge)
        _tell(figures, wrong)
        _keep_traces(wanted.judge, log, wrong)
        return 1 if wrong else 0
    seed = SystemRandom().randrange(1_000_000) if wanted.seed is None else wanted.seed
    home = Path(wanted.home or tempfile.mkdtemp(prefix="saga-chaos-"))
    _say(f"chaos for {wanted.minutes:g} minutes, seed {seed}, in {home}")
    figures, wrong = Run(home, seed, wanted.minutes, wanted.rate, _say).happen()
    _tell(figures, wrong)
    if wrong:
        (home / "complaints.txt").write_text("\n".join(wrong) + "\n", encoding="utf-8")
        _say(f"The evidence is in {home}: Kafka's data, logs of all processes, diary.log, journal, complaints.txt.")
        _say(f"`python -m tests.chaos --judge {home}` reads it again, and writes a trace of each saga complained of.")
        return 1
    if wanted.home is None:
        shutil.rmtree(home)
    return 0


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=3, help="how long sagas are started and processes killed")
    parser.add_argument("--seed", type=int, help="decides what happens and when; drawn if not given")
    parser.add_argument("--rate", type=float, default=20, help="sagas started a second")
    parser.add_argument("--home", type=Path, help="an empty folder for all that a run leaves; kept")
    parser.add_argument("--judge", type=Path, help="judge what an earlier run has left in this folder")
    return parser.parse_args(arguments)


def _tell(figures: Figures, wrong: Sequence[str]) -> None:
    for line in figures.lines():
        _say(line)
    _say(f"{len(wrong)} complaints" if wrong else "Every invariant holds.")
    for complaint in wrong[:MOST_TOLD]:
        _say(f"  {complaint}")


def _keep_traces(home: Path, log: Log, wrong: Iterable[str]) -> None:
    """Everything about those that are complained of, a file each."""
    (home / "traces").mkdir(exist_ok=True)
    records = [record for topic in log.records.values() for record in topic]
    for key in list(dict.fromkeys(_keys(wrong)))[:MOST_TOLD]:
        (home / "traces" / f"{key}.txt").write_text("\n".join(trace(records, key)) + "\n", encoding="utf-8")


def _keys(wrong: Iterable[str]) -> Iterable[str]:
    for complaint in wrong:
        for word in complaint.replace(":", " ").replace("/", " ").split():
            if "@" in word and word.startswith(("parcel-", "errand-")):
                yield key_of(word)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
