"""Stage 1: is there anything new since the last review of this pull request?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.validator.config import NAME
from services.validator.fingerprint import LastAccepted, decode, fingerprint
from services.validator.rejection import Code, RejectionError
from services.validator.sources.source import CommitRange, Source
from services.validator.stages.passed import Passed


@dataclass(frozen=True, slots=True)
class NewCommits:
    """The source, its resolved commits, and what to remember if the pull request is accepted."""

    source: Source
    commits: CommitRange
    accepted: LastAccepted


def validate_new_commits(open_source: Callable[[], Source], state: bytes | None, saga_id: str) -> Passed[NewCommits]:
    """Open the source, find both commits and what changed between them.

    Rejects unknown commits, a range without commits or changes, and the change that was last accepted: the same
    lines in the same context, however often amended or rebased. A saga that repeats its own step (a retry, a rewind)
    is not held against itself.
    """
    source = open_source()
    commits = source.commit_range()
    _require_commits(commits)
    changes = source.changes()
    if not changes:
        what = (
            f"no file differs between base {commits.base:.12} and head {commits.head:.12}: there is nothing to review"
        )
        raise RejectionError(Code.NO_CHANGES, what)
    accepted = LastAccepted(
        head=commits.head, fingerprint=fingerprint(changes, source.read_at_base(NAME)), saga_id=saga_id
    )
    _require_news(accepted, decode(state))
    counted = "commits not known (inline diff)" if commits.commits is None else f"{commits.commits:,} commits"
    return Passed(NewCommits(source, commits, accepted), f"{counted}, {len(changes):,} changed files")


def _require_commits(commits: CommitRange) -> None:
    if commits.base == commits.head:
        raise RejectionError(Code.NOTHING_NEW, f"nothing new: base and head are the same commit, {commits.base:.12}")
    if commits.commits == 0:
        what = f"nothing new: base {commits.base:.12} already has head {commits.head:.12}, no commit lies between them"
        raise RejectionError(Code.NOTHING_NEW, what)


def _require_news(accepted: LastAccepted, last: LastAccepted | None) -> None:
    if last is None or last.saga_id == accepted.saga_id or last.fingerprint != accepted.fingerprint:
        return
    what = "the very same head" if last.head == accepted.head else "only commits or their base differ, not the change"
    raise RejectionError(Code.NOTHING_NEW, f"nothing new since head {last.head}: {what}")
