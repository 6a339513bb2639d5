"""The unified diff of one changed file, from what the blob store holds of it, or from the diff that was sent. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import pygit2

from schemas.documents.code_review import ChangedFile

_FILE = re.compile(r"^diff --git ", re.MULTILINE)
_HUNK = re.compile(r"^@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@", re.MULTILINE)


def patch_of(file: ChangedFile, before: str | None, after: str | None, sent: str | None) -> str | None:
    """The file's unified diff; none if its content is not known. `sent` is the diff that the review was asked with."""
    if file.skipped or (before is None and after is None and sent is None):
        return None
    if sent is not None and (found := _section(sent, file)) is not None:
        return found
    if file.partial is not None:
        return "".join(_added_only(file, (after or "").splitlines()))
    old, new = (None if text is None else text.encode() for text in (before, after))
    made = pygit2.Patch.create_from(old, new, old_as_path=file.old_path or file.path, new_as_path=file.path)
    return made.data.decode(errors="replace")


def shown_lines(patch: str) -> Iterator[range]:
    """The lines of the file after the change that a diff shows, hunk by hunk."""
    for found in _HUNK.finditer(patch):
        start, count = int(found[1]), int(found[2] or "1")
        yield range(start, start + count)


def _section(diff: str, file: ChangedFile) -> str | None:
    """The part of a diff that is about one file, if it says so plainly."""
    starts = [found.start() for found in _FILE.finditer(diff)]
    for start, end in zip(starts, (*starts[1:], len(diff)), strict=True):
        section = diff[start:end]
        head = section.partition("\n@@ ")[0]  # what follows are lines of files, which may look like this
        if f"+++ b/{file.path}" in {line.partition("\t")[0] for line in head.splitlines()}:
            return section
    return None


def _added_only(file: ChangedFile, lines: Sequence[str]) -> Iterator[str]:
    """The added lines alone, of a file of which nothing else is known."""
    yield f"--- a/{file.old_path or file.path}\n+++ b/{file.path}\n"
    for added in file.added:
        content = lines[added.start - 1 : added.end]
        yield f"@@ -{max(0, added.start - 1)},0 +{added.start},{len(content)} @@\n"
        yield from (f"+{line}\n" for line in content)
