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
# What PyTorch, CuPy, Numba, TensorFlow and JAX say when the GPU's memory is used up.
_GPU_FULL = re.compile(
    r"(CUDA|HIP|MPS|XPU)[\w ]*(error: )?out of memory|CUDA_ERROR_OUT_OF_MEMORY|cudaErrorMemoryAllocation"
    r"|CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED|OOM when allocating .*GPU"
    r"|RESOURCE_EXHAUSTED: Out of memory|^Out of memory allocating [\d,]+ bytes \(allocated so far",
    re.IGNORECASE | re.DOTALL,
)
_ASKED = re.compile(r"(?:allocat\w*|to allocate) ([\d.,]+ ?(?:[KMGTPE]i?B|bytes))", re.IGNORECASE)

DONE = End("done")
CANCELLED = End("stopped", "cancelled", "It was cancelled; the notebook is kept as far as it got.")
DISK_FULL = End("failed", "disk_full", "The disk of the run's folder is full; what had been written before is kept.")
OUT_OF_MEMORY = End("failed", "out_of_memory", "There was not enough memory for what the notebook showed.")


def done(allowed_errors: int) -> End:
    if not allowed_errors:
        return DONE
    cells = "One cell raised an error" if allowed_errors == 1 else f"{allowed_errors} cells raised errors"
    return End("done", sentence=f"{cells}, which this run allows.")


def timed_out(seconds: float, cell_number: int | None) -> End:
    """For the whole run where no cell is named."""
    what = "The run" if cell_number is None else f"Cell {cell_number}"
    return End("failed", "timed_out", f"{what} took longer than the {seconds:g} s it may take.")


def no_such_kernel(name: str, there_are: list[str]) -> End:
    names = ", ".join(there_are) or "none"
    return End("failed", "no_such_kernel", f"There is no kernel named “{name}” here. There are: {names}.")


def requirements_not_for(kernel: str) -> End:
    return End(
        "failed",
        "requirements_failed",
        f"Requirements are laid over the bench's environments, and the kernel “{kernel}” is of one of your own. "
        "Install them there, or choose another kernel.",
    )


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
        return DONE
    cell = f"Cell {cell_number}"
    if _GPU_FULL.search(error.value[:5000]):
        return End(
            "failed", "gpu_out_of_memory", f"{cell} needed more memory than its GPU had left{_asked(error)}.", error
        )
    if error.name in ("MemoryError", "_ArrayMemoryError"):
        return End("failed", "out_of_memory", f"{cell} asked for more memory than there is{_asked(error)}.", error)
    if re.search(rf"\[Errno ({'|'.join(map(str, _FULL))})\]|No space left on device", error.value[:5000]):
        return End("failed", "disk_full", f"{cell} could not write: the disk is full.", error)
    if error.name == "FileNotFoundError" and (missing := _relative_path(error.value)):
        return End("failed", "input_missing", f"{cell} needs “{missing}”. {_where(missing, run)}", error)
    if error.name == "StdinNotImplementedError":
        return End("failed", "cell_error", f"{cell} asks for input, and in a run nobody is there to answer.", error)
    first_line = error.value.strip().split("\n")[0][:300]
    return End("failed", "cell_error", f"{cell} raised {error.name}: {first_line}".rstrip(": "), error)


def _asked(error: CellError) -> str:
    found = _ASKED.search(error.value[:5000])
    return f": it asked for {found[1]}" if found else ""


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
        name = signal.Signals(-exit_code).name
    except ValueError:
        return f" (signal {-exit_code})"
    return f" ({name}{_MEANT.get(name, '')})"


_MEANT = {
    "SIGSEGV": ": a segmentation fault in compiled code",
    "SIGABRT": ": compiled code gave up",
    "SIGBUS": ": compiled code found memory or disk missing",
    "SIGILL": ": compiled code for another processor",
    "SIGKILL": ": ended from outside, often for want of memory",
}
