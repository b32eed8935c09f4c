"""From a clone to an environment: with uv, without it, and on a Debian that has next to nothing."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bare import BareMachine, clone, passed_on
from tests.bench import A_WHOLE_BENCH
from tests.free_ports import free_port
from tests.parts import leave_out

DOUBLE = """{"cells": [
{"cell_type": "code", "id": "a", "execution_count": null, "outputs": [], "source": "n = 1",
 "metadata": {"tags": ["parameters"]}},
{"cell_type": "code", "id": "b", "execution_count": null, "outputs": [], "source": "print('The answer is', 2 * n)",
 "metadata": {}}],
"metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
"nbformat": 4, "nbformat_minor": 5}"""
RUN = ".venv/bin/drybench run double.ipynb -p n=21 --output done.ipynb && grep -o 'The answer is 42' done.ipynb"
IMPORT = ".venv/bin/python -c 'import drybench; print(drybench.__file__)'"


@pytest.fixture(scope="module")
def bare_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BareMachine]:
    root = tmp_path_factory.mktemp("bare") / "root"
    machine = BareMachine.make(root)
    machine.clone()
    yield machine
    shutil.rmtree(root)


@pytest.mark.bare
@pytest.mark.timeout(1500)
def test_two_commands_on_a_bare_debian(bare_machine: BareMachine) -> None:
    """No root, no pip, no uv: from the clone to a notebook's result, and all of it again in seconds."""
    assert "ensurepip" in bare_machine.says("python3 -m venv .venv; rm -rf .venv").stdout
    refused = bare_machine.says(
        "mkdir /tmp/only; ln -s /usr/bin/python3 /tmp/only; PATH=/tmp/only bin/bootstrap server"
    )
    assert refused.stderr.splitlines()[-1].startswith("Drybench found neither uv nor"), refused.stderr

    bare_machine.write("double.ipynb", DOUBLE)
    up = f"make up ARGS='--detach --port {free_port()}'"  # the machine shares this one's network
    work = bare_machine.says(f"{up} && {RUN} && .venv/bin/drybench down --tasks", seconds=900)
    assert work.returncode == 0, work.stdout + work.stderr
    assert "Fetching what requirements/server.lock names" in work.stderr  # progress is shown
    assert "Drybench is ready: http://localhost:" in work.stdout
    assert "The data lie in /home/ada/.local/share/drybench" in work.stdout
    assert "The answer is 42" in work.stdout

    began = time.monotonic()
    again = bare_machine.says(f"{up} && .venv/bin/drybench down")
    assert "Drybench is ready" in again.stdout, again.stderr
    assert "Fetching" not in again.stderr
    assert time.monotonic() - began < A_WHOLE_BENCH  # seconds, on a machine with other work too


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
