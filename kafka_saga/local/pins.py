"""The jars of the pinned Kafka: which ones, where Maven keeps them, and what their content must be."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from kafka_saga.local.files import write_atomically

#: 4.3 loses transaction markers when a broker restarts (KAFKA-20734, decision 0005)
KAFKA_VERSION = "4.1.2"
#: Download size of all jars together, for the progress line.
MEGABYTES = 45
_PINS = Path(__file__).with_name(f"kafka-{KAFKA_VERSION}.sha256")
_STAMP = "verified.json"


@dataclass(frozen=True)
class Jar:
    """One jar: `path` is its place in a Maven repository, group/artifact/version/file."""

    path: PurePosixPath
    sha256: str

    @property
    def group(self) -> str:
        """Maven groupId."""
        return ".".join(self.path.parts[:-3])

    @property
    def artifact(self) -> str:
        """Maven artifactId."""
        return self.path.parts[-3]

    @property
    def version(self) -> str:
        """Maven version."""
        return self.path.parts[-2]


def parse_pins(text: str) -> tuple[Jar, ...]:
    """Read lines as `sha256sum` writes them: digest, two blanks, path."""
    lines = (line.split("  ", 1) for line in text.splitlines() if line)
    return tuple(Jar(PurePosixPath(path), digest) for digest, path in lines)


def pinned_jars() -> tuple[Jar, ...]:
    """All jars of the pinned Kafka."""
    return parse_pins(_PINS.read_text(encoding="utf-8"))


def damaged(folder: Path, jars: Iterable[Jar]) -> tuple[Jar, ...]:
    """Return the jars under `folder` that are missing or whose content is not the pinned one (reads every byte)."""
    return tuple(jar for jar in jars if not _is_intact(folder / jar.path, jar.sha256))


def _is_intact(path: Path, sha256: str) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


def stamp(folder: Path, jars: Iterable[Jar]) -> None:
    """Remember size and time of jars just verified, so that later starts need not read them."""
    write_atomically(folder / _STAMP, json.dumps(_traits(folder, jars), indent=1))


def is_stamped(folder: Path, jars: Iterable[Jar]) -> bool:
    """Whether all jars are exactly those that were verified, by pin, size and modification time."""
    try:
        return bool(json.loads((folder / _STAMP).read_text(encoding="utf-8")) == _traits(folder, jars))
    except (OSError, ValueError):
        return False


def _traits(folder: Path, jars: Iterable[Jar]) -> dict[str, list[str | int]]:
    stats = ((jar, (folder / jar.path).stat()) for jar in jars)
    return {str(jar.path): [jar.sha256, stat.st_size, stat.st_mtime_ns] for jar, stat in stats}
