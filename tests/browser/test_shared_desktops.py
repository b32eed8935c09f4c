"""Ada shares her desktop with Bob: a whole bench with own host names, a real Xtigervnc, pixels in two browsers."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from drybench.sharing.rules import guest_key
from tests.bench import Bench
from tests.browser.looking import Picture, axe, until
from tests.browser.screens import colour, is_near
from tests.browser.two_people import People, both_come_in, new_browser, sign_in
from tests.living import content, files
from tests.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.timeout(300, func_only=True)]

RED, BLUE = (200, 16, 32), (16, 32, 200)


@dataclass(frozen=True)
class Shared:
    """Ada's session, its desktop open in her browser, and on it a terminal that writes down what is typed."""

    people: People
    session: dict[str, Any]
    display: dict[str, str]
    folder: Path

    def paint(self, colour: tuple[int, int, int]) -> None:
        """All of the terminal, which is all of the screen."""
        with (self.folder / "shown").open("w") as shown:
            shown.write("\033]11;#{:02x}{:02x}{:02x}\007".format(*colour))

    def typed(self) -> str:
        return (self.folder / "typed").read_text()

    def copy(self, text: str) -> None:
        words = ["xclip", "-selection", "clipboard"]
        subprocess.run(words, input=text.encode(), env=self.display, check=True, timeout=60)

    def share(self, **asked: Any) -> dict[str, Any]:
        there = f"/sessions/{self.session['id']}/shares"
        return self.people.ada.api.post(there, json={"person": "bob"} | asked).raise_for_status().json()


@pytest.fixture(scope="module")
def people(guarded: Bench) -> Iterator[People]:
    with both_come_in(guarded) as people:
        yield people


