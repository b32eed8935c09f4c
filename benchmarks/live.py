"""From a `print` in a cell to its letters in a browser; and what many who watch cost the portal.

Each line of the notebook says when it was printed, and a look at the frame's page says when it was there.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page, sync_playwright

from benchmarks import notebooks
from benchmarks.a_bench import public_address
from benchmarks.idle import cpu, portal
from benchmarks.measuring import Row
from drybench.data_folder import DataFolder
from drybench.hub.tickets import new_ticket
from drybench_client.bench import Bench

LINES, PAUSE = 60, 0.5  # seconds between two of them
WATCHERS = 50
PRINTS = f"""\
import time
for number in range({LINES}):
    print(f"at {{1000 * time.time():.0f}}", flush=True)
    time.sleep({PAUSE})"""
NOTES_WHEN = """() => {
  window.seen = []
  const known = new Set()
  const look = () => {
    for (const [line, at] of document.body.innerText.matchAll(/^at (\\d{13})$/gm)) {
      if (!known.has(line)) { known.add(line); seen.push(Date.now() - Number(at)) }
    }
  }
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true })
}"""


def live(data: Path) -> list[Row]:
    with a_page(data) as page:
        alone = _delays(data, page, 0)
        crowd = _delays(data, page, WATCHERS)
        return [*_rows("print to browser", alone), *_rows(f"the same, with {WATCHERS} more who watch", crowd)]


@contextmanager
def a_page(data: Path) -> Generator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{public_address(data)}/hub/ticket#{new_ticket(DataFolder(data))}")
        page.get_by_role("heading", name="Start", exact=True).wait_for()
        yield page
        browser.close()


def _delays(data: Path, page: Page, watchers: int) -> tuple[Sequence[float], float]:
    """Milliseconds of each line, and the share of a core that the portal took meanwhile."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        file = notebooks.write(Path(folder) / "prints-slowly.ipynb", [PRINTS])
        run = Bench(data=data).submit(file)["id"]
        page.goto(f"{public_address(data)}/runs/{run}")
        frame = next(frame for frame in page.frames if frame.url.endswith("notebook.html"))
        frame.wait_for_load_state()
        frame.evaluate(NOTES_WHEN)
        for _ in range(watchers):
            stack.enter_context(_watching(public_address(data), run, _cookies(page)))
        before, begun = cpu(portal(data)), time.monotonic()
        frame.wait_for_function(f"seen.length >= {LINES - 5}", timeout=1000 * 4 * LINES * PAUSE)
        share = (cpu(portal(data)) - before) / (time.monotonic() - begun)
        seen: list[float] = frame.evaluate("seen")
        return seen, share


@contextmanager
def _watching(address: str, run: str, cookies: str) -> Generator[None]:
    """What the page of one browser asks for, without the browser."""
    over = threading.Event()
    thread = threading.Thread(target=_watch, args=(address, run, cookies, over), daemon=True)
    thread.start()
    yield
    over.set()


def _watch(address: str, run: str, cookies: str, over: threading.Event) -> None:
    since = 0
    with httpx.Client(
        base_url=address, headers={"cookie": cookies}, timeout=60, trust_env=False, verify=False
    ) as client:
        with client.stream("GET", "/live") as stream:
            for line in stream.iter_lines():
                if over.is_set():
                    return
                if line.startswith("data:") and run in line:
                    answer: Any = client.get(f"/api/v1/runs/{run}/journal", params={"since": since}).json()
                    since = answer["next"]


def _cookies(page: Page) -> str:
    return "; ".join(f"{one.get('name')}={one.get('value')}" for one in page.context.cookies())


def _rows(what: str, measured: tuple[Sequence[float], float]) -> list[Row]:
    delays, share = measured
    p95 = statistics.quantiles(delays, n=20)[-1]
    told = f"median {statistics.median(delays):.0f} ms, p95 {p95:.0f} ms"
    return [
        Row(what, told, goal="less than 1 s"),
        Row("… CPU of the portal meanwhile", f"{100 * share:.0f} % of a core"),
    ]
