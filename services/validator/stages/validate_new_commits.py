"""Stage 1: are there commits to review, and is their change one that was let through before?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.validator.config import NAME
from services.validator.fingerprint import LastAccepted, decode, fingerprint
from services.validator.rejection import Code, RejectionError
from services.validator.sources.source import CommitRange, Source
from services.validator.timeline import Passed


@dataclass(frozen=True, slots=True)
class NewCommits:
    """The source, its resolved commits, and what to remember if the pull request is accepted."""

    source: Source
    commits: CommitRange
    accepted: LastAccepted


def validate_new_commits(open_source: Callable[[], Source], state: bytes | None, saga_id: str) -> Passed[NewCommits]:
    """Open the source, find both commits and what changed between them.

    Rejects unknown commits, and a range without commits or changes. The change that was last accepted, amended or
    rebased, is only noted: its saga may have been superseded by this very head, and then nobody else reviews it.
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
    counted = "commits not known (inline diff)" if commits.commits is None else f"{commits.commits:,} commits"
    note = f"{counted}, {len(changes):,} changed files{_seen_before(accepted, decode(state))}"
    return Passed(NewCommits(source, commits, accepted), note)


def _require_commits(commits: CommitRange) -> None:
    if commits.base == commits.head:
        raise RejectionError(Code.NOTHING_NEW, f"nothing new: base and head are the same commit, {commits.base:.12}")
    if commits.commits == 0:
        what = f"nothing new: base {commits.base:.12} already has head {commits.head:.12}, no commit lies between them"
        raise RejectionError(Code.NOTHING_NEW, what)


def _seen_before(accepted: LastAccepted, last: LastAccepted | None) -> str:
    if last is None or last.saga_id == accepted.saga_id or last.fingerprint != accepted.fingerprint:
        return ""
    if last.head == accepted.head:
        return f"; the very same head as {last.saga_id}, which this saga supersedes"
    return f"; the same change as head {last.head:.12}, amended or rebased: this head supersedes its review"
