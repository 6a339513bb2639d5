from __future__ import annotations

import asyncio
import re
from html.parser import HTMLParser
from urllib.parse import quote

import pytest

from kafka_saga.api.problems import Problem
from kafka_saga.api.topology import PausedScope
from kafka_saga.console.pages.saga import happened
from kafka_saga.console.pages.topology import shown
from kafka_saga.console.rendering import prose
from schemas.review import Review
from tests.unit.kafka_saga.console import samples
from tests.unit.kafka_saga.console.consoles import running

SAGA = f"/sagas/{quote(samples.SAGA, safe='')}"
HOSTILE = f"/sagas/{quote(samples.HOSTILE_SAGA, safe='')}"
PAGES = ("/sagas", SAGA, HOSTILE, f"{SAGA}/events", f"{SAGA}/review", f"{SAGA}/why", "/incidents", "/dead-letters",
         "/topology", "/login", "/nothing")  # fmt: skip
AWAY = Problem(type="urn:saga:problem:unavailable", title="Tables are being restored", status=503,
               detail="3 of 4 partitions", instance="/", retry_after=3)  # fmt: skip


class Strict(HTMLParser):
    """Notes what a strict policy would not let through, and what hostile text would have become."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.ids: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        self.ids += [value for name, value in attrs if name == "id" and value]
        self._in_script = tag == "script"
        self.found += [f"<{tag} {name}>" for name in names if name == "style" or name.startswith("on")]
        if tag in {"style", "img", "b", "iframe", "object"} or (tag == "script" and "src" not in names):
            self.found.append(f"<{tag}>")
        for name in ("src", "href", "action"):
            if (names.get(name) or "").lower().startswith(("http", "//", "javascript", "data")):
                self.found.append(f"<{tag} {name}={names[name]}>")

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.found.append(f"script: {data}")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("is_logged_in", [False, True])
def test_hostile_text_stays_text_and_nothing_is_inline(path: str, is_logged_in: bool) -> None:
    async def go() -> str:
        async with running() as console:
            if is_logged_in:
                await console.log_in()
            return await console.text(path)

    page = asyncio.run(go())
    parser = Strict()
    parser.feed(page)
    assert parser.found == []
    assert sorted(parser.ids) == sorted(set(parser.ids))
    assert "\u202e" not in page


def test_the_list_says_status_step_reason_and_counts() -> None:
    async def go() -> str:
        async with running() as console:
            return await console.text("/sagas?status=paused&key_prefix=acme%2F")

    page = asyncio.run(go())
    assert "Move the basket to its own service" in page
    assert "Ask before deleting" not in page
    assert "Step ast goes on after <code>saga resume</code>" in page
    assert re.search(r'completed <span class="n">121</span>', page)
    assert 'aria-current="true"' in page


def test_the_lists_filter_is_asked_of_the_api_as_it_is_in_the_address() -> None:
    async def go() -> dict[str, list[str]]:
        async with running() as console:
            await console.text("/sagas?status=failed&status=paused&q=x%26y&has_incident=true&cursor=c1&bogus=1")
            return next(query for path, query in console.api.asked if path == "sagas")

    assert asyncio.run(go()) == {
        "status": ["failed", "paused"], "q": ["x&y"], "has_incident": ["true"], "cursor": ["c1"], "limit": ["50"],
    }  # fmt: skip


@pytest.mark.parametrize("path", ["/sagas", SAGA, f"{SAGA}/events", "/incidents", "/dead-letters", "/topology"])
def test_a_page_that_refreshes_itself_gets_its_part_alone(path: str) -> None:
    async def go() -> str:
        async with running() as console:
            return await console.text(path, **{"HX-Request": "true"})

    part = asyncio.run(go())
    assert "<html" not in part
    assert len(part) > 500


def test_a_sagas_page_says_why_first_and_offers_what_applies() -> None:
    async def go() -> str:
        async with running() as console:
            await console.log_in()
            return await console.text(SAGA)

    page = asyncio.run(go())
    assert page.index("tried again in 12.0 s") < page.index("draw-graph")
    for label in ("Pause", "Retry llm now", "Rewind", "Skip llm", "Cancel"):
        assert f">{label}</summary>" in page
    assert '<option value="llm.completed">' in page


def test_without_a_login_the_page_says_how_to_act() -> None:
    async def go() -> str:
        async with running() as console:
            return await console.text(SAGA)

    page = asyncio.run(go())
    assert "Acting needs the console" in page
    assert 'action="/steer"' not in page


@pytest.mark.parametrize("is_logged_in", [False, True])
def test_the_topology_says_what_is_paused_by_whom_and_why_and_how_it_goes_on(is_logged_in: bool) -> None:
    async def go() -> str:
        async with running() as console:
            if is_logged_in:
                await console.log_in()
            return await console.text("/topology")

    page = asyncio.run(go())
    assert page.count('aria-label="Pause"') == 3
    assert (
        page.index("keys that begin with") < page.index("the definition order") < page.index("the step code_review/llm")
    )
    assert "the model is away" in page
    assert "llm: paused</title>" in page
    assert page.count("state-paused") == 2
    assert page.count("Resume all of it") == (3 if is_logged_in else 0)


def test_a_definition_that_is_paused_is_that_with_all_its_steps() -> None:
    (definition,) = samples.topology().definitions
    pause = PausedScope(scope="definition:code_review", by="ada", reason="", at=samples.at(40))
    found = shown(definition, (pause, pause.model_copy(update={"scope": "definition:order"})))
    assert found.pauses == (pause,)
    assert found.paused == {"validate", "ast", "llm", "comment"}


def test_a_saga_that_is_not_known_is_a_404_that_says_what_to_do() -> None:
    async def go() -> tuple[int, str]:
        async with running() as console:
            return await console.status("/sagas/no%2Fsuch%401"), await console.text("/sagas/no%2Fsuch%401")

    status, page = asyncio.run(go())
    assert status == 404
    assert "look at `saga ls`" in page


def test_while_the_tables_are_away_the_page_says_so_and_asks_again() -> None:
    async def go() -> tuple[int, str, str]:
        async with running() as console:
            console.api.problem = AWAY
            async with console.client.get("/sagas") as answer:
                return answer.status, answer.headers["Retry-After"], await answer.text()

    status, after, page = asyncio.run(go())
    assert (status, after) == (503, "3")
    assert "3 of 4 partitions" in page
    assert '<meta http-equiv="refresh" content="3">' in page


def test_when_nobody_listens_the_page_says_how_to_start_it() -> None:
    async def go() -> tuple[int, str]:
        async with running(views_url="http://127.0.0.1:9") as console:
            return await console.status("/incidents"), await console.text("/incidents")

    status, page = asyncio.run(go())
    assert status == 503
    assert "python -m services.views" in page


def test_staleness_is_shown_from_five_seconds_on() -> None:
    async def go(behind: float) -> str:
        async with running() as console:
            console.api.answers["sagas"] = samples.saga_page().model_copy(update={"behind_s": behind})
            return await console.text("/sagas")

    assert "behind</span>" not in asyncio.run(go(4.9))
    assert "42.0 s behind</span>" in asyncio.run(go(42))


def test_a_review_shows_findings_at_their_lines_by_severity() -> None:
    async def go(query: str) -> str:
        async with running() as console:
            return await console.text(f"{SAGA}/review{query}")

    everything, low = asyncio.run(go("")), asyncio.run(go("?severity=low"))
    assert "eval runs whatever a person types." in everything
    assert "eval runs whatever a person types." not in low
    assert "subprocess.run" in low


def test_a_review_that_is_not_there_says_why() -> None:
    async def go() -> str:
        async with running() as console:
            answer = Review(available=False, why_not="It has not been validated yet.", findings={}, findings_outside=())
            console.api.answers[f"sagas/{samples.SAGA}/review"] = answer
            return await console.text(f"{SAGA}/review")

    assert "It has not been validated yet." in asyncio.run(go())


def test_events_know_their_causes_and_effects_even_in_a_circle() -> None:
    items = samples.events().items
    found = happened(items)
    assert [one.depth for one in found] == [0, 1, 2, 3]
    assert [effect.type for effect in found[0].effects] == ["pr.validated"]
    assert (found[1].cause, found[1].offset_ms) == (items[0], 800)
    circle = (items[0].model_copy(update={"cause": "event-1"}), items[1])
    assert [one.depth for one in happened(circle)] == [2, 2]


def test_commands_in_a_sentence_are_set_as_code_and_nothing_else_is() -> None:
    assert prose("Go on by `saga <resume>`.") == "Go on by <code>saga &lt;resume&gt;</code>."
    assert prose("one ` only <b>\u202e") == "one ` only &lt;b&gt;⟨U+202E⟩"
