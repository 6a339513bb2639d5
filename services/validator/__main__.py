"""`python -m services.validator`: `pr.received` to `pr.validated` or `pr.rejected`."""

from kafka_saga import Service
from services.validator.handler import validate
from topology.code_review import CODE_REVIEW

if __name__ == "__main__":
    Service("validator", {CODE_REVIEW: {"validate": validate}}, stateful=True).run()
