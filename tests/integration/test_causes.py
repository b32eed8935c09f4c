"""Each cause of an end is made to happen, and told in one sentence with a next step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from drybench.model import Size
from drybench.phases import Reason
from drybench.runs.causes import Cause, cause
from tests.integration.comparing import carry_out_all
from tests.integration.runner_bench import Attempt, attempt, notebook

SIZES = [Size("default", "Default", 1, 1 << 30), Size("large", "Large", 4, 8 << 30)]
TOOLS = "def read(name):\n    # of a file\n    return 1 / 0\n"
# What PyTorch says; with a GPU of its own a bench sees it from PyTorch itself.
TORCH = "class OutOfMemoryError(RuntimeError): pass\n"
TORCH += "raise OutOfMemoryError('CUDA out of memory. Tried to allocate 20.00 GiB.')"

# What a notebook does, what the run was asked for, and what is said of it.
CASES: dict[str, tuple[list[str], dict[str, Any], str, str]] = {
    "a function of an earlier cell": (
        ["def f(x):\n    return 1 / x", "f(0)"],
        {},
        "Cell 2 stopped with ZeroDivisionError: division by zero (cell 1, line 2, in f).",
        "Mend that cell",
    ),
    "a line of the cell itself": (
        ["import pandas as pd\ntable = pd.DataFrame()\ntable['x']"],
        {},
        "Cell 1 stopped with KeyError: 'x' (line 3).",
        "Mend that cell",
    ),
    "a file of one's own": (
        ["import tools\ntools.read('x')"],
        {"folder": "beside"},
        "Cell 1 stopped with ZeroDivisionError: division by zero (tools.py, line 3, in read).",
        "Mend that cell",
    ),
    "no Python": (["x = 1", "x = = 2"], {}, "Cell 2 stopped with SyntaxError: invalid syntax", "Mend that cell"),
    "a missing module": (
        ["from skimage.filters import gaussian"],
        {},
        "Cell 1 stopped with ModuleNotFoundError: No module named 'skimage' (line 1).",
        "Add `scikit-image` to the requirements",
    ),
    "more memory than there is": (
        ["import numpy as np\nnp.ones(1 << 50)"],
        {},
        "Cell 1 asked for more memory than there is: it asked for 8.00 PiB. Its size has 1 GiB.",
        "larger size (try large, which has 8 GiB)",
    ),
    "a GPU's memory": (
        ["1", TORCH],
        {},
        "Cell 2 needed more memory than its GPU had left: it asked for 20.00 GiB.",
        "smaller batches",
    ),
    "a full disk": (
        ["with open('/dev/full', 'w') as file: file.write('x' * 99999)"],
        {},
        "Cell 1 could not write: the disk is full.",
        "Remove runs and files",
    ),
    "a crash in compiled code": (
        ["print('before')", "import ctypes\nctypes.string_at(0)"],
        {},
        "The kernel ended by itself in cell 2 (SIGSEGV: a segmentation fault in compiled code).",
        "A library may have crashed",
    ),
    "a cell's time": (
        ["import time; time.sleep(60)"],
        {"cell_timeout": 0.5},
        "Cell 1 took longer than the 0.5 s it may take.",
        "more time for the run or for its cells",
    ),
    "the run's time": (
        ["import time; time.sleep(60)"],
        {"timeout": 2},
        "The run took longer than the 2 s it may take.",
        "more time for the run",
    ),
    "no such kernel": (
        ["1"],
        {"kernel": "julia-1.10"},
        "There is no kernel named “julia-1.10” here. There are:",
        "Choose an environment that has it",
    ),
    "a missing file": (
        ["open('data.csv')"],
        {},
        "Cell 1 needs “data.csv”. The notebook was handed in by itself, without the files beside it.",
        "A notebook finds what lies beside it",
    ),
    "a question": (
        ["input('name?')"],
        {},
        "Cell 1 asks for input, and in a run nobody is there to answer.",
        "Make what it asks for a parameter",
    ),
}
REASONS = {
    "a missing file": Reason.INPUT_MISSING,
    "more memory than there is": Reason.OUT_OF_MEMORY,
    "a GPU's memory": Reason.GPU_OUT_OF_MEMORY,
    "a full disk": Reason.DISK_FULL,
    "a crash in compiled code": Reason.KERNEL_DIED,
    "a cell's time": Reason.TIMED_OUT,
    "the run's time": Reason.TIMED_OUT,
    "no such kernel": Reason.NO_SUCH_KERNEL,
}

pytestmark = [pytest.mark.xdist_group("causes"), pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, python_environment: Path) -> dict[str, dict[str, Any]]:
    place = tmp_path_factory.mktemp("causes")
    (place / "beside").mkdir()
    (place / "beside/tools.py").write_text(TOOLS)
    runs: list[Attempt] = []
    for number, (cells, asked, _, _) in enumerate(CASES.values()):
        given = asked | ({"folder": str(place / "beside")} if "folder" in asked else {})
        runs.append(attempt(place / str(number), python_environment, notebook(*cells), **given))
    return dict(zip(CASES, carry_out_all(runs), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_it_is_told(results: dict[str, dict[str, Any]], name: str) -> None:
    _, _, sentence, step = CASES[name]
    result = results[name]
    assert result["outcome"] == "failed"
    assert Reason(result["reason"]) is REASONS.get(name, Reason.CELL_ERROR)
    found: Cause = cause(Reason(result["reason"]), result, memory=1 << 30, sizes=SIZES)
    assert found.sentence.startswith(sentence)
    assert step in found.next_step


def test_the_last_own_frame_is_written_down(results: dict[str, dict[str, Any]]) -> None:
    frame = results["a file of one's own"]["last_frame"]
    assert (frame["line"], frame["name"], frame["code"]) == (3, "read", "return 1 / 0")
    assert results["a missing module"]["missing_module"] == "skimage"
    assert results["a line of the cell itself"]["last_frame"]["code"] == "table['x']"
