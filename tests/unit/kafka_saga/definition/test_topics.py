"""Topics are plain data: one partition count, the broker's clock, and a retention that suits their use."""

from __future__ import annotations

from dataclasses import replace

import pytest

from examples.order.definition import ORDER
from kafka_saga.definition.durations import days, hours
from kafka_saga.definition.topics import (
    DEAD_LETTERS,
    MAX_DEAD_LETTER_BYTES,
    RESERVED_TOPICS,
    SAGA_STATE,
    TopicFactory,
    TopicSpec,
    differences,
    intake_topic,
    is_reserved,
    state_topic,
    topics,
    topics_of,
)
from kafka_saga.errors import TopologyError
from tests.unit.kafka_saga.definition.small import GOOD
from topology.code_review import CODE_REVIEW

SPECS = {spec.name: spec for spec in topics(CODE_REVIEW, partitions=4)}
EVENT = SPECS["ast.completed"]
THIRTY_DAYS = str(30 * 24 * 3600 * 1000)
ONE_HOUR, ONE_DAY = str(3600 * 1000), str(24 * 3600 * 1000)


def test_a_definition_has_all_its_topics() -> None:
    assert SPECS.keys() == RESERVED_TOPICS | {
        *("pr.received", "pr.validated", "pr.rejected", "ast.completed", "llm.completed", "comments.created"),
        *("validate.work", "ast.work", "llm.work", "comment.work", "comment.compensated", "code_review.intake"),
    }


def test_all_topics_agree() -> None:
    assert {spec.partitions for spec in SPECS.values()} == {4}
    assert {spec.config["message.timestamp.type"] for spec in SPECS.values()} == {"LogAppendTime"}


def test_events_stay_for_the_longest_saga_life() -> None:
    expected = TopicSpec(
        "ast.completed",
        partitions=4,
        replication_factor=1,
        config={
            "message.timestamp.type": "LogAppendTime",
            "max.message.bytes": "1048576",
            "min.insync.replicas": "1",
            "cleanup.policy": "delete",
            "retention.ms": THIRTY_DAYS,
            "retention.bytes": "-1",
            "segment.ms": ONE_DAY,
        },
    )
    assert expected == EVENT


@pytest.mark.parametrize("name", ["saga.control", "saga.state", "saga.definitions"])
def test_what_is_looked_up_is_compacted(name: str) -> None:
    assert SPECS[name].config["cleanup.policy"] == "compact"
    assert "retention.ms" not in SPECS[name].config


def test_a_changelog_is_cleaned_early() -> None:
    spec = TopicFactory(12, replication_factor=3).changelog(state_topic("llm"))
    assert (spec.name, spec.partitions, spec.replication_factor) == ("llm.state", 12, 3)
    assert dict(spec.config) == {
        "message.timestamp.type": "LogAppendTime",
        "max.message.bytes": "1048576",
        "min.insync.replicas": "2",
        "cleanup.policy": "compact",
        "min.cleanable.dirty.ratio": "0.1",
        "segment.ms": ONE_HOUR,
        "delete.retention.ms": ONE_DAY,
    }


def test_intake_forgets_when_events_are_gone() -> None:
    config = SPECS[intake_topic(CODE_REVIEW)].config
    assert (config["cleanup.policy"], config["retention.ms"]) == ("compact,delete", THIRTY_DAYS)
    assert config["segment.ms"] == ONE_HOUR


def test_a_dead_letter_may_be_larger_than_any_record() -> None:
    assert SPECS[DEAD_LETTERS].config["max.message.bytes"] == str(MAX_DEAD_LETTER_BYTES)


def test_shared_topics_are_named_once() -> None:
    names = [spec.name for spec in topics_of([CODE_REVIEW, ORDER], TopicFactory(4))]
    assert len(names) == len(set(names))
    assert {"comment.compensated", "stock.compensated", "order.intake", SAGA_STATE} <= set(names)


