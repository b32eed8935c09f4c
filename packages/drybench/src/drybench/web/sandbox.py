"""A notebook as HTML, in a frame that can do nothing: what a task wrote is hostile.

The page is served with a policy that gives it an origin of its own (none), no network, no forms and no
way to its parent but messages. Its libraries are ours; nothing comes from a CDN. While a run goes on the
frame shows the notebook as it was given, and `static/frame/grow.js` fills in what the page hands it.
"""

from __future__ import annotations

import json
import logging
import threading
from functools import cache
from typing import Any, cast

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from drybench.phases import Phase
from drybench.runs.notebooks import read_notebook
from drybench.web.door import ForAll
from drybench.web.portal import Here
from drybench.web.routing import PageRoute
from drybench.web.screen import amount
from drybench.web.templating import HERE, templates

log = logging.getLogger(__name__)

MOST_SHOWN = 30 << 20  # bytes of a notebook; a larger one is for downloading
AT_ONCE = threading.BoundedSemaphore(1)  # one notebook is made into HTML at a time: it takes a core
ORDER = [
    "application/javascript",
    "text/html",
    "text/markdown",
    "image/svg+xml",
    "text/latex",
    "image/png",
    "image/jpeg",
    "text/plain",
]

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/runs/{id}/notebook.html")
def notebook_frame(request: Request, portal: Here, asker: ForAll, id: str) -> Response:
    """Only ever in its frame: by itself it could at least lead somewhere else."""
    run = portal.runs.get(asker.person, id)
    if request.headers.get("sec-fetch-dest") == "document":
        return RedirectResponse(f"/runs/{id}", 303)
    growing = run.task.phase is not Phase.ENDED
    content = portal.run_folders.given_notebook(id) if growing else portal.run_folders.notebook(id, run.attempt)
    return HTMLResponse(_html(content, portal.addresses.public, growing), headers=policy(portal.addresses.public))


def policy(public: str) -> dict[str, str]:
    ours = f"{public}/static/vendor/ {public}/static/frame/"
    rules = (
        "sandbox allow-scripts",
        "default-src 'none'",
        f"script-src 'unsafe-inline' 'unsafe-eval' {ours}",
        f"style-src 'unsafe-inline' {ours}",
        f"font-src data: {ours}",
        f"img-src data: blob: {ours}",
        "media-src data: blob:",
        "connect-src 'none'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'self'",
    )
    return {"content-security-policy": "; ".join(rules)}


def _html(content: bytes, public: str, growing: bool) -> str:
    if len(content) > MOST_SHOWN:
        return _instead("too_large", amount(len(content)))
    try:
        notebook = read_notebook(content, MOST_SHOWN)  # lines joined: nbconvert takes no others
        with AT_ONCE:
            return _converted(_as_it_begins(notebook) if growing else notebook, public, growing)
    except Exception:
        log.warning("a notebook could not be shown", exc_info=True)
        return _instead("unreadable", "")


def _instead(why: str, size: str) -> str:
    return templates().get_template("frame_instead.html").render(why=why, size=size)


def _converted(notebook: dict[str, Any], public: str, growing: bool) -> str:
    import nbformat

    node = cast("Any", nbformat).from_dict(notebook)  # it has no types
    resources = {"static": f"{public}/static", "growing": growing, "math": _may_have_math(notebook)}
    return _exporter(public).from_notebook_node(node, resources)[0]


@cache
def _exporter(public: str) -> Any:
    """Imported at the first notebook that is shown: it takes a second, and the portal starts without it."""
    from nbconvert.exporters import HTMLExporter
    from traitlets.config import Config

    config = Config()
    config.NbConvertBase.display_data_priority = ORDER
    return HTMLExporter(
        config=config,
        extra_template_basedirs=[str(HERE / "templates" / "nbconvert")],
        template_name="drybench",
        exclude_anchor_links=True,
        require_js_url=f"{public}/static/vendor/requirejs/require.js",
        mathjax_url=f"{public}/static/vendor/mathjax/MathJax.js?config=TeX-AMS-MML_HTMLorMML-full,Safe",
    )


def _as_it_begins(notebook: dict[str, Any]) -> dict[str, Any]:
    """Without what a former run left in it, and each cell to be found by its place."""
    cells = [{**cell, "id": f"cell-{place}"} for place, cell in enumerate(notebook["cells"])]
    for cell in cells:
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
    return {**notebook, "nbformat_minor": 5, "cells": cells}


def _may_have_math(notebook: dict[str, Any]) -> bool:
    """MathJax is 60 files: only where there may be something to typeset."""
    text = json.dumps(notebook["cells"])
    return "text/latex" in text or any(
        "$" in "".join(cell["source"]) or "\\\\" in "".join(cell["source"])
        for cell in notebook["cells"]
        if cell["cell_type"] == "markdown"
    )
