"""What the page on parameters shows is what is read from it."""

from __future__ import annotations

import json
import re
from pathlib import Path

from drybench.runs.parameter_types import KINDS
from drybench.runs.parameters import read_parameters
from drybench.web.shapes import ParameterJson
from tests.unit.runs.test_parameters import a_notebook

PAGE = (Path(__file__).parents[2] / "docs/reference/parameters.md").read_text()


def example(fence: str) -> str:
    found = re.search(rf"^```{fence}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert found
    return found[1]


def read(fence: str, language: str, kernel: str) -> dict[str, ParameterJson]:
    notebook = a_notebook(("parameters", example(fence)), language=language, kernel=kernel)
    return {found.name: ParameterJson.of(found) for found in read_parameters(notebook)}


def test_python() -> None:
    found = read("python", "python", "python3")
    assert {name: one.takes for name, one in found.items()} == {
        "step": "a whole number from 1 to 20",
        "threshold": "a number from 0 to 1 in steps of 0.05",
        "channel": 'one of "DAPI", "GFP"',
        "method": 'one of "otsu", "li", "triangle"',
        "images": "the path of a file or folder",
        "table": "the path of a file or folder, or nothing",
        "names": "a list",
        "limit": "a whole number of at least 1, or nothing",
    }
    assert found["names"].label == "of the two sides"
    assert found["threshold"].label == "brighter than this is a nucleus"
    assert found["table"].label == "written only if given"


def test_r() -> None:
    found = read("r", "R", "ir")
    kinds = {name: one.kind for name, one in found.items()}
    assert kinds == {
        "step": "whole",
        "threshold": "number",
        "method": "choice",
        "image.folder": "path",
        "names": "list",
        "options": "mapping",
    }


def test_julia() -> None:
    found = read("julia", "julia", "julia-1.9")
    kinds = {name: one.kind for name, one in found.items()}
    assert kinds == {
        "step": "whole",
        "threshold": "number",
        "method": "choice",
        "names": "list",
        "options": "mapping",
        "limit": "whole",
    }
    assert found["limit"].takes == "a whole number of at least 1, or nothing"


def test_the_json_twin() -> None:
    shown = json.loads(example("json"))["parameters"][0]
    assert shown == read("python", "python", "python3")["step"].model_dump(mode="json")


def test_each_kind_has_its_line() -> None:
    for kind in KINDS:
        assert f"| `{kind}` |" in PAGE
