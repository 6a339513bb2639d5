"""`python -m services.llm`: `ast.completed` to `llm.completed`."""

from kafka_saga import Service
from services.llm.handler import review
from topology.code_review import CODE_REVIEW

if __name__ == "__main__":
    Service("llm", {CODE_REVIEW: {"llm": review}}).run()
