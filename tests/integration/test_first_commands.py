"""From a clone to an environment: with uv, without it, and on a Debian that has next to nothing."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bare import BareMachine, clone, passed_on
from tests.parts import leave_out

IMPORT = ".venv/bin/python -c 'import drybench; print(drybench.__file__)'"


@pytest.fixture(scope="module")
def bare_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BareMachine]:
    root = tmp_path_factory.mktemp("bare") / "root"
    machine = BareMachine.make(root)
    machine.clone()
    yield machine
    shutil.rmtree(root)


@pytest.mark.bare
@pytest.mark.timeout(300)
def test_a_bare_debian_and_no_root(bare_machine: BareMachine) -> None:
    assert bare_machine.says("python3 -m venv .venv || rm -r .venv").stdout.count("ensurepip")  # bare indeed
    made = bare_machine.says(f"bin/bootstrap server {IMPORT}")
    assert made.stdout.strip() == "/home/ada/drybench/packages/drybench/src/drybench/__init__.py", made.stderr
    assert "Fetching what requirements/server.lock names" in made.stderr  # progress is shown

    began = time.monotonic()
    again = bare_machine.says(f"bin/bootstrap server {IMPORT}")
    assert again.returncode == 0
    assert "Fetching" not in again.stderr
    assert time.monotonic() - began < 5

    nothing = "mkdir /tmp/only && ln -s /usr/bin/python3 /tmp/only && rm -r .venv && export PATH=/tmp/only"
    refused = bare_machine.says(f"{nothing} && bin/bootstrap server")
    assert refused.returncode == 1
    assert "apt-get install python3-venv" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_without_uv_a_venv_with_pip(tmp_path: Path) -> None:
    """The server's own packages are left out here; the bare machine fetches them all."""
    if subprocess.run(["/usr/bin/python3", "-c", "import ensurepip"], capture_output=True).returncode:
        leave_out("This Python makes no venv: `apt-get install python3-venv` as root brings it.")
    clone(tmp_path)
    (tmp_path / "requirements" / "server.lock").write_text("")
    command = ["/usr/bin/env", "-i", f"HOME={tmp_path}", "PATH=/usr/bin:/bin", *passed_on(), "bin/bootstrap", "server"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert (tmp_path / ".venv" / "bin" / "uv").exists()
    said = subprocess.run(["bash", "-c", IMPORT], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert said.stdout.startswith(str(tmp_path))


def test_a_hash_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    clone(tmp_path)
    lock = tmp_path / "requirements" / "server.lock"
    lock.write_text("six==1.17.0 --hash=sha256:" + 64 * "0")
    done = subprocess.run(["bin/bootstrap", "server"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "hash" in done.stderr.lower()
    assert not (tmp_path / ".venv" / "drybench.stamp").exists()


def test_help_names_every_target() -> None:
    """`make` alone is a question, not a command."""
    root = Path(__file__).resolve().parents[2]
    said = subprocess.run(["make"], cwd=root, capture_output=True, text=True, check=True).stdout
    assert [word for word in ("up", "test", "check", "bench", "docs", "clean") if f"make {word}" not in said] == []
