"""A notebook's parameters as papermill knows them: read, checked, put in.

papermill's own library infers and injects, so that a notebook written for it runs unchanged. It takes
over a second to import and is therefore imported at its first use.
"""

# pyright: standard
# (papermill has no types)

from __future__ import annotations

import ast
import difflib
import json
import keyword
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast, overload

from drybench import errors
from drybench.runs.notebooks import Notebook, kernel_of, language_of, tagged
from drybench.runs.parameter_types import mismatch, type_of

_MOST = 1 << 20  # bytes of all values together, as JSON


@dataclass(frozen=True)
class Parameter:
    """`type` is the annotation's word, else that of the default; empty where nobody can tell."""

    name: str
    type: str = ""
    default: str = ""  # as it is written in the cell
    help: str = ""


@dataclass(frozen=True)
class Parameters(Sequence[Parameter]):
    """What a notebook says of its parameters."""

    found: tuple[Parameter, ...] = ()
    has_cell: bool = True
    note: str = ""  # why nothing is known of them, where that is so

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
    if cell is None:
        return Parameters(has_cell=False, note="The notebook has no cell tagged `parameters`.")
    language = language_of(notebook) or "python"
    if language.lower() not in {"python", "ipython"}:
        return Parameters(note=f"Parameters can be read from a cell in Python only; this one is in {language}.")
    return Parameters(tuple(_together(_by_lines(cell), _by_syntax(cell["source"]))))


def check(parameters: Parameters, given: Mapping[str, Any]) -> dict[str, Any]:
    """The values as they go in, or every problem at once."""
    if given and not parameters.has_cell:
        raise errors.NoParametersCell(names=_listed(given))
    values = _as_json(given)
    problems = [problem for name, value in values.items() if (problem := _problem(parameters, name, value))]
    if problems:
        raise errors.ParametersWrong(problems="; ".join(problems), next_step=_next_step(parameters))
    return values


def inject(notebook: Notebook, values: Mapping[str, Any]) -> Notebook:
    """A copy with papermill's injected cell and its metadata; without values the same notebook."""
    if not values:
        return notebook
    import nbformat
    from papermill.exceptions import PapermillException
    from papermill.parameterize import parameterize_notebook

    node = nbformat.from_dict(_as_papermill_loads(notebook))
    kernel, language = kernel_of(notebook) or "python3", language_of(notebook) or "python"
    try:
        return parameterize_notebook(node, dict(values), kernel_name=kernel, language=language)
    except (PapermillException, NotImplementedError):
        problem = f"papermill cannot write these values in {language}"
        raise errors.ParametersWrong(problems=problem, next_step="Set them in the notebook itself.") from None


def _by_lines(cell: Notebook) -> Iterator[Parameter]:
    """papermill's own reading, which knows the comment behind a parameter."""
    from papermill.translators import PythonTranslator

    for found in PythonTranslator.inspect(cell):
        kind = "" if found.inferred_type_name == "None" else found.inferred_type_name
        yield Parameter(found.name, kind, found.default, found.help)


def _by_syntax(source: str) -> Iterator[Parameter]:
    """What papermill's reading does not see: `x: int | None = 1`, and text with `=` or `#` in it."""
    try:
        statements = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return  # a magic, for instance: papermill's reading stands alone
    for statement in statements:
        if isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets, kind = [statement.target], ast.unparse(statement.annotation)
        elif isinstance(statement, ast.Assign):
            targets, kind = statement.targets, ""
        else:
            continue
        default = ast.get_source_segment(source, cast("ast.expr", statement.value)) or ""
        yield from (Parameter(target.id, kind, default) for target in targets if isinstance(target, ast.Name))


def _together(by_lines: Iterable[Parameter], by_syntax: Iterable[Parameter]) -> Iterator[Parameter]:
    lines, syntax = ({parameter.name: parameter for parameter in found} for found in (by_lines, by_syntax))
    for name in syntax | lines:
        found = syntax.get(name) or lines[name]
        said = lines.get(name, found)
        yield Parameter(name, found.type or said.type or type_of(found.default), found.default, said.help)


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
    return json.loads(text)


def _problem(parameters: Parameters, name: str, value: Any) -> str | None:
    if not name.isidentifier() or keyword.iskeyword(name):
        return f"{name[:80]!a} cannot be the name of a parameter"
    known = {parameter.name: parameter for parameter in parameters}
    if name in known:
        problem = mismatch(known[name].type, known[name].default, value)
        return f"`{name}` {problem}" if problem else None
    if parameters.note:
        return None
    near = difflib.get_close_matches(name, known, n=1)
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