def test_a_saga_may_not_outlive_its_events() -> None:
    with pytest.raises(TopologyError, match="a saga may live 7 d, but its events are kept only 6 d"):
        topics(GOOD, partitions=1, retention=days(6))
    assert topics(replace(GOOD, deadline=None), partitions=1, retention=hours(1))


@pytest.mark.parametrize(("partitions", "replicas"), [(0, 1), (1, 0), (-1, 3)])
def test_counts_below_one_make_no_topic(partitions: int, replicas: int) -> None:
    with pytest.raises(TopologyError, match="give at least 1 of each"):
        topics(GOOD, partitions, replicas)


@pytest.mark.parametrize("name", ["saga.steps", "saga.x", "dead.letters", "a.work", "a.compensated", "a.intake", "__x"])
def test_our_own_topics_are_reserved(name: str) -> None:
    assert is_reserved(name)


def test_an_events_topic_is_not_reserved() -> None:
    assert not any(map(is_reserved, (*CODE_REVIEW.events, *ORDER.events, "saga_steps")))


def test_a_topic_as_specified_has_no_differences() -> None:
    assert differences(EVENT, EVENT.config, 4) == ()


def test_another_partition_count_names_both_topics() -> None:
    assert differences(EVENT, EVENT.config, 6, beside="pr.received") == (
        "topic ast.completed has 6 partitions, pr.received has 4: a saga's records must be in the same partition "
        "everywhere; recreate ast.completed with 4, or set SAGA_PARTITIONS=6 if all topics can have that many",
    )
    (alone,) = differences(EVENT, EVENT.config, 6)
    assert alone.startswith("topic ast.completed has 6 partitions, 4 are needed")


@pytest.mark.parametrize(
    ("spec", "setting", "found", "said"),
    [
        (EVENT, "message.timestamp.type", "CreateTime", "has message.timestamp.type=CreateTime, LogAppendTime is"),
        (EVENT, "cleanup.policy", "compact", "has cleanup.policy=compact, delete is needed"),
        (EVENT, "retention.ms", "1000", f"has retention.ms=1000, at least {THIRTY_DAYS} is needed"),
        (EVENT, "retention.bytes", "5000", "has retention.bytes=5000, -1 is needed"),
        (EVENT, "max.message.bytes", "1000", "has max.message.bytes=1000, at least 1048576 is needed"),
        (EVENT, "max.message.bytes", "much", "has max.message.bytes=much, at least 1048576 is needed"),
        (SPECS["code_review.intake"], "cleanup.policy", "compact", "--add-config cleanup.policy=[compact,delete]`"),
    ],
)
def test_a_setting_that_breaks_us_is_said(spec: TopicSpec, setting: str, found: str, said: str) -> None:
    (sentence,) = differences(spec, {**spec.config, setting: found}, 4)
    assert said in sentence
    assert f"kafka-configs --alter --entity-type topics --entity-name {spec.name}" in sentence


def test_a_setting_that_is_not_told_is_a_difference() -> None:
    config = {name: value for name, value in EVENT.config.items() if name != "retention.ms"}
    (sentence,) = differences(EVENT, config, 4)
    assert "does not say its retention.ms" in sentence


@pytest.mark.parametrize(
    ("spec", "setting", "found"),
    [
        (EVENT, "retention.ms", "-1"),
        (EVENT, "retention.ms", str(10 * int(THIRTY_DAYS))),
        (EVENT, "max.message.bytes", "9999999"),
        (EVENT, "segment.ms", "1"),
        (EVENT, "message.timestamp.type", "logappendtime"),
        (SPECS["code_review.intake"], "cleanup.policy", "delete, compact"),
        (SPECS["saga.state"], "min.cleanable.dirty.ratio", "0.5"),
    ],
)
def test_what_is_better_or_only_tuned_will_do(spec: TopicSpec, setting: str, found: str) -> None:
    assert differences(spec, {**spec.config, setting: found}, 4) == ()
