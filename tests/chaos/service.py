"""`python -m tests.chaos.service NAME` is one instance of a service of parcels or errands."""

from __future__ import annotations

import sys

from tests.chaos.handlers import SERVICES

if __name__ == "__main__":
    SERVICES[sys.argv[1]].run()
