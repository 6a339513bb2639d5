"""`python -m services.console`: the web console."""

from kafka_saga.console.process import run
from services.app import APP

if __name__ == "__main__":
    run(APP)
