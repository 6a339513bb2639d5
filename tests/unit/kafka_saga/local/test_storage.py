"""The data folder's identity and the sentences about a broker's end."""

from __future__ import annotations

from pathlib import Path

from kafka_saga.local.storage import Storage, broker_ended, new_cluster_id


def test_the_cluster_id_is_read_from_the_data(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    assert storage.cluster_id() is None
    storage.data.mkdir()
    (storage.data / "meta.properties").write_text("#\nversion=1\ncluster.id=abc-_=\n", encoding="utf-8")
    assert storage.cluster_id() == "abc-_="
    storage.delete_data()
    storage.delete_data()
    assert storage.cluster_id() is None


def test_a_new_cluster_id_has_22_characters() -> None:
    assert len(new_cluster_id()) == 22
    assert new_cluster_id() != new_cluster_id()


def test_the_end_of_a_broker_is_one_sentence_with_its_log(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    storage.log.parent.mkdir()
    storage.log.write_text("[2026] ERROR Invalid cluster.id. (kafka.Kafka$)\n", encoding="utf-8")
    assert str(broker_ended(storage, 0, "starting")) == (
        f"Kafka ended while starting: Invalid cluster.id. Its log: {storage.log}"
    )
    storage.log.write_text("[2026] ERROR x (k)\njava.io.IOException: No space left on device\n", encoding="utf-8")
    assert "is full" in str(broker_ended(storage, 0, "starting"))


def test_records_of_a_later_kafka_are_said_to_be_that(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    storage.log.parent.mkdir()
    storage.log.write_text("[2026] ERROR x (k)\njava.lang.RuntimeException: Can't read version 4\n", encoding="utf-8")
    assert "were written by a later Kafka than" in str(broker_ended(storage, 0, "starting"))
