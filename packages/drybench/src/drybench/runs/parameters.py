"""A notebook's parameters: what its cell says of them, whether values fit, and how papermill puts them in.

papermill's own library injects, so that a notebook written for it runs unchanged; it takes over a second to import
and is therefore imported at its first use. Reading is our own: papermill reads Python alone, knows neither kinds nor
choices, and takes half a minute for one line of 64 KiB that was made to be slow.
"""

# pyright: standard
# (papermill has no types)

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

from drybench import errors
from drybench.runs.literals import DEEPEST
from drybench.runs.notebooks import Notebook, kernel_of, language_of, tagged
from drybench.runs.parameter_cells import LONGEST, written
from drybench.runs.parameter_checks import mismatch, name_allowed
from drybench.runs.parameter_making import Parameter, made

_MOST = 1 << 20  # bytes of all values together, as JSON
_MOST_FOUND = 1000  # as many as a form can have
_READ: Mapping[str, str] = {"python": "python", "ipython": "python", "r": "r", "julia": "julia"}


@dataclass(frozen=True)
class Parameters(Sequence[Parameter]):
    """What a notebook says of its parameters."""

    found: tuple[Parameter, ...] = ()
    has_cell: bool = True
    note: str = ""  # why not all of them are known, where that is so
    language: str = "python"

    def __len__(self) -> int:
        return len(self.found)

    @overload
    def __getitem__(self, index: int) -> Parameter: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Parameter]: ...
    def __getitem__(self, index: int | slice) -> Parameter | Sequence[Parameter]:
        return self.found[index]


def read_parameters(notebook: Notebook) -> Parameters:
    """What its cell tagged `parameters` sets."""
    cell = tagged(notebook, "parameters")
    said = language_of(notebook) or "python"
    language = _READ.get(said.lower(), "")
    if cell is None:
        note = "The notebook has no cell tagged `parameters`."
        return Parameters(has_cell=False, note=note, language=language)
    if not language:
        note = f"Parameters can be read from a cell in Python, R or Julia only; this one is in {said[:40]}."
        return Parameters(note=note, language=language)
    if len(cell["source"]) > LONGEST:
        note = f"The cell tagged `parameters` is longer than {LONGEST // 1024} KiB and was not read."
        return Parameters(note=note, language=language)
    found = written(cell["source"], language)
    note = f"Only the first {_MOST_FOUND} of {len(found)} parameters are listed." if len(found) > _MOST_FOUND else ""
    return Parameters(tuple(made(one, language) for one in found[:_MOST_FOUND]), note=note, language=language)


def check(parameters: Parameters, given: Mapping[str, Any]) -> dict[str, Any]:
    """The values as they go in, or every problem at once. What is left out keeps the notebook's own default."""
    if given and not parameters.has_cell:
        raise errors.NoParametersCell(names=_listed(given))
    values = _as_json(given)
    known = {parameter.name: parameter for parameter in parameters}
    problems = [said for name, value in values.items() if (said := _problem(parameters, known, name, value))]
    if problems:
        raise errors.ParametersWrong(problems="; ".join(problems), next_step=_next_step(parameters))
    return values


def problem_of(parameter: Parameter, value: Any) -> str | None:
    """What is wrong with one value, in a sentence that names its parameter; None where it fits."""
    try:
        (value,) = _as_json({parameter.name: value}).values()
    except errors.ParametersWrong as wrong:
        return f"`{parameter.name}` does not fit: {wrong.facts['problems']}"
    wrong = mismatch(parameter, value)
    return f"`{parameter.name}` {wrong}" if wrong else None


def inject(notebook: Notebook, values: Mapping[str, Any]) -> Notebook:
    """A copy with papermill's injected cell and its metadata; without values the same notebook."""
    if not values:
        return notebook
    import nbformat
    from papermill.exceptions import PapermillException
    from papermill.parameterize import parameterize_notebook

    from drybench.runs.papermill_languages import register

    register()
    node = nbformat.from_dict(_as_papermill_loads(notebook))
    kernel, language = kernel_of(notebook) or "python3", language_of(notebook) or "python"
    try:
        return parameterize_notebook(node, dict(values), kernel_name=kernel, language=language)
    except (PapermillException, NotImplementedError):
        problem = f"papermill cannot write these values in {language}"
        raise errors.ParametersWrong(problems=problem, next_step="Set them in the notebook itself.") from None


def _as_json(given: Mapping[str, Any]) -> dict[str, Any]:
    try:
        text = json.dumps(dict(given), allow_nan=False, ensure_ascii=False)
        size = len(text.encode())
    except (ValueError, TypeError, RecursionError):  # NaN, a cycle, half a character; not JSON's; too deep
        problem = "a value is not plain JSON (text, numbers, true, false, null, lists and objects of these)"
        raise errors.ParametersWrong(problems=problem, next_step="Give it as text, or put it into a file.") from None
    if size > _MOST:
        problem = f"they are {size / 2**20:.1f} MiB large together, and 1 MiB is the most"
        raise errors.ParametersWrong(problems=problem, next_step="Put what is large into a file and give its name.")
    values: dict[str, Any] = json.loads(text)
    if not _within(values, DEEPEST):
        problem = f"a value has more than {DEEPEST} lists in each other"
        raise errors.ParametersWrong(problems=problem, next_step="Put it into a file and give its name.")
    return values


def _within(value: object, deepest: int) -> bool:
    """Level by level: what writes the values goes down by recursion, and would end there."""
    level = [value]
    for _ in range(deepest + 1):
        inner = [part.values() if isinstance(part, dict) else part for part in level if isinstance(part, dict | list)]
        if not inner:
            return True
        level = [part for parts in inner for part in parts]
    return False


def _problem(parameters: Parameters, known: Mapping[str, Parameter], name: str, value: Any) -> str | None:
    if not name_allowed(name, parameters.language):
        return f"{name[:80]!a} cannot be the name of a parameter"
    if name in known:
        problem = mismatch(known[name], value)
        return f"`{name}` {problem}" if problem else None
    if parameters.note:
        return None
    near = difflib.get_close_matches(name[:80], known, n=1)
    return f"`{name[:80]}` is not one of them" + (f" (did you mean `{near[0]}`?)" if near else "")


def _next_step(parameters: Parameters) -> str:
    names = _listed(parameter.name for parameter in parameters)
    takes = f"It takes {names}. " if names else ""
    return f"{takes}Digits that are meant as text go in as text: in a terminal -r NAME=VALUE."


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name[:80]}`" for name in list(names)[:20])


def _as_papermill_loads(notebook: Notebook) -> Notebook:
    """With the places that papermill makes when it loads a notebook."""
    import papermill

    fresh: dict[str, Any] = {"default_parameters": {}, "parameters": {}, "environment_variables": {}}
    metadata = {"papermill": fresh | {"version": papermill.__version__}} | notebook["metadata"]
    cells = [cell | {"metadata": {"tags": [], "papermill": {}} | cell["metadata"]} for cell in notebook["cells"]]
    return notebook | {"metadata": metadata, "cells": cells}
