"""What the guides promise is what the code does."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from kafka_saga.definition.diagram import as_mermaid
from kafka_saga.worker.settings import Settings
from services.comments.settings import ReviewSettings
from topology.code_review import CODE_REVIEW

ROOT = Path(__file__).parents[2]
OPERATIONS = ROOT / "docs" / "operations.md"
MARKED = re.compile(r"(<!-- settings -->\n)(.*?)(<!-- /settings -->)", re.DOTALL)


def row(settings: type[BaseSettings], name: str) -> str:
    info = settings.model_fields[name]
    default = f"in `SAGA_HOME`, `{name.split('_', maxsplit=1)[0]}s`" if info.default_factory else f"`{info.default}`"
    return f"| `SAGA_{name.upper()}` | {'' if info.default is None else default} | {info.description} |"


def table() -> str:
    """The table of settings, as the guide must have it."""
    rows = [row(settings, name) for settings in (Settings, ReviewSettings) for name in settings.model_fields]
    shown = [line for line in rows if "SAGA_KAFKA`" not in line]
    return "\n".join(["| variable | default | meaning |", "|---|---|---|", *dict.fromkeys(shown), ""])


def test_every_setting_is_documented() -> None:
    text = OPERATIONS.read_text(encoding="utf-8")
    if os.environ.get("SAGA_UPDATE_GOLDEN"):
        OPERATIONS.write_text(MARKED.sub(lambda found: found[1] + table() + found[3], text), encoding="utf-8")
        pytest.skip("written anew")
    found = MARKED.search(text)
    assert found is not None
    assert found[2] == table()


def test_the_readme_shows_the_diagram_of_code_review() -> None:
    assert as_mermaid(CODE_REVIEW).strip() in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "path", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda path: path.name
)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", path.read_text(encoding="utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []
