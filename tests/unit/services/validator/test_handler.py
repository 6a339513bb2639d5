"""The handler as a worker calls it, and a package that somebody else wrote going through it."""

from __future__ import annotations

import asyncio
from importlib.metadata import distribution
from pathlib import Path

from schemas.events.code_review import ChangeKind, PrRejected, PrValidated, StageStatus
from services.validator.fingerprint import decode
from services.validator.handler import run_stages, validate
from services.validator.timeline import STAGES
from tests.unit.services.validator.given import Desk, History, Ticks, diff_event, git_event

DIFF = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-1\n+2\n"


def test_an_accepted_head_is_kept_in_the_state_of_the_key(desk: Desk) -> None:
    event = diff_event(DIFF)
    context = desk.context(event)
    outcome = asyncio.run(validate(event, context))
    assert isinstance(outcome, PrValidated)
    last = decode(context.state.get())
    assert last is not None
    assert (last.head, last.saga_id, context.state.changed) == (event.head_sha, context.saga_id, True)


def test_a_rejected_head_leaves_the_state_alone(desk: Desk) -> None:
    event = diff_event("")
    context = desk.context(event)
    assert isinstance(asyncio.run(validate(event, context)), PrRejected)
    assert not context.state.changed


def test_every_stage_is_timed_and_recorded(desk: Desk) -> None:
    event = diff_event(DIFF)
    stages = run_stages(event, desk.context(event), Ticks()).outcome.stages
    assert [(stage.name, stage.status, stage.duration_ms) for stage in stages] == [
        (name, StageStatus.PASSED, 10.0) for name in STAGES
    ]


def test_stages_after_a_rejection_are_skipped(desk: Desk) -> None:
    stages = desk.rejects(diff_event("rubbish")).stages
    assert [stage.status for stage in stages] == [StageStatus.REJECTED, *[StageStatus.SKIPPED] * 3]
    assert stages[0].note == "source.text has no file of a unified diff: give what `git diff base...head` prints"


def test_long_texts_of_people_are_cut(history: History, desk: Desk) -> None:
    base = history.commit({"a": b"1\n"})
    head = history.commit({"a": b"2\n"}, base)
    texts = {"description": "d" * 50_000, "author": "a" * 500, "url": "u" * 5_000}
    pull_request = desk.accepts(git_event(history.folder, base, head, **texts)).pull_request
    assert pull_request.description is not None
    assert (len(pull_request.description), pull_request.description[-1]) == (20_000, "…")
    assert (len(pull_request.author or ""), len(pull_request.url or "")) == (200, 2_000)


def test_two_versions_of_a_published_package_go_through(history: History, desk: Desk) -> None:
    before = _package("packaging")
    after = dict(before)
    after["packaging/renamed.py"] = after.pop("packaging/tags.py")
    after["packaging/version.py"] = before["packaging/version.py"].replace(b"import ", b"import  ", 1) + b"\nNEW = 1\n"
    after["packaging/added.py"] = before["packaging/utils.py"]
    del after["packaging/markers.py"]
    base = history.commit(before)
    files = desk.files(git_event(history.folder, base, history.commit(after, base)))
    assert {path: (file.change, file.skipped) for path, file in files.items()} == {
        "packaging/added.py": (ChangeKind.ADDED, None),
        "packaging/markers.py": (ChangeKind.DELETED, None),
        "packaging/renamed.py": (ChangeKind.RENAMED, None),
        "packaging/version.py": (ChangeKind.MODIFIED, None),
    }
    version = files["packaging/version.py"]
    assert desk.after(version) == after["packaging/version.py"]
    assert version.added[-1].end == after["packaging/version.py"].count(b"\n")
    assert {file.language for file in files.values()} == {"python"}


def test_a_whole_package_as_one_change_goes_through_as_diff_too(history: History, desk: Desk) -> None:
    base = history.commit({})
    head = history.commit(_package("packaging"), base)
    expected = desk.files(git_event(history.folder, base, head))
    desk.state = None
    assert desk.files(diff_event(history.diff(base, head), base, head)) == expected


def _package(name: str) -> dict[str, bytes]:
    paths = [Path(str(file.locate())) for file in distribution(name).files or () if file.suffix == ".py"]
    return {f"{name}/{path.name}": path.read_bytes() for path in paths if path.parent.name == name}
