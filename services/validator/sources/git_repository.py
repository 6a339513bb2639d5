"""A pull request in a git repository on this machine, read from its objects alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import pygit2
from pygit2.enums import DeltaStatus, DiffFind, DiffOption, FileMode

from schemas.events.code_review import ChangeKind
from services.validator.limits import Limits
from services.validator.lines import LineChanges, compare, opaque
from services.validator.paths import printable
from services.validator.rejection import Code, RejectionError, too_many_files
from services.validator.sources.git_access import open_repository, reading
from services.validator.sources.source import REGULAR, BaseFile, CommitRange, Content, FileChange, FileKind

GIT_SHA_LENGTH = 40
# As many sources as git looks at by default (diff.renameLimit).
RENAME_LIMIT = 1000
MISSING = "the content is missing in the repository: fetch it (shallow or partial clone)"

_CHANGES = {
    DeltaStatus.ADDED: ChangeKind.ADDED,
    DeltaStatus.DELETED: ChangeKind.DELETED,
    DeltaStatus.RENAMED: ChangeKind.RENAMED,
}


class GitRepository:
    """base...head as GitHub shows it: from the merge base to head, so that what others put on base is not in it.

    Histories without a common ancestor have no merge base: then it is base..head, the two trees as they are. With
    several merge bases (criss-cross) it is the one git prefers. The configuration comes from base itself. There is no
    checkout; attributes, filters, text conversions and replacement objects play no part in the comparison.
    """

    def __init__(self, path: str, base_sha: str, head_sha: str, limits: Limits) -> None:
        self._repository = open_repository(path)
        self._where = printable(path.encode("utf-8", "surrogateescape"))
        self._shas = (base_sha, head_sha)
        self._limits = limits
        self._left_to_compare = limits.compared_bytes

    def commit_range(self) -> CommitRange:
        """Both commits. Rejects if one is unknown, ambiguous, or no commit."""
        base, head = self._ends
        with reading(self._where):
            ahead, _ = self._repository.ahead_behind(head.id, base.id)
        return CommitRange(str(base.id), str(head.id), ahead)

    def read_at_base(self, path: str) -> BaseFile | None:
        """The file at `path` in the base commit itself, not in the merge base."""
        with reading(self._where):
            try:
                entry = self._ends[0].tree[path]
            except KeyError:
                return None
            kind = FileKind.of_mode(entry.filemode)
            content = Content(0, bytes) if kind in {FileKind.SUBMODULE, FileKind.FOLDER} else self._content(entry.id)
        return BaseFile(kind, str(entry.id), content)

    def changes(self) -> Sequence[FileChange]:
        """All changed files, by path; renames are found by content at least half alike."""
        return self._changes

    @cached_property
    def _ends(self) -> tuple[pygit2.Commit, pygit2.Commit]:
        base_sha, head_sha = self._shas
        with reading(self._where):
            return self._commit("base_sha", base_sha), self._commit("head_sha", head_sha)

    @cached_property
    def _changes(self) -> Sequence[FileChange]:
        with reading(self._where):
            deltas = self._deltas()
            if len(deltas) > self._limits.entries:
                raise too_many_files(len(deltas), self._limits.entries)
            return tuple(sorted(map(self._file_change, deltas), key=lambda change: change.path))

    def _commit(self, field: str, sha: str) -> pygit2.Commit:
        if len(sha) > GIT_SHA_LENGTH:
            raise self._unknown(field, sha, f"is longer than the {GIT_SHA_LENGTH} digits of a SHA-1")
        try:
            found = self._repository[sha]
        except KeyError as error:
            raise self._unknown(field, sha, "does not exist") from error
        except ValueError as error:
            what = f"{field} {sha} is ambiguous in git repository {self._where}: give all {GIT_SHA_LENGTH} digits"
            raise RejectionError(Code.AMBIGUOUS_COMMIT, what) from error
        return self._peeled(field, sha, found)

    def _peeled(self, field: str, sha: str, found: pygit2.Object) -> pygit2.Commit:
        try:
            return found.peel(pygit2.Commit)
        except (pygit2.GitError, ValueError) as error:
            raise self._unknown(field, sha, f"is a {found.type_str}, not a commit,") from error

    def _unknown(self, field: str, sha: str, what: str) -> RejectionError:
        reason = f"{field} {sha} {what} in git repository {self._where}: fetch the commit there, or correct the sha"
        return RejectionError(Code.UNKNOWN_COMMIT, reason)

    def _deltas(self) -> list[pygit2.DiffDelta]:
        _, head = self._ends
        diff = self._from().diff_to_tree(head.tree, flags=DiffOption.INCLUDE_TYPECHANGE)
        deltas = list(diff.deltas)
        # A rename is one deleted and one added path, so even if all were renames half of them would remain.
        if len(deltas) > 2 * self._limits.entries:
            raise too_many_files(len(deltas), self._limits.entries)
        diff.find_similar(flags=self._rename_flags(deltas), rename_limit=RENAME_LIMIT)
        return list(diff.deltas)

    def _from(self) -> pygit2.Tree:
        base, head = self._ends
        fork = self._repository.merge_base(base.id, head.id)
        if fork is not None:
            return self._repository[fork].peel(pygit2.Tree)
        if self._repository.is_shallow:
            what = f"base {base.id} and head {head.id} have no common ancestor in the shallow repository {self._where}"
            raise RejectionError(Code.SHALLOW_HISTORY, f"{what}: run `git fetch --unshallow` there")
        return base.tree

    def _rename_flags(self, deltas: list[pygit2.DiffDelta]) -> DiffFind:
        """Comparing huge or missing files costs more than a rename is worth: then only equal content counts."""
        moved = [delta for delta in deltas if delta.status in {DeltaStatus.ADDED, DeltaStatus.DELETED}]
        files = (delta.new_file if delta.status == DeltaStatus.ADDED else delta.old_file for delta in moved)
        sizes = [self._size(file.id) for file in files if file.mode != FileMode.COMMIT]
        if any(size is None or size > self._limits.compared_file_bytes for size in sizes):
            return DiffFind.FIND_RENAMES | DiffFind.FIND_EXACT_MATCH_ONLY
        return DiffFind.FIND_RENAMES

    def _file_change(self, delta: pygit2.DiffDelta) -> FileChange:
        change = _CHANGES.get(delta.status, ChangeKind.MODIFIED)
        before = None if change is ChangeKind.ADDED else self._side(delta.old_file)
        after = None if change is ChangeKind.DELETED else self._side(delta.new_file)
        lines, problem = self._line_changes(delta, before, after)
        return FileChange(
            path=delta.new_file.raw_path,
            change=change,
            kind=FileKind.of_mode((delta.old_file if change is ChangeKind.DELETED else delta.new_file).mode),
            lines=lines,
            old_path=delta.old_file.raw_path if change is ChangeKind.RENAMED else None,
            similarity=delta.similarity if change is ChangeKind.RENAMED else None,
            before=before,
            after=after,
            problem=problem,
        )

    def _side(self, file: pygit2.DiffFile) -> Content | None:
        """The content of one side if it is a regular file that is there."""
        if FileKind.of_mode(file.mode) not in REGULAR or self._size(file.id) is None:
            return None
        return self._content(file.id)

    def _line_changes(
        self, delta: pygit2.DiffDelta, before: Content | None, after: Content | None
    ) -> tuple[LineChanges, str | None]:
        unread = opaque(delta.old_file.id.raw, delta.new_file.id.raw)
        deciding, file = (before, delta.old_file) if delta.status == DeltaStatus.DELETED else (after, delta.new_file)
        if deciding is None:
            return unread, MISSING if FileKind.of_mode(file.mode) in REGULAR else None
        sizes = [side.size for side in (before, after) if side is not None]
        if max(sizes) > self._limits.compared_file_bytes:
            return unread, f"too large: {max(sizes):,} bytes, limit {self._limits.compared_file_bytes:,}"
        if sum(sizes) > self._left_to_compare:
            return unread, f"more than {self._limits.compared_bytes:,} bytes to compare in this pull request"
        self._left_to_compare -= sum(sizes)
        return _compared(before, after, deciding) or unread, None

    def _content(self, oid: pygit2.Oid) -> Content:
        return Content(self._size(oid) or 0, lambda: self._read(oid))

    def _size(self, oid: pygit2.Oid) -> int | None:
        try:
            return self._repository.odb.read_header(oid)[1]
        except KeyError:
            return None

    def _read(self, oid: pygit2.Oid) -> bytes:
        with reading(self._where):
            return self._repository.odb.read(oid)[1]


def _compared(before: Content | None, after: Content | None, deciding: Content) -> LineChanges | None:
    """The line changes, or none if the side that decides is binary."""
    old, new = (side.read() if side is not None else b"" for side in (before, after))
    return None if b"\0" in (new if deciding is after else old) else compare(old, new)
