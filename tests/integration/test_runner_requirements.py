"""The runner, a kernel and uv: what a requirements.txt adds, and every way in which it does not."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import signal
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from drybench.engines.local_overlay import make_overlay, overlay_variables
from drybench_runner import resolving
from drybench_runner.requirements import provide, sweep
from drybench_runner.resolving import Requirements, RequirementsFailed, environment
from tests.integration.runner_bench import Attempt, attempt, notebook
from tests.waiting import PATIENCE, eventually, wait_for
from tests.wheels import only, wheel

SHOW = "import lab_one, lab_two, importlib.metadata as m; print(lab_one.__version__, m.version('lab-two'))"
Given = Callable[..., Attempt]


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    wheel(folder, "lab_one", "1.0", ["lab_two>=2", "numpy"])
    wheel(folder, "lab_two", "2.5")
    return folder


@pytest.fixture
def given(tmp_path: Path, python_environment: Path, wheels: Path) -> Given:
    """A run with a requirements.txt, over the shared folder of one person's overlays."""

    def make(text: str, *cells: str, place: str = "run", env: Mapping[str, str] | None = None, **asked: Any) -> Attempt:
        asked = {"requirements": "requirements.txt", "overlays": str(tmp_path / "overlays/ada/d1"), **asked}
        made = attempt(tmp_path / place, python_environment, notebook(*cells), **asked)
        (made.folder / "given" / "requirements.txt").write_text(text)
        made.env = {**made.env, **only(wheels, tmp_path / "cache"), **(env or {})}
        return made

    return make


def overlays(tmp_path: Path) -> list[Path]:
    return [ready.parent for ready in (tmp_path / "overlays").glob("*/*/*/.ready")]


def leftovers(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "overlays").glob("*/*/.new-*"))


def slow_uv(tmp_path: Path) -> Path:
    """One that says something and then hangs, with a child that would live on."""
    script = tmp_path / "slow-uv"
    script.write_text(f'#!/bin/sh\necho "$$" > {tmp_path}/uv.pid\necho "Resolving…"\nsleep 600 & wait\n')
    script.chmod(0o700)
    return script


def is_gone(tmp_path: Path) -> bool:
    """The whole group of it, or it never came to say its number."""
    try:
        os.killpg(int((tmp_path / "uv.pid").read_text()), 0)
    except (ProcessLookupError, FileNotFoundError, ValueError):
        return True
    return False


def test_the_kernel_finds_what_was_asked_for_and_the_record_says_what_it_was(given: Given, tmp_path: Path) -> None:
    run = given("lab_one  # for the figures\n", SHOW, "!lab_one-say")
    result = run.carry_out()
    assert result["outcome"] == "done", run.printed()
    assert run.text(0) == "1.0 2.5\n"
    assert run.text(1).strip() == "1.0"
    assert result["requirements"] == {"packages": ["lab-one==1.0", "lab-two==2.5"], "cached": False}
    told = [event["text"] for event in run.events() if event["event"] == "detail"]
    assert any("Installed 2 packages" in text for text in told)
    assert "Resolved 3 packages" in (run.made / "log.txt").read_text()
    (overlay,) = overlays(tmp_path)
    assert stat.S_IMODE(overlay.stat().st_mode) == 0o700
    assert not (overlay / "numpy").exists()  # the environment's own satisfies it
    assert not leftovers(tmp_path)


def test_the_same_list_is_used_again_and_another_is_not(given: Given, tmp_path: Path) -> None:
    assert given("lab_one\nlab_two\n", SHOW).carry_out()["requirements"]["cached"] is False
    again = given(
        "# spaced otherwise\nlab_two\n\nlab_one # the same\n", SHOW, place="again", env={"DRYBENCH_UV": "/no"}
    )
    result = again.carry_out()
    assert result["requirements"] == {"packages": ["lab-one==1.0", "lab-two==2.5"], "cached": True}
    assert again.text(0) == "1.0 2.5\n"
    assert given("lab_two\n", "1", place="other").carry_out()["requirements"]["packages"] == ["lab-two==2.5"]
    assert len(overlays(tmp_path)) == 2


