"""A good event of each type that the dead letter corpus spoils."""

from __future__ import annotations

from kafka_saga.events.blob import BlobRef
from schemas.events.code_review import (
    ChangedFileSummary,
    ChangeKind,
    GitSource,
    PrReceived,
    PrValidated,
    PullRequest,
    ReviewConfig,
    Stage,
    StageStatus,
)

PULL_REQUEST = PullRequest(
    repository="acme/shop", number=7, title="Sell more", base_sha="a" * 40, head_sha="b" * 40, author="ada"
)

RECEIVED = PrReceived(**PULL_REQUEST.model_dump(), source=GitSource(path="/srv/shop"))

VALIDATED = PrValidated(
    pull_request=PULL_REQUEST,
    config=ReviewConfig(),
    stages=(Stage(name="resolve_config", status=StageStatus.PASSED, duration_ms=1.5),),
    files=(ChangedFileSummary(path="shop/cart.py", change=ChangeKind.MODIFIED, language="python", additions=3),),
    changes=BlobRef(sha256="c" * 64, size=1_234),
)
