"""What people type into the fields of a form, as values.

Here and not in the browser, whose numbers end at 2^53 and which cannot read Python.
"""

from __future__ import annotations

import ast
import json
from typing import Any

_BROKEN = (ValueError, SyntaxError, TypeError, MemoryError, RecursionError)


def value(text: str) -> Any:
    """As JSON, else as Python writes it; what is neither is text, and whether that will do is the bench's to say."""
    for read in (json.loads, ast.literal_eval):
        try:
            found = read(text.strip())
            json.dumps(found, allow_nan=False)
        except _BROKEN:
            continue
        return found
    return text
