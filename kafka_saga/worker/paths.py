"""Where state and downloads live on this machine: environment first, then the XDG base directories."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def saga_home(environment: Mapping[str, str] = os.environ) -> Path:
    """Folder of everything that must survive: `SAGA_HOME`, else `XDG_DATA_HOME`/saga, else ~/.local/share/saga."""
    return _folder(environment, "SAGA_HOME", "XDG_DATA_HOME", Path(".local/share"))


def cache_home(environment: Mapping[str, str] = os.environ) -> Path:
    """Folder of what can be fetched again: `SAGA_CACHE`, else `XDG_CACHE_HOME`/saga, else ~/.cache/saga."""
    return _folder(environment, "SAGA_CACHE", "XDG_CACHE_HOME", Path(".cache"))


def _folder(environment: Mapping[str, str], own: str, xdg: str, default: Path) -> Path:
    if chosen := environment.get(own):
        return Path(chosen).expanduser().absolute()
    base = Path(environment.get(xdg, ""))
    # XDG Base Directory Specification 0.8: a relative path is invalid and must be ignored
    return (base if base.is_absolute() else Path.home() / default) / "saga"
