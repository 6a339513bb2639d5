"""`python -m tests.simulation --seeds N`: many seeds on all cores; what fails is shrunk, told, printed as a test."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tests.simulation.plan import plan_of
from tests.simulation.settings import prepare, tidy
from tests.simulation.shrink import as_code, shrunk
from tests.simulation.verdict import Verdict, judge

MOST_FAILURES = 3
"""Failing seeds after which a run ends, unless it is given another number."""

MOST_TOLD = 3
"""Failing seeds that are shrunk and told at length."""


class Judged(NamedTuple):
    """A seed with the rules that it breaks, and the findings that it shows."""

    seed: int
    rules: Sequence[str]
    findings: Sequence[str]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the seeds; the exit code is 1 if one of them fails."""
    wanted = _parsed(arguments)
    began, failures, broken, known = time.monotonic(), list[int](), Counter[str](), Counter[str]()
    seeds = range(wanted.first, wanted.first + wanted.seeds)
    for number, (seed, rules, findings) in enumerate(_judged(seeds, wanted.sagas, wanted.jobs), start=1):
        known.update(findings)
        if rules:
            failures.append(seed)
            broken.update(rules)
            _say(f"seed {seed} fails: {', '.join(rules)}")
        if number % 200 == 0 or number == wanted.seeds:
            rate = number / (time.monotonic() - began)
            _say(f"{number:,} of {wanted.seeds:,} seeds, {len(failures)} failing, {rate:.0f} a second")
        if failures and len(failures) == wanted.failures:
            break
    for finding, times in known.most_common():
        _say(f"{times:6,} seeds show what is known: {finding}")
    for rule, times in broken.most_common():
        _say(f"{times:6,} seeds break {rule}")
    for seed in failures[:MOST_TOLD]:
        _tell(shrunk(judge(plan_of(seed, wanted.sagas))))
    return 1 if failures else 0


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2_000, help="how many seeds")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--sagas", type=int, default=5, help="sagas in each run")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--failures", type=int, default=MOST_FAILURES, help="failing seeds to end after (0: none)")
    return parser.parse_args(arguments)


def _judged(seeds: range, sagas: int, jobs: int) -> Iterator[Judged]:
    """Each seed, judged."""
    work = ((seed, sagas) for seed in seeds)
    if jobs == 1:
        prepare()
        yield from map(_broken, work)
        return
    with multiprocessing.Pool(jobs, prepare) as pool:
        yield from pool.imap_unordered(_broken, work, chunksize=10)


def _broken(work: tuple[int, int]) -> Judged:
    seed, sagas = work
    verdict = judge(plan_of(seed, sagas))
    judged = Judged(seed, tuple(dict.fromkeys(one.rule for one in verdict.complaints)), tuple(verdict.known))
    del verdict
    tidy()
    return judged


def _tell(verdict: Verdict) -> None:
    _say(f"\n==== seed {verdict.plan.seed}, {verdict.plan.shape}, shrunk to {len(verdict.plan.faults)} faults")
    for line in (*map(str, verdict.complaints), "", *verdict.trace, "", "As a test:", as_code(verdict.plan)):
        _say(line)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
