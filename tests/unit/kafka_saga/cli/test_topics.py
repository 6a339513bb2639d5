"""`saga topics` says what is there, and makes what is not."""

from __future__ import annotations

from kafka_saga.broker.memory import MemoryCluster
from kafka_saga.cli.topics import check_topics, is_well, topics_table, verdict
from kafka_saga.definition.topics import TopicFactory
from tests.unit.kafka_saga.cli.given import shown
from topology.code_review import CODE_REVIEW


def test_missing_topics_are_said_then_made_then_well() -> None:
    admin = MemoryCluster().admin()
    missing = check_topics(admin, (CODE_REVIEW,), 6)
    assert not any(map(is_well, missing))
    assert "`saga topics --create` makes them" in verdict(missing)
    created = check_topics(admin, (CODE_REVIEW,), 6, create=True)
    assert all(map(is_well, created))
    assert {topic.partitions for topic in created} == {6}
    again = check_topics(admin, (CODE_REVIEW,), None)
    assert "are there and fit" in verdict(again)
    assert "validator.state" in shown(topics_table(again))


def test_what_does_not_fit_is_said_with_the_mend() -> None:
    admin = MemoryCluster().admin()
    admin.create_missing([TopicFactory(6).log("pr.received"), TopicFactory(3).log("ast.completed")])
    checked = {topic.name: topic for topic in check_topics(admin, (CODE_REVIEW,), None)}
    assert "has 3 partitions, 6 are needed" in checked["ast.completed"].problems[0]
    assert "do not fit" in verdict([checked["ast.completed"]])
