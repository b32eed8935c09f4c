"""Make a page out of a template, with what every page needs."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from drybench.web import screen

HERE = Path(__file__).parent
APART = ("/api/", "/hub/", "/live", "/static/")  # addresses that programs ask


def page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    now = datetime.now(UTC)
    asker = values.setdefault("asker", None)
    values |= {
        "addresses": request.app.state.portal.addresses,
        "ago": partial(screen.ago, now=now),
        "key": uuid4().hex,
        "now": now,
        "path": request.url.path,
        "static": static,
        "took": partial(screen.took, now=now),
        "xsrf": asker.xsrf if asker else "",
    }
    return HTMLResponse(templates().get_template(template).render(values), status)


def wants_html(request: Request) -> bool:
    """A browser that looks at a page, or a page that asks for its own parts."""
    asks = "text/html" in request.headers.get("accept", "") or "hx-request" in request.headers
    return asks and not request.url.path.startswith(APART)


@cache
def templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(screen.FILTERS)
    return environment


@cache
def static(name: str) -> str:
    """The address of one of our files, with a mark of its content, so that browsers may keep it for good."""
    mark = sha256((HERE / "static" / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={mark}"
