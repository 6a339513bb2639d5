"""`python -m services.console`: the web console."""

from kafka_saga.processes import run_console
from services.app import APP

if __name__ == "__main__":
    run_console(APP)
