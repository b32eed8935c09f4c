"""Our own few files, and libraries served from where they are installed: none is copied, none comes from a CDN."""

from __future__ import annotations

import sysconfig
from importlib.util import find_spec
from pathlib import Path

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from drybench.web.guards import POLICY
from drybench.web.templating import HERE

FOR_GOOD = "public, max-age=31536000, immutable"
A_DAY = "public, max-age=86400"
FOR_A_SCREEN = f"{POLICY}; connect-src 'self' ws: wss:"
FOR_FRAMES = {"access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin"}


class OurFiles(StaticFiles):
    """Kept for good by a browser where the address carries a mark of the content."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        marked = scope["query_string"].startswith(b"v=")
        response.headers["cache-control"] = FOR_GOOD if marked else "no-cache"
        return response


class ScreenFiles(OurFiles):
    """The session's own modules that draw a screen, for guests; its pages are none of ours."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        if not path.endswith(".js"):
            raise HTTPException(404)
        response = await super().get_response(path, scope)
        response.headers["content-security-policy"] = FOR_A_SCREEN  # its worker connects by what is said here
        return response


class FrameFiles(StaticFiles):
    """For the sandboxed frame, whose origin is none: anybody may load them, and no cookie counts for them."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        ours = scope["path"].startswith("/static/frame/")  # an upgrade changes them, and they have no mark
        response.headers.update({**FOR_FRAMES, "cache-control": "no-cache" if ours else A_DAY})
        return response


def mount(app: FastAPI) -> None:
    app.mount("/static/vendor/htmx", OurFiles(directory=_package("js_lib_htmx") / "static" / "htmx"))
    components = _package("nbclassic") / "static" / "components"
    app.mount("/static/vendor/requirejs", FrameFiles(directory=components / "requirejs"))
    app.mount("/static/vendor/mathjax", FrameFiles(directory=components / "MathJax"))
    app.mount("/static/vendor/marked", FrameFiles(directory=components / "marked" / "lib"))
    app.mount("/static/vendor/plotly", FrameFiles(directory=_package("plotly") / "package_data"))
    app.mount("/static/vendor/widgets", FrameFiles(directory=_package("widgetsnbextension") / "static"))
    app.mount("/static/vendor/notebook", FrameFiles(directory=_nbconvert_styles()))
    app.mount("/static/screen", ScreenFiles(directory=_package("drybench_session") / "screen"))
    app.mount("/static/frame", FrameFiles(directory=HERE / "static" / "frame"))
    app.mount("/static", OurFiles(directory=HERE / "static"))


def _package(name: str) -> Path:
    """Where a package lies, without importing it."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"the package {name} is not installed")
    return Path(spec.origin).parent


def _nbconvert_styles() -> Path:
    return Path(sysconfig.get_path("data"), "share/jupyter/nbconvert/templates/lab/static")
