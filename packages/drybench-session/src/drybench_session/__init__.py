"""The server half of Run in the Background: what JupyterLab asks here is asked of the bench."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp


# Jupyter calls both by their names
def _jupyter_server_extension_points() -> list[dict[str, str]]:  # pyright: ignore[reportUnusedFunction]
    return [{"module": "drybench_session"}]


def _load_jupyter_server_extension(server: ServerApp) -> None:  # pyright: ignore[reportUnusedFunction]
    """Outside a session there is nobody to ask of runs; a desktop may be shown all the same."""
    guests_key = os.environ.pop("DRYBENCH_GUEST", "")  # no program started here is to have it
    url, token = os.environ.get("DRYBENCH_URL"), os.environ.get("DRYBENCH_TOKEN")
    if url and token:
        from drybench_session.handlers import add_handlers

        add_handlers(server.web_app, url, token, os.environ)
    from drybench_session import apps
    from drybench_session.launching import add_launching

    on_screens = apps.on_screens(os.environ)
    add_launching(server.web_app, on_screens.values())
    if on_screens:
        from drybench_session.desktop.opening import open_screens

        open_screens(server.web_app, on_screens, os.environ, guests_key)
