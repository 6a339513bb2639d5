"""`python -m services.views`: one worker of the tracker's tables, with the HTTP API."""

from services.views.service import run

if __name__ == "__main__":
    run()
