"""Whom a screen is closed to: other accounts of the machine, the network, and who reads lists of processes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.desktops import GUESTS_KEY, OPENS, Desktops, desktops, variables
from tests.living import content
from tests.parts import leave_out
from tests.somebody import SOMEBODY
from tests.waiting import wait_for

pytestmark = pytest.mark.needs("TigerVNC", "xterm")

APPS = [{"name": "xterm", "title": "A terminal", "command": ["xterm", "-e", "cat"]}]
SECRETS = {"DRYBENCH_TOKEN": "t0ken-of-the-session", "JUPYTERHUB_API_TOKEN": "t0ken-of-the-server"}
TRIES = """
import socket, struct, sys
rfb, cookie, x = sys.argv[1:]
def tried(what, how):
    try:
        print(what, how())
    except OSError as error:
        print(what, type(error).__name__)
def connected(path):
    asking = socket.socket(socket.AF_UNIX)
    asking.settimeout(60)
    asking.connect(path)
    return asking
def x_without_a_cookie(path):
    asking = connected(path)
    asking.sendall(struct.pack("<BxHHHHxx", ord("l"), 11, 0, 0, 0))
    return "let in" if asking.recv(8)[0] == 1 else "refused"
tried("picture:", lambda: connected(rfb).recv(12))
tried("cookie:", lambda: open(cookie, "rb").read())
tried("programs:", lambda: x_without_a_cookie(x))
tried("abstract:", lambda: x_without_a_cookie("\\0" + x))
"""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desktops]:
    with desktops(tmp_path_factory.mktemp("closed"), APPS, SECRETS) as session:
        session.start("xterm")
        wait_for(lambda: session.says("xterm")["programs"])
        yield session


def test_another_account_of_the_machine_gets_nothing(session: Desktops) -> None:
    if os.geteuid() != 0:
        leave_out("Only root can try it as somebody else.")
    mine = variables(session.process("xterm"))
    folder, number = mine["DRYBENCH_SCREEN"], mine["DISPLAY"][1:]
    places = [f"{folder}/rfb", f"{folder}/cookie", f"/tmp/.X11-unix/X{number}"]
    assert all(Path(place).exists() for place in places)
    somebody = ["setpriv", f"--reuid={SOMEBODY}", f"--regid={SOMEBODY}", "--clear-groups"]
    command = [*somebody, "/usr/bin/python3", "-c", TRIES, *places]
    said = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/").stdout.splitlines()
    assert said == [
        "picture: PermissionError",
        "cookie: PermissionError",
        "programs: refused",
        "abstract: ConnectionRefusedError",
    ]


def test_no_port_listens(session: Desktops) -> None:
    def who_listens() -> list[int]:
        tables = [Path(f"/proc/net/{table}").read_text().splitlines()[1:] for table in ("tcp", "tcp6")]
        rows = [row.split() for table in tables for row in table]
        listening = {f"socket:[{row[9]}]" for row in rows if row[3] == "0A"}
        return [pid for pid in session.processes() if listening & sockets(pid)]

    wait_for(lambda: who_listens() == [session.server.pid])  # what it starts has all that it has, for a moment


def test_nothing_secret_is_said_where_all_can_read_it(session: Desktops) -> None:
    cookie = Path(variables(session.process("xterm"))["XAUTHORITY"]).read_bytes()[-16:]
    secrets = [cookie, cookie.hex().encode(), GUESTS_KEY.encode(), *(token.encode() for token in SECRETS.values())]
    servers = command_line(session.server.pid)
    for said in map(command_line, session.processes()):
        assert not [secret for secret in secrets if secret in said]
        assert said == servers or OPENS.encode() not in said
    log = session.log.read_bytes()
    assert not [secret for secret in (*secrets, OPENS.encode()) if secret in log]


def test_programs_get_what_drybench_needs_and_no_more(session: Desktops) -> None:
    for name in ("xterm", "Xtigervnc"):
        given = variables(session.process(name))
        assert not given.keys() & {"DRYBENCH_GUEST", "JUPYTERHUB_API_TOKEN"}, name
    assert variables(session.process("xterm"))["DRYBENCH_TOKEN"] == SECRETS["DRYBENCH_TOKEN"]


def test_the_guests_key_is_in_nothing_that_the_server_starts(session: Desktops) -> None:
    terminal = session.ask("POST", "api/terminals").json()["name"]
    try:
        wait_for(lambda: len(shells(session)) > 0)
        assert not any("DRYBENCH_GUEST" in variables(pid) for pid in shells(session))
    finally:
        session.ask("DELETE", f"api/terminals/{terminal}")


def shells(session: Desktops) -> list[int]:
    """Without a screen: those of JupyterLab's terminals."""
    names = Path(os.environ.get("SHELL", "/bin/sh")).name
    return [pid for pid in session.processes(names) if "DISPLAY" not in variables(pid)]


def command_line(pid: int) -> bytes:
    """Empty where it has ended."""
    return content(Path(f"/proc/{pid}/cmdline"))


def sockets(pid: int) -> set[str]:
    """None where it has ended."""
    found: set[str] = set()
    with suppress(OSError):
        for place in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                found.add(str(place.readlink()))
    return found
