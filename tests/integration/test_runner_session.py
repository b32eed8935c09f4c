"""A session's server says where it answers, and answers there."""

from __future__ import annotations

import json
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError

import pytest

from tests.waiting import PATIENCE, wait_for


class Hub(BaseHTTPRequestHandler):
    """As much of a Hub as a server asks for when it starts."""

    def do_GET(self) -> None:
        body = b'{"version": "6.1.1"}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-JupyterHub-Version", "6.1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the name that http.server asks for

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hub/api"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_session_takes_a_port_of_its_own_and_says_which(hub: str, tmp_path: Path, python_environment: Path) -> None:
    env = {
        "HOME": str(tmp_path),
        "PATH": f"{python_environment}/bin:/usr/bin:/bin",
        "DRYBENCH_TASK_DIR": str(tmp_path),
        "JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:0/user/ada/lab/",
        "JUPYTERHUB_SERVICE_PREFIX": "/user/ada/lab/",
        "JUPYTERHUB_API_URL": hub,
        "JUPYTERHUB_ACTIVITY_URL": f"{hub}/users/ada/activity",
        "JUPYTERHUB_API_TOKEN": "secret",
        "JUPYTERHUB_CLIENT_ID": "jupyterhub-user-ada-lab",
        "JUPYTERHUB_USER": "ada",
        "JUPYTERHUB_SERVER_NAME": "lab",
    }
    command = [
        str(python_environment / "bin/python"),
        "-m",
        "drybench_runner",
        "session",
        "--",
        "jupyterhub-singleuser",
    ]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, env=env, cwd=tmp_path, stdout=log, stderr=log)
    try:
        wait_for((tmp_path / "address.json").exists)
        port = json.loads((tmp_path / "address.json").read_text())["port"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/user/ada/lab/api", timeout=PATIENCE) as answer:
            assert "version" in json.load(answer)
        with pytest.raises(HTTPError, match="403") as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/user/ada/lab/api/status", timeout=PATIENCE)
        refused.value.close()
        assert "/user/ada/lab/lab" in (tmp_path / "log").read_text()
    finally:
        process.terminate()
        process.wait(PATIENCE)
