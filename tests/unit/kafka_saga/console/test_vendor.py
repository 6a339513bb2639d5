from __future__ import annotations

import hashlib

import pytest

from kafka_saga.console.rendering import STATIC

VENDOR = STATIC / "vendor"
LINES = (VENDOR / "SHA512SUMS").read_text(encoding="utf-8").splitlines()
PINS = {name: digest for digest, _, name in (line.partition("  ") for line in LINES)}


@pytest.mark.parametrize("name", sorted(PINS))
def test_a_script_of_others_is_what_was_pinned(name: str) -> None:
    assert hashlib.sha512((VENDOR / name).read_bytes()).hexdigest() == PINS[name]


def test_every_script_of_others_is_pinned_and_has_its_licence() -> None:
    there = {path.name for path in VENDOR.iterdir()} - {"SHA512SUMS", "README.md"}
    assert there == set(PINS)
    for script in (name for name in there if name.endswith(".js")):
        assert script.removesuffix(".js").removesuffix(".min").removesuffix("-ext") + ".LICENSE" in there