def test_another_person_gets_nothing_of_it(given: Given, tmp_path: Path) -> None:
    given("lab_two\n", "1").carry_out()
    bob = str(tmp_path / "overlays/bob/d1")
    assert given("lab_two\n", "1", place="bob", overlays=bob).carry_out()["requirements"]["cached"] is False


def test_its_version_wins_over_the_environments(given: Given, wheels: Path) -> None:
    wheel(wheels, "cyclopts", "99.0")
    run = given(
        "cyclopts==99.0", "import cyclopts, importlib.metadata as m; print(m.version('cyclopts'), cyclopts.__version__)"
    )
    run.carry_out()
    assert run.text(0) == "99.0 99.0\n"


def test_in_a_tasks_own_thin_environment_pip_still_wins(
    given: Given, tmp_path: Path, python_environment: Path, wheels: Path
) -> None:
    thin = tmp_path / "thin"
    make_overlay(thin, python_environment)
    wheel(wheels, "lab_two", "3.0")
    upgrade = f"%pip install --quiet --no-index --find-links {wheels} lab_two==3.0"
    look = "!python -c 'import lab_two; print(lab_two.__version__)'"
    run = given("lab_two==2.5", look, upgrade, look)
    run.python = thin
    variables = overlay_variables(thin, python_environment)
    run.env = {**run.env, **variables, "PATH": f"{thin}/bin:{python_environment}/bin:{os.environ['PATH']}"}
    assert run.carry_out()["outcome"] == "done", run.printed()
    assert (run.text(0).strip(), run.text(2).strip()) == ("2.5", "3.0")
    assert not list(python_environment.glob("lib/*/site-packages/drybench-requirements.pth"))


def test_with_hashes(given: Given, wheels: Path) -> None:
    right = hashlib.sha256((wheels / "lab_two-2.5-py3-none-any.whl").read_bytes()).hexdigest()
    assert given(f"lab_two==2.5 \\\n  --hash=sha256:{right}", "1").carry_out()["outcome"] == "done"
    wrong = given(f"lab_two==2.5 --hash=sha256:{'0' * 64}", "1", place="wrong").carry_out()
    assert wrong["reason"] == "requirements_failed"
    assert "requirements.txt, line 1 (lab_two==2.5" in wrong["sentence"]
    assert "ash mismatch" in wrong["sentence"]


def test_a_wrong_one_ends_with_its_line_and_uvs_own_words(given: Given, tmp_path: Path) -> None:
    run = given("numpy\n# what it is for\nno-such-package-anywhere>=3\n", "1")
    result = run.carry_out()
    assert (result["outcome"], result["reason"]) == ("failed", "requirements_failed")
    assert result["sentence"].startswith("requirements.txt, line 3 (no-such-package-anywhere>=3): ")
    assert "not found" in result["sentence"]
    assert result["executed"] == 0
    assert "no-such-package-anywhere" in (run.made / "log.txt").read_text()
    assert run.notebook()["cells"]
    assert not overlays(tmp_path)
    assert not leftovers(tmp_path)


def test_two_lines_that_cannot_be_had_together(given: Given) -> None:
    result = given("lab_two<2\nlab_one\n", "1").carry_out()
    assert result["reason"] == "requirements_failed"
    assert "lab-two" in result["sentence"]


def test_an_index_that_does_not_answer(given: Given) -> None:
    env = {"UV_OFFLINE": "0", "UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple", "UV_HTTP_RETRIES": "0"}
    result = given("lab_three", "1", env=env).carry_out()
    assert result["reason"] == "requirements_failed"
    assert "127.0.0.1:9" in result["sentence"]
    assert "line 1 (lab_three)" in result["sentence"]


def test_an_environment_without_uv_says_so(given: Given) -> None:
    result = given("lab_two", "1", env={"PATH": "/usr/bin:/bin"}).carry_out()
    assert result["sentence"] == "This environment has no uv, which a requirements.txt needs."


def test_cancelled_while_it_resolves(given: Given, tmp_path: Path) -> None:
    run = given("lab_two", "1", env={"DRYBENCH_UV": str(slow_uv(tmp_path))})
    process = run.start()
    wait_for(lambda: any(event.get("text") == "Resolving…" for event in run.events()))
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0
    assert (run.result()["outcome"], run.result()["reason"]) == ("stopped", "cancelled")
    wait_for(lambda: is_gone(tmp_path))
    assert not leftovers(tmp_path)


