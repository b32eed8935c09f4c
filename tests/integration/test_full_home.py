"""A home on a disk that is full: whoever works there can still get in, and make room."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.bench import Bench, new_bench
from tests.integration.living_session import PATIENCE, Somebody, the_owner
from tests.integration.runner_bench import notebook
from tests.stacks import stacks_image
from tests.waiting import wait_for

__all__ = ["stacks_image"]

pytestmark = [pytest.mark.needs("docker"), pytest.mark.timeout(240, func_only=True)]

SETTINGS = """
[sizes.default]
memory = "1 GiB"
[images]
allow_by_name = true
[ready]
most = 0  # one that stood ready would see the home as it was before
"""
SMALL = 2 << 20  # bytes
WRITES = """\
try:
    open("more", "w").write("x" * 100_000)
except OSError as problem:
    print(problem.strerror)
"""


@pytest.fixture(scope="module")
def bench(stacks_image: str) -> Iterator[Bench]:
    if os.geteuid() != 0:
        pytest.skip("Only root can make a small disk.")
    with new_bench(SETTINGS, containers=True) as bench:
        with the_owner(bench) as owner:
            owner.hand.bring("stacks", image=stacks_image)
            wait_for(lambda: owner.hand.environment("stacks")["usable"], PATIENCE)
            file = bench.home / "first.ipynb"
            file.write_text(json.dumps(notebook("print('at home')")))
            assert owner.hand.run(file, environment="stacks", alone=True)["outcome"] == "done"
        yield bench


@pytest.fixture
def owner(bench: Bench) -> Iterator[Somebody]:
    with the_owner(bench) as owner:
        yield owner


def test_a_session_begins_and_says_what_is_wrong(bench: Bench, owner: Somebody) -> None:
    with full_home(bench, owner):
        session = owner.session("lab", environment="stacks")
        wait_for(session.answers, PATIENCE)
        session.start_kernel()
        assert session.says(WRITES).strip() == "No space left on device"
        assert session.says("import os; os.remove('filled'); _ = open('more', 'w').write('x' * 100_000)") == ""
        session.ask_to_stop()
        wait_for(lambda: owner.hand.get_session(session.now.id)["phase"] == "ended", PATIENCE)


def test_a_run_that_writes_nothing_there_is_done(bench: Bench, owner: Somebody, tmp_path: Path) -> None:
    file = tmp_path / "home.ipynb"
    file.write_text(json.dumps(notebook("import os; os.chdir(os.path.expanduser('~'))\n" + WRITES)))
    with full_home(bench, owner):
        run = owner.hand.run(file, environment="stacks", alone=True)
    assert run["outcome"] == "done", run
    assert "No space left on device" in owner.hand.notebook(run).decode()


def test_a_run_that_fails_for_it_names_the_cause(bench: Bench, owner: Somebody, tmp_path: Path) -> None:
    file = tmp_path / "home.ipynb"
    file.write_text(json.dumps(notebook("import os; open(os.path.expanduser('~/more'), 'w').write('x' * 100_000)")))
    with full_home(bench, owner):
        run = owner.hand.run(file, environment="stacks", alone=True)
    assert (run["outcome"], run["reason"]) == ("failed", "disk_full"), run


@contextmanager
def full_home(bench: Bench, owner: Somebody) -> Generator[Path]:
    """The owner's, as containers have it: on a disk of its own, to the last byte."""
    home = bench.data.homes / owner.browser.get("/api/v1/me").json()["name"]
    theirs = home.stat()
    options = f"size={SMALL},mode=0700,uid={theirs.st_uid},gid={theirs.st_gid}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(home)], check=True)
    try:
        with suppress(OSError), (home / "filled").open("wb") as file:
            while True:
                file.write(bytes(4096))
                file.flush()
        yield home
    finally:
        subprocess.run(["umount", "-l", str(home)], check=True)
