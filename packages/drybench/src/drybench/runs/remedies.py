"""What can be done at once about a run that did not end well. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from drybench.model import Size
from drybench.phases import Reason


def larger_size(reason: Reason | None, size: str, sizes: Sequence[Size]) -> Size | None:
    """The smallest one with more memory, where it was memory that was missing."""
    if reason is not Reason.OUT_OF_MEMORY:
        return None
    had = next((one.memory for one in sizes if one.name == size), 0)
    return min((one for one in sizes if one.memory > had), key=lambda one: one.memory, default=None)
