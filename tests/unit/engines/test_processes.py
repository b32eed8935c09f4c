from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Iterator
from dataclasses import replace

import pytest

from drybench.engines.local_watcher import below, look
from drybench.engines.processes import Identity
from tests.waiting import PATIENCE, wait_for


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "1000"]) as process:
        yield process
        process.kill()


def identity_of(process: subprocess.Popen[bytes]) -> Identity:
    identity = Identity.of(process.pid)
    assert identity is not None
    return identity


def test_an_identity_survives_json(process: subprocess.Popen[bytes]) -> None:
    identity = identity_of(process)
    assert Identity.from_json(identity.as_json()) == identity
    assert identity.is_alive
    assert identity.is_of_this_boot


@pytest.mark.parametrize("record", [{}, {"pid": "1"}, {"pid": 1, "start_time": None, "boot_id": "x"}])
def test_nonsense_is_nobody(record: dict[str, object]) -> None:
    assert Identity.from_json(record) is None


def test_another_start_time_or_boot_is_another_process(process: subprocess.Popen[bytes]) -> None:
    identity = identity_of(process)
    for other in (replace(identity, start_time=identity.start_time - 1), replace(identity, boot_id="another")):
        assert not other.is_alive
        assert other.open() is None
        other.signal(9)
    assert process.poll() is None
    identity.signal(9)
    assert process.wait() == -9


def test_a_zombie_is_dead(process: subprocess.Popen[bytes]) -> None:
    identity = identity_of(process)
    process.kill()
    wait_for(lambda: not identity.is_alive)
    assert Identity.of(process.pid) is None


def test_an_open_process_is_readable_once_it_has_ended(process: subprocess.Popen[bytes]) -> None:
    descriptor = identity_of(process).open()
    assert descriptor is not None
    try:
        assert select.select([descriptor], [], [], 0)[0] == []
        process.kill()
        assert select.select([descriptor], [], [], PATIENCE)[0] == [descriptor]
    finally:
        os.close(descriptor)


def test_a_name_with_brackets_and_spaces_is_read() -> None:
    code = "import ctypes, time; ctypes.CDLL(None).prctl(15, b') R 1 (', 0, 0, 0); print(flush=True); time.sleep(1000)"
    with subprocess.Popen(["/usr/bin/env", "python3", "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        found = look(process.pid)
        assert found is not None
        assert found.session == os.getsid(0)
        process.kill()


def test_the_descendants_are_found() -> None:
    with subprocess.Popen(["sh", "-c", "sleep 1000 & echo $!; wait"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        assert [found.pid for found in below(process.pid)] == [child]
        os.kill(child, 9)
        process.kill()
