"""What a cell's error means, in a word and a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from drybench_runner import causes
from drybench_runner.record import CellError, RunFile


def asked(**more: Any) -> RunFile:
    return RunFile(id="r", name="n", **more)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("ValueError", "no", "cell_error"),
        ("MemoryError", "", "out_of_memory"),
        ("OSError", "[Errno 28] No space left on device: 'x'", "disk_full"),
        ("OSError", "[Errno 122] Disk quota exceeded", "disk_full"),
        ("CalledProcessError", "tar: x: No space left on device", "disk_full"),
        ("OutOfMemoryError", "CUDA out of memory. Tried to allocate 20.00 GiB (GPU 0; 15.78 GiB", "gpu_out_of_memory"),
        ("RuntimeError", "CUDA error: out of memory\nCUDA kernel errors", "gpu_out_of_memory"),
        ("OutOfMemoryError", "Out of memory allocating 8,000,000 bytes (allocated so far: 0 by", "gpu_out_of_memory"),
        ("ResourceExhaustedError", "OOM when allocating tensor on /device:GPU:0 by allocator", "gpu_out_of_memory"),
        ("ResourceExhaustedError", "OOM when allocating tensor on /device:CPU:0", "cell_error"),
        ("XlaRuntimeError", "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 4 bytes", "gpu_out_of_memory"),
        ("CudaAPIError", "[2] Call to cuMemAlloc results in CUDA_ERROR_OUT_OF_MEMORY", "gpu_out_of_memory"),
        ("_ArrayMemoryError", "Unable to allocate 7.45 TiB for an array", "out_of_memory"),
        ("OSError", "[Errno 5] Input/output error", "cell_error"),
        ("FileNotFoundError", "[Errno 2] No such file or directory: 'a b.csv'", "input_missing"),
        ("FileNotFoundError", "deep/x.npy not found.", "input_missing"),
        ("FileNotFoundError", "[Errno 2] No such file or directory: '/data/x.csv'", "cell_error"),
        ("FileNotFoundError", "gone", "cell_error"),
        ("SystemExit", "0", None),
        ("SystemExit", "", None),
        ("SystemExit", "2", "cell_error"),
    ],
)
def test_the_reason(name: str, value: str, reason: str | None) -> None:
    assert causes.cell_raised(CellError(name, value), 3, asked()).reason == reason


def test_a_cell_error_is_one_short_line() -> None:
    end = causes.cell_raised(CellError("KeyError", "'a'\n" + "x" * 1000), 4, asked())
    assert end.sentence == "Cell 4 raised KeyError: 'a'"
    assert causes.cell_raised(CellError("Stop", ""), 1, asked()).sentence == "Cell 1 raised Stop"


def test_what_it_asked_for_is_said() -> None:
    error = CellError("OutOfMemoryError", "CUDA out of memory. Tried to allocate 20.00 GiB (GPU 0)")
    sentence = "Cell 2 needed more memory than its GPU had left: it asked for 20.00 GiB."
    assert causes.cell_raised(error, 2, asked()).sentence == sentence
    error = CellError("_ArrayMemoryError", "Unable to allocate 7.45 TiB for an array with shape (1,)")
    assert str(causes.cell_raised(error, 2, asked()).sentence).endswith("there is: it asked for 7.45 TiB.")


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (asked(), "handed in by itself"),
        (asked(folder="/home/ada/p"), "not in /home/ada/p, where the notebook came from"),
        (asked(folder="/home/ada/p", alone=True), "(alone)"),
        (asked(folder="/home/ada/p", cwd="/data"), "not in /data, where this run works"),
    ],
)
def test_a_missing_file_says_where_it_was_looked_for(run: RunFile, words: str) -> None:
    error = CellError("FileNotFoundError", "[Errno 2] No such file or directory: 'in.csv'")
    sentence = causes.cell_raised(error, 1, run).sentence
    assert sentence is not None
    assert "“in.csv”" in sentence
    assert words in sentence


@pytest.mark.parametrize(
    ("code", "cell", "sentence"),
    [
        (-9, 2, "The kernel ended by itself in cell 2 (SIGKILL: ended from outside, often for want of memory)."),
        (-99, 2, "The kernel ended by itself in cell 2 (signal 99)."),
        (3, None, "The kernel ended by itself before it was ready (exit code 3)."),
        (None, 1, "The kernel ended by itself in cell 1."),
    ],
)
def test_how_a_kernel_died(code: int | None, cell: int | None, sentence: str) -> None:
    assert causes.kernel_died(code, cell).sentence == sentence


def test_other_sentences() -> None:
    assert causes.timed_out(90, None).sentence == "The run took longer than the 90 s it may take."
    assert "There are: ir, python3." in str(causes.no_such_kernel("x", ["ir", "python3"]).sentence)
    assert "There are: none." in str(causes.no_such_kernel("x", []).sentence)
