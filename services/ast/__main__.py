"""`python -m services.ast`: `pr.validated` to `ast.completed`."""

from kafka_saga import Service
from services.ast.handler import analyse
from topology.code_review import CODE_REVIEW

if __name__ == "__main__":
    Service("ast", {CODE_REVIEW: {"ast": analyse}}, heavy=("ast",)).run()
