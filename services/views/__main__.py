"""`python -m services.views`: one worker of the tracker's tables, with the HTTP API."""

from kafka_saga.views.process import run

if __name__ == "__main__":
    run()
