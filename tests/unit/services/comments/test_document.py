"""Which findings become comments."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from schemas.events.code_review import Severity
from services.comments.document import split
from tests.unit.services.comments.given import many, review

RANK = {severity: rank for rank, severity in enumerate(Severity)}


@given(st.integers(0, 80), st.integers(0, 30))
def test_the_most_severe_findings_become_comments_and_none_is_lost(count: int, most: int) -> None:
    inline, others = split(many(count), most)
    assert len(inline) == min(count, most)
    assert sorted((*inline, *others), key=lambda f: f.start_line) == list(many(count))
    if inline and others:
        assert min(RANK[f.severity] for f in inline) >= max(RANK[f.severity] for f in others)


def test_counts_are_over_all_findings() -> None:
    counts = review(many(8), most=3).counts
    assert (counts.low, counts.medium, counts.high, counts.critical) == (2, 2, 2, 2)
