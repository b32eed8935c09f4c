"""A session's server: JupyterHub's single-user server on a port of its own choice.

The system picks the port when the socket is bound, so that no two can clash, and the task's
`address.json` says which it is.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

from tornado.ioloop import IOLoop
from tornado.netutil import bind_sockets
from traitlets import default

from drybench_runner.own_kernel_specs import OwnKernelSpecs
from drybench_runner.quick_imports import ADDRESSES, without

with without(ADDRESSES):
    from jupyter_server.serverapp import ServerApp
    from jupyterhub.singleuser.extension import JupyterHubSingleUser


class Server(ServerApp):
    """Binds once and keeps what it bound; the stock one looks for a free port, lets go and hopes."""

    _bound: list[socket.socket]

    @default("kernel_spec_manager_class")
    def _own_kernels_too(self) -> type[OwnKernelSpecs]:
        """Unless an image or a person brings another class by their configuration."""
        return OwnKernelSpecs

    def _find_http_port(self) -> None:
        self._bound = bind_sockets(0, self.ip)
        self.port = self._bound[0].getsockname()[1]

    def _bind_http_server_tcp(self) -> bool:
        self.http_server.add_sockets(self._bound)
        later: Any = IOLoop.current()
        later.add_callback(announce, self, self.port)
        return True


async def announce(server: Any, port: int) -> None:
    """Where it answers, once it is as whoever comes first is to find it."""
    try:
        if notebook := os.environ.get("DRYBENCH_HELD_NOTEBOOK"):
            await open_on_kept_kernel(server, notebook)
    finally:
        write_address(Path(os.environ["DRYBENCH_TASK_DIR"]), port)


def serve(words: list[str]) -> int:
    """`words` is what the spawner would have started: jupyterhub-singleuser and its arguments."""
    arguments = words[1:] if words and not words[0].startswith("-") else words
    sys.argv = ["jupyterhub-singleuser", *arguments, *_needed(arguments)]
    # Not a subclass: the server finds the extension by the package that its class is in.
    JupyterHubSingleUser.serverapp_class = Server
    launch: Any = JupyterHubSingleUser.launch_instance
    launch()
    return 0


def write_address(folder: Path, port: int) -> None:
    new = folder / ".address.json.new"
    new.write_text(json.dumps({"format": 1, "port": port}))
    new.replace(folder / "address.json")


async def open_on_kept_kernel(server: Any, notebook: str) -> None:
    """The kernel of a failed run belongs to the copy of its notebook from the start."""
    for id in server.kernel_manager.list_kernel_ids():
        name = notebook.rsplit("/", 1)[-1]
        await server.session_manager.create_session(path=notebook, name=name, type="notebook", kernel_id=id)


def _needed(arguments: list[str]) -> list[str]:
    is_root = os.getuid() == 0 and "--allow-root" not in arguments
    kept: list[str] = []
    if held := os.environ.get("DRYBENCH_HELD"):
        kernels = _kept_kernels(Path(held) / "kernels", os.environ.get("DRYBENCH_HELD_TASK"))
        kept = [f"--ServerApp.external_connection_dir={kernels}", "--ServerApp.allow_external_kernels=True"]
    return (["--allow-root"] if is_root else []) + kept


def _kept_kernels(kernels: Path, task: str | None) -> Path:
    """In a container another's sockets lie elsewhere than where its kernel says: so a copy that says where."""
    if not task:
        return kernels
    own = os.environ["DRYBENCH_TASK_DIR"]
    copies = Path(own) / "kept-kernels"
    copies.mkdir(mode=0o700, exist_ok=True)
    for kernel in kernels.glob("*.json"):
        said = json.loads(kernel.read_bytes())
        if said["ip"].startswith(f"{own}/"):  # it has the same name for a folder of its own
            said["ip"] = f"{task}/{Path(said['ip']).relative_to(own)}"
        (copies / kernel.name).write_text(json.dumps(said))
    return copies
