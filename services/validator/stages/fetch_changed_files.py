"""Stage 4: put the content of every changed file into the blob store, or say why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kafka_saga import BlobRef, BlobStore, RetryableError
from schemas.documents.code_review import ChangedFile, ChangeSet
from schemas.events.code_review import ChangedFileSummary, ReviewConfig
from services.validator.attributes import Attributes
from services.validator.languages import language_of
from services.validator.limits import MAX_CONFIG_BYTES, Limits
from services.validator.paths import printable
from services.validator.skipping import PathRules, content_problem
from services.validator.sources.source import REGULAR, Content, FileChange, Source
from services.validator.timeline import Passed

TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Fetched:
    """The change set in the blob store, and what the event says of its files."""

    changes: BlobRef
    summaries: tuple[ChangedFileSummary, ...]


@dataclass(slots=True)
class _Shelf:
    """Where content goes, and how much more fits."""

    blobs: BlobStore
    limits: Limits
    files: int = 0
    size: int = 0

    def problem(self, size: int) -> str | None:
        if self.files >= self.limits.content_files:
            return f"more than {self.limits.content_files:,} files with content in this pull request"
        if self.size + size > self.limits.content_bytes:
            return f"more than {self.limits.content_bytes:,} bytes of content in this pull request"
        return None

    def put(self, content: bytes | None) -> BlobRef | None:
        if content is None:
            return None
        self.size += len(content)
        return self.blobs.put(content, TEXT)


def fetch_changed_files(
    source: Source, config: ReviewConfig, blobs: BlobStore, limits: Limits, cancelled: Callable[[], bool]
) -> Passed[Fetched]:
    """Every changed file, in the order of paths: its content by reference, or the reason why it is skipped.

    Raises RetryableError if the blob store or the source fails, or if nobody waits any more.
    """
    rules = PathRules(config, Attributes(lambda path: _text_at_base(source, path)))
    shelf = _Shelf(blobs, limits)
    files: list[ChangedFile] = []
    for change in source.changes():
        if cancelled():
            raise RetryableError("the validation was cancelled while it fetched files")
        files.append(_fetch(change, rules, config, shelf))
    summaries, note = _summaries(files, limits)
    return Passed(Fetched(blobs.put_document(ChangeSet(files=tuple(files))), summaries), note)


def _fetch(change: FileChange, rules: PathRules, config: ReviewConfig, shelf: _Shelf) -> ChangedFile:
    sizes = [side.size for side in (change.before, change.after) if side is not None]
    reason = rules.reason(change) or _too_large(sizes, config) or change.problem or shelf.problem(sum(sizes))
    if reason is not None:
        return _listed(change, skipped=reason)
    before, after = _read(change.before), _read(change.after)
    reason = content_problem(after if after is not None else before or b"")
    if reason is not None:
        return _listed(change, skipped=reason)
    if before is not None and content_problem(before) is not None:
        before = None
    shelf.files += 1
    return _listed(change, before=shelf.put(before), after=shelf.put(after))


def _listed(
    change: FileChange, *, before: BlobRef | None = None, after: BlobRef | None = None, skipped: str | None = None
) -> ChangedFile:
    path = printable(change.path)
    return ChangedFile(
        path=path,
        old_path=None if change.old_path is None else printable(change.old_path),
        change=change.change,
        language=language_of(path),
        before=before,
        after=after,
        added=change.lines.added if skipped is None else (),
        additions=change.lines.additions,
        deletions=change.lines.deletions,
        partial=change.partial if skipped is None else None,
        skipped=skipped,
    )


def _too_large(sizes: list[int], config: ReviewConfig) -> str | None:
    largest = max(sizes, default=0)
    return f"too large: {largest:,} bytes, limit {config.max_file_bytes:,}" if largest > config.max_file_bytes else None


def _read(content: Content | None) -> bytes | None:
    return None if content is None else content.read()


def _text_at_base(source: Source, path: str) -> str | None:
    file = source.read_at_base(path)
    if file is None or file.kind not in REGULAR or file.content.size > MAX_CONFIG_BYTES:
        return None
    return file.content.read().decode(errors="replace")


def _summaries(files: list[ChangedFile], limits: Limits) -> tuple[tuple[ChangedFileSummary, ...], str]:
    """As many files as fit into the event, and a note that says if those are not all."""
    summaries: list[ChangedFileSummary] = []
    left = limits.summary_bytes
    for file in files:
        summary = ChangedFileSummary.model_validate(file.model_dump(include=set(ChangedFileSummary.model_fields)))
        left -= len(summary.model_dump_json().encode()) + 1
        if left < 0:
            break
        summaries.append(summary)
    skipped = sum(file.skipped is not None for file in files)
    note = f"{len(files) - skipped:,} files with content, {skipped:,} skipped"
    if len(summaries) < len(files):
        note += f"; the event lists the first {len(summaries):,}, the change set all {len(files):,}"
    return tuple(summaries), note
