"""The token that writing requests of the API bring, as both sides are told it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field


def sendable(token: str) -> str:
    """The token. Raises ValueError if no header can hold it."""
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise ValueError("a token travels in a header: letters, digits and signs of ASCII, without spaces or line ends")
    return token


ApiToken = Annotated[str, Field(min_length=8), AfterValidator(sendable)]
"""At least 8 characters that a header can hold."""
