"""What to review: a git repository, a range of its commits, and the `pr.received` that asks for it."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from pathlib import Path

import pygit2
from pydantic import ValidationError

from kafka_saga import ChoreographyError
from schemas.events.code_review import GitSource, PrReceived

MAIN_BRANCHES = ("main", "master", "trunk")
_LAST_BRANCH_NUMBER = 9_999
_REMOTE = re.compile(r"(?:^|[/:])([^/:\s@#]+/[^/\s@#]+?)(?:\.git)?/?$")
_UNFIT = re.compile(r"[\s@#]+")


class TargetError(ChoreographyError):
    """There is nothing to review there; the message says what to give instead."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line says about the pull request; none: found out."""

    commits: str | None = None
    repository: str | None = None
    number: int | None = None
    title: str | None = None


def pull_request(path: Path, wishes: Wishes) -> PrReceived:
    """The pull request that a folder and the wishes describe. Raises TargetError if there is none."""
    repository = opened(path)
    base, head = commits_of(repository, wishes.commits)
    top = Path(repository.workdir or repository.path).resolve()
    branch = _branch(repository, head)
    try:
        return PrReceived(
            repository=wishes.repository or name_of(repository, top),
            number=wishes.number or number_of(branch),
            title=(wishes.title or _subject(head))[:1000],
            base_sha=str(base.id),
            head_sha=str(head.id),
            author=_text(head.author.name) or None,
            source=GitSource(path=str(top)),
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise TargetError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def opened(path: Path) -> pygit2.Repository:
    """The repository that holds `path`, found upwards as git does."""
    if not path.exists():
        raise TargetError(f"There is no folder {path}.")
    try:
        found = pygit2.discover_repository(str(path.resolve()))
        if found is not None:
            return pygit2.Repository(found)
    except pygit2.GitError as error:
        raise TargetError(f"The git repository at {path} cannot be opened: {error}.") from None
    raise TargetError(f"{path} is in no git repository: give a folder of one.")


def commits_of(repository: pygit2.Repository, asked: str | None) -> tuple[pygit2.Commit, pygit2.Commit]:
    """Base and head of `BASE..HEAD`, `BASE...HEAD` (from where they parted), `BASE` alone (to HEAD), or none.

    With none, a branch is reviewed from where it left the main branch; the main branch by its last commit.
    """
    if asked is None:
        head = _commit(repository, "HEAD")
        return _natural_base(repository, head), head
    for separator in ("...", ".."):
        base_name, found, head_name = asked.partition(separator)
        if found:
            base, head = _commit(repository, base_name or "HEAD"), _commit(repository, head_name or "HEAD")
            return (base if separator == ".." else _parted(repository, base, head)), head
    return _commit(repository, asked), _commit(repository, "HEAD")


def name_of(repository: pygit2.Repository, top: Path) -> str:
    """`owner/name` of the remote called origin, else the folder's name."""
    origin = next((remote for remote in repository.remotes if remote.name == "origin"), None)
    if origin is not None and origin.url and (found := _REMOTE.search(origin.url)):
        return found[1]
    folder = top.name.removesuffix(".git") or top.parent.name
    return _UNFIT.sub("-", folder).strip("-") or "repository"


def number_of(branch: str | None) -> int:
    """The number of a pull request that has none: 1 for the main branch, else one of the branch's own, 2 to 9999."""
    if branch is None or branch in MAIN_BRANCHES:
        return 1
    return 2 + zlib.crc32(branch.encode(errors="replace")) % (_LAST_BRANCH_NUMBER - 1)


def _natural_base(repository: pygit2.Repository, head: pygit2.Commit) -> pygit2.Commit:
    for name in (*MAIN_BRANCHES, *(f"origin/{name}" for name in MAIN_BRANCHES)):
        if name in repository.branches:
            main = repository.branches[name].peel(pygit2.Commit)
            base = _merge_base(repository, main, head)
            if base is not None and base.id != head.id:
                return base
            break
    if not head.parents:
        raise TargetError("HEAD is the only commit: commit a change first, or give BASE..HEAD.")
    return head.parents[0]


def _parted(repository: pygit2.Repository, base: pygit2.Commit, head: pygit2.Commit) -> pygit2.Commit:
    found = _merge_base(repository, base, head)
    if found is None:
        raise TargetError("The two commits have no common ancestor: give BASE..HEAD with two dots.")
    return found


def _merge_base(repository: pygit2.Repository, one: pygit2.Commit, other: pygit2.Commit) -> pygit2.Commit | None:
    found: pygit2.Oid | None = repository.merge_base(one.id, other.id)
    return None if found is None else repository[found].peel(pygit2.Commit)


def _commit(repository: pygit2.Repository, name: str) -> pygit2.Commit:
    try:
        return repository.revparse_single(name).peel(pygit2.Commit)
    except (KeyError, ValueError, pygit2.GitError):
        where = repository.workdir or repository.path
        hint = "it has no commits yet" if name == "HEAD" else "see `git log`, or fetch it first"
        raise TargetError(f"There is no commit {name!r} in {where}: {hint}.") from None


def _branch(repository: pygit2.Repository, head: pygit2.Commit) -> str | None:
    """The checked-out branch, if it is what is reviewed."""
    if repository.head_is_detached or repository.head.target != head.id:
        return None
    return str(repository.head.shorthand)


def _subject(commit: pygit2.Commit) -> str:
    return _text(commit.message).strip().partition("\n")[0].strip() or str(commit.id)[:12]


def _text(text: str | None) -> str:
    return (text or "").encode(errors="replace").decode()
