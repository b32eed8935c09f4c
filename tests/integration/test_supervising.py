"""The supervisor over stand-ins for its children: what it does with each end, and its own."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from drybench.data_folder import DataFolder
from drybench.engines.processes import Identity
from drybench.errors import AlreadyUp, KeepsEnding
from drybench.up.child_processes import Child, Children, end
from drybench.up.supervising import FIRST_DELAY, end_left_over, only_one, supervise, who_is_up
from tests.waiting import PATIENCE, eventually, wait_for

LIVES = "import time; time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); {LIVES}"
SAYS_WHEN_IT_ENDS = """
import signal, sys, time
def over(*_):
    open(sys.argv[1], 'a').write(sys.argv[2] + ' ')
    sys.exit()
signal.signal(signal.SIGTERM, over)
print('listening', flush=True)
time.sleep(600)
"""


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path)
    folder.make()
    return folder


class Supervised:
    """A supervisor in this process' event loop, and what it says."""

    def __init__(self, data: DataFolder, *children: Child, ready: Callable[[], bool] = lambda: True) -> None:
        self.data = data
        self.said: list[str] = []
        self.readies: list[None] = []
        book, on_ready = Children(data.children), lambda: self.readies.append(None)
        self.task = asyncio.create_task(supervise(children, book, self._until(ready), self.said.append, on_ready))

    async def _until(self, ready: Callable[[], bool]) -> None:
        await eventually(ready)

    def pid(self, name: str) -> int | None:
        identity = Children(self.data.children).alive().get(name)
        return identity.pid if identity else None

    async def end(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await self.task


def child(data: DataFolder, name: str, code: str = LIVES, *words: str, patience: float = PATIENCE) -> Child:
    return Child(name, (sys.executable, "-c", code, *words), data.logs / f"{name}.log", patience=patience)


def says(child: Child, words: str) -> Callable[[], bool]:
    return lambda: child.log.exists() and words in child.log.read_text()


async def test_a_child_that_was_killed_is_started_again_and_the_other_left_alone(data: DataFolder) -> None:
    kept = Supervised(data, child(data, "hub"), child(data, "proxy"))
    hub, proxy = await eventually(lambda: kept.pid("hub")), await eventually(lambda: kept.pid("proxy"))
    assert hub
    os.kill(hub, signal.SIGKILL)
    again = await eventually(lambda: kept.pid("hub") not in (None, hub) and kept.pid("hub"))
    assert kept.said == ["The hub ended by SIGKILL; starting it again."]
    assert kept.pid("proxy") == proxy
    await kept.end()
    assert not kept.pid("hub")
    assert not kept.pid("proxy")
    assert again != hub


async def test_the_delay_grows_and_the_reason_is_said(data: DataFolder) -> None:
    ends = child(data, "portal", "import time; print(time.time(), flush=True); raise SystemExit(3)")
    kept = Supervised(data, ends)
    await eventually(lambda: len(kept.said) >= 5)
    await kept.end()
    assert set(kept.said[:4]) == {"The portal ended with exit code 3; starting it again."}
    assert kept.said[4].endswith("exit code 3; starting it again in 2 s.")
    starts = [float(line) for line in ends.log.read_text().split()]
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    assert [gap >= FIRST_DELAY * 2**n for n, gap in enumerate(gaps)] == [True] * len(gaps)


async def test_one_that_ends_again_and_again_before_the_bench_was_ready(data: DataFolder) -> None:
    dies = child(data, "portal", "raise SystemExit('the database is newer')")
    kept = Supervised(data, dies, child(data, "proxy"), ready=lambda: False)
    with pytest.raises(KeepsEnding, match=r"The portal ends again and again.*the database is newer"):
        await kept.task
    assert not kept.readies
    assert not kept.pid("proxy")


async def test_they_end_in_their_order(data: DataFolder) -> None:
    order = data.path / "order"
    children = [child(data, name, SAYS_WHEN_IT_ENDS, str(order), name) for name in ("hub", "portal", "proxy")]
    kept = Supervised(data, *children)
    for one in children:
        await eventually(says(one, "listening"))
    await kept.end()
    assert order.read_text() == "hub portal proxy "


async def test_one_that_does_not_listen_is_made_to_end_in_time(data: DataFolder) -> None:
    deaf = child(data, "hub", STUBBORN, patience=0.3)
    kept = Supervised(data, deaf)
    await eventually(says(deaf, "deaf"))
    began = time.monotonic()
    await kept.end()
    assert time.monotonic() - began < 60
    assert not kept.pid("hub")


def supervisor(data: DataFolder, code: str = LIVES) -> subprocess.Popen[bytes]:
    """As a process of its own, so that it can be killed."""
    program = f"""
import asyncio, pathlib, sys
from drybench.up.child_processes import Child, Children
from drybench.data_folder import DataFolder
from drybench.up.supervising import FIRST_DELAY, end_left_over, only_one, supervise
data = DataFolder(pathlib.Path(sys.argv[1]))
async def ready(): pass
with only_one(data):
    end_left_over(data, print)
    child = Child("hub", (sys.executable, "-c", {code!r}), data.logs / "hub.log")
    asyncio.run(supervise([child], Children(data.children), ready(), print, lambda: None))
"""
    return subprocess.Popen([sys.executable, "-c", program, str(data.path)], stdout=subprocess.DEVNULL)


def living_child(data: DataFolder) -> Identity | None:
    return Children(data.children).alive().get("hub")


def test_a_new_supervisor_ends_what_a_killed_one_left(data: DataFolder) -> None:
    with supervisor(data) as first:
        left = wait_for(lambda: living_child(data))
        first.kill()
    assert left.is_alive
    with supervisor(data) as second:
        now = wait_for(lambda: (found := living_child(data)) != left and found)
        assert not left.is_alive
        second.terminate()
    assert not now.is_alive
    assert second.returncode == 0


def test_a_second_supervisor_is_refused_by_name(data: DataFolder) -> None:
    assert who_is_up(data) is None
    with supervisor(data) as first:
        wait_for(lambda: living_child(data))
        with pytest.raises(AlreadyUp, match=rf"process {first.pid}"), only_one(data):
            pass
        found = who_is_up(data)
        assert found
        assert found.pid == first.pid
        first.terminate()
    assert who_is_up(data) is None


def test_who_only_looks_keeps_nobody_from_coming_up(data: DataFolder) -> None:
    """`drybench status` and `drybench up` in one moment, on a bench that was up before."""
    with only_one(data):
        pass
    gone = {"pid": 1, "start_time": 0, "boot_id": "another"}
    data.supervisor_lock.write_text(json.dumps(gone))
    with data.supervisor_lock.open() as looks:
        fcntl.flock(looks, fcntl.LOCK_SH)
        assert who_is_up(data) is None
        threading.Timer(0.1, fcntl.flock, (looks, fcntl.LOCK_UN)).start()
        with only_one(data):
            found = who_is_up(data)
            assert found
            assert found.pid == os.getpid()


def test_nobody_elses_process_is_ended_for_an_old_pid(data: DataFolder) -> None:
    with subprocess.Popen([sys.executable, "-c", LIVES]) as bystander:
        book = Children(data.children)
        stranger = Identity.of(bystander.pid)
        assert stranger
        old = Identity(stranger.pid, stranger.start_time - 1, stranger.boot_id)
        data.children.write_text(f'{{"format": 1, "children": {{"hub": {old.as_json()}}}}}'.replace("'", '"'))
        assert book.alive() == {}
        assert not end_left_over(data, print)
        assert not end(old, patience=1)
        assert bystander.poll() is None
        bystander.kill()


def test_a_child_does_not_begin_before_it_is_written_down(data: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left of one whose supervisor goes away in between."""

    def goes_away(*_: object) -> None:
        raise OSError("gone")

    monkeypatch.setattr(Children, "_write_down", goes_away)
    began = data.path / "began"
    one = child(data, "hub", f"open({str(began)!r}, 'w')")
    with pytest.raises(OSError, match="gone"):
        Children(data.children).start(one)
    assert not began.exists()


async def test_a_full_disk_takes_no_child_down(data: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    written_down, full = Children._write_down, OSError(28, "No space left on device")
    takes = [True, False, True]

    def on_a_full_disk(book: Children, name: str, pid: int) -> None:
        if name == "hub" and not takes.pop(0):
            raise full
        written_down(book, name, pid)

    monkeypatch.setattr(Children, "_write_down", on_a_full_disk)
    kept = Supervised(data, child(data, "hub"), child(data, "proxy"))
    hub, proxy = await eventually(lambda: kept.pid("hub")), await eventually(lambda: kept.pid("proxy"))
    assert hub
    os.kill(hub, signal.SIGKILL)
    await eventually(lambda: kept.pid("hub") not in (None, hub))
    assert "The hub could not be started (No space left on device); starting it again." in kept.said
    assert kept.pid("proxy") == proxy
    await kept.end()
