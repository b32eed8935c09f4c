"""Which GPUs the driver shows, asked of a program on the PATH that says what nvidia-smi says."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from drybench import own_machine
from drybench.model import Gpu

GIB = 1 << 30
TWO = """0, GPU-5d6f, 24564, NVIDIA GeForce RTX 4090
1, GPU-77aa, 81559, NVIDIA H100 80GB HBM3
"""
SMALL, BIG = Gpu("GPU-5d6f", 24 * GIB, "NVIDIA GeForce RTX 4090"), Gpu("GPU-77aa", 80 * GIB, "NVIDIA H100 80GB HBM3")
Driver = Callable[[str], None]


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Driver:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def be(script: str) -> None:
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\n{script}")
        program.chmod(0o755)

    return be


def says(text: str) -> str:
    return f"cat <<'END'\n{text}END\n"


def test_memory_is_told_as_a_card_is_called(driver: Driver) -> None:
    driver(says(TWO))
    assert own_machine.gpus("auto") == [SMALL, BIG]


def test_some_by_number_or_uuid(driver: Driver) -> None:
    driver(says(TWO))
    assert own_machine.gpus(("1",)) == [BIG]
    assert own_machine.gpus(("GPU-5d6f", "7")) == [SMALL]


def test_none_asks_nobody(driver: Driver, tmp_path: Path) -> None:
    driver(f"touch {tmp_path}/asked")
    assert own_machine.gpus("none") == []
    assert not (tmp_path / "asked").exists()


def test_memory_that_nobody_knows(driver: Driver) -> None:
    driver(says("0, GPU-1, [N/A], NVIDIA GH200, 480GB\n"))
    assert own_machine.gpus("auto") == [Gpu("GPU-1", 0, "NVIDIA GH200, 480GB")]


@pytest.mark.parametrize(
    "script",
    ["echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18", "echo No devices were found", ""],
)
def test_a_driver_that_shows_none(driver: Driver, script: str) -> None:
    driver(script)
    assert own_machine.gpus("auto") == []


def test_a_driver_that_hangs_does_not_keep_the_bench_from_coming_up(driver: Driver) -> None:
    driver("exec sleep 600")
    began = time.monotonic()
    assert own_machine.gpus("auto", patience=0.3) == []
    assert time.monotonic() - began < 60


def test_where_there_is_no_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert own_machine.gpus("auto") == []
