"""The program `saga`, also `python -m kafka_saga`: the command line, or what to install to have it."""

from __future__ import annotations

import sys

from kafka_saga.errors import UnavailableError
from kafka_saga.extras import needing


def main() -> None:
    """Be the program `saga`."""
    try:
        with needing("cli", "The command line"):
            from kafka_saga.cli.main import main as run  # noqa: PLC0415
    except UnavailableError as error:
        sys.exit(f"saga: {error}")
    run()


if __name__ == "__main__":
    main()
