"""The page of a review in the console: what it brings of its own."""

from __future__ import annotations

import asyncio
import re
from urllib.parse import quote

from schemas.events.code_review import Severity, Verdict
from services.app.drawing.findings import SEVERITIES
from services.app.page import LOOKS
from tests.unit.kafka_saga.console import samples
from tests.unit.kafka_saga.console.consoles import running

SAGA = f"/sagas/{quote(samples.SAGA, safe='')}"


def test_its_style_is_served_to_be_kept_and_no_other_page_asks_for_it() -> None:
    async def go() -> None:
        async with running() as console:
            style = re.search(r'href="(/static/review/review\.css\?v=\w+)"', await console.text(f"{SAGA}/review"))
            assert style is not None
            async with console.client.get(style[1]) as answer:
                assert (answer.status, answer.content_type) == (200, "text/css")
                assert "immutable" in answer.headers["Cache-Control"]
                assert ".draw-finding" in await answer.text()
            assert "review.css" not in await console.text(SAGA)

    asyncio.run(go())


def test_every_verdict_and_every_severity_has_a_look() -> None:
    assert set(LOOKS) == set(Verdict)
    assert set(SEVERITIES) >= set(Severity)
