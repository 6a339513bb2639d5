"""`python -m tests.simulation --seeds N`: many seeds on all cores; what fails is shrunk, told, printed as a test."""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Sequence

from tests.simulation.plan import plan_of
from tests.simulation.shrink import as_code, shrunk
from tests.simulation.verdict import Verdict, judge

MOST_FAILURES = 3
"""Failing seeds after which a run ends: each is told at length."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the seeds; the exit code is 1 if one of them fails."""
    wanted = _parsed(arguments)
    began, failures = time.monotonic(), list[int]()
    seeds = range(wanted.first, wanted.first + wanted.seeds)
    for number, (seed, is_clean) in enumerate(_judged(seeds, wanted.sagas, wanted.jobs), start=1):
        if not is_clean:
            failures.append(seed)
            _say(f"seed {seed} fails")
        if number % 200 == 0 or number == wanted.seeds:
            rate = number / (time.monotonic() - began)
            _say(f"{number:,} of {wanted.seeds:,} seeds, {len(failures)} failing, {rate:.0f} a second")
        if len(failures) == wanted.failures:
            break
    for seed in failures:
        _tell(shrunk(judge(plan_of(seed, wanted.sagas))))
    return 1 if failures else 0


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2_000, help="how many seeds")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--sagas", type=int, default=5, help="sagas in each run")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--failures", type=int, default=MOST_FAILURES, help="failing seeds after which to end")
    return parser.parse_args(arguments)


def _judged(seeds: range, sagas: int, jobs: int) -> Iterator[tuple[int, bool]]:
    if jobs == 1:
        _quieten()
        yield from ((seed, judge(plan_of(seed, sagas)).is_clean) for seed in seeds)
        return
    with multiprocessing.Pool(jobs, _quieten) as pool:
        work = ((seed, sagas) for seed in seeds)
        yield from pool.imap_unordered(_is_clean, work, chunksize=10)


def _is_clean(work: tuple[int, int]) -> tuple[int, bool]:
    seed, sagas = work
    return seed, judge(plan_of(seed, sagas)).is_clean


def _quieten() -> None:
    """Services log what faults do to them; a trace says it better."""
    logging.disable(logging.CRITICAL)


def _tell(verdict: Verdict) -> None:
    _say(f"\n==== seed {verdict.plan.seed}, {verdict.plan.shape}, shrunk to {len(verdict.plan.faults)} faults")
    for line in (*verdict.complaints, "", *verdict.trace, "", "As a test:", as_code(verdict.plan)):
        _say(line)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