@pytest.fixture(scope="module")
def desk(people: People, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    session = people.ada.session(name="desk", app="desktop")
    page = people.ada.browser.new_page()
    page.goto(f"{people.ada.host}/user/ada/desk/desktop/")
    page.locator("body[data-tools=ready]:not(.dim)").wait_for()  # so what opens now lies above what it begins with
    display, folder = wait_for(lambda: display_of(session["task"])), tmp_path_factory.mktemp("terminal")
    os.mkfifo(folder / "shown")
    writes = "stty raw -echo; touch typed; (while :; do cat shown; done) & cat >>typed"
    words = ["xterm", "-geometry", "300x90+0+0", "-e", "sh", "-c", writes]
    terminal = subprocess.Popen(words, env=display, cwd=folder)
    wait_for((folder / "typed").exists)
    has_the_keyboard(page, folder / "typed")
    yield Shared(people, session, display, folder)
    terminal.terminate()
    terminal.wait(60)
    people.ada.api.post(f"/sessions/{session['id']}/stop").raise_for_status()


def has_the_keyboard(page: Page, typed: Path) -> None:
    """A window that has only just come may get it late, and what is typed before that is nobody's."""

    def reads() -> bool:
        page.locator("#screen canvas").click()
        page.keyboard.press(".")
        with suppress(AssertionError):
            wait_for(typed.read_text, 1)
        return bool(typed.read_text())

    wait_for(reads)
    page.keyboard.press("=")
    wait_for(lambda: typed.read_text().endswith("="))
    typed.write_text("")


@pytest.fixture(autouse=True)
def alone(desk: Shared) -> Iterator[None]:
    yield
    desk.people.ada.api.delete(f"/sessions/{desk.session['id']}/shares").raise_for_status()


def display_of(task: str) -> dict[str, str] | None:
    """By its X server's own words: `Xtigervnc :7 -auth FOLDER/cookie`, started by this task's session."""
    for process in Path("/proc").iterdir():
        try:
            words = (process / "cmdline").read_bytes().decode().split("\0")
            is_its = f"DRYBENCH_TASK={task}".encode() in (process / "environ").read_bytes()
            if is_its and any(word.endswith("Xtigervnc") for word in words):
                number = next(word for word in words if word.startswith(":"))
                cookie = words[words.index("-auth") + 1]
                return {"DISPLAY": number, "XAUTHORITY": cookie, "PATH": os.environ["PATH"]}
        except (OSError, ValueError, StopIteration):
            continue
    return None


def guests_page(desk: Shared, share: dict[str, Any]) -> Page:
    page = desk.people.bob.browser.new_page()
    page.goto(share["url"])
    page.locator("shared-screen[data-state=drawn] canvas").wait_for()
    return page


def middle(page: Page) -> tuple[float, float]:
    box = wait_for(page.locator("shared-screen canvas").bounding_box)  # it has none as long as it is hidden
    return box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.9


def sees(page: Page, wanted: tuple[int, int, int]) -> None:
    wait_for(lambda: is_near(colour(page, *middle(page)), wanted))


def test_the_guest_sees_what_is_drawn_and_it_ends_with_one_click(desk: Shared, take: Picture) -> None:
    share = desk.share()
    desk.paint(RED)
    bob = guests_page(desk, share)
    sees(bob, RED)
    desk.paint(BLUE)
    sees(bob, BLUE)
    expect(bob.get_by_text("You only see it")).to_be_visible()
    take(bob, "shared-desktop")
    ada = desk.people.ada.page(f"/sessions/{desk.session['id']}/shares")
    expect(ada.get_by_text("Watching now: bob")).to_be_visible()
    take(ada, "share")
    ada.get_by_role("button", name="End").click()
    expect(ada.get_by_text("Nobody but you sees it")).to_be_visible()
    expect(bob.get_by_text("no longer shares it")).to_be_visible()
    expect(bob.locator("shared-screen")).to_be_hidden()
    ada.close()
    bob.close()


def test_keys_of_who_only_looks_do_not_arrive_and_others_do(desk: Shared) -> None:
    """Also where the browser sends them all the same."""
    desk.paint(RED)
    bob = guests_page(desk, desk.share())
    bob.evaluate("document.querySelector('shared-screen').screen.watch = false")
    types(bob, "only looks")
    desk.paint(BLUE)
    sees(bob, BLUE)
    assert desk.typed() == ""
    bob.close()
    bob = guests_page(desk, desk.share(control=True))
    types(bob, "bob was here")
    wait_for(lambda: desk.typed() == "bob was here")
    desk.paint(RED)
    sees(bob, RED)
    bob.close()


def test_what_the_owner_copies_is_hers_where_they_only_look(desk: Shared) -> None:
    """A password is copied, too."""
    for control, text in ((False, "a password"), (True, "a poem")):
        bob = guests_page(desk, desk.share(control=control))
        bob.evaluate("""() => {
            window.heard = []
            document.querySelector("shared-screen").screen
                .addEventListener("copied", ({ detail }) => heard.push(detail.text))
        }""")
        desk.copy(text)
        if control:
            until(bob, "heard.at(-1) === 'a poem'")
        desk.paint(BLUE)
        sees(bob, BLUE)
        desk.paint(RED)
        sees(bob, RED)
        bob.wait_for_timeout(500)  # for what is still on its way, in the browser that must not have it
        assert bob.evaluate("heard.at(-1) ?? null") == ("a poem" if control else None)
        bob.close()


def test_who_comes_before_it_was_opened_reads_so_and_then_sees_it(desk: Shared) -> None:
    ada, bob = desk.people.ada, desk.people.bob.browser.new_page()
    session = ada.session(name="early", app="lab")
    there = f"/sessions/{session['id']}"
    share = ada.api.post(f"{there}/shares", json={"person": "bob", "control": True}).raise_for_status().json()
    bob.goto(share["url"])
    expect(bob.get_by_text("It has not been opened yet by ada.")).to_be_visible()
    page = ada.browser.new_page()
    page.goto(f"{ada.host}/user/ada/early/desktop/")
    bob.locator("shared-screen[data-state=drawn] canvas").wait_for()
    page.locator("#guests").get_by_role("button", name="Work alone").click()
    expect(bob.get_by_text("ada works alone now: you only see it.")).to_be_visible()
    assert bob.evaluate("document.querySelector('shared-screen').screen.watch")
    page.locator("#guests").get_by_role("button", name="Let them work here again").click()
    wait_for(lambda: not bob.evaluate("document.querySelector('shared-screen').screen.watch"))
    expect(page.locator("#guests")).to_contain_text("bob works here, too.")
    page.close()
    bob.close()
    ada.api.post(f"{there}/stop").raise_for_status()


def types(page: Page, text: str) -> None:
    page.mouse.click(*middle(page))
    page.keyboard.type(text)


def test_bob_gets_the_picture_and_nothing_beside_it(desk: Shared) -> None:
    """Lab, terminal, files and the desktop's own page stay closed to him, and the Hub gives him no more than before."""
    share = desk.share(control=True)
    bob = guests_page(desk, share)
    there = f"{desk.people.ada.host}/user/ada/desk"
    page = desk.people.bob.browser.new_page()
    for path in ("/lab", "/desktop/", "/terminal/", "/drybench/screens/desktop", "/api/contents", "/api/terminals"):
        answer = page.goto(f"{there}{path}")
        assert answer is not None
        assert answer.status == 403, path
    with desk.people.ada.bench.browser() as client:
        headers = {"Authorization": f"token {desk.people.bob.token}"}
        for method, path in (
            ("GET", "drybench/clipboard/image"),
            ("PUT", "drybench/files?name=a&offset=0&size=1&id=1"),
            ("GET", "drybench/screens/desktop/stream"),
        ):
            assert client.request(method, f"{there}/{path}", headers=headers).status_code in (403, 405), path
        me = client.get(f"{desk.people.bob.bench.url}/hub/api/user", headers=headers).json()
    assert not [scope for scope in me["scopes"] if "ada" in scope]
    page.close()
    bob.close()


def test_a_desktops_link_leads_somebody_else_to_a_sentence_and_strangers_to_the_sign_in(desk: Shared) -> None:
    link = f"{desk.people.ada.host}/user/ada/desk/desktop/"
    page = desk.people.bob.browser.new_page()
    answer = page.goto(link)
    assert answer is not None
    assert answer.status == 403
    expect(page.get_by_text("You do not have permission to access")).to_be_visible()
    page.close()
    context = new_browser(desk.people.chromium, desk.people.bob.bench)
    page = context.new_page()
    page.goto(link)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    context.close()


def test_the_key_lies_in_no_file_and_no_list_of_processes(desk: Shared) -> None:
    bob = guests_page(desk, desk.share())
    data = desk.people.ada.bench.data
    secret = (data.secrets / "guest_key").read_text()
    key = guest_key(secret, desk.session["task"]).encode()
    told = [file for file in files(data.path) if data.environments not in file.parents]
    assert [file for file in told if key in content(file)] == []
    assert [file for file in told if secret.encode() in content(file)] == [data.secrets / "guest_key"]
    assert [one for one in Path("/proc").glob("[0-9]*/cmdline") if key in content(one)] == []
    assert key not in content(Path(f"/proc/{process_of(desk.display)}/environ"))  # nor in what runs on the desktop
    assert key.decode() not in bob.content()
    bob.close()


def process_of(display: dict[str, str]) -> int:
    words = (b"Xtigervnc", display["XAUTHORITY"].encode())
    return next(
        int(one.parent.name)
        for one in Path("/proc").glob("[0-9]*/cmdline")
        if all(word in content(one) for word in words)
    )


def test_a_shared_sessions_page_is_no_page_of_its_viewer(desk: Shared) -> None:
    """Ada's session is Ada's code: opened by Bob, who sees her desktop, it can neither ask for him nor get a token."""
    share = desk.share()
    bob = guests_page(desk, share)
    before = desk.people.bob.has()
    hostile = desk.people.bob.browser.new_page()
    hostile.goto(f"{desk.people.ada.host}/user/ada/desk/evil/")
    url = desk.people.bob.bench.url
    for method, path in (
        ("GET", "/api/v1/me"),
        ("GET", f"/shared/{share['id']}"),
        ("DELETE", f"/api/v1/shares/{share['id']}"),
        ("POST", f"/shared/{share['id']}/end"),
        ("GET", "/hub/token"),
        ("POST", "/hub/api/users/bob/tokens"),
    ):
        said = hostile.evaluate(
            """([method, url]) => fetch(url, {method, credentials: "include"})
                .then((answer) => answer.text(), () => "blocked")""",
            [method, f"{url}{path}"],
        )
        assert said == "blocked", path
    opened = hostile.evaluate(
        """(url) => new Promise((done) => {
            const socket = new WebSocket(url)
            socket.onopen = () => done("open")
            socket.onerror = () => done("refused")
        })""",
        f"{url.replace('http', 'ws')}/shared/{share['id']}/stream",
    )
    assert opened == "refused"
    assert desk.people.bob.has() == before
    hostile.close()
    bob.close()


def test_it_lasts_no_longer_than_the_sign_in(desk: Shared) -> None:
    context = new_browser(desk.people.chromium, desk.people.bob.bench)
    sign_in(context, "carl")
    share = desk.share(person="carl")
    page = context.new_page()
    page.goto(share["url"])
    page.locator("shared-screen[data-state=drawn] canvas").wait_for()
    other = context.new_page()
    other.goto("/")
    other.get_by_role("button", name="Sign out").click()
    page.locator("shared-screen[data-state=drawn]").wait_for(state="detached")
    context.close()


def test_they_can_be_used_by_all(desk: Shared) -> None:
    """axe, dark, and on a phone."""
    share = desk.share()
    desk.paint(BLUE)
    for size, dark in (({"width": 1280, "height": 860}, True), ({"width": 390, "height": 780}, False)):
        for person, path in (
            (desk.people.ada, f"/sessions/{desk.session['id']}/shares"),
            (desk.people.bob, share["url"]),
            (desk.people.bob, "/"),
        ):
            page = person.browser.new_page()
            page.set_viewport_size(size)
            page.emulate_media(color_scheme="dark" if dark else "light")
            page.goto(path)
            page.get_by_role("heading", level=1).first.wait_for()
            if path == share["url"]:
                sees(page, BLUE)
            axe(page)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
            page.close()