def test_the_runs_time_limit_counts_while_it_resolves(given: Given, tmp_path: Path) -> None:
    run = given("lab_two", "1", env={"DRYBENCH_UV": str(slow_uv(tmp_path))}, timeout=1.0)
    assert run.carry_out()["reason"] == "timed_out"
    wait_for(lambda: is_gone(tmp_path))


def test_a_killed_maker_leaves_nothing_that_hurts_the_next(given: Given, tmp_path: Path) -> None:
    run = given("lab_two", "1", env={"DRYBENCH_UV": str(slow_uv(tmp_path))})
    process = run.start()
    wait_for(lambda: any(event.get("text") == "Resolving…" for event in run.events()))
    process.kill()
    process.wait()
    os.killpg(int((tmp_path / "uv.pid").read_text()), signal.SIGKILL)  # as the engine does
    assert leftovers(tmp_path)
    assert given("lab_two", "1", place="next").carry_out()["outcome"] == "done"
    assert not leftovers(tmp_path)


def test_of_two_at_once_one_makes_it_and_the_other_waits(
    given: Given, tmp_path: Path, python_environment: Path
) -> None:
    gate, count = tmp_path / "gate", tmp_path / "count"
    script = tmp_path / "gated-uv"
    wait = f"while [ ! -e {gate} ]; do sleep 0.05; done"
    script.write_text(f'#!/bin/sh\necho x >> {count}\n{wait}\nexec {python_environment}/bin/uv "$@"\n')
    script.chmod(0o700)
    both = [given("lab_two", "1", place=name, env={"DRYBENCH_UV": str(script)}) for name in ("one", "two")]
    processes = [run.start() for run in both]
    waiting = "another run installs the same list: waiting for it"
    wait_for(lambda: any(event.get("text") == waiting for run in both for event in run.events()))
    gate.touch()
    assert [process.wait(PATIENCE) for process in processes] == [0, 0]
    assert sorted(run.result()["requirements"]["cached"] for run in both) == [False, True]
    assert count.read_text() == "x\n" * 2  # resolved once, installed once


def test_a_broken_one_is_made_anew(given: Given, tmp_path: Path) -> None:
    given("lab_two", "1").carry_out()
    (overlay,) = overlays(tmp_path)
    (overlay / ".ready").write_text("{")
    result = given("lab_two", "import lab_two", place="again").carry_out()
    assert result["outcome"] == "done"
    assert result["requirements"]["cached"] is False


def test_those_used_longest_ago_go_and_one_in_use_stays(tmp_path: Path) -> None:
    made = [tmp_path / f"d{number % 2}" / f"{number:032x}" for number in range(6)]
    for number, folder in enumerate(made):
        folder.mkdir(parents=True)
        (folder / ".ready").write_text(json.dumps({"format": 1, "packages": []}))
        os.utime(folder / ".ready", (number, number))
    with (made[1] / ".ready").open() as used:
        fcntl.flock(used, fcntl.LOCK_SH)
        sweep(tmp_path, keep=2)
    assert [folder for folder in made if folder.exists()] == [made[1], *made[4:]]


def test_the_environment_is_what_the_engine_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRYBENCH_PYTHON", "/srv/env")
    assert environment() == Path("/srv/env")


async def test_one_that_says_nothing_any_more_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the run has no time limit of its own."""
    monkeypatch.setenv("DRYBENCH_UV", str(slow_uv(tmp_path)))
    (tmp_path / "requirements.txt").write_text("lab_two")
    asked, said = Requirements.read(tmp_path / "requirements.txt"), list[str]()
    for seconds in (0.5, 5, 60):  # in half a second a busy machine may not come to start it
        monkeypatch.setattr(resolving, "LONGEST", seconds)
        with pytest.raises(RequirementsFailed, match="took longer than"):
            await provide(asked, tmp_path / "overlays/ada/d1", said.append)
        if said:
            break
    assert said == ["Resolving…"]
    await eventually(lambda: is_gone(tmp_path))
    assert not leftovers(tmp_path)
