"""Code review end to end: five services, real Kafka, and a repository that nobody here wrote."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from kafka_saga.definition.topics import SAGA_LIFECYCLE, SAGA_STATE, SAGA_STEPS
from kafka_saga.tracker.core.state import SagaState, SagaStatus, StepStatus
from services.comments.document import Review
from tests.e2e.support import chain
from tests.e2e.support.deadline import eventually
from tests.e2e.support.fleet import Fleet
from tests.e2e.support.observed import Log, publish
from tests.e2e.support.reviews import DIFF, Repository, inline, installed, published, repository_of, services
from topology.code_review import CODE_REVIEW

pytestmark = [pytest.mark.kafka, pytest.mark.e2e]

START = "pr.received"
TOPICS = (*CODE_REVIEW.events, SAGA_STEPS, SAGA_STATE, SAGA_LIFECYCLE)
OLD, NEW = "bottle==0.12.25", "bottle==0.13.2"


@dataclass
class Running:
    """The five services, and what they have written."""

    fleet: Fleet
    log: Log
    bootstrap: str

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        eventually(condition, self.log.follow, 90, what, self.fleet.dump)

    def publish(self, request: bytes) -> None:
        publish(self.bootstrap, START, [request])

    def state(self, saga: str) -> SagaState | None:
        return chain.last_states(self.log, saga).get(saga)

    def ended(self, saga: str) -> SagaState:
        """The state of a saga when it has ended."""
        self.wait(lambda: (state := self.state(saga)) is not None and state.status.is_final, f"{saga} to end")
        found = self.state(saga)
        assert found is not None
        return found

    def events(self, saga: str) -> list[str]:
        """The types of the saga's events, in the order of the diagram."""
        return [topic for topic in CODE_REVIEW.events for e, _ in self.log.events(topic) if e.subject == saga]


@pytest.fixture(scope="module")
def running(kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Fleet(kafka_bootstrap, tmp_path_factory.mktemp("review")) as fleet:
        services(fleet, "validator", "ast", "llm", "comments", "tracker")
        log = Log(kafka_bootstrap, TOPICS)
        yield Running(fleet, log, kafka_bootstrap)
        log.close()


@pytest.fixture(params=[pytest.param("published", marks=pytest.mark.network), "installed"])
def repository(request: pytest.FixtureRequest, tmp_path: Path) -> Repository:
    """Two versions of a published package; or an installed one, and the same with a few edits."""
    if request.param == "installed":
        trees = [installed(tmp_path / name, "pathspec", edited=name == "new") for name in ("old", "new")]
        return repository_of(tmp_path / "git", *trees)
    old, new = published(tmp_path / "old", OLD), published(tmp_path / "new", NEW)
    if old is None or new is None:
        pytest.skip("no package registry answers")
    return repository_of(tmp_path / "git", old, new)


def test_a_real_repository_is_reviewed_once(running: Running, repository: Repository) -> None:
    name = f"acme/{uuid4().hex[:8]}"
    saga = f"{name}#7@{repository.head:.12}"
    running.publish(repository.request(name, 7))
    state = running.ended(saga)
    assert (state.status, state.end) == (SagaStatus.COMPLETED, "comments.created")
    assert {step.status for step in state.steps} == {StepStatus.DONE}
    review, folder = written(running, name)
    assert_only_added_lines(review, repository)
    assert {covered.path for covered in review.coverage} == repository.changed_files()
    assert all(covered.status == "reviewed" or covered.reason for covered in review.coverage)

    before = {file: (file.stat().st_ino, file.stat().st_mtime_ns) for file in folder.iterdir()}
    assert {file.name for file in before} == {"review.json", "review.md", "review.sarif"}
    running.publish(repository.request(name, 7))
    running.wait(lambda: bool(unmatched(running, saga)), "the second start to leave its trace")
    assert unmatched(running, saga) == [("step.skipped", "this saga was started before")]
    running.wait(lambda: running.log.has_caught_up, "the end of the log")
    once = {"pr.received": 2, "pr.validated": 1, "ast.completed": 1, "llm.completed": 1, "comments.created": 1}
    assert Counter(running.events(saga)) == once
    assert {file: (file.stat().st_ino, file.stat().st_mtime_ns) for file in folder.iterdir()} == before
    assert [e.type for e, _ in running.log.events(SAGA_LIFECYCLE, saga)] == ["saga.started", "saga.completed"]


def test_a_pull_request_by_inline_diff_is_reviewed(running: Running) -> None:
    name = f"acme/{uuid4().hex[:8]}"
    running.publish(inline(name, 1, DIFF))
    assert running.ended(f"{name}#1@{'b' * 12}").end == "comments.created"
    review, _ = written(running, name)
    findings = (*review.inline, *review.summarised)
    assert findings
    assert {finding.path for finding in findings} == {"pay.py"}
    assert {line for finding in findings for line in (finding.start_line, finding.end_line)} <= {2, 3, 4}
    assert [covered.path for covered in review.coverage] == ["pay.py"]


def test_a_pull_request_without_news_is_rejected_and_thereby_completed(running: Running, tmp_path: Path) -> None:
    tree = installed(tmp_path / "old", "pathspec", edited=False)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "one.py").write_text("x = 1\n", encoding="utf-8")
    repository = repository_of(tmp_path / "git", tree, tmp_path / "new")
    name = f"acme/{uuid4().hex[:8]}"
    saga = f"{name}#2@{repository.head:.12}"
    running.publish(repository.request(name, 2, base=repository.head))
    state = running.ended(saga)
    assert (state.status, state.end) == (SagaStatus.COMPLETED, "pr.rejected")
    assert [step.status for step in state.steps] == [StepStatus.DONE, *[StepStatus.SKIPPED] * 3]
    assert running.events(saga) == ["pr.received", "pr.rejected"]


def written(running: Running, repository: str) -> tuple[Review, Path]:
    """The review of a repository's only pull request, and its folder."""
    short = repository.rpartition("/")[2]
    (file,) = (running.fleet.home / "reviews").glob(f"*{short}*/*/*/review.json")
    return Review.model_validate_json(file.read_bytes()), file.parent


def assert_only_added_lines(review: Review, repository: Repository) -> None:
    """Every finding begins at a line that git says was added."""
    added = repository.added_lines()
    findings = (*review.inline, *review.summarised)
    assert findings, "such a change gives something to say"
    assert len(review.inline) <= 30
    wrong = [f for f in findings if f.start_line not in added.get(f.path, ()) or f.end_line < f.start_line]
    assert not wrong


def unmatched(running: Running, saga: str) -> list[tuple[str, str]]:
    state = running.state(saga)
    return [(one.type, one.why) for one in state.unmatched if one.type == "step.skipped"] if state else []
