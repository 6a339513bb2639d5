"""The claim check: what an event carries in place of large content."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kafka_saga.events.event import Value


class BlobRef(Value):
    """Content in the blob store: addressed by the SHA-256 of its bytes, in lower-case hex."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=0, description="bytes")]
    media_type: str = "application/octet-stream"
