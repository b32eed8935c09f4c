"""The crate of a run before RO-Crate's own validator, without any network.

The validator has pins of its own, so it lives in an environment of its own, made once.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from uv import find_uv_bin

from drybench.model import Run
from drybench.phases import Outcome, Phase, Reason
from drybench.runs.requests import RunRequest
from tests.bench import SHARED
from tests.unit.web.little_bench import LittleBench, little_bench, notebook
from tests.unit.web.test_receipts import LEFT, THEN

HERE = Path(__file__).parent.parent / "crate_validator"
PROFILE = "workflow-run-crate-0.5"


@pytest.fixture(scope="session")
def validator() -> Path:
    """Its environment; `cache.sqlite` in it holds the one context that a crate names."""
    identity = b"".join(file.read_bytes() for file in sorted(HERE.iterdir()) if file.is_file()) + sys.version.encode()
    folder = SHARED.path / f"crate-validator-{hashlib.sha256(identity).hexdigest()[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "cache.sqlite").exists():
            _make(folder)
    return folder


def _make(folder: Path) -> None:
    uv, python = find_uv_bin(), folder / "env/bin/python"
    subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder / "env"], check=True)
    lock = HERE / "requirements.lock"
    install = [uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", lock]
    subprocess.run(install, check=True)
    subprocess.run([python, HERE / "fill_cache.py", folder / "new"], check=True)
    (folder / "new.sqlite").rename(folder / "cache.sqlite")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[LittleBench]:
    made = little_bench(tmp_path)
    yield made
    made.ledger.close()


def problems(validator: Path, crate: Path, folder: Path) -> list[str]:
    """In a network of its own where this machine lets us make one: nothing of it may be needed."""
    apart = ["unshare", "--net"] if _may_be_apart() else []
    report = folder / "report.json"
    cache = shutil.copy(validator / "cache.sqlite", folder / "cache.sqlite").with_suffix("")
    command = [*apart, validator / "env/bin/rocrate-validator", "--no-interactive", "--disable-color", "validate"]
    options = ["--offline", "--cache-path", cache, "-p", PROFILE, "-l", "required", "-f", "json", "-o", report]
    done = subprocess.run([*command, *options, crate], capture_output=True, text=True, timeout=180, check=False)
    assert report.exists(), done.stdout + done.stderr
    told: dict[str, Any] = json.loads(report.read_bytes())
    assert told["passed"] is not bool(told["issues"])
    return [issue["message"] for issue in told["issues"]]


def _may_be_apart() -> bool:
    return bool(shutil.which("unshare")) and not subprocess.run(["unshare", "--net", "true"], check=False).returncode


def asked(bench: LittleBench) -> Run:
    """One with parameters of every kind."""
    cell = "step = 1\nrate = 1.0\nnames = []\nnothing = None\ntext = ''"
    given = {"step": 2, "rate": 0.5, "names": ["a", "b"], "nothing": None, "text": 'ü <&> "q"'}
    request = RunRequest(notebook("print(step)", parameters=cell), "wing disc & co.ipynb", given)
    return bench.portal.runs.submit(bench.person(), request)


async def crate_of(bench: LittleBench, run: Run, folder: Path, outcome: Outcome, reason: Reason | None = None) -> Path:
    values = {"auc": 0.9, "table": [[1, 2], [3, 4]]}
    result = {"format": 1, "outcome": "done", "started_at": "x", "ended_at": "y", "values": values}
    bench.made(run, "result.json", json.dumps(result))
    bench.made(run, "receipt.json", json.dumps(LEFT))
    bench.made(run, "log.txt", "[12:00:00] done\n")
    bench.made(run, "output/deep/grün & co (1).csv", "1,2\n")
    bench.move(run, Phase.ENDED, outcome, started_at=THEN, ended_at=THEN, reason=reason)
    async with bench.program() as program:
        answer = await program.get(f"/runs/{run.id}/crate.zip")
    assert answer.status_code == 200, answer.text
    zipfile.ZipFile(io.BytesIO(answer.content)).extractall(folder / "crate")
    return folder / "crate"


async def test_of_a_run_that_is_done(bench: LittleBench, validator: Path, tmp_path: Path) -> None:
    assert problems(validator, await crate_of(bench, asked(bench), tmp_path, Outcome.DONE), tmp_path) == []


async def test_of_one_that_failed(bench: LittleBench, validator: Path, tmp_path: Path) -> None:
    crate = await crate_of(bench, asked(bench), tmp_path, Outcome.FAILED, Reason.CELL_ERROR)
    assert problems(validator, crate, tmp_path) == []


async def test_of_one_without_parameters(bench: LittleBench, validator: Path, tmp_path: Path) -> None:
    run = bench.run("1", requirements="lab_one\n")
    assert problems(validator, await crate_of(bench, run, tmp_path, Outcome.STOPPED), tmp_path) == []


async def test_the_validator_does_find_what_is_wrong(bench: LittleBench, validator: Path, tmp_path: Path) -> None:
    crate = await crate_of(bench, asked(bench), tmp_path, Outcome.DONE)
    file = crate / "ro-crate-metadata.json"
    told = json.loads(file.read_bytes())
    told["@graph"] = [entity for entity in told["@graph"] if entity["@type"] != "CreateAction"]
    file.write_text(json.dumps(told))
    assert any("mainEntity" in problem for problem in problems(validator, crate, tmp_path))
