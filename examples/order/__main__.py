"""`python -m examples.order payment` is the service of one step: payment, stock or shipping."""

from __future__ import annotations

import sys

from examples.order.definition import ORDER
from examples.order.handlers import HANDLERS
from services.chassis.service import Service

if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in HANDLERS:
        sys.exit(f"usage: python -m examples.order {{{','.join(HANDLERS)}}}")
    step = sys.argv[1]
    Service(f"order-{step}", ORDER, {step: HANDLERS[step]}).run()
