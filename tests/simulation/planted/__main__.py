"""`python -m tests.simulation.planted [MISTAKE ...]`: the table of planted mistakes, with complaints and seeds."""

from __future__ import annotations

import multiprocessing
import os
import sys

from tests.simulation.planted import MISTAKES
from tests.simulation.planted.catching import caught_anew
from tests.simulation.settings import prepare


def main(names: list[str]) -> int:
    """Print the entries of `caught.py` anew; the exit code is 1 if a mistake is not caught any more."""
    missed = 0
    with multiprocessing.Pool(os.cpu_count() or 1, prepare) as pool:
        wanted = names or list(MISTAKES)
        for name, found in zip(wanted, pool.imap(caught_anew, wanted), strict=True):
            missed += found is None
            said = "None" if found is None else f'Caught("{found.rule}", {found.seed})'
            sys.stdout.write(f'    "{name}": {said},\n')
            sys.stdout.flush()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
