"""The clipboard of a real display: pictures both ways, long texts, and word of each that a program copies."""

from __future__ import annotations

import asyncio
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from drybench_session.desktop import pictures, png, selection, texts
from drybench_session.errors import NoClipboard, NotAPicture, TextTooLong
from tests.browser.screens import X, x_server
from tests.unit.session.test_pictures import picture
from tests.waiting import PATIENCE, eventually, wait_for

pytestmark = pytest.mark.needs("TigerVNC", "xclip")


@pytest.fixture
def x(tmp_path: Path) -> Iterator[X]:
    with x_server(tmp_path) as server:
        yield server


def copy(x: X, content: bytes, kind: str = "image/png") -> None:
    """xclip stays to give it to who pastes, so nothing of this may wait for its end. X hears of it a little later."""
    words = ("xclip", "-selection", "clipboard", "-in", "-target", kind)
    with subprocess.Popen(words, env=x.environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as program:
        program.communicate(content, timeout=60)
    there = "xclip -selection clipboard -out -target TARGETS || true"
    wait_for(lambda: kind in x.run("sh", "-c", there).stdout)


async def test_a_picture_is_there_as_it_was_given(x: X) -> None:
    assert await pictures.read(x.environment) is None
    await pictures.write(x.environment, picture(40, 30))
    assert await pictures.read(x.environment) == picture(40, 30)


async def test_without_xclip_it_says_so(x: X) -> None:
    with pytest.raises(NoClipboard, match="xclip is not installed"):
        await pictures.write({**x.environment, "PATH": "/nowhere"}, picture(40, 30))


async def test_text_is_no_picture(x: X) -> None:
    copy(x, b"<script>alert(1)</script>", "UTF8_STRING")
    assert await pictures.read(x.environment) is None


async def test_what_a_program_calls_a_picture_is_checked(x: X) -> None:
    copy(x, b"<svg onload=alert(1)>")
    with pytest.raises(NotAPicture, match="no PNG"):
        await pictures.read(x.environment)


async def test_one_without_an_end_is_left(x: X, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png, "LARGEST", 1 << 20)
    copy(x, bytes(8 << 20))
    with pytest.raises(NotAPicture, match="larger than"):
        await pictures.read(x.environment)


@pytest.mark.parametrize("length", [texts.SHORT, texts.SHORT + 1, texts.LONGEST])
async def test_a_text_is_there_as_it_was_copied(x: X, length: int) -> None:
    assert await texts.read(x.environment) == ""
    copy(x, "λ".encode() * (length // 2) + b"." * (length % 2), "UTF8_STRING")
    text = await texts.read(x.environment)
    assert len(text.encode()) == length
    assert await texts.is_long(x.environment) == (length > texts.SHORT)


async def test_one_that_is_too_long_stays_where_it_was(x: X) -> None:
    copy(x, b"x" * (40 << 20), "UTF8_STRING")
    for _ in range(2):
        assert await texts.is_long(x.environment)
        with pytest.raises(TextTooLong, match="longer than 8 MB"):
            await texts.read(x.environment)


async def test_what_was_copied_in_the_browser_is_no_programs(x: X) -> None:
    """So that nobody asks the browser for it before somebody pastes it."""
    async with selection.clipboard(x.environment) as display:
        assert not display.is_a_programs(await display.clipboard_owner())
        reader, writer = await asyncio.open_unix_connection(x.socket)
        await reader.readexactly(12)
        writer.write(b"RFB 003.008\n\1\1" + struct.pack(">B3xI4s", 6, 4, b"text"))
        while not (owner := await display.clipboard_owner()):
            await display.changed()
        assert not display.is_a_programs(owner)
        writer.close()
        await asyncio.to_thread(copy, x, b"text", "UTF8_STRING")
        while await display.clipboard_owner() in (owner, 0):
            await display.changed()
        assert display.is_a_programs(await display.clipboard_owner())


async def test_many_copies_are_told_as_few(x: X, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "OFTEN", 3.0)
    told: asyncio.Queue[None] = asyncio.Queue()

    async def listen() -> None:
        async for one in selection.copied(x.environment):
            told.put_nowait(one)

    async def copied_and_told() -> None:
        while told.empty():
            await asyncio.to_thread(copy, x, b"first")

    listening = asyncio.create_task(listen())
    await asyncio.wait_for(copied_and_told(), 3 * PATIENCE)
    began = time.monotonic()
    for number in range(40):
        await asyncio.to_thread(copy, x, b"%d" % number)
    await eventually(lambda: told.qsize() > 1, seconds=60)
    assert told.qsize() < 3 + (time.monotonic() - began) / selection.OFTEN
    listening.cancel()
    await asyncio.wait({listening})


async def test_without_a_display_it_says_so() -> None:
    for environ in ({}, {"DISPLAY": "nowhere"}, {"DISPLAY": ":64999"}):
        with pytest.raises(selection.NoDisplay):
            async for _ in selection.copied(environ):
                pass
