"""How pages are found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi.routing import APIRoute


class PageRoute(APIRoute):
    """Answers HEAD like GET, as checkers of links ask; the server leaves the body out. Not for streams."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        super().__init__(path, endpoint, **more)
        methods = self.methods or set[str]()
        if "GET" in methods:
            methods.add("HEAD")
