"""A screen's picture on a websocket: who controls and who watches, who is let in, and what a slow one may take."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from tornado.httpclient import HTTPClientError

from drybench_session.desktop.stream import Closed
from tests import plain_http
from tests.desktops import GUESTS_KEY, OPENS, XTERM, Desktops, desktops, variables
from tests.living import content
from tests.viewer import EXTENDED_CLIPBOARD, EXTENDED_DESKTOP_SIZE, Ended, Viewer, viewer
from tests.waiting import PATIENCE, eventually

pytestmark = pytest.mark.needs("TigerVNC", "xterm", "xclip")

RED, BLUE = (255, 0, 0), (0, 0, 255)
# What is typed into it turns up in a file; and it is red.
WRITES = ["xterm", "-bg", "red", "-fg", "red", "-e", "sh", "-c", "cat > typed"]
FLICKERS = ["xterm", "-bg", "red", "-e", "sh", "-c", "while :; do printf '\\033[44m\\033[2J\\033[41m\\033[2J'; done"]
APPS = [
    {"name": "writes", "title": "Writes", "command": WRITES},
    {"name": "flickers", "title": "Flickers", "command": FLICKERS},
    {"name": "later", "title": "Later", "command": ["xterm", "-e", "cat"]},
    XTERM,
]
SECRET = b"correct horse battery staple"


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desktops]:
    with desktops(tmp_path_factory.mktemp("streams"), APPS) as session:
        yield session


@pytest.fixture
def writes(session: Desktops) -> Desktops:
    """With its program started, and nobody at it."""
    session.start("writes")
    return session


def guest(key: str = GUESTS_KEY, name: str = "Grace") -> dict[str, str]:
    return {"X-Drybench-Guest": key, "X-Drybench-Guest-Name": name}


def unsigned(address: str) -> str:
    return address.replace(f"token={OPENS}", "")


async def nobody_is_there(session: Desktops, app: str) -> None:
    """A window that was closed by a test before may be on its way out."""
    while True:
        async with viewer(session.stream(app, mode="watch")) as watcher:
            said = await watcher.until_said(event="viewers")
            if len(said["viewers"]) == 1:
                return
        await asyncio.sleep(0.05)


async def types(page: Viewer, session: Desktops, text: str) -> None:
    """A program that has only begun does not have the keyboard yet."""
    typed = session.home / "typed"
    while not (typed.exists() and text in typed.read_text()):
        await page.type(f"{text}\n")
        with suppress(AssertionError):
            await eventually(lambda: typed.exists() and text in typed.read_text(), 2)


async def red(page: Viewer) -> None:
    while (await page.picture())[RED] < 10_000:
        pass


async def test_it_shows_what_is_there_and_takes_what_is_typed(writes: Desktops) -> None:
    await nobody_is_there(writes, "writes")
    async with viewer(writes.stream("writes")) as page:
        await page.greet()
        await red(page)
        await page.point(100, 100)
        await types(page, writes, "by the owner")


async def test_the_last_deed_is_written_down_and_a_pointers_place_is_none(tmp_path: Path) -> None:
    with desktops(tmp_path, APPS[:1]) as session:
        session.start("writes")
        async with viewer(session.stream("writes")) as page:
            await page.greet()
            await red(page)
            await page.point(100, 100)
            assert not (session.task / "last_input.json").exists()
            await types(page, session, "by the owner")
        last = json.loads((session.task / "last_input.json").read_text())
        assert (last["format"], last["at"][-1]) == (1, "Z")


async def test_the_screen_takes_the_size_of_the_window(writes: Desktops) -> None:
    await nobody_is_there(writes, "writes")
    async with viewer(writes.stream("writes")) as page:
        await page.greet()
        await page.ask_for(0, EXTENDED_DESKTOP_SIZE)
        await page.resize(20, 20)  # less than an X server can be: nothing comes of it
        for size in ((32, 32), (7680, 4320), (801, 603)):
            await page.resize(*size)
            await eventually(lambda: writes.says("writes")["size"] == list(size))  # noqa: B023


async def test_a_second_window_asks_first_and_may_take_over(writes: Desktops) -> None:
    await nobody_is_there(writes, "writes")
    async with viewer(writes.stream("writes")) as first:
        await first.greet()
        async with viewer(writes.stream("writes")) as second:
            assert await second.until_closed() == 4001
        await first.picture()  # it goes on
        async with viewer(writes.stream("writes", taken="take")) as third:
            await third.greet()
            assert await first.until_closed() == 4002
            said = await third.until_said(event="viewers")
            assert [(one["mode"], one["guest"]) for one in said["viewers"]] == [("control", False)]


async def test_a_watcher_sees_and_can_do_nothing(writes: Desktops) -> None:
    await nobody_is_there(writes, "writes")
    async with viewer(writes.stream("writes")) as owner, viewer(writes.stream("writes", mode="watch")) as watcher:
        await owner.greet()
        await watcher.greet()
        await red(watcher)
        size = writes.says("writes")["size"]
        await watcher.type("by the watcher\n")
        await watcher.paste(b"x" * 1000)
        await watcher.point(200, 200, 1)
        await watcher.resize(333, 222)
        await watcher.picture()  # all that came before it is through
        await types(owner, writes, "after that")
        assert "watcher" not in (writes.home / "typed").read_text()
        assert writes.says("writes")["size"] == size


async def test_what_is_copied_is_not_told_to_who_only_watches(writes: Desktops) -> None:
    """Unless asked, a server tells every viewer: and a password is copied, too."""
    await nobody_is_there(writes, "writes")
    async with viewer(writes.stream("writes")) as owner, viewer(writes.stream("writes", mode="watch")) as watcher:
        await owner.greet()
        for encodings in ((), (EXTENDED_CLIPBOARD,)):
            if encodings:
                await watcher.ask_for(0, *encodings)
            else:
                await watcher.greet()
            await watcher.picture()
            owner.copied.clear()
            await copy(writes, SECRET)
            while SECRET not in b"".join(owner.copied):
                await owner.picture()
            for _ in range(3):
                await watcher.picture()
            assert all(len(told) <= 60 for told in watcher.copied)  # what it can do, and that there is something
            assert SECRET not in b"".join(watcher.copied)


async def test_noise_ends_the_stream_and_nothing_else(writes: Desktops) -> None:
    await nobody_is_there(writes, "writes")
    async with viewer(writes.stream("writes")) as page:
        await page.greet()
        await page.send(b"\xfa\0\1\2")
        assert await page.until_closed() == 1002
    async with viewer(writes.stream("writes")) as page:
        await page.greet()
        await red(page)


async def test_no_such_app(session: Desktops) -> None:
    async with viewer(session.stream("gone")) as page:
        assert await page.until_closed() == 4005


@pytest.mark.parametrize("headers", [guest("0" * 60), guest(""), {}])
async def test_strangers_and_wrong_keys_stay_out(session: Desktops, headers: dict[str, str]) -> None:
    with pytest.raises(HTTPClientError) as refused:
        async with viewer(unsigned(session.stream("writes")), headers):
            pass
    assert refused.value.code == 403


async def test_a_foreign_page_cannot_use_the_owners_cookie(session: Desktops) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as browser:
        await browser.get(session.page("writes"))
        signed_in = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    address = unsigned(session.stream("writes", mode="watch"))
    with pytest.raises(HTTPClientError) as refused:
        async with viewer(address, {"Cookie": signed_in, "Origin": "https://evil.example"}):
            pass
    assert refused.value.code == 403
    async with viewer(address, {"Cookie": signed_in, "Origin": session.url.partition("/user")[0]}) as own:
        await own.greet()


async def test_a_guest_gets_the_stream_as_the_portal_says_and_nothing_else(writes: Desktops) -> None:
    await nobody_is_there(writes, "writes")
    async with viewer(writes.stream("writes")) as owner:
        await owner.greet()
        async with viewer(unsigned(writes.stream("writes", mode="watch")), guest()) as watcher:
            await watcher.greet()
            await red(watcher)
            while {"name": "Grace", "mode": "watch", "guest": True} not in viewers_of(owner):
                await owner.more()
            await watcher.type("by Grace\n")
            await watcher.picture()
        async with viewer(unsigned(writes.stream("writes")), guest()) as helper:  # beside the owner, who goes on
            await helper.greet()
            size = writes.says("writes")["size"]
            await helper.resize(333, 222)
            await types(helper, writes, "with her help")
            await owner.picture()
            assert writes.says("writes")["size"] == size
        assert "by Grace" not in (writes.home / "typed").read_text()


async def test_a_guest_who_comes_before_its_owner_opened_it_is_told_so(session: Desktops) -> None:
    async with viewer(unsigned(session.stream("later", mode="watch")), guest()) as early:
        assert (await early.until_said(event="screen"))["state"] == "not yet"
        session.start("later")
        await early.until_said(event="screen", state="running")
        await early.greet()
        await early.picture()


async def test_the_owner_takes_the_keys_back_and_gives_them_again(writes: Desktops) -> None:
    await nobody_is_there(writes, "writes")
    address = unsigned(writes.stream("writes"))
    async with viewer(writes.stream("writes")) as owner:
        await owner.greet()
        async with viewer(address, guest()) as helper:
            await helper.greet()
            await types(helper, writes, "while she may")
            assert writes.ask("POST", "drybench/screens/writes/guests", {"work": False}).status_code == 204
            assert await ended(helper) == Closed.CUT
        async with viewer(address, guest()) as helper:
            await helper.until_said(event="mode", mode="watch")
            await helper.greet()
            await helper.type("held back\n")
            await helper.picture()
            await owner.until_said(event="viewers", held=["Grace"], alone=True)
            assert writes.ask("POST", "drybench/screens/writes/guests", {"work": True}).status_code == 204
        async with viewer(address, guest()) as helper:
            await helper.until_said(event="mode", mode="control")
            await helper.greet()
            await types(helper, writes, "once more")
            await owner.until_said(event="viewers", held=[], alone=False)
    assert "held back" not in (writes.home / "typed").read_text()


@pytest.mark.parametrize("asked", [{}, {"work": 1}, {"action": "start"}])
def test_of_guests_only_yes_and_no_is_known(session: Desktops, asked: Any) -> None:
    assert session.ask("POST", "drybench/screens/writes/guests", asked).status_code == 400


def test_a_guests_key_opens_no_other_door(session: Desktops) -> None:
    for path in (
        "drybench/screens/writes",
        "writes/",
        "api/contents",
        "drybench/files",
        "api/terminals",
        "api/kernels",
    ):
        answer = plain_http.ask("GET", f"{session.url}{path}", headers=guest())
        assert answer.status_code in (302, 403), path
    answer = plain_http.ask(
        "POST", f"{session.url}drybench/screens/writes/guests", json={"work": True}, headers=guest()
    )
    assert answer.status_code == 403


def test_strangers_and_foreign_pages_get_no_state(session: Desktops) -> None:
    for method in ("GET", "POST"):
        assert session.ask(method, "drybench/screens/writes", {"action": "start"}, token=None).status_code == 403
    assert session.ask("POST", "drybench/screens/writes", {"action": "explode"}).json()["code"] == "ask_wrong"


async def test_who_never_reads_takes_no_memory(session: Desktops) -> None:
    session.start("flickers")
    async with viewer(session.stream("flickers")) as page:
        await page.greet()
        before = memory(session)
        # Stop to read, while all that changes is asked for: continuous updates, where the server has them.
        await page.ask_for(0, 0xFFFFFEC7, 0xFFFFFEC8)
        for _ in range(2000):
            await page.ask_to_look()
        await asyncio.sleep(3)
        assert memory(session) - before < 64 << 20


async def test_nothing_is_compressed_a_second_time(session: Desktops) -> None:
    with socket.create_connection(("127.0.0.1", int(session.url.split(":")[2].split("/")[0]))) as asking:
        path = session.stream("writes", mode="watch").split("/", 3)[3]
        lines = [f"GET /{path} HTTP/1.1", "Host: 127.0.0.1", "Upgrade: websocket", "Connection: Upgrade"]
        lines += ["Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Version: 13"]
        lines += ["Sec-WebSocket-Extensions: permessage-deflate", "", ""]
        asking.sendall("\r\n".join(lines).encode())
        answer = await asyncio.to_thread(asking.recv, 4000)
    assert answer.startswith(b"HTTP/1.1 101")
    assert b"permessage-deflate" not in answer


async def test_a_text_frame_that_nobody_knows_is_let_pass(writes: Desktops) -> None:
    await nobody_is_there(writes, "writes")
    async with viewer(writes.stream("writes")) as page:
        await page.socket.write_message(json.dumps({"do": "something new"}))
        await page.greet()
        await red(page)


async def ended(page: Viewer) -> int | None:
    try:
        while True:
            await page.more()
    except Ended as end:
        return end.code


def viewers_of(page: Viewer) -> list[Any]:
    return [one for event in page.said if event["event"] == "viewers" for one in event["viewers"]]


async def copy(session: Desktops, text: bytes) -> None:
    there = await eventually(lambda: of_what_writes(session))
    environ = {name: there[name] for name in ("DISPLAY", "XAUTHORITY")}
    copying = await asyncio.create_subprocess_exec(
        "xclip", "-selection", "clipboard", env=environ, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    await copying.communicate(text)


def of_what_writes(session: Desktops) -> dict[str, str]:
    """The variables of the terminal, once it runs."""
    return next((variables(pid) for pid in session.processes("xterm") if b"typed" in words(pid)), {})


def words(pid: int) -> bytes:
    return content(Path(f"/proc/{pid}/cmdline"))


def memory(session: Desktops) -> int:
    pages = int(Path(f"/proc/{session.server.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
