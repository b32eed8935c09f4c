"""Why a run ended as it did, in a word for the portal and a sentence for the person. Pure."""

from __future__ import annotations

import errno
import re
import signal
from dataclasses import dataclass
from pathlib import PurePath

from drybench_runner.record import CellError, RunFile


@dataclass(frozen=True)
class End:
    """`reason` is a word of the portal's `phases.Reason`."""

    outcome: str
    reason: str | None = None
    sentence: str | None = None
    error: CellError | None = None


_FULL = (errno.ENOSPC, errno.EDQUOT)

DONE = End("done")
CANCELLED = End("stopped", "cancelled", "It was cancelled; the notebook is kept as far as it got.")
DISK_FULL = End("failed", "disk_full", "The disk of the run's folder is full; what had been written before is kept.")
OUT_OF_MEMORY = End("failed", "out_of_memory", "There was not enough memory for what the notebook showed.")


def timed_out(seconds: float, cell_number: int | None) -> End:
    """For the whole run where no cell is named."""
    what = "The run" if cell_number is None else f"Cell {cell_number}"
    return End("failed", "timed_out", f"{what} took longer than the {seconds:g} s it may take.")


def no_such_kernel(name: str, there_are: list[str]) -> End:
    names = ", ".join(there_are) or "none"
    return End("failed", "no_such_kernel", f"There is no kernel named “{name}” here. There are: {names}.")


def disk_is_full(problem: Exception) -> bool:
    return isinstance(problem, OSError) and problem.errno in _FULL


def cannot_start_kernel(name: str, problem: OSError) -> End:
    if disk_is_full(problem):
        return DISK_FULL
    sentence = f"The kernel “{name}” cannot be started: {problem.filename or ''} {problem.strerror}."
    return End("failed", "no_such_kernel", sentence)


def no_such_folder(path: str) -> End:
    return End("failed", "input_missing", f"There is no folder {path}, where this run was to work.")


def kernel_died(exit_code: int | None, cell_number: int | None) -> End:
    where = "before it was ready" if cell_number is None else f"in cell {cell_number}"
    return End("failed", "kernel_died", f"The kernel ended by itself {where}{_how(exit_code)}.")


def kernel_silent(seconds: float) -> End:
    return End("failed", "kernel_died", f"The kernel did not answer within {seconds:g} s.")


def not_a_notebook(problem: str) -> End:
    return End("failed", "rejected", f"This is not a notebook that can be run: {problem}.")


def cell_raised(error: CellError, cell_number: int, run: RunFile) -> End:
    """What a cell's error means for the one who reads it. `sys.exit()` is no failure, as in papermill."""
    if error.name == "SystemExit" and error.value in ("", "0", "None"):
        return End("done")
    if error.name == "MemoryError":
        return End("failed", "out_of_memory", f"Cell {cell_number} asked for more memory than there is.", error)
    if re.match(rf"\[Errno ({'|'.join(map(str, _FULL))})\]", error.value):
        return End("failed", "disk_full", f"Cell {cell_number} could not write: the disk is full.", error)
    if error.name == "FileNotFoundError" and (missing := _relative_path(error.value)):
        return End("failed", "input_missing", f"Cell {cell_number} needs “{missing}”. {_where(missing, run)}", error)
    first_line = error.value.strip().split("\n")[0][:300]
    return End("failed", "cell_error", f"Cell {cell_number} raised {error.name}: {first_line}".rstrip(": "), error)


def _relative_path(value: str) -> str | None:
    quoted = re.search(r"'([^']+)'\s*$", value) or re.match(r"(\S+) not found", value)
    path = quoted[1] if quoted else None
    return None if path is None or PurePath(path).is_absolute() else path[:300]


def _where(missing: str, run: RunFile) -> str:
    if run.cwd is not None:
        return f"It is not in {run.cwd}, where this run works."
    if run.folder is None:
        return "The notebook was handed in by itself, without the files beside it."
    if run.alone:
        return "This run was asked for without the files beside its notebook (alone)."
    return f"It is not in {run.folder}, where the notebook came from."


def _how(exit_code: int | None) -> str:
    if exit_code is None:
        return ""
    if exit_code >= 0:
        return f" (exit code {exit_code})"
    try:
        return f" ({signal.Signals(-exit_code).name})"
    except ValueError:
        return f" (signal {-exit_code})"
