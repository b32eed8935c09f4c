"""JupyterLab by itself, for an image that was started with nothing around it: `docker run -p 8888:8888 IMAGE`."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path
from typing import Any

from tornado.ioloop import IOLoop
from traitlets.config import Config

from drybench_runner.quick_imports import ADDRESSES, without

with without(ADDRESSES):
    from jupyter_server.serverapp import ServerApp

PORT = 8888


class Server(ServerApp):
    """Says its link once, when it answers; the stock one says it twice, with the container's own name in it."""

    def _bind_http_server_tcp(self) -> bool:
        bound: bool = super()._bind_http_server_tcp()
        later: Any = IOLoop.current()
        later.add_callback(say, self)
        return bound


def serve() -> int:
    os.environ["HOME"] = str(writable_home())
    launch: Any = Server.launch_instance
    launch(argv=[], config=settings(Path.home()))
    return 0


def settings(home: Path) -> Config:
    """The token is never among a command's words, where every process could read it."""
    config: Any = Config()
    config.IdentityProvider.token = secrets.token_urlsafe(32)
    config.ServerApp.update(ip="0.0.0.0", port=PORT, port_retries=0, open_browser=False, root_dir=str(home))
    config.ServerApp.update(allow_root=os.getuid() == 0, allow_remote_access=True, answer_yes=True, log_level="WARN")
    config.LabApp.log_level = "WARN"
    return config


def writable_home() -> Path:
    """`docker run --user` may name somebody whom the image has no home for: what they write goes with the container."""
    home = Path.home()
    return home if os.access(home, os.W_OK) else Path(tempfile.mkdtemp(prefix="home-"))


def say(server: Any) -> None:
    link = f"http://127.0.0.1:{server.port}{server.base_url}lab?token={server.identity_provider.token}"
    print(f"JupyterLab is ready. Open this link in a browser:\n\n    {link}\n", flush=True)
