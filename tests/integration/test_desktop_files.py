"""A desktop's files, pictures and trace by a session's real server: who may, how much, and what it costs."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from drybench_session.desktop.uploads import LARGEST_PIECE
from tests.desktops import OPENS, Desktops, session
from tests.waiting import PATIENCE, wait_for

__all__ = ["session"]

ID = "0123456789abcdef"
PIECES = 40  # 320 MiB
ENOUGH = 64 << 20  # bytes of memory for pieces of 8 MiB: one as it comes, one whole, one on its way to the disk


@pytest.fixture
def owner(session: Desktops) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"token {OPENS}"}
    with httpx.Client(base_url=f"{session.url}drybench/", headers=headers, timeout=PATIENCE, trust_env=False) as client:
        yield client


def put(client: httpx.Client, body: bytes, name: str = "wing.tif", id: str = ID, **more: int) -> httpx.Response:
    asked = {"name": name, "id": id, "offset": 0, "size": len(body), **more}
    return client.put("files", params=asked, content=body)


def offered(client: httpx.Client, name: str) -> str | None:
    files = client.get("files").json()["files"]
    return next((offer["id"] for offer in files if offer["name"] == name), None)


def memory(session: Desktops) -> int:
    """The most that the server had at once, until now."""
    status = Path(f"/proc/{session.server.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1]) << 10


def test_a_large_file_takes_little_memory_both_ways(session: Desktops, owner: httpx.Client) -> None:
    piece = os.urandom(LARGEST_PIECE)
    size = PIECES * LARGEST_PIECE
    put(owner, piece, id="f" * 16)  # what is loaded for the first
    before = memory(session)
    for number in range(PIECES):
        answer = put(owner, piece, "large.bin", "c" * 16, offset=number * LARGEST_PIECE, size=size)
        assert answer.json()["received"] == (number + 1) * LARGEST_PIECE
    assert answer.json()["path"] == "Downloads/large.bin"
    large = session.home / "Downloads" / "large.bin"
    assert large.stat().st_size == size
    (session.home / "To my computer").mkdir(exist_ok=True)
    large.rename(session.home / "To my computer" / "large.bin")
    os.utime(session.home / "To my computer" / "large.bin", (1, 1))
    wait_for(lambda: offered(owner, "large.bin"))
    with owner.stream("GET", f"files/{offered(owner, 'large.bin')}") as download:
        assert sum(len(block) for block in download.iter_bytes()) == size
    assert memory(session) - before < ENOUGH


def test_a_cut_download_goes_on_where_it_was(session: Desktops, owner: httpx.Client) -> None:
    folder = session.home / "To my computer"
    folder.mkdir(exist_ok=True)
    (folder / "drift é.csv").write_bytes(b"0123456789")
    os.utime(folder / "drift é.csv", (1, 1))
    wait_for(lambda: offered(owner, "drift é.csv"))
    id = offered(owner, "drift é.csv")
    whole = owner.get(f"files/{id}")
    assert (whole.content, whole.headers["Content-Type"]) == (b"0123456789", "application/octet-stream")
    assert whole.headers["Content-Disposition"] == "attachment; filename*=UTF-8''drift%20%C3%A9.csv"
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    for asked, status, content in [
        ("bytes=4-", 206, b"456789"),
        ("bytes=2-4", 206, b"234"),
        ("bytes=0-99", 200, b"0123456789"),
        ("bytes=10-", 200, b"0123456789"),
        ("bytes=-3", 200, b"0123456789"),
        ("lines=1-2", 200, b"0123456789"),
    ]:
        part = owner.get(f"files/{id}", headers={"Range": asked})
        assert (part.status_code, part.content) == (status, content), asked


def test_a_refusal_is_a_sentence_and_a_next_step(owner: httpx.Client) -> None:
    for answer, status, code in [
        (put(owner, b"x", "../../.bashrc"), 422, "bad_name"),
        (put(owner, b"x", id="no id"), 422, "bad_piece"),
        (put(owner, b"x", id="a" * 16, size=1 << 58), 507, "home_full"),
        (owner.put("files", params={"name": "x", "id": ID, "offset": "one", "size": 1}), 422, "ask_wrong"),
        (owner.get(f"files/{'0' * 32}"), 404, "file_gone"),
        (owner.get("clipboard/image", params={"app": "lab"}), 503, "no_clipboard"),
        (owner.post("trace", content=b"no trace"), 422, "ask_wrong"),
    ]:
        said = answer.json()
        assert (answer.status_code, said["code"]) == (status, code)
        assert said["sentence"]
        assert said["next_step"]


def test_where_to_go_on_is_told(owner: httpx.Client, session: Desktops) -> None:
    id = "b" * 16
    assert put(owner, b"abc", "two.txt", id, size=6).json() == {"received": 3, "path": None}
    again = put(owner, b"abc", "two.txt", id, size=6)
    assert (again.status_code, again.json()) == (409, {"received": 3, "path": None})
    assert owner.delete("files", params={"id": id}).status_code == 204
    assert not list((session.home / "Downloads").glob(".drybench-*"))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "files"),
        ("PUT", f"files?name=x&id={ID}&offset=0&size=1"),
        ("DELETE", f"files?id={ID}"),
        ("GET", f"files/{'0' * 32}"),
        ("GET", "clipboard/image"),
        ("PUT", "clipboard/image"),
        ("GET", "clipboard/text"),
        ("POST", "trace"),
    ],
)
def test_nobody_else_may_anything(session: Desktops, method: str, path: str) -> None:
    stranger = session.ask(method, f"drybench/{path}", token=None)
    assert stranger.status_code == 403
    assert session.ask(method, f"drybench/{path}", token="guessed").status_code == 403


def test_a_foreign_page_cannot_use_the_owners_cookie(session: Desktops) -> None:
    """It has no XSRF token to send along."""
    with httpx.Client(trust_env=False, follow_redirects=True, timeout=PATIENCE) as browser:
        assert browser.get(session.page("xterm")).is_success
        asked = {"name": "x", "id": ID, "offset": 0, "size": 1}
        without = browser.put(f"{session.url}drybench/files", params=asked, content=b"x")
        assert without.status_code == 403
        headers = {"X-XSRFToken": browser.cookies["_xsrf"]}
        assert browser.put(f"{session.url}drybench/files", params=asked, content=b"x", headers=headers).is_success


def test_the_trace_is_kept(owner: httpx.Client, session: Desktops) -> None:
    assert owner.post("trace", params={"app": "xterm"}, content=b'{"frames": 25, "name": "ada"}').status_code == 204
    line = json.loads((session.task / "desktop.jsonl").read_text().splitlines()[-1])
    assert (line["app"], line["frames"], "name" in line) == ("xterm", 25, False)
