"""From pr.validated to ast.completed, with a real blob store and in a real child process."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from kafka_saga.engine.blob_store import BlobStore
from kafka_saga.engine.context import Context
from kafka_saga.errors import TerminalError
from kafka_saga.events.blob import BlobRef
from schemas.documents.code_review import Analysis, ChangedFile, ChangeSet
from schemas.events.code_review import (
    AnalysisStatus,
    AstCompleted,
    ChangeKind,
    PrValidated,
    PullRequest,
    ReviewConfig,
)
from services.ast.handler import analyse
from tests.unit.services.ast.samples import SAMPLES

PULL_REQUEST = PullRequest(repository="acme/shop", number=7, title="Carts", base_sha="a" * 40, head_sha="b" * 40)


def context(url: str) -> Context:
    return Context(saga_id="acme/shop#7@b", key="acme/shop#7", step="ast", attempt=1, epoch=0, blobs=BlobStore(url))


def validated(blobs: BlobStore, *files: ChangedFile) -> PrValidated:
    changes = blobs.put_document(ChangeSet(files=files))
    return PrValidated(pull_request=PULL_REQUEST, config=ReviewConfig(), stages=(), files=(), changes=changes)


def all_samples(blobs: BlobStore) -> PrValidated:
    languages = ["python", "javascript", "typescript", "tsx", "go", "java", "rust"]
    changed = [
        ChangedFile(
            path=sample.path,
            change=ChangeKind.MODIFIED,
            language=language,
            before=blobs.put_text(sample.before),
            after=blobs.put_text(sample.after),
        )
        for language, sample in zip(languages, SAMPLES, strict=True)
    ]
    image = ChangedFile(path="logo.png", change=ChangeKind.ADDED, skipped="binary")
    return validated(blobs, *changed, image)


def in_child(event: PrValidated, url: str) -> AstCompleted:
    return analyse(event, context(url))


def test_every_changed_file_is_in_the_event_and_in_the_document(tmp_path: Path) -> None:
    blobs = BlobStore(str(tmp_path))
    event = all_samples(blobs)
    completed = analyse(event, context(str(tmp_path)))
    document = blobs.get_document(completed.analysis, Analysis)
    paths = [*(sample.path for sample in SAMPLES), "logo.png"]
    assert [file.path for file in completed.files] == [file.path for file in document.files] == paths
    assert [file.status for file in completed.files] == [AnalysisStatus.PARSED] * 7 + [AnalysisStatus.SKIPPED]
    assert (completed.pull_request, completed.config, completed.changes) == (PULL_REQUEST, event.config, event.changes)


def test_it_runs_in_a_child_process(tmp_path: Path) -> None:
    event = all_samples(BlobStore(str(tmp_path)))
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        completed = pool.submit(in_child, event, str(tmp_path)).result()
    assert completed == analyse(event, context(str(tmp_path)))


def test_no_changes_are_an_empty_analysis(tmp_path: Path) -> None:
    event = validated(BlobStore(str(tmp_path)))
    assert analyse(event, context(str(tmp_path))).files == ()


def test_a_content_that_is_gone_from_the_store_is_not_the_files_fault(tmp_path: Path) -> None:
    gone = BlobRef(sha256="0" * 64, size=1)
    file = ChangedFile(path="a.py", change=ChangeKind.ADDED, language="python", after=gone)
    event = validated(BlobStore(str(tmp_path)), file)
    with pytest.raises(TerminalError, match="not in the store"):
        analyse(event, context(str(tmp_path)))
