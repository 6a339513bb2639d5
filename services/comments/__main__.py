"""`python -m services.comments`: `llm.completed` to `comments.created`."""

from services.chassis.service import Service
from services.comments.handler import post
from topology.code_review import CODE_REVIEW

if __name__ == "__main__":
    Service("comments", CODE_REVIEW, {"comment": post}).run()
