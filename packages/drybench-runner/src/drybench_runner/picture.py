"""The last picture that a notebook showed, as a small file beside its result."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

LARGEST = 2 << 20  # bytes
_KINDS = {"image/png": ("picture.png", b"\x89PNG"), "image/jpeg": ("picture.jpg", b"\xff\xd8\xff")}


class Picture:
    def __init__(self) -> None:
        self._kind = ""
        self._text = ""

    def take(self, data: Mapping[str, Any]) -> None:
        for kind in _KINDS:
            text: Any = data.get(kind)
            if isinstance(text, str) and len(text) * 3 // 4 <= LARGEST:
                self._kind, self._text = kind, text
                return

    def file(self) -> tuple[str, bytes] | None:
        """Its name and what is in it, where it is what it says."""
        if not self._text:
            return None
        name, beginning = _KINDS[self._kind]
        try:
            data = base64.b64decode(self._text)
        except (binascii.Error, ValueError):
            return None
        return (name, data) if data.startswith(beginning) else None
