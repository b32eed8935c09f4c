"""A notebook as HTML, in a frame that can do nothing: what a task wrote is hostile.

The page is served with a policy that gives it an origin of its own (none), no network, no forms and no
way to its parent but messages. Its libraries are ours; nothing comes from a CDN. nbconvert sets the cells; the
outputs are drawn by `static/frame/grow.js`, in the same way whether they come at once or one after the other.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from functools import cache
from typing import Any, cast

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from drybench.model import Run
from drybench.phases import Phase
from drybench.runs.notebooks import read_notebook
from drybench.runs.run_folder import RunFolders
from drybench.web.door import ForAll
from drybench.web.journals import Journals
from drybench.web.portal import Here
from drybench.web.routing import PageRoute
from drybench.web.screen import amount
from drybench.web.so_far import Event, SoFar, as_script, events_of
from drybench.web.templating import HERE, templates

log = logging.getLogger(__name__)

MOST_SHOWN = 30 << 20  # bytes of a notebook; of a larger one the outputs are taken from its journal
AT_ONCE = threading.BoundedSemaphore(1)  # one notebook is made into HTML at a time: it takes a core
router = APIRouter(include_in_schema=False, route_class=PageRoute)


class TooMuch(Exception):
    """So many bytes of cells."""

    def __init__(self, size: int) -> None:
        self.size = size


@router.get("/runs/{id}/notebook.html")
def notebook_frame(request: Request, portal: Here, asker: ForAll, id: str) -> Response:
    """Only ever in its frame: by itself it could at least lead somewhere else."""
    run = portal.runs.get(asker.person, id)
    if request.headers.get("sec-fetch-dest") == "document":
        return RedirectResponse(f"/runs/{id}", 303)
    journals: Journals = request.app.state.journals
    public = portal.addresses.public
    return HTMLResponse(_html(portal.run_folders, journals, run, public), headers=policy(public))


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


def _html(folders: RunFolders, journals: Journals, run: Run, public: str) -> str:
    try:
        notebook, events, offset = _content(folders, journals, run)
        with AT_ONCE:
            return _converted(_as_it_begins(notebook), as_script(events, offset), public)
    except TooMuch as found:
        return _instead("too_large", amount(found.size))
    except Exception:
        log.warning("a notebook could not be shown", exc_info=True)
        return _instead("unreadable", "")


def _content(folders: RunFolders, journals: Journals, run: Run) -> tuple[dict[str, Any], Iterable[Event], int]:
    """Cells, what they put out, and up to where the journal is told by that."""
    if run.task.phase is Phase.ENDED:
        content = folders.notebook(run.id, run.attempt)
        if len(content) <= MOST_SHOWN:
            notebook = read_notebook(content, MOST_SHOWN)
            whole = SoFar()
            whole.take(events_of(notebook))
            return notebook, whole.events(), 0
    given = folders.given_notebook(run.id)
    if len(given) > MOST_SHOWN:
        raise TooMuch(len(given))
    events, offset = journals.so_far(run.id, run.attempt)
    return read_notebook(given, MOST_SHOWN), events, offset


def _instead(why: str, size: str) -> str:
    return templates().get_template("frame_instead.html").render(why=why, size=size)


def _converted(notebook: dict[str, Any], so_far: str, public: str) -> str:
    import nbformat

    node = cast("Any", nbformat).from_dict(notebook)  # it has no types
    resources = {"static": f"{public}/static", "so_far": so_far, "math": _may_have_math(notebook)}
    return _exporter(public).from_notebook_node(node, resources)[0]


@cache
def _exporter(public: str) -> Any:
    """Imported at the first notebook that is shown: it takes a second, and the portal starts without it."""
    from nbconvert.exporters import HTMLExporter

    return HTMLExporter(
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
    return any(
        "$" in "".join(cell["source"]) or "\\\\" in "".join(cell["source"])
        for cell in notebook["cells"]
        if cell["cell_type"] == "markdown"
    )
