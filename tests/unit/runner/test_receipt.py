"""On what a run worked, written down beside it and at next to no cost."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from drybench_runner import receipt
from drybench_runner.receipt import Gathering, without_password
from tests.waiting import PATIENCE, wait_for


def written(gathering: Gathering, folder: Path, overlay: Path | None = None) -> dict[str, Any]:
    for thread in gathering._threads:
        thread.join(PATIENCE)
    gathering.write(folder / "receipt.json", "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", overlay)
    return json.loads((folder / "receipt.json").read_bytes())


def git(folder: Path, *words: str) -> str:
    own = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@bench.example", "-c", "init.defaultBranch=main")
    done = subprocess.run(
        ["git", *who, *words], cwd=folder, env={**os.environ, **own}, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_inputs_with_size_and_hash(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"1,2\n")
    told = written(Gathering([str(tmp_path / "a.csv"), str(tmp_path), str(tmp_path / "no")], None), tmp_path)
    first, folder, missing = told["inputs"]
    assert (first["size"], first["sha256"], first["note"]) == (4, hashlib.sha256(b"1,2\n").hexdigest(), "")
    assert (folder["size"], folder["sha256"], folder["note"]) == (None, None, "a folder")
    assert (missing["sha256"], missing["note"]) == (None, "No such file or directory")


def test_a_large_one_is_told_by_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipt, "LARGEST", 3)
    (tmp_path / "a.tif").write_bytes(b"four")
    (told,) = written(Gathering([str(tmp_path / "a.tif")], None), tmp_path)["inputs"]
    assert (told["size"], told["sha256"]) == (4, None)
    assert "not hashed" in told["note"]


def test_a_pipe_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (told,) = written(Gathering([str(tmp_path / "pipe")], None), tmp_path)["inputs"]
    assert told["note"] == "no regular file"


def test_a_short_run_does_not_wait_for_a_long_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipt, "_BLOCK", 16)  # so that it takes long
    (tmp_path / "a.tif").write_bytes(bytes(64 << 20))
    gathering = Gathering([str(tmp_path / "a.tif")], None)
    wait_for(lambda: gathering._looked_at[tmp_path / "a.tif"]["size"])
    began = time.thread_time()
    gathering.write(tmp_path / "receipt.json", "", "", None)
    assert time.thread_time() - began < 0.05
    (told,) = json.loads((tmp_path / "receipt.json").read_bytes())["inputs"]
    assert (told["size"], told["sha256"]) == (64 << 20, None)
    assert told["note"] == "the run ended before this was known"
    for thread in gathering._threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_the_commit_of_the_notebooks_folder(tmp_path: Path) -> None:
    inner = tmp_path / "repo" / "notebooks"
    inner.mkdir(parents=True)
    git(tmp_path / "repo", "init", "--quiet")
    git(tmp_path / "repo", "remote", "add", "origin", "https://ada:secret@code.example/lab/repo.git")
    (inner / "a.py").write_text("1")
    git(inner, "add", ".")
    git(inner, "commit", "--quiet", "-m", "First")
    told = written(Gathering([], str(inner)), tmp_path)["git"]
    assert told == {
        "commit": git(inner, "rev-parse", "HEAD"),
        "dirty": False,
        "remote": "https://code.example/lab/repo.git",
    }
    (inner / "a.py").write_text("2")
    assert written(Gathering([], str(inner)), tmp_path)["git"]["dirty"] is True


def test_outside_a_repository_there_is_none(tmp_path: Path) -> None:
    assert written(Gathering([], str(tmp_path)), tmp_path)["git"] is None
    assert written(Gathering([], None), tmp_path)["git"] is None


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("https://token@code.example/x.git?key=1", "https://code.example/x.git"),
        ("ssh://git:pw@code.example:22/x.git", "ssh://code.example:22/x.git"),
        ("git@code.example:lab/x.git", "git@code.example:lab/x.git"),
        ("https://[broken", ""),
    ],
)
def test_no_password_of_a_remote(said: str, told: str) -> None:
    assert without_password(said) == told


def test_gpus_as_the_driver_names_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = tmp_path / "asked"
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" > {asked}\necho "NVIDIA H100, 81559, 570.1"\n')
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    told = written(Gathering([], None), tmp_path)["gpus"]
    assert told == [{"name": "NVIDIA H100", "memory": 81559 << 20, "driver": "570.1"}]
    assert "-i 1" in asked.read_text()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert written(Gathering([], None), tmp_path)["gpus"] == []


def test_what_lies_above_the_environment(tmp_path: Path) -> None:
    for name in ("Lab_One-1.0.dist-info", "lab.two-2.0+local.dist-info", "old-3.egg-info", "numpy", "x-1.txt"):
        (tmp_path / "over" / name).mkdir(parents=True)
    told = written(Gathering([], None), tmp_path, tmp_path / "over")
    assert told["packages"] == {"lab-one": "1.0", "lab-two": "2.0+local", "old": "3"}
    assert told["machine"]["cores"] == os.cpu_count()


def test_no_room_for_it_ends_nothing(tmp_path: Path) -> None:
    Gathering([], None).write(tmp_path / "gone" / "receipt.json", "", "", None)
    assert not (tmp_path / "gone").exists()
