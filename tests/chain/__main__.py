"""`python -m tests.chain STEP` is the service of one step of the chain; with `CHAIN_JOURNAL` set, a controlled one."""

from __future__ import annotations

import os
import sys

from kafka_saga.worker.service import Service
from tests.chain import controlled, handlers
from tests.chain.definition import CHAIN

if __name__ == "__main__":
    step = sys.argv[1]
    handler = controlled.HANDLERS[step] if "CHAIN_JOURNAL" in os.environ else handlers.HANDLERS[step]
    Service(f"chain-{step}", {CHAIN: {step: handler}}).run()
