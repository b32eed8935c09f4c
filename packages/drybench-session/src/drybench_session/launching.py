"""From JupyterLab to the other apps of its session: what its launcher shows, and a terminal by itself."""

from __future__ import annotations

import json
from collections.abc import Iterable

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado.web import Application, authenticated

from drybench_session.apps import App

# JupyterLab keeps what is open by workspace: this one has a terminal and nothing else. See extension.js.
TERMINAL = "lab/workspaces/drybench-terminal?drybench=terminal"


def add_launching(app: Application, apps: Iterable[App]) -> None:
    told = json.dumps([{"name": one.name, "title": one.title} for one in apps])
    app.settings.setdefault("page_config_data", {})["drybenchApps"] = told
    app.add_handlers(".*$", [(url_path_join(app.settings["base_url"], "terminal/?"), Terminal)])


class Terminal(JupyterHandler):
    @authenticated
    def get(self) -> None:
        self.redirect(url_path_join(self.base_url, TERMINAL))
