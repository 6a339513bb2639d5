"""A service as a process: it waits for Kafka, says how it is, drains when asked to stop, refuses what does not fit."""

from __future__ import annotations

import json
import signal
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kafka_saga.broker.clock import SystemClock
from kafka_saga.broker.kafka import KafkaCluster
from kafka_saga.definition.durations import minutes
from kafka_saga.definition.model import Saga
from kafka_saga.definition.topics import TopicFactory, topics_of
from kafka_saga.errors import UnavailableError
from kafka_saga.local.broker import EmbeddedKafka
from kafka_saga.local.ports import HOST, any_port, is_free
from kafka_saga.steps.definition_registry import agree
from tests.chain.controlled import GATE
from tests.chain.definition import CHAIN
from tests.e2e.support import chain
from tests.e2e.support.deadline import eventually
from tests.e2e.support.fleet import Fleet, Member
from tests.e2e.support.observed import Groups, Log

pytestmark = [pytest.mark.kafka, pytest.mark.e2e]


@pytest.fixture
def nowhere() -> str:
    """Where no Kafka is, yet."""
    return f"{HOST}:{any_port(is_free)}"


@pytest.fixture
def fleet(nowhere: str, tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(nowhere, tmp_path) as fleet:
        yield fleet


def until(fleet: Fleet, condition: Callable[[], bool], what: str, turn: Callable[[], object] | None = None) -> None:
    eventually(condition, turn or (lambda: pause(fleet)), 60, what, fleet.dump)


def pause(fleet: Fleet) -> None:
    """Wait a moment, or until one of the processes ends."""
    first = next(iter(fleet.members.values()), None)
    if first is None or first.is_alive:
        signal.sigtimedwait({signal.SIGCHLD}, 0.02)


def ask(port: int, path: str) -> tuple[int, str]:
    """An HTTP answer: status (0: nobody answers) and body."""
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


def test_it_waits_for_kafka_and_says_so_then_works_drains_and_leaves(
    fleet: Fleet, nowhere: str, tmp_path: Path
) -> None:
    port = any_port(is_free)
    one = chain.service(fleet, "one", CHAIN_GATED="one", SAGA_HTTP_PORT=str(port))
    until(fleet, lambda: one.said(f"Kafka does not answer at {nowhere}"), "it to say that Kafka is not there")
    assert ask(port, "/healthz")[0] == 200
    status, readiness = ask(port, "/readyz")
    assert (status, f"Kafka does not answer at {nowhere}" in readiness) == (503, True)

    with EmbeddedKafka(home=tmp_path / "kafka", port=int(nowhere.rpartition(":")[2])):
        until(fleet, lambda: ask(port, "/readyz")[0] == 200, "it to be ready")
        until(fleet, lambda: one.said("assigned: partitions [0, 1, 2, 3]"), "it to have its partitions")
        log = Log(nowhere, chain.TOPICS)
        chain.start_sagas(nowhere, ["short"])
        until(fleet, lambda: log.sagas("one.done") == {"short@1"}, "a saga's first step", log.follow)
        assert 'saga_records_total{kind="done",service="chain-one"} 1.0' in ask(port, "/metrics")[1]
        assert json.loads(ask(port, "/healthz")[1]) == {"service": "chain-one", "alive": True}

        chain.start_sagas(nowhere, ["slow"], GATE)
        until(fleet, lambda: bool(chain.starts(tmp_path, "one", "slow@1")), "the slow handler to start")
        one.ask_to_stop()
        until(fleet, lambda: one.said("stopping: running handlers get 20 s"), "it to say that it stops")
        assert one.is_alive
        chain.start_sagas(nowhere, ["late"])
        (tmp_path / "gates" / "slow").touch()
        assert one.process.wait(30) == 0
        assert Groups(nowhere).state("chain-one") == "EMPTY", "it has left at once, not when its session ended"
        until(fleet, lambda: log.sagas("one.done") == {"short@1", "slow@1"}, "the slow one's outcome", log.follow)
        assert not chain.starts(tmp_path, "one", "late@1"), "it takes nothing more"

        one.start()
        until(fleet, lambda: len(log.sagas("one.done")) == 3, "the late one's turn", log.follow)
        assert chain.starts(tmp_path, "one", "slow@1") == [one.past[0].pid]
        log.close()


def test_a_signal_while_it_waits_for_kafka_ends_it_in_order(fleet: Fleet) -> None:
    one = chain.service(fleet, "one")
    until(fleet, lambda: one.said("Kafka does not answer"), "it to wait")
    assert one.stop(20) == 0
    assert not one.said("traceback")


def test_one_whose_kafka_has_gone_ends_in_order_and_soon(fleet: Fleet, nowhere: str, tmp_path: Path) -> None:
    """What it has worked on cannot be handed over; that is no reason to wait for ever."""
    with EmbeddedKafka(home=tmp_path / "kafka", port=int(nowhere.rpartition(":")[2])):
        one = chain.service(fleet, "one")
        until(fleet, lambda: one.said("assigned: partitions"), "it to have its partitions")
        log = Log(nowhere, chain.TOPICS)
        chain.start_sagas(nowhere, ["done"])
        until(fleet, lambda: log.sagas("one.done") == {"done@1"}, "it to have worked", log.follow)
        log.close()
    assert one.stop(30) == 0
    assert not one.said("raceback")


def test_a_signal_at_any_moment_of_its_start_ends_it(kafka_bootstrap: str, tmp_path: Path) -> None:
    with Fleet(kafka_bootstrap, tmp_path) as fleet:
        moments: dict[str, Callable[[Member], bool]] = {
            "at once": lambda _: True,
            "when it works": lambda member: member.said("working on Kafka"),
        }
        for name, has_come in moments.items():
            one = chain.service(fleet, "one", name)
            until(fleet, lambda: has_come(one), name)  # noqa: B023
            assert one.stop(30) in {0, -signal.SIGTERM}, one.last_words()
            assert not one.said("raceback")


def test_it_refuses_topics_of_another_partition_count_in_one_line(fleet: Fleet, nowhere: str, tmp_path: Path) -> None:
    with EmbeddedKafka(home=tmp_path / "kafka", port=int(nowhere.rpartition(":")[2])):
        admin = KafkaCluster({"bootstrap.servers": nowhere}).admin()
        admin.create_missing([TopicFactory(3).log("chain.started"), TopicFactory(5).log("two.done")])
        one = chain.service(fleet, "one")
        assert one.process.wait(60) == 1
        lines = one.log.read_text(encoding="utf-8").splitlines()
        errors = [json.loads(line)["message"] for line in lines if json.loads(line)["level"] == "ERROR"]
        assert len(errors) == 1
        assert errors[0].startswith("topic two.done has 5 partitions, chain.started has 3")
        assert "traceback" not in "".join(lines)


def test_it_refuses_a_definition_that_is_deployed_with_other_content_in_one_line(
    fleet: Fleet, nowhere: str, tmp_path: Path
) -> None:
    first, *rest = CHAIN.steps
    deployed = replace(CHAIN, steps=(replace(first, timeout=minutes(2)), *rest))
    with EmbeddedKafka(home=tmp_path / "kafka", port=int(nowhere.rpartition(":")[2])):
        cluster = KafkaCluster({"bootstrap.servers": nowhere})
        cluster.admin().create_missing(topics_of([CHAIN], TopicFactory(4)))
        until(fleet, lambda: is_agreed(cluster, deployed), "the topic to have leaders")
        for member in (chain.service(fleet, "one"), chain.tracker(fleet)):
            assert member.process.wait(60) == 1
            lines = [json.loads(line) for line in member.log.read_text(encoding="utf-8").splitlines()]
            (error,) = [line["message"] for line in lines if line["level"] == "ERROR"]
            assert error.startswith("definition chain v1 is deployed with other content: ")
            assert "(steps.one.timeout: 120 -> 300)" in error
            assert not member.said("assigned")
            assert not member.said("raceback")


def is_agreed(cluster: KafkaCluster, saga: Saga) -> bool:
    try:
        return bool(agree(cluster, [saga], SystemClock()))
    except UnavailableError:
        return False


def test_it_refuses_settings_that_make_no_sense_in_one_line(fleet: Fleet) -> None:
    one = chain.service(fleet, "one", SAGA_MAX_IN_FLIGHT="many")
    assert one.process.wait(60) == 1
    assert one.log.read_text(encoding="utf-8").startswith("chain-one: wrong settings: SAGA_MAX_IN_FLIGHT: ")
    assert len(one.log.read_text(encoding="utf-8").splitlines()) == 1
