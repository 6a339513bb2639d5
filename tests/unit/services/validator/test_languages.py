"""The language of a file by its name."""

from __future__ import annotations

import pytest

from services.validator.languages import language_of


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("a/b.py", "python"),
        ("a.pyi", "python"),
        ("A.JS", "javascript"),
        ("a.jsx", "javascript"),
        ("a.d.ts", "typescript"),
        ("a.tsx", "tsx"),
        ("a.go", "go"),
        ("A.java", "java"),
        ("a.rs", "rust"),
        ("Dockerfile", "dockerfile"),
        ("x/Makefile", "make"),
        (".py", None),
        ("py", None),
        ("LICENSE", None),
    ],
)
def test_the_name_tells(path: str, language: str | None) -> None:
    assert language_of(path) == language
