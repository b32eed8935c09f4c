"""What is given for a notebook in R is what R itself reads."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from drybench import errors
from drybench.runs.parameters import check, inject, read_parameters
from tests.unit.runs.test_parameters import a_notebook

CELL = "x <- 'a'\ny <- c(1, 2)\nz <- list(a = 1)\nmy.rate <- 0.5  # 0..1"


def injected(**values: object) -> str:
    notebook = a_notebook(("parameters", CELL), language="R", kernel="ir")
    return inject(notebook, check(read_parameters(notebook), values))["cells"][1]["source"]


@pytest.mark.needs("R")
def test_values_arrive(tmp_path: Path) -> None:
    text = "größe $(a) \"q\" \\ \n'é' 😀 \x1f"
    source = injected(x=text, y=[1, True, None, "a"], z={"k é": 2.5}, **{"my.rate": 0.25})
    expected = 'list(1, TRUE, NULL, "a")'
    script = f"{source}\nstopifnot(identical(y, {expected}), z[['k é']] == 2.5, my.rate == 0.25)\ncat(x)"
    file = tmp_path / "given.R"
    file.write_text(script)
    command = ["Rscript", "--vanilla", "--encoding=UTF-8", str(file)]
    ended = subprocess.run(command, capture_output=True, check=False, env={"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"})
    assert (ended.returncode, ended.stdout.decode()) == (0, text), ended.stderr


def test_what_r_cannot_hold_is_refused() -> None:
    with pytest.raises(errors.ParametersWrong, match="cannot write these values in R"):
        injected(x="a\0b")
