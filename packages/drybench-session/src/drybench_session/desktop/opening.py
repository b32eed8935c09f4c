"""Screens, put into a session's server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jupyter_server.utils import url_path_join
from tornado.ioloop import IOLoop
from tornado.web import Application

from drybench_session.apps import App
from drybench_session.desktop.beside import Beside
from drybench_session.desktop.beside import routes as beside_routes
from drybench_session.desktop.handlers import Desk, add_screens
from drybench_session.desktop.last_input import LastInput
from drybench_session.desktop.screens import Screens
from drybench_session.desktop.stream import Viewers
from drybench_session.desktop.telling import tell


def open_screens(app: Application, apps: Mapping[str, App], environ: Mapping[str, str], guests_key: str) -> Desk:
    """They start when somebody looks at them; what the session was asked for, at once."""
    task = Path(folder) if (folder := environ.get("DRYBENCH_TASK_DIR")) else None
    screens = Screens(apps, dict(environ), Path.home())
    desk = Desk(
        screens=screens,
        viewers={screen.app.name: Viewers(screen) for screen in screens},
        last_input=LastInput(task),
        owner=environ.get("JUPYTERHUB_USER", ""),
        guests_key=guests_key,
        base_url=app.settings["base_url"],
        home=_home(environ),
        share=environ.get("DRYBENCH_SHARE_PAGE", ""),
    )
    add_screens(app, desk)
    _add_what_is_beside(app, desk, task)
    if (first := environ.get("DRYBENCH_OPENS", "")) in apps:
        later: Any = IOLoop.current()
        later.add_callback(screens[first].start)
    return desk


def _add_what_is_beside(app: Application, desk: Desk, task: Path | None) -> None:
    """Files both ways, pictures that are copied, the trace; video where the environment has what makes it."""
    beside = Beside.of(Path.home(), task, desk.screens.environ, desk.owner)
    ours = url_path_join(desk.base_url, "drybench")
    app.add_handlers(".*$", [(f"{ours}/{path}", handler, known) for path, handler, known in beside_routes(beside)])
    for screen in desk.screens:
        tell(screen, desk.viewers[screen.app.name], beside.offers)


def _home(environ: Mapping[str, str]) -> str:
    """Sessions that can be shared have a host name of their own, and the bench another; else both are on one."""
    share = urlsplit(environ.get("DRYBENCH_SHARE_PAGE", ""))
    return f"{share.scheme}://{share.netloc}/" if share.netloc else environ.get("JUPYTERHUB_BASE_URL", "")
