"""A fresh history and a fresh validator for every test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.services.validator.given import Desk, History


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "shop.git")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "blobs")
