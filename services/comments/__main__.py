"""`python -m services.comments`: `llm.completed` to `comments.created`, and back."""

from kafka_saga import Service
from services.comments.handler import post, withdraw
from topology.code_review import CODE_REVIEW

if __name__ == "__main__":
    Service("comments", {CODE_REVIEW: {"comment": post}}, compensations={CODE_REVIEW: {"comment": withdraw}}).run()
