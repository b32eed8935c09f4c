"""`drybench up` as the keeper meets it: a whole bench, real processes."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from drybench.engines.processes import Identity
from drybench.up.child_processes import Children
from tests.bench import PARTS, Bench, new_bench
from tests.integration.ssh_door import ssh_door
from tests.waiting import PATIENCE, wait_for


def test_it_says_where_the_data_lie_and_last_that_it_is_ready(up: Bench) -> None:
    assert f"The data lie in {up.data.path}\n" in up.said
    assert re.search(rf"^Drybench is ready: {up.url}/hub/ticket#\S+$", up.said, re.MULTILINE)


def test_the_link_signs_in_its_owner(up: Bench) -> None:
    with up.signed_in() as browser:
        assert browser.get("/api/v1/me").json()["name"]
    with up.api(up.token()) as program:
        assert program.get("/me").json()["name"]


def test_nobody_else_can_read_anything_of_it(up: Bench) -> None:
    assert stat.S_IMODE(up.data.path.stat().st_mode) == 0o700
    folders = (up.data.path, up.data.hub, up.data.proxy, up.data.secrets, up.data.logs)
    assert [path for folder in folders for path in folder.iterdir() if is_open_to_others(path)] == []


def is_open_to_others(path: Path) -> bool:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:  # a living bench writes files anew
        return False
    return not stat.S_ISLNK(mode) and bool(mode & 0o077)


@pytest.mark.parametrize(
    "parts",
    [("proxy",), ("portal",), ("hub",), ("hub", "portal"), ("hub", "proxy"), ("portal", "proxy"), PARTS],
    ids="+".join,
)
def test_what_is_killed_is_started_again_by_itself(up: Bench, parts: tuple[str, ...]) -> None:
    before, said = up.pids(), up.said
    up.kill(*parts)
    wait_for(lambda: all(up.pids().get(part) not in (None, before[part]) for part in parts))
    wait_for(up.answers)
    after = up.pids()
    assert {part for part in PARTS if after[part] != before[part]} == set(parts)
    for part in parts:
        assert f"The {part} ended by SIGKILL; starting it again." in up.said[len(said) :]


@pytest.mark.parametrize("parts", [("up",), ("up", *PARTS), ("up", "portal")], ids="+".join)
def test_up_itself_is_killed_and_brought_up_again(up: Bench, parts: tuple[str, ...]) -> None:
    left, before = processes(up), up.addresses
    up.kill(*(part for part in parts if part != "up"), *(["up"] if "up" in parts else []))
    up.start()
    up.wait_until_ready()
    assert up.addresses == before
    assert set(processes(up)).isdisjoint(left)
    assert not any(process.is_alive for process in left)
    wait_for(up.answers)


def test_it_ends_within_five_seconds_with_ten_pages_open(up: Bench) -> None:
    parts = processes(up)
    with up.signed_in() as browser, ExitStack() as pages:
        for _ in range(10):
            stream = pages.enter_context(browser.stream("GET", "/live"))
            assert stream.status_code == 200
        assert up.stop() < 30  # a page keeps open what waits for it; and a machine may have other work
    assert up.up
    assert up.up.returncode == 0
    assert not any(process.is_alive for process in parts)
    assert up.pids() == {}


def test_ctrl_c_reaches_only_the_supervisor(up: Bench) -> None:
    """A terminal sends it to the whole group; the children have groups of their own."""
    assert up.up
    assert all(os.getpgid(pid) != os.getpgid(up.up.pid) for pid in up.pids().values())
    up.up.send_signal(signal.SIGINT)
    assert up.up.wait(PATIENCE) == 0


def test_a_second_one_on_the_same_data_is_refused_by_name(up: Bench) -> None:
    assert up.up
    refused = up.run("up")
    assert refused.returncode == 2
    assert f"A bench is up on {up.data.path} already (process {up.up.pid})." in refused.stderr
    assert up.answers()


def test_a_port_that_somebody_holds_is_named_and_left_alone(up: Bench) -> None:
    up.stop()
    with socket.create_server(("127.0.0.1", up.addresses.port)) as somebody:
        refused = up.run("up")
        assert refused.returncode == 2
        assert f"Port {up.addresses.port} on 127.0.0.1 is held by another program." in refused.stderr
        assert "`port` under [bench]" in refused.stderr
        with socket.create_connection(somebody.getsockname()):
            somebody.accept()[0].close()


def test_an_inner_port_that_somebody_holds_is_replaced(up: Bench) -> None:
    up.stop()
    before = up.addresses
    with socket.create_server(("127.0.0.1", before.portal_port)):
        up.start()
        up.wait_until_ready()
    assert up.addresses.portal_port != before.portal_port
    assert up.addresses.port == before.port


def test_wrong_settings_are_refused_with_their_line(up: Bench) -> None:
    up.stop()
    right = up.data.settings.read_text()
    up.data.settings.write_text(right + "\n[bench]\nprot = 8123\n")
    try:
        refused = up.run("up")
    finally:
        up.data.settings.write_text(right)
    assert refused.returncode == 2
    line = len(right.splitlines()) + 3
    assert f"{up.data.settings}, line {line}: there is no key `prot`; did you mean `port`?" in refused.stderr


def test_in_the_background_until_it_is_ended(up: Bench) -> None:
    up.stop()
    began = up.run("up", "--detach")
    assert began.returncode == 0, began.stderr
    assert began.stdout.splitlines()[-1].startswith("Drybench is ready: ")
    assert up.answers()
    assert up.run("status").returncode == 0
    (supervisor,) = [Identity.of(int(pid)) for pid in re.findall(r"process (\d+)", up.run("status").stdout)]
    assert supervisor
    assert os.getsid(supervisor.pid) != os.getsid(0)
    assert "Initialized 0 spawners" in up.run("log", "hub", "-n", "200").stdout
    assert up.run("up", "--detach").returncode == 2
    parts = processes(up)
    ended = up.run("down")
    assert ended.returncode == 0, ended.stderr
    assert not any(process.is_alive for process in (supervisor, *parts))
    assert up.run("down").returncode == up.run("status").returncode == 2


def test_down_ends_also_what_a_killed_supervisor_left(up: Bench) -> None:
    left = processes(up)
    up.kill("up")
    assert len(up.pids()) == len(left) == 3
    assert up.run("down").returncode == 0
    assert not any(process.is_alive for process in left)


def test_a_new_link_and_the_settings_in_force(up: Bench) -> None:
    assert up.run("ticket").stdout.startswith(f"{up.url}/hub/ticket#")
    shown = up.run("settings").stdout
    assert re.search(rf'^folders.home = "{up.home}" +# {up.data.settings}, line \d+$', shown, re.MULTILINE)
    assert re.search(r"^bench.port = 0 +# default$", shown, re.MULTILINE)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder that is somebody else's")
def test_only_the_owner_of_the_data_may_ask_for_a_link(up: Bench) -> None:
    nobody = 65534
    os.chown(up.data.path, nobody, nobody)
    try:
        refused = [up.run(word) for word in ("ticket", "up", "down")]
    finally:
        os.chown(up.data.path, 0, 0)
    assert {one.returncode for one in refused} == {2}
    assert all("belongs to another account, nobody" in one.stderr for one in refused)
    as_nobody = subprocess.run(
        ["setpriv", f"--reuid={nobody}", "--clear-groups", "cat", up.data.bench], capture_output=True, text=True
    )
    assert "Permission denied" in as_nobody.stderr


@pytest.mark.needs("sshd", "ssh")
def test_the_printed_link_works_from_a_laptop_through_ssh(tmp_path: Path) -> None:
    """The bench is brought up in a real SSH login. 127.0.0.2 is the laptop: nothing answers there but the tunnel."""
    laptop = "127.0.0.2"
    with ssh_door(tmp_path) as door, new_bench(start=False) as bench:
        bench.start(by=door.login())
        bench.wait_until_ready()
        said = re.search("^From your own computer: (ssh -L .+)$", bench.said, re.MULTILINE)
        assert said, bench.said
        with door.tunnel(said[1], laptop, bench.addresses.port):
            with bench.signed_in(bench.link.partition("#")[2], door=laptop) as browser:
                assert browser.get("/api/v1/me").status_code == 200
        bench.run("down")


def processes(up: Bench) -> list[Identity]:
    """Its parts, by more than their numbers, which others have after them."""
    return list(Children(up.data.children).alive().values())
