"""Screens of a session, real ones: how they start, each way in which they end, and what is kept."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.desktops import DESKTOP, Desktops, desktops, variables
from tests.parts import leave_out
from tests.viewer import viewer
from tests.waiting import PATIENCE, PAUSE, wait_for

pytestmark = pytest.mark.needs("TigerVNC", "xterm", "xfwm4", "glxinfo")

TERMINAL = ("xterm", "-bg", "red", "-fg", "red", "-e", "cat")
RED = (255, 0, 0)
GROUND = (0x16, 0x32, 0x4A)


def program(name: str, *command: str) -> dict[str, Any]:
    return {"name": name, "title": name.capitalize(), "command": list(command)}


APPS = [
    DESKTOP,
    program("terminal-alone", *TERMINAL),
    program("script", "sh", "-c", f"{' '.join(TERMINAL)} & exit 0"),
    program("faulty", "sh", "-c", "echo at first; echo no such microscope; exit 3"),
    program("missing", "no-such-program"),
    program("windowless", "sleep", "600"),
]


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Desktops]:
    with desktops(tmp_path, APPS) as session:
        yield session


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Desktops]:
    """Where a window manager is all there is."""
    bin = only(tmp_path, "Xtigervnc", "xfwm4", "xterm", "dbus-daemon", "setpriv")
    with desktops(tmp_path, APPS, {"PATH": str(bin)}) as session:
        yield session


def only(folder: Path, *names: str) -> Path:
    """A folder for PATH that has no other programs."""
    bin = folder / "bin"
    bin.mkdir()
    for name in names:
        (bin / name).symlink_to(f"/usr/bin/{name}")
    return bin


def kill(session: Desktops, name: str) -> int:
    pid = session.process(name)
    os.kill(pid, signal.SIGKILL)
    return pid


def ended(session: Desktops, app: str) -> dict[str, Any]:
    wait_for(lambda: session.says(app)["state"] == "ended")
    return session.says(app)


def open_on(session: Desktops, app: str) -> int:
    """A program that somebody opens on it; its number."""
    display = wait_for(lambda: of_its_programs(session))
    before, programs = set(session.processes("xterm")), session.says(app)["programs"]
    subprocess.run(["setsid", "--fork", *TERMINAL], env={**display, "PATH": "/usr/bin:/bin"}, check=True)
    wait_for(lambda: session.says(app)["programs"] > programs)
    return next(iter(wait_for(lambda: set(session.processes("xterm")) - before)))


def of_its_programs(session: Desktops) -> dict[str, str]:
    """The variables by which they find the screen, once there is one."""
    return next((there for pid in session.processes() if "DISPLAY" in (there := variables(pid))), {})


async def is_drawn(session: Desktops, app: str) -> bool:
    async with viewer(session.stream(app)) as page:
        await page.greet()
        return (await page.picture())[RED] > 50_000


async def shows(session: Desktops, app: str) -> None:
    """Pixels, for a process may live and draw nothing."""
    async with asyncio.timeout(2 * PATIENCE):
        while not await is_drawn(session, app):
            await asyncio.sleep(PAUSE)


def test_nothing_runs_before_somebody_looks(session: Desktops) -> None:
    said = session.says("desktop")
    assert (said["state"], said["cause"], said["next"]["action"]) == ("ended", None, "start")
    wait_for(lambda: set(session.processes()) == {session.server.pid})  # which looks around as it begins


def test_opening_the_page_starts_it(session: Desktops) -> None:
    assert session.ask("GET", "terminal-alone/").is_success
    wait_for(lambda: session.says("terminal-alone")["state"] == "running")


async def test_a_program_alone_has_the_whole_screen_and_its_end_is_told(session: Desktops) -> None:
    session.start("terminal-alone")
    await shows(session, "terminal-alone")
    async with viewer(session.stream("terminal-alone")) as page:
        await page.greet()
        red = 0
        while red < 1_000_000:  # of 1440 × 900: it is maximised
            red = (await page.picture())[RED]
        os.kill(session.process("xterm"), signal.SIGTERM)
        assert await page.until_closed() == 4003
    said = ended(session, "terminal-alone")
    assert said["cause"] == "program"
    assert said["next"] == {"action": "start", "title": "Open Terminal-alone again"}
    session.start("terminal-alone")
    await shows(session, "terminal-alone")


async def test_until_there_is_a_window_it_says_so_and_the_ground_is_not_black(session: Desktops) -> None:
    session.start("windowless")
    async with viewer(session.stream("windowless")) as page:
        await page.greet()
        while (await page.picture())[GROUND] < 1_000_000:
            pass
        assert (await page.until_said(event="screen"))["shows"] is False
        open_on(session, "windowless")
        await page.until_said(event="screen", shows=True)
    assert session.says("windowless")["shows"]


async def test_a_command_may_start_the_program_and_go(session: Desktops) -> None:
    session.start("script")
    await shows(session, "script")
    assert session.says("script")["state"] == "running"
    kill(session, "xterm")
    assert ended(session, "script")["sentence"] == "Script was closed."


def test_a_program_that_fails_says_why(session: Desktops) -> None:
    session.start("faulty")
    said = ended(session, "faulty")
    assert said["cause"] == "program"
    assert said["sentence"].startswith("Faulty ended unexpectedly (exit code 3).")
    assert said["sentence"].endswith("at first\nno such microscope")


def test_a_program_that_is_not_there_is_told(session: Desktops) -> None:
    session.start("missing")
    said = ended(session, "missing")
    assert said["sentence"] == "Missing could not be started: no-such-program: No such file or directory."


def test_a_dead_x_server_takes_all_along_and_a_new_one_comes_when_asked(session: Desktops) -> None:
    session.start("terminal-alone")
    xterm = session.process("xterm")
    kill(session, "Xtigervnc")
    said = ended(session, "terminal-alone")
    assert said["cause"] == "display"
    assert "killed by SIGKILL" in said["sentence"]
    wait_for(lambda: xterm not in session.processes())
    session.start("terminal-alone")
    assert session.says("terminal-alone")["state"] == "running"


def test_without_an_x_server_it_says_so(tmp_path: Path) -> None:
    with desktops(tmp_path, APPS, {"PATH": str(only(tmp_path))}) as session:
        session.start("desktop")
        said = ended(session, "desktop")
    assert said["cause"] == "display"
    assert "TigerVNC" in said["sentence"]


def test_an_x_server_that_cannot_start_is_asked_why(tmp_path: Path) -> None:
    bin = only(tmp_path)
    (bin / "Xtigervnc").write_text("#!/bin/sh\necho no fonts today >&2\nexit 1\n")
    (bin / "Xtigervnc").chmod(0o755)
    with desktops(tmp_path, APPS, {"PATH": str(bin)}) as session:
        session.start("desktop")
        assert ended(session, "desktop")["sentence"] == "No screen could be started: no fonts today"


def test_without_a_desktop_it_says_so(tmp_path: Path) -> None:
    with desktops(tmp_path, APPS, {"PATH": str(only(tmp_path, "Xtigervnc"))}) as session:
        session.start("desktop")
        said = ended(session, "desktop")
        assert "neither xfce nor a window manager" in said["sentence"]


async def test_a_window_manager_that_is_killed_comes_again_and_programs_stay(plain: Desktops) -> None:
    plain.start("desktop")
    xterm = open_on(plain, "desktop")
    before = kill(plain, "xfwm4")
    wait_for(lambda: set(plain.processes("xfwm4")) - {before})
    assert xterm in plain.processes()
    assert plain.says("desktop")["state"] == "running"
    await shows(plain, "desktop")


async def test_one_that_never_stays_is_left_alone_and_programs_are_kept(plain: Desktops) -> None:
    plain.start("desktop")
    xterm = open_on(plain, "desktop")
    killed: set[int] = set()
    while plain.says("desktop")["state"] == "running":
        for pid in set(plain.processes("xfwm4")) - killed:
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)
    assert len(killed) == 3
    said = ended(plain, "desktop")
    assert (said["cause"], said["programs"]) == ("windows", 2)  # the first terminal, too
    assert xterm in plain.processes()
    plain.start("desktop")
    await shows(plain, "desktop")
    assert xterm in plain.processes()


@pytest.mark.needs("xfce")
async def test_logged_out_of_xfce(session: Desktops) -> None:
    session.start("desktop")
    xfce = session.process("xfce4-session")
    wait_for(lambda: session.processes("xfce4-panel"))
    leave = ["xfce4-session-logout", "--logout", "--fast"]
    environ = variables(session.process("xfce4-panel"))
    async with viewer(session.stream("desktop")) as page:
        await page.greet()
        while session.says("desktop")["state"] == "running":  # while it begins it only says that it cannot yet
            with suppress(subprocess.SubprocessError):
                await asyncio.to_thread(subprocess.run, leave, env=environ, check=True, timeout=5)
        assert await page.until_closed() == 4003
    said = ended(session, "desktop")
    assert (said["cause"], said["next"]["title"]) == ("logged-out", "Open the desktop again")
    wait_for(lambda: xfce not in session.processes())
    session.start("desktop")
    assert session.process("xfce4-session") != xfce


@pytest.mark.needs("xfce")
async def test_a_killed_xfce_session_leaves_the_programs_and_comes_again_on_the_same_screen(session: Desktops) -> None:
    session.start("desktop")
    wait_for(lambda: session.processes("xfce4-panel"))
    xterm, x_server = open_on(session, "desktop"), session.process("Xtigervnc")
    kill(session, "xfce4-session")
    said = ended(session, "desktop")
    assert (said["cause"], said["programs"]) == ("windows", 1)
    assert "killed by SIGKILL" in said["sentence"]
    session.start("desktop")
    wait_for(lambda: session.processes("xfwm4"))
    assert x_server in session.processes()
    assert xterm in session.processes()
    await shows(session, "desktop")


@pytest.mark.needs("xfce")
def test_letters_grow_with_a_finer_display_and_are_the_persons_own_again(session: Desktops) -> None:
    session.start("desktop")
    bus = variables(session.process("xfce4-session"))

    def said(name: str) -> str:
        asking = ["xfconf-query", "-c", "xsettings", "-p", name]
        return subprocess.run(asking, env=bus, capture_output=True, text=True, timeout=60).stdout.strip()

    for factor, whole, letters in ((2, "2", "192"), (1.5, "1", "144")):
        assert session.ask("POST", "drybench/screens/desktop", {"action": "scale", "scale": factor}).is_success
        assert (said("/Gdk/WindowScalingFactor"), said("/Xft/DPI")) == (whole, letters)
    assert session.ask("POST", "drybench/screens/desktop", {"action": "scale", "scale": 1}).is_success
    assert said("/Xft/DPI") not in ("192", "144")
    assert session.ask("POST", "drybench/screens/desktop", {"action": "scale", "scale": "much"}).status_code == 422


async def test_xfces_window_manager_comes_again(session: Desktops) -> None:
    session.start("desktop")
    wait_for(lambda: session.processes("xfce4-panel"))
    xterm = open_on(session, "desktop")
    before = kill(session, "xfwm4")
    wait_for(lambda: set(session.processes("xfwm4")) - {before})
    assert xterm in session.processes()
    assert session.says("desktop")["state"] == "running"


def test_nothing_is_left_when_the_server_ends(tmp_path: Path) -> None:
    with desktops(tmp_path, APPS) as session:
        for app in ("desktop", "terminal-alone"):
            session.start(app)
        wait_for(lambda: len(session.processes()) > 5)
        wait_for(lambda: len(screens_folders(session)) == 2)
        folders = screens_folders(session)
    wait_for(lambda: not session.processes())
    wait_for(lambda: not any(folder.exists() for folder in folders))


def test_nothing_on_a_screen_outlives_a_killed_server(tmp_path: Path) -> None:
    with desktops(tmp_path, APPS) as session:
        session.start("terminal-alone")
        session.process("xterm")
        session.server.kill()
        session.server.wait()
        wait_for(lambda: not session.processes("Xtigervnc"))
        wait_for(lambda: not session.processes("xterm"))
        wait_for(lambda: not session.processes("dbus-daemon"))


def test_who_draws_is_told(session: Desktops) -> None:
    session.start("terminal-alone")
    assert wait_for(lambda: session.says("terminal-alone")["opengl"] != "starting")
    assert session.says("terminal-alone")["opengl"] == "software"


def screens_folders(session: Desktops) -> set[Path]:
    marks = (variables(pid).get("DRYBENCH_SCREEN") for pid in session.processes())
    return {Path(mark) for mark in marks if mark}


@pytest.mark.needs("xfce")
@pytest.mark.parametrize("how", ["full", "read-only"])
async def test_a_home_that_takes_nothing_shows_a_desktop_all_the_same(tmp_path: Path, how: str) -> None:
    """What was set in it before still counts."""
    elsewhere = {f"JUPYTER_{kind}_DIR": str(tmp_path / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    with a_small_home(tmp_path, how) as home, desktops(tmp_path, APPS, {**elsewhere, "HOME": str(home)}) as session:
        session.start("desktop")
        session.process("xfce4-panel")
        async with viewer(session.stream("desktop")) as page:
            await page.greet()
            while len(await page.picture()) < 200:  # colours of a background, a panel, and icons
                assert session.says("desktop")["state"] == "running"
        given = variables(session.process("xfce4-panel"))
        assert given["XDG_CONFIG_DIRS"].startswith(f"{home}/.config:")
        assert not Path(given["XDG_CONFIG_HOME"]).is_relative_to(home)


@contextmanager
def a_small_home(folder: Path, how: str) -> Iterator[Path]:
    home = folder / "small"
    home.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(home)]
    if os.geteuid() != 0 or subprocess.run(mounted, check=False).returncode != 0:
        leave_out("Only root, where it may mount, can make a home that takes nothing.")
    try:
        (home / "full").write_bytes(bytes(60 << 10))
        if how == "read-only":
            subprocess.run(["mount", "-o", "remount,ro", str(home)], check=True)
        yield home
    finally:
        subprocess.run(["umount", "--lazy", str(home)], check=True)
