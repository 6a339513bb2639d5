"""The pinned jars and their verification."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath

import pytest

from kafka_saga.local.pins import KAFKA_VERSION, Jar, damaged, is_stamped, parse_pins, pinned_jars, stamp

CONTENT = b"PK\x03\x04 a jar"


@pytest.fixture
def jar(tmp_path: Path) -> Jar:
    jar = Jar(PurePosixPath("org/acme/tool/1.2/tool-1.2.jar"), hashlib.sha256(CONTENT).hexdigest())
    (tmp_path / jar.path).parent.mkdir(parents=True)
    (tmp_path / jar.path).write_bytes(CONTENT)
    return jar


def test_a_pin_line_is_what_sha256sum_writes_and_gives_maven_coordinates() -> None:
    (jar,) = parse_pins("ab12  org/apache/kafka/kafka_2.13/4.3.0/kafka_2.13-4.3.0.jar\n")
    assert (jar.group, jar.artifact, jar.version, jar.sha256) == ("org.apache.kafka", "kafka_2.13", "4.3.0", "ab12")


def test_the_committed_pins_are_complete_and_well_formed() -> None:
    jars = pinned_jars()
    assert len({jar.path for jar in jars}) == len(jars) == 47
    assert all(len(jar.sha256) == 64 and jar.path.name == f"{jar.artifact}-{jar.version}.jar" for jar in jars)
    assert {"kafka_2.13", "kafka-clients", "kafka-server", "kafka-tools"} <= {
        j.artifact for j in jars if j.version == KAFKA_VERSION
    }


def test_an_intact_jar_is_not_damaged(tmp_path: Path, jar: Jar) -> None:
    assert damaged(tmp_path, [jar]) == ()


@pytest.mark.parametrize("content", [b"", CONTENT[:-1], CONTENT + b"!", None])
def test_a_corrupted_truncated_or_missing_jar_is_found(tmp_path: Path, jar: Jar, content: bytes | None) -> None:
    (tmp_path / jar.path).unlink()
    if content is not None:
        (tmp_path / jar.path).write_bytes(content)
    assert damaged(tmp_path, [jar]) == (jar,)


def test_a_stamp_holds_until_a_jar_changes(tmp_path: Path, jar: Jar) -> None:
    assert not is_stamped(tmp_path, [jar])
    stamp(tmp_path, [jar])
    assert is_stamped(tmp_path, [jar])
    (tmp_path / jar.path).write_bytes(CONTENT + b"!")
    assert not is_stamped(tmp_path, [jar])
    (tmp_path / jar.path).unlink()
    assert not is_stamped(tmp_path, [jar])


def test_a_stamp_of_other_pins_or_one_that_is_no_json_does_not_count(tmp_path: Path, jar: Jar) -> None:
    stamp(tmp_path, [jar])
    assert not is_stamped(tmp_path, [Jar(jar.path, "0" * 64)])
    (tmp_path / "verified.json").write_text("{", encoding="utf-8")
    assert not is_stamped(tmp_path, [jar])
