"""`python -m tests.chain STEP` is the service of one step of the chain; `all` of every step at once."""

from __future__ import annotations

import sys

from services.chassis.service import Service
from tests.chain.definition import CHAIN
from tests.chain.handlers import HANDLERS

if __name__ == "__main__":
    step = sys.argv[1]
    Service(f"chain-{step}", CHAIN, {step: HANDLERS[step]}).run()
