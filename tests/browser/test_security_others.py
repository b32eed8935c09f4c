"""Two people on one bench: each sees and touches only what is theirs. In a browser, with TLS and own host names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.bench import Bench
from tests.browser.looking import until
from tests.browser.two_people import People, both_come_in

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.timeout(300, func_only=True)]

NOBODYS = "01a1fd7a515b72d49cdcb9d66d6efda1"
OF_A_RUN = [
    ("GET", "/runs/{id}"),
    ("GET", "/runs/{id}/notebook.html"),
    ("POST", "/runs/{id}/cancel"),
    ("POST", "/runs/{id}/again"),
    ("GET", "/api/v1/runs/{id}"),
    ("GET", "/api/v1/runs/{id}/notebook"),
    ("GET", "/api/v1/runs/{id}/log"),
    ("GET", "/api/v1/runs/{id}/journal"),
    ("GET", "/api/v1/runs/{id}/files"),
    ("GET", "/api/v1/runs/{id}/files/result.txt"),
    ("POST", "/api/v1/runs/{id}/cancel"),
    ("POST", "/api/v1/runs/{id}/again"),
]
OF_A_SESSION = [
    ("GET", "/start/{id}"),
    ("POST", "/sessions/{id}/stop"),
    ("POST", "/sessions/{id}/start"),
    ("POST", "/sessions/{id}/remove"),
    ("GET", "/api/v1/sessions/{id}"),
    ("POST", "/api/v1/sessions/{id}/stop"),
    ("POST", "/api/v1/sessions/{id}/start"),
    ("DELETE", "/api/v1/sessions/{id}"),
]
ASK = """([method, path]) =>
    fetch(path, {method, redirect: "manual", headers: {"X-XSRFToken": document.body.dataset.xsrf}})
    .then(async (answer) => [answer.status, await answer.text()])"""


@pytest.fixture(scope="module")
def people(guarded: Bench) -> Iterator[People]:
    with both_come_in(guarded) as people:
        yield people


@pytest.fixture(scope="module")
def adas_run(people: People) -> dict[str, Any]:
    return people.ada.run("open('result.txt', 'w').write('42')\nprint('the secret of ada')", name="ada's own")


@pytest.fixture
def bobs_home(people: People) -> Iterator[Page]:
    page = people.bob.page()
    yield page
    page.close()


def test_each_has_a_session_on_a_host_of_their_own(people: People) -> None:
    for person in (people.ada, people.bob):
        session = person.session()
        page = person.page()
        page.locator(f"#session-{session['id']}").get_by_role("link", name="Open").click()
        page.wait_for_url(f"{person.host}/user/{person.name}/lab/**")
        expect(page).to_have_title(re.compile("JupyterLab"))
        page.close()


def test_nobody_comes_into_the_others_session(people: People) -> None:
    people.ada.session()
    page = people.bob.browser.new_page()
    answer = page.goto(f"{people.ada.host}/user/ada/lab/lab")
    assert answer is not None
    assert answer.status == 403
    assert "JupyterLab" not in page.title()
    page.close()
    with people.ada.bench.browser() as client:
        there = f"{people.ada.host}/user/ada/lab/api/contents"
        assert client.get(there, headers={"Authorization": f"token {people.bob.token}"}).status_code == 403
        assert client.get(there, headers={"Authorization": f"token {people.ada.token}"}).status_code == 200


@pytest.mark.parametrize(("method", "path"), OF_A_RUN)
def test_somebody_elses_run_is_like_none(
    people: People, adas_run: dict[str, Any], bobs_home: Page, method: str, path: str
) -> None:
    assert_like_none(people, bobs_home, method, path, adas_run["id"])


@pytest.mark.parametrize(("method", "path"), OF_A_SESSION)
def test_somebody_elses_session_is_like_none(people: People, bobs_home: Page, method: str, path: str) -> None:
    assert_like_none(people, bobs_home, method, path, people.ada.session()["id"])


def assert_like_none(people: People, page: Page, method: str, path: str, id: str) -> None:
    """Nobody learns by the answer that there is such a thing."""
    before = people.ada.has()
    status, theirs = page.evaluate(ASK, [method, path.format(id=id)])
    assert (status, theirs.replace(id, NOBODYS)) == tuple(page.evaluate(ASK, [method, path.format(id=NOBODYS)]))
    assert status == 404
    assert people.ada.has() == before


@pytest.mark.parametrize("path", ["/", "/runs", "/runs?search=secret", "/api/v1/runs", "/api/v1/sessions"])
def test_no_list_shows_what_is_somebody_elses(
    people: People, adas_run: dict[str, Any], bobs_home: Page, path: str
) -> None:
    session = people.ada.session()
    _, text = bobs_home.evaluate(ASK, ["GET", path])
    assert not any(word in text for word in (adas_run["id"], session["id"], session["task"]))
    assert not re.search(r"\bada\b", text)  # the letters alone may stand in an id


def test_a_cursor_of_somebody_elses_list_leads_nowhere(people: People) -> None:
    for name in ("first", "second"):
        people.ada.run("pass", name=name)
    cursor = people.ada.api.get("/runs", params={"limit": 1}).json()["next"]
    assert cursor
    answer = people.bob.api.get("/runs", params={"cursor": cursor})
    assert all(run["person"] == "bob" for run in answer.json().get("items", []))


def test_the_stream_tells_of_ones_own_only(people: People, bobs_home: Page) -> None:
    bobs_home.evaluate("""() => {
        window.heard = []
        const stream = new EventSource("/live")
        stream.addEventListener("changed", ({data}) => heard.push(JSON.parse(data).id))
        return new Promise((open) => stream.addEventListener("open", open, {once: true})).then(() => true)
    }""")
    adas = people.ada.run("print(1)", name="not to be heard of")
    bobs = people.bob.run("print(1)", name="to be heard of")
    until(bobs_home, "id => heard.includes(id)", bobs["id"])
    heard = bobs_home.evaluate("heard")
    assert adas["id"] not in heard
    assert people.ada.session()["id"] not in heard


def test_a_page_of_ones_own_run_shows_it(people: People, adas_run: dict[str, Any]) -> None:
    """So that the refusals above are none of everything."""
    page = people.ada.page(f"/runs/{adas_run['id']}")
    expect(page.get_by_role("heading", level=1)).to_have_text("ada's own")
    expect(page.frame_locator("iframe").get_by_text("the secret of ada", exact=True)).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="result.txt").click()
    assert download.value.path().read_text() == "42"
    page.close()
