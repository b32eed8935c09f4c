"""What can be done at once about a run that did not end well: a package that was missing, a larger size. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from drybench.model import Size
from drybench.phases import Reason

_MODULE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,60}")
CALLED_ELSE: Mapping[str, str] = {  # where the package has another name than its module
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "Bio": "biopython",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "fitz": "pymupdf",
    "git": "GitPython",
    "igraph": "python-igraph",
    "OpenSSL": "pyOpenSSL",
    "PIL": "pillow",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "tables": "tables",
    "umap": "umap-learn",
    "yaml": "PyYAML",
}


def missing_package(result: Mapping[str, Any] | None) -> str | None:
    """By what its result says, which is a task's word: only a plain name of a module counts."""
    module = (result or {}).get("missing_module")
    first = module.partition(".")[0] if isinstance(module, str) else ""
    return CALLED_ELSE.get(first, first) if _MODULE.fullmatch(first) else None


def larger_size(reason: Reason | None, size: str, sizes: Sequence[Size]) -> Size | None:
    """The smallest one with more memory, where it was memory that was missing."""
    if reason is not Reason.OUT_OF_MEMORY:
        return None
    had = next((one.memory for one in sizes if one.name == size), 0)
    return min((one for one in sizes if one.memory > had), key=lambda one: one.memory, default=None)
