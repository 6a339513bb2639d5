"""What the validator's tests start from: git histories written object by object, events, contexts."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pygit2
from pygit2.enums import ObjectType

from kafka_saga.engine.blob_store import BlobStore
from kafka_saga.engine.context import Context, KeyedState
from schemas.documents.code_review import ChangedFile, ChangeSet
from schemas.events.code_review import DiffSource, GitSource, PrReceived, PrRejected, PrValidated
from services.validator.handler import Validation, run_stages
from services.validator.limits import Limits

BASE, HEAD = "b" * 40, "a" * 40
NO_USER_CONFIG = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}


@dataclass(frozen=True)
class Entry:
    """A tree entry that is not just a file: a link, a submodule (content is a sha), a script."""

    mode: int
    content: bytes


def link(target: str) -> Entry:
    return Entry(0o120000, target.encode())


def script(content: bytes) -> Entry:
    return Entry(0o100755, content)


def submodule(sha: str) -> Entry:
    return Entry(0o160000, bytes.fromhex(sha))


# A name that is not UTF-8 has its bytes as surrogates: "\udce4" is 0xe4.
Files = Mapping[str, bytes | Entry]


class History:
    """A git repository written object by object, so that it can hold what git itself would refuse to add."""

    def __init__(self, folder: Path, bare: bool = True) -> None:
        self.folder = folder
        self.repository = pygit2.init_repository(str(folder), bare=bare)
        self._count = 0

    def commit(self, files: Files, *parents: str, message: str = "change") -> str:
        """A commit of exactly `files`; every commit is another, even of the same files."""
        tree = self._tree({name.encode("utf-8", "surrogateescape"): file for name, file in files.items()})
        self._count += 1
        who = pygit2.Signature("Ada", "ada@example.org", 1_700_000_000 + self._count, 0)
        ids = [pygit2.Oid(hex=parent) for parent in parents]
        return str(self.repository.create_commit(None, who, who, message, tree, ids))

    def diff(self, *arguments: str) -> str:
        """What `git diff` prints."""
        command = ["git", "-C", str(self.folder), "diff", *arguments]
        run = subprocess.run(command, check=True, capture_output=True, env=os.environ | NO_USER_CONFIG)
        return run.stdout.decode()

    def _tree(self, files: Mapping[bytes, bytes | Entry]) -> pygit2.Oid:
        entries: dict[bytes, tuple[bytes, bytes, pygit2.Oid | bytes]] = {}
        folders: dict[bytes, dict[bytes, bytes | Entry]] = {}
        for name, file in files.items():
            top, slash, rest = name.partition(b"/")
            if slash:
                folders.setdefault(top, {})[rest] = file
            else:
                entries[name] = (name, *self._entry(file))
        for name, inside in folders.items():
            entries[name + b"/"] = (name, b"40000", self._tree(inside))
        raw = b"".join(
            mode + b" " + name + b"\0" + (oid if isinstance(oid, bytes) else oid.raw)
            for _, (name, mode, oid) in sorted(entries.items())
        )
        return self.repository.odb.write(ObjectType.TREE, raw)

    def _entry(self, file: bytes | Entry) -> tuple[bytes, pygit2.Oid | bytes]:
        entry = Entry(0o100644, file) if isinstance(file, bytes) else file
        mode = b"%o" % entry.mode
        return mode, entry.content if entry.mode == 0o160000 else self.repository.create_blob(entry.content)


def git_event(path: Path | str, base: str, head: str, **fields: str) -> PrReceived:
    return _event(GitSource(path=str(path)), base, head, **fields)


def diff_event(text: str, base: str = BASE, head: str = HEAD) -> PrReceived:
    return _event(DiffSource(text=text), base, head)


def _event(source: GitSource | DiffSource, base: str, head: str, **fields: str) -> PrReceived:
    known = {"repository": "acme/shop", "number": 7, "title": "Sell more", "base_sha": base, "head_sha": head}
    return PrReceived.model_validate(known | fields | {"source": source})


@dataclass
class Ticks:
    """A clock that is 10 ms on at every look."""

    now: float = 0.0

    def __call__(self) -> float:
        self.now += 0.01
        return self.now


class Desk:
    """One pull request's validator: a blob store, the state of its key, and a saga per head."""

    def __init__(self, folder: Path, limits: Limits | None = None) -> None:
        self.blobs = BlobStore(str(folder))
        self.limits = limits
        self.state: bytes | None = None

    def context(self, event: PrReceived) -> Context:
        saga_id = f"acme/shop#7@{event.head_sha:.12}"
        return Context(saga_id, "acme/shop#7", "validate", 1, 0, self.blobs, KeyedState(self.state))

    def run(self, event: PrReceived) -> Validation:
        validation = run_stages(event, self.context(event), Ticks(), self.limits)
        if validation.accepted is not None:
            self.state = validation.accepted.model_dump_json().encode()
        return validation

    def accepts(self, event: PrReceived) -> PrValidated:
        outcome = self.run(event).outcome
        assert isinstance(outcome, PrValidated), outcome
        return outcome

    def rejects(self, event: PrReceived) -> PrRejected:
        outcome = self.run(event).outcome
        assert isinstance(outcome, PrRejected), outcome
        return outcome

    def files(self, event: PrReceived) -> dict[str, ChangedFile]:
        document = self.blobs.get_document(self.accepts(event).changes, ChangeSet)
        return {file.path: file for file in document.files}

    def after(self, file: ChangedFile) -> bytes:
        assert file.after is not None, file
        return self.blobs.get(file.after)

    def before(self, file: ChangedFile) -> bytes:
        assert file.before is not None, file
        return self.blobs.get(file.before)


def lines_of(file: ChangedFile) -> list[tuple[int, int]]:
    return [(added.start, added.end) for added in file.added]
