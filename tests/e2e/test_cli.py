"""The command line on a real Kafka with the real services: up, review, look around, down; and the demo."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kafka_saga.broker.kafka import KafkaCluster
from kafka_saga.local.processes import ChildProcess, eventually, sight
from kafka_saga.local.up_record import UpRecord, live_up
from services.app import SERVICES
from services.app.demo_repository import make_repository

pytestmark = [pytest.mark.kafka, pytest.mark.e2e, pytest.mark.xdist_group("cli")]
ROOT = Path(__file__).parents[2]
PATIENCE = 120.0


class Saga:
    """The program, in a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SAGA_")}
        cache = {"SAGA_CACHE": os.environ["SAGA_CACHE"]} if "SAGA_CACHE" in os.environ else {}
        self.environment = {**kept, **cache, "SAGA_HOME": str(home)}

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "kafka_saga.cli.main", *arguments]

    def run(self, *arguments: str, code: int = 0) -> str:
        result = subprocess.run(
            self.command(*arguments),
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert result.returncode == code, f"{arguments}: {result.stdout}{result.stderr}"
        assert "Traceback" not in result.stderr
        return result.stdout

    def json(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", code=code))

    @property
    def up(self) -> UpRecord:
        record = live_up(self.home)
        assert record is not None
        return record

    def shown(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.json("show", name)
        return found


@pytest.fixture(scope="module")
def saga(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Saga]:
    program = Saga(tmp_path_factory.mktemp("cli"))
    program.run("up", "--detach", "--port", "0")
    yield program
    program.run("down")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_repository(tmp_path_factory.mktemp("shop") / "shop")


@pytest.fixture(scope="module")
def reviewed(saga: Saga, shop: Path) -> dict[str, Any]:
    found: dict[str, Any] = saga.json("review", str(shop), "--repository", "acme/shop", "--number", "7", code=3)
    return found


def publish(saga: Saga, **changes: object) -> None:
    """By hand: plain JSON, no key, no headers."""
    publisher = KafkaCluster({"bootstrap.servers": saga.up.bootstrap}).publisher()
    publisher.publish("pr.received", None, json.dumps(changes).encode(), [])
    publisher.close()


def test_a_review_gives_findings_coverage_and_files(reviewed: dict[str, Any]) -> None:
    assert (reviewed["status"], reviewed["verdict"], reviewed["already_reviewed"]) == ("completed", "findings", False)
    found = {(finding["path"], finding["start_line"], finding["severity"]) for finding in reviewed["findings"]}
    assert ("shop/payments.py", 10, "critical") in found
    assert {path for path, _, _ in found} == {"shop/orders.py", "shop/payments.py", "web/basket.js", "ingest/client.go"}
    assert len(reviewed["coverage"]) == 5
    assert {"review.json", "review.md", "review.sarif"} == {file.name for file in Path(reviewed["location"]).iterdir()}


def test_the_saga_is_listed_and_shown_by_id_key_and_beginning(saga: Saga, reviewed: dict[str, Any]) -> None:
    assert reviewed["saga_id"] in {one["saga_id"] for one in saga.json("ls", "--status", "completed")}
    for name in (reviewed["saga_id"], "acme/shop#7", "acme/sh"):
        shown = saga.shown(name)
        assert (shown["saga_id"], shown["status"]) == (reviewed["saga_id"], "completed")
        steps = [(step["name"], step["status"], step["attempt"]) for step in shown["steps"]]
        assert steps == [(name, "done", 1) for name in ("validate", "ast", "llm", "comment")]
    assert "Completed by comments.created" in saga.run("show", "acme/shop#7")
    assert "Completed by comments.created" in saga.run("show", "acme/shop#7", "--follow")


def test_its_events_are_decoded_with_their_causes(saga: Saga, reviewed: dict[str, Any]) -> None:
    events = saga.json("events", reviewed["saga_id"])
    assert [event["type"] for event in events] == [
        "pr.received",
        "pr.validated",
        "ast.completed",
        "llm.completed",
        "comments.created",
    ]
    assert [event["cause"] for event in events] == [None, *(event["id"] for event in events[:-1])]
    assert events[-1]["data"]["location"] == reviewed["location"]
    assert "└── comments.created" in saga.run("events", "acme/shop#7")


def test_the_same_head_again_starts_nothing_and_shows_that_review(
    saga: Saga, shop: Path, reviewed: dict[str, Any]
) -> None:
    same = ("review", str(shop), "--repository", "acme/shop", "--number", "7")
    again = saga.json(*same, "--fail-on", "never")
    assert again["already_reviewed"] is True
    assert again["findings"] == reviewed["findings"]
    assert again["saga"]["revision"] == reviewed["saga"]["revision"]
    assert "was reviewed before: nothing was started" in saga.run(*same, code=3)


def by_hand(saga: Saga, shop: Path, repository: str) -> tuple[str, dict[str, object]]:
    """Ask for a review as any program can; the saga's id, and the event."""
    base, head = (
        subprocess.check_output(["git", "-C", str(shop), "rev-parse", name], text=True).strip()
        for name in ("HEAD~1", "HEAD")
    )
    event: dict[str, object] = {
        "repository": repository,
        "number": 1,
        "title": "By hand",
        "base_sha": base,
        "head_sha": head,
        "source": {"kind": "git", "path": str(shop)},
    }
    publish(saga, **event)
    return f"{repository}#1@{head[:12]}", event


def step_status(saga: Saga, name: str, step: str) -> str | None:
    """How a step of a saga stands; none if the saga is not known yet."""
    known = {one["saga_id"]: one for one in saga.json("ls")}
    found = {one["name"]: one["status"] for one in known[name]["steps"]} if name in known else {}
    return found.get(step)


def test_published_by_hand_it_is_reviewed_too_and_published_again_it_leaves_a_trace(saga: Saga, shop: Path) -> None:
    name, event = by_hand(saga, shop, "by/hand")
    assert eventually(lambda: any(one["saga_id"] == name for one in saga.json("ls")), PATIENCE)
    saga.run("show", name, "--follow")
    assert saga.shown(name)["status"] == "completed"
    publish(saga, **event)
    assert eventually(lambda: saga.shown(name)["unmatched"] != [], PATIENCE)
    shown = saga.shown(name)
    assert shown["unmatched"][0]["type"] in {"step.skipped", "pr.received"}
    assert len(shown["events"]) == 5


def test_a_rejected_pull_request_exits_with_4(saga: Saga, shop: Path) -> None:
    found = saga.json("review", str(shop), "HEAD..HEAD", "--repository", "acme/none", code=4)
    assert found["rejected"]["code"] == "nothing_new"


def test_what_is_no_pull_request_is_a_dead_letter(saga: Saga) -> None:
    publish(saga, repository="x")
    assert eventually(lambda: saga.json("dlq", "ls") != [], PATIENCE)
    letter = saga.json("dlq", "ls")[-1]
    assert letter["service"] == "validator"
    assert "number" in letter["reason"]
    assert saga.json("dlq", "show", letter["place"])["value"] == '{"repository": "x"}'
    assert '{"repository": "x"}' in saga.run("dlq", "show", letter["place"])


def test_a_paused_step_holds_sagas_up_and_why_says_so(saga: Saga, shop: Path) -> None:
    assert "accepted" in saga.run("pause", "--step", "llm", "--reason", "quota", "--author", "ada", "--yes")
    name, _ = by_hand(saga, shop, "held/up")
    assert eventually(lambda: step_status(saga, name, "llm") == "queued", PATIENCE)
    why = saga.json("why", name)
    assert "Step llm is paused by ada" in why["reason"]
    assert "quota" in why["reason"]
    assert [(one["step"], one["service"], one["instances"]) for one in why["services"]] == [("llm", "llm", 1)]
    (refused,) = saga.json("pause", "--step", "code_review/llm", "--yes", code=1)
    assert (refused["answer"], "paused already" in refused["why"]) == ("refused", True)
    assert "left undone" in saga.run("cancel", "--key-prefix", "held/", "--dry-run")
    assert "accepted" in saga.run("resume", "--step", "llm", "--yes")
    saga.run("show", name, "--follow")
    assert saga.shown(name)["status"] == "completed"


def test_a_cancelled_saga_is_cancelled_and_a_second_command_refused_with_why(saga: Saga, shop: Path) -> None:
    saga.run("pause", "--step", "llm", "--yes")
    name, _ = by_hand(saga, shop, "called/off")
    assert eventually(lambda: step_status(saga, name, "llm") == "queued", PATIENCE)
    assert "cancel accepted" in saga.run("cancel", name, "--reason", "no more", "--author", "ada")
    saga.run("resume", "--step", "llm", "--yes")
    saga.run("show", name, "--follow")
    shown = saga.shown(name)
    assert shown["status"] == "cancelled"
    assert "cancelled by ada: no more" in shown["error"]
    assert "the saga is cancelled" in saga.json("cancel", name, code=1)[0]["why"]


def test_a_dead_letter_is_redriven_once(saga: Saga) -> None:
    publish(saga, repository="again")
    mine = '{"repository": "again"}'

    def letters() -> list[dict[str, Any]]:
        return [one for one in saga.json("dlq", "ls") if one["value"] == mine]

    assert eventually(lambda: letters() != [], PATIENCE)
    place = letters()[0]["place"]
    assert "1 published again" in saga.run("dlq", "redrive", place)
    assert eventually(lambda: len(letters()) == 2, PATIENCE)
    assert [one["redriven_at"] is not None for one in letters()] == [True, False]
    saga.run("dlq", "redrive", place, code=1)
    assert saga.json("dlq", "continue", "validator")[0]["answer"] == "accepted"


def test_the_topics_are_there_and_fit(saga: Saga) -> None:
    assert {topic["partitions"] for topic in saga.json("topics")} == {4}


def test_a_second_up_says_so(saga: Saga) -> None:
    assert saga.run("up", "--detach") == ""
    refused = subprocess.run(
        saga.command("up"), cwd=ROOT, env=saga.environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert refused.returncode == 1
    assert f"`saga up` runs already (process {saga.up.pid}" in refused.stderr


def test_a_killed_service_is_started_again_and_the_status_says_why(saga: Saga) -> None:
    before = {service.name: service for service in saga.up.services}["llm"]
    assert before.pid is not None
    os.kill(before.pid, signal.SIGKILL)

    def is_back() -> bool:
        now = {service.name: service for service in saga.up.services}["llm"]
        return now.restarts > before.restarts and saga.up.is_ready

    assert eventually(is_back, PATIENCE)
    (service,) = (one for one in saga.json("status")["services"] if one["name"] == "llm")
    assert service["last_end"].startswith("killed by SIGKILL")
    assert "started again" in saga.run("status")


def test_ctrl_c_stops_everything_and_a_kill_leaves_nothing(tmp_path: Path) -> None:
    saga = Saga(tmp_path)
    for number in (signal.SIGINT, signal.SIGKILL):
        command = saga.command("up", "--port", "0")
        with subprocess.Popen(command, cwd=ROOT, env=saga.environment, stdout=subprocess.PIPE, text=True) as running:
            assert eventually(lambda: (record := live_up(tmp_path)) is not None and record.is_ready, PATIENCE)
            pids = [service.pid for service in saga.up.services if service.pid]
            processes = [ChildProcess(pid, seen.mark) for pid in pids if (seen := sight(pid))]
            running.send_signal(number)
            said, _ = running.communicate(timeout=60)
        assert len(processes) == len(SERVICES)
        assert all(process.ends_within(60) for process in processes)
        assert live_up(tmp_path) is None
        if number is signal.SIGINT:
            assert running.returncode == 0
            assert said.endswith("Stopped.\n")
    saga.run("status", code=3)
    assert eventually(lambda: "not running" in saga.run("kafka", "status", code=3), 30)


def test_without_services_a_review_says_which_one_is_missing(shop: Path, kafka_bootstrap: str, tmp_path: Path) -> None:
    saga = Saga(tmp_path)
    bootstrap = ("--bootstrap", kafka_bootstrap)
    saga.run(*bootstrap, "topics", "--create")
    result = subprocess.run(
        saga.command(*bootstrap, "review", str(shop), "--timeout", "7", "--repository", "nobody/there"),
        cwd=ROOT,
        env=saga.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 6
    missing = "the service of step validate and tracker are not running"
    assert f"{missing}, and the saga waits: start everything with `saga up`" in result.stdout
    assert "Nothing was heard of nobody/there#" in result.stderr


def test_the_demo_runs_through(tmp_path: Path) -> None:
    said = Saga(tmp_path).run("demo", "--folder", str(tmp_path / "demo"))
    for wanted in (
        "shop/payments.py:10",
        "critical",
        "5 files: 5 reviewed",
        "review.sarif",
        "✓ comment",
        "stopped again",
    ):
        assert wanted in said
    assert live_up(tmp_path / "demo" / "home") is None
