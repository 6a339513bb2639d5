"""`python -m services.tracker`: one view of every saga, on `saga.state`, and its milestones on `saga.lifecycle`."""

from kafka_saga.tracker.process import run
from services.app import APP

if __name__ == "__main__":
    run(APP)
