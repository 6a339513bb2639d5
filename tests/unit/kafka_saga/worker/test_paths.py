"""Where state and downloads live."""

from __future__ import annotations

from pathlib import Path

import pytest

from kafka_saga.worker.paths import cache_home, saga_home


@pytest.mark.parametrize(
    ("environment", "home", "cache"),
    [
        ({"SAGA_HOME": "/h", "SAGA_CACHE": "/c", "XDG_DATA_HOME": "/x"}, Path("/h"), Path("/c")),
        ({"XDG_DATA_HOME": "/xd", "XDG_CACHE_HOME": "/xc"}, Path("/xd/saga"), Path("/xc/saga")),
        ({}, Path.home() / ".local/share/saga", Path.home() / ".cache/saga"),
        (
            {"XDG_DATA_HOME": "relative", "XDG_CACHE_HOME": ""},
            Path.home() / ".local/share/saga",
            Path.home() / ".cache/saga",
        ),
        ({"SAGA_HOME": "~/h", "SAGA_CACHE": "c"}, Path.home() / "h", Path.cwd() / "c"),
    ],
)
def test_our_own_variables_come_first_then_xdg_then_the_default(
    environment: dict[str, str], home: Path, cache: Path
) -> None:
    assert saga_home(environment) == home
    assert cache_home(environment) == cache
