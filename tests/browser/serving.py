"""A little bench behind a real server on loopback, for a real browser."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from drybench.web.door import cookie_name
from tests.unit.web.little_bench import ADA, LittleBench, little_bench
from tests.waiting import PATIENCE, wait_for

CHROMIUM = Path(__file__).with_name("chromium")
LOCALHOST_ONLY = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"


@contextmanager
def served(folder: Path, websockets: bool = False, **options: Any) -> Iterator[LittleBench]:
    listening = socket.create_server(("127.0.0.1", 0))
    bench = little_bench(folder, f"http://localhost:{listening.getsockname()[1]}", **options)
    server = uvicorn.Server(
        uvicorn.Config(
            bench.app,
            log_level="warning",
            lifespan="off",
            timeout_graceful_shutdown=1,
            ws="auto" if websockets else "none",
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        wait_for(lambda: server.started)
        yield bench
    finally:
        bench.app.state.ending.set()
        server.should_exit = True
        thread.join()
        bench.ledger.close()


def open_chromium(playwright: Playwright) -> Browser:
    """It finds this machine only, so that whatever wants something from elsewhere shows."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", LOCALHOST_ONLY])


def signed_in(browser: Browser, bench: LittleBench, token: str = ADA, **options: object) -> BrowserContext:
    context = browser.new_context(base_url=bench.public, **options)  # type: ignore[arg-type]
    context.set_default_timeout(1000 * PATIENCE)
    name = cookie_name(bench.portal.addresses)
    context.add_cookies([{"name": name, "value": bench.tokens.seal(token), "url": bench.public}])
    return context


# For the tests of a little bench; others have the fixtures of these names in conftest.py, of a whole one.


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[LittleBench]:
    with served(tmp_path) as made:
        yield made


@pytest.fixture
def page(browser: Browser, bench: LittleBench) -> Iterator[Page]:
    """Signed in as Ada."""
    context = signed_in(browser, bench)
    yield context.new_page()
    context.close()
