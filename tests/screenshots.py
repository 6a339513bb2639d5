"""The pictures of README: `make screenshots` starts everything, reviews something, and takes them in Chromium."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from confluent_kafka import Producer
from playwright.sync_api import BrowserContext, Page, expect

from kafka_saga.local.places import login_url
from kafka_saga.local.up_record import live_up
from tests.browser.chromium import chromium, window

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
FOLDER = ROOT / "build" / "screenshots"
HOME = FOLDER / "home"

TITLES = ("Ask before deleting", "Move the basket to its own module", "Say what the cache does", "Fix typos")
DIFF = """diff --git a/shop/admin.py b/shop/admin.py
--- a/shop/admin.py
+++ b/shop/admin.py
@@ -1,2 +1,3 @@
 def purge(path):
-    remove(path)
+    if eval(input("sure? ")):
+        remove(path)
"""


def main() -> None:
    """Take every picture anew."""
    with _everything() as (bootstrap, login):
        _cli("pause", "--key-prefix", "demo/till", "--yes", "--author", "ada", "--reason", "waiting for the release")
        _publish(bootstrap)
        IMAGES.mkdir(parents=True, exist_ok=True)
        with chromium() as browser:
            for is_dark in (False, True):
                with window(browser, [], is_dark=is_dark) as context:
                    _take(context, login, "dark" if is_dark else "light")


def _take(context: BrowserContext, login: str, mode: str) -> None:
    page = context.new_page()
    page.goto(login)
    page.fill("#author", "ada")
    page.click("#login button")
    expect(page.locator("#list")).to_contain_text("demo/till#1")
    expect(page.locator("#list .status").filter(has_text="completed")).to_have_count(4)
    _shoot(page, f"sagas-{mode}")
    page.get_by_role("link", name="demo/till#1").click()
    expect(page.locator("#events .type").first).to_be_visible()
    _shoot(page, f"saga-{mode}")
    page.goto(_at(login, "/sagas?key_prefix=demo%2Fshop%237"))
    page.get_by_role("link", name="demo/shop#7").click()
    page.get_by_role("link", name="the diff with its findings").click()
    _shoot(page, f"review-{mode}")
    page.goto(_at(login, "/topology"))
    _shoot(page, f"topology-{mode}")


def _shoot(page: Page, name: str) -> None:
    page.wait_for_load_state("load")
    page.screenshot(path=IMAGES / f"{name}.png", animations="disabled")
    sys.stdout.write(f"docs/images/{name}.png\n")


def _at(login: str, path: str) -> str:
    parts = urlsplit(login)
    return f"{parts.scheme}://{parts.netloc}{path}"


@contextmanager
def _everything() -> Iterator[tuple[str, str]]:
    """Kafka and all services, with the demo's review: the broker's address, and the console's that logs in."""
    _saga("demo", "--keep", "--folder", str(FOLDER))
    try:
        record = live_up(HOME)
        if record is None or record.console is None:
            raise SystemExit("The demo does not run: see build/screenshots/home/logs.")
        yield record.bootstrap, login_url(HOME, record.console)
    finally:
        _cli("down")


def _publish(bootstrap: str) -> None:
    producer = Producer({"bootstrap.servers": bootstrap})
    for number, title in enumerate(TITLES, 1):
        repository = "demo/till" if number == 1 else "demo/docs"
        producer.produce("pr.received", json.dumps({
            "repository": repository, "number": number, "title": title, "author": "grace",
            "base_sha": "1" * 40, "head_sha": f"{number}" * 40, "source": {"kind": "diff", "text": DIFF},
        }))  # fmt: skip
    producer.flush()


def _cli(*arguments: str) -> None:
    _saga(*arguments, SAGA_HOME=str(HOME))


def _saga(*arguments: str, **environment: str) -> None:

    own = {name: value for name, value in os.environ.items() if not name.startswith("SAGA_")} | environment
    subprocess.run([sys.executable, "-m", "kafka_saga.cli.main", *arguments], cwd=ROOT, env=own, check=True)


if __name__ == "__main__":
    main()
