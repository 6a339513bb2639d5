"""Reviews to post."""

from __future__ import annotations

from pathlib import Path

from kafka_saga.engine.blob_store import BlobStore
from kafka_saga.engine.context import Context
from kafka_saga.events.blob import BlobRef
from schemas.events.code_review import (
    CoverageStatus,
    FileCoverage,
    Finding,
    LlmCompleted,
    PullRequest,
    ReviewConfig,
    Severity,
    Verdict,
)
from services.comments.document import Review, compose, marker_of

PULL_REQUEST = PullRequest(
    repository="acme/shop", number=7, title="Add a cart", base_sha="a" * 40, head_sha="b" * 40, author="ann",
    url="https://git.example.com/acme/shop/pull/7",
)  # fmt: skip
FINDINGS = (
    Finding(
        path="shop/cart.py", start_line=3, end_line=4, severity=Severity.HIGH, category="security", confidence=0.9,
        message="Use of `eval`.", suggestion="Parse it.", rule_id="ruff/S307", evidence="eval(text)\n# ``` fence",
    ),
    Finding(
        path="shop/cart.py", start_line=9, end_line=9, severity=Severity.LOW, category="leftover", confidence=0.4,
        message="`print` found.", rule_id="ruff/T201", evidence="print(1)",
    ),
    Finding(
        path="deploy/settings.conf", start_line=1, end_line=1, severity=Severity.CRITICAL, category="security",
        confidence=0.95, message="A private key.", suggestion="Revoke it.", rule_id="text/private-key", evidence="****",
    ),
)  # fmt: skip
COVERAGE = (
    FileCoverage(path="shop/cart.py", status=CoverageStatus.REVIEWED),
    FileCoverage(
        path="deploy/settings.conf", status=CoverageStatus.PARTIAL, reason="no rules for .conf: only text rules"
    ),
    FileCoverage(path="logo|1.png", status=CoverageStatus.SKIPPED, reason="binary"),
)


def outcome(findings: tuple[Finding, ...] = FINDINGS, most: int = 30, **more: object) -> LlmCompleted:
    """The event that asks for a review to be posted."""
    fields: dict[str, object] = {
        "pull_request": PULL_REQUEST, "config": ReviewConfig(max_inline_comments=most), "findings": findings,
        "changes": BlobRef(sha256="0" * 64, size=0), "reviewer": "offline-rules", "coverage": COVERAGE,
        "verdict": Verdict.FINDINGS if findings else Verdict.INCOMPLETE,
    }  # fmt: skip
    return LlmCompleted.model_validate(fields | more)


def review(findings: tuple[Finding, ...] = FINDINGS, most: int = 30, **more: object) -> Review:
    """A review as the sink gets it."""
    return compose(outcome(findings, most, **more), marker_of("acme/shop#7@b/comment/0"))


def many(count: int) -> tuple[Finding, ...]:
    """Findings of all severities on one line each."""
    severities = tuple(Severity)
    return tuple(
        FINDINGS[1].model_copy(update={"start_line": n, "end_line": n, "severity": severities[n % 4]})
        for n in range(1, count + 1)
    )


def context(folder: Path, epoch: int = 0) -> Context:
    """The context of a delivery."""
    return Context("acme/shop#7@bbbbbbbbbbbb", "acme/shop#7", "comment", 1, epoch, BlobStore(str(folder / "blobs")))
