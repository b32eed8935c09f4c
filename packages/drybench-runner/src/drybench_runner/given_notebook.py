"""The notebook as it was given, in the form in which nbclient wants it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from drybench_runner.book import without_error_markers


class Node(dict[str, Any]):
    """A part of a notebook with attributes, without importing nbformat before the kernel is started."""

    __getattr__ = dict[str, Any].__getitem__
    __setattr__ = dict[str, Any].__setitem__


def empty() -> Node:
    return Node(nbformat=4, nbformat_minor=5, metadata=Node(), cells=[])


def read(file: Path) -> Node:
    """ValueError where it is none that can be run."""
    try:
        notebook = json.loads(file.read_bytes(), object_hook=Node)
    except (OSError, RecursionError) as problem:
        raise ValueError(str(problem)) from None
    if not isinstance(notebook, Node) or notebook.get("nbformat") != 4:
        raise ValueError("it is not in nbformat 4")
    try:
        notebook.setdefault("metadata", Node())
        notebook["cells"] = without_error_markers(notebook["cells"])
        for cell in notebook["cells"]:
            cell.setdefault("metadata", Node())
            cell["source"] = "".join(cell["source"])
    except (AttributeError, KeyError, TypeError):
        raise ValueError("its cells are broken") from None
    return notebook
