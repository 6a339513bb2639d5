"""`python -m services.views`: one worker of the tracker's tables, with the HTTP API."""

from kafka_saga.processes import run_views
from services.app import APP

if __name__ == "__main__":
    run_views(APP)
