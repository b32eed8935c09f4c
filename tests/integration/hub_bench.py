"""A real JupyterHub and a real traefik around a small stand-in for the portal and for sessions."""

from __future__ import annotations

import asyncio
import html
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from typing import Any, ClassVar
from urllib.parse import urlsplit

import httpx

from drybench import addresses as bench_addresses
from drybench import settings
from drybench.addresses import Addresses
from drybench.data_folder import DataFolder
from drybench.hub import tickets
from drybench.hub_client import HubClient, HubServer
from drybench.proxying import write_proxy_files
from drybench.secret_files import secret
from tests import plain_http
from tests.bench import A_WHOLE_BENCH
from tests.free_ports import free_port
from tests.waiting import PATIENCE, wait_for

BIN = Path(sys.executable).parent


class Quiet(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None: ...

    def say(self, status: int, body: Any = None, content_type: str = "application/json") -> None:
        text = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"null")


@dataclass
class StandInTask:
    person: str
    session: str
    phase: str = "starting"
    wanted: str = "run"
    answers: bool = False
    handed_over: bool = False
    address: str | None = None
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    command: tuple[str, ...] = ()
    handovers: int = 0
    stops: int = 0
    server: ThreadingHTTPServer | None = None
    awake: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.awake.set()

    def seen(self) -> dict[str, Any]:
        names = ("phase", "wanted", "answers", "address", "person", "session", "handed_over")
        return {"sentence": "", "outcome": None, **{name: getattr(self, name) for name in names}}

    def go(self) -> None:
        self.server = serving(SessionPage, task=self)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        self.phase, self.answers, self.handed_over = "running", True, True

    def end(self) -> None:
        self.phase, self.answers = "ended", False
        self.awake.set()
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


class SessionPage(Quiet):
    """The session itself: it says whose it is and what came to it."""

    task: ClassVar[StandInTask]

    def do_GET(self) -> None:
        self.task.awake.wait(60)
        whose = f"{self.task.person}/{self.task.session}"
        self.say(200, {"session": whose, "path": self.path, "headers": dict(self.headers)})


class PortalPage(Quiet):
    def do_GET(self) -> None:
        self.say(200, {"portal": self.path, "headers": dict(self.headers)})


class PortalDoor(Quiet):
    """What comes in by the Unix socket."""

    portal: ClassVar[StandInPortal]

    def address_string(self) -> str:
        return "socket"

    def do_GET(self) -> None:
        task = self.portal.tasks.get(self.path.rpartition("/")[2])
        self.say(200, task.seen()) if task else self.refuse(404)

    def do_POST(self) -> None:
        asked = self.body()
        if self.path == "/hub/handover":
            self.hand_over(asked)
        elif self.path.endswith("/stop"):
            self.stop(self.portal.tasks[self.path.split("/")[3]])
        elif self.path.startswith("/hub/people/"):
            self.portal.gone.append(self.path.split("/")[3])
            self.say(204, "")

    def hand_over(self, asked: Any) -> None:
        task = self.portal.tasks.get(asked["task"])
        theirs = task and (task.person, task.session) == (asked["person"], asked["session"])
        if not task or not theirs or task.phase == "ended" or task.wanted == "stop":
            self.refuse(409)
            return
        task.handovers += 1
        task.env, task.command = asked["env"], tuple(asked["command"])
        task.handed_over = not self.portal.forgets_handovers
        if self.portal.starts_at_once and task.server is None:
            task.go()
        self.say(200, {"task": asked["task"]})

    def stop(self, task: StandInTask) -> None:
        task.stops += 1
        task.wanted = "stop"
        task.end()
        self.say(202, {})

    def refuse(self, status: int) -> None:
        self.say(status, {"code": "task_not_wanted", "sentence": "Not wanted here.", "next_step": "Ask again."})


class UnixServer(ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 50


class StandInPortal:
    """The routes of the Unix socket over a table of tasks; it can be told to be away."""

    def __init__(self, data: DataFolder, port: int) -> None:
        self.data = data
        self.tasks: dict[str, StandInTask] = {}
        self.gone: list[str] = []
        self.starts_at_once = True
        self.forgets_handovers = False  # as one that is killed before it has saved what it started
        self._socket: UnixServer | None = None
        self._pages = serving(PortalPage, port)
        self.come()

    @property
    def is_away(self) -> bool:
        return self._socket is None

    def come(self) -> None:
        self.data.socket.unlink(missing_ok=True)
        self._socket = UnixServer(str(self.data.socket), type("Door", (PortalDoor,), {"portal": self}))
        threading.Thread(target=self._socket.serve_forever, args=(0.02,), daemon=True).start()

    def go_away(self) -> None:
        if self._socket is not None:
            self._socket.shutdown()
            self._socket.server_close()
            self._socket = None

    def close(self) -> None:
        self.go_away()
        self._pages.shutdown()
        self._pages.server_close()
        for task in self.tasks.values():
            task.end()


def serving(page: type[Quiet], port: int = 0, **known: Any) -> ThreadingHTTPServer:
    server = ThreadingHTTPServer(("127.0.0.1", port), type(page.__name__, (page,), known))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server


@dataclass
class HubBench:
    """`hub` and `proxy` are real processes; `portal` stands in."""

    data: DataFolder
    addresses: Addresses
    portal: StandInPortal
    token: str
    proxy: subprocess.Popen[bytes] | None = None
    hub: subprocess.Popen[bytes] | None = None

    def start_proxy(self) -> None:
        command = [BIN / "traefik", "--configfile", self.data.proxy / "traefik.toml"]
        with (self.data.logs / "proxy").open("ab") as log:
            self.proxy = subprocess.Popen(command, stdout=log, stderr=log)

    def start_hub(self) -> None:
        config = Path(tickets.__file__).with_name("jupyterhub_config.py")
        command = [sys.executable, "-m", "drybench.hub", "-f", config]
        environ = {**os.environ, "DRYBENCH_DATA": str(self.data.path)}
        with (self.data.logs / "hub").open("ab") as log:
            self.hub = subprocess.Popen(command, cwd=self.data.hub, env=environ, stdout=log, stderr=log)

    def wait_until_up(self) -> None:
        wait_for(self.is_up, A_WHOLE_BENCH)

    def be_whole(self) -> None:
        """As at first, whatever a test that failed in its middle left away."""
        self.portal.starts_at_once, self.portal.forgets_handovers = True, False
        if self.portal.is_away:
            self.portal.come()
        if self.proxy is None or self.proxy.poll() is not None:
            self.start_proxy()
        if self.hub is None or self.hub.poll() is not None:
            self.start_hub()
        self.wait_until_up()

    def is_up(self) -> bool:
        """By way of the proxy; before the Hub's route is there the portal answers everything."""
        try:
            return "version" in self.get("/hub/api/").json()
        except (httpx.HTTPError, ValueError):
            return False

    def kill_hub(self) -> None:
        assert self.hub is not None
        self.hub.send_signal(signal.SIGKILL)
        self.hub.wait(PATIENCE)

    def get(self, path: str, host: str | None = None, **more: Any) -> httpx.Response:
        """Through traefik, under the main host name or another one."""
        headers = {"Host": host or urlsplit(self.addresses.public).netloc, **more.pop("headers", {})}
        door = f"{urlsplit(self.addresses.public).scheme}://127.0.0.1:{self.addresses.port}"
        return plain_http.ask("GET", door + path, headers=headers, **more)

    def hub_says(self) -> str:
        return (self.data.logs / "hub").read_text(errors="replace")

    def api(self, method: str, path: str, token: str | None = None, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"token {token or self.token}"}
        return plain_http.ask(method, self.addresses.hub_api + path, headers=headers, **more)

    def task(self, id: str, person: str, session: str) -> StandInTask:
        """As the ledger has it when there is room: the Hub is about to be asked."""
        return self.portal.tasks.setdefault(id, StandInTask(person, session))

    def start(self, id: str, person: str, session: str) -> StandInTask:
        task = self.task(id, person, session)
        self.ask_hub("start_server", person, session, id)
        wait_for(lambda: self.is_ready(person, session))
        return task

    def is_ready(self, person: str, session: str) -> bool:
        return any(it.ready and it.person == person for it in self.at_hub(session))

    def at_hub(self, session: str) -> list[HubServer]:
        return [it for it in self.ask_hub("servers") if it.session == session]

    def session_says(self, person: str, session: str) -> Any:
        """None where it is the portal that answers; for a moment after a stop it is traefik, by 502."""
        answer = self.get(f"/user/{person}/{session}/hello")
        return answer.reason_phrase if answer.status_code == 502 else answer.json().get("session")

    def ask_hub(self, question: str, *args: Any) -> Any:
        async def ask() -> Any:
            client = HubClient(self.addresses, self.token)
            try:
                return await getattr(client, question)(*args)
            finally:
                await client.close()

        return asyncio.run(ask())

    def close(self) -> None:
        processes = [process for process in (self.hub, self.proxy) if process is not None]
        for process in processes:
            process.kill()
        for process in processes:
            process.wait(PATIENCE)
        self.portal.close()


class Browser:
    """Cookies, forms and redirects, as a browser has them; requests go to traefik whatever the host."""

    def __init__(self, bench: HubBench) -> None:
        self.bench = bench
        self.client = httpx.Client(trust_env=False, transport=_ToTraefik(bench.addresses.port), timeout=PATIENCE)

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.client.close()

    def get(self, path: str, follow: bool = True) -> httpx.Response:
        return self.client.get(self._whole(path), headers={"Accept": "text/html"}, follow_redirects=follow)

    def post(self, path: str, fields: Mapping[str, str], follow: bool = True, **more: Any) -> httpx.Response:
        return self.client.post(self._whole(path), data=dict(fields), follow_redirects=follow, **more)

    def redeem(self, secret: str, **more: str) -> httpx.Response:
        page = self.get("/hub/ticket")
        return self.post("/hub/ticket", {"_xsrf": xsrf_of(page), "code": secret, **more}, follow=False)

    def make_token(self, name: str) -> str:
        """As the Hub's token page does it."""
        found = re.search(r'xsrf_token: "([^"]+)"', self.get("/hub/token").text)
        assert found
        address = self._whole(f"/hub/api/users/{name}/tokens?_xsrf={found[1]}")
        answer = self.client.post(address, json={"note": "made by hand"})
        return answer.raise_for_status().json()["token"]

    def _whole(self, path: str) -> str:
        return path if "://" in path else self.bench.addresses.public + path


def sign_in(bench: HubBench, name: str) -> tuple[Browser, str]:
    """By a name and any password; the browser, and where the Hub sends it or what it says."""
    browser = Browser(bench)
    page = browser.get("/hub/login")
    answer = browser.post("/hub/login", {"_xsrf": xsrf_of(page), "username": name, "password": "x"}, follow=False)
    return browser, answer.headers.get("Location") or answer.text


def form_of(page: httpx.Response) -> str:
    """Where the page's form goes."""
    found = re.search(r'<form action="([^"]+)"', page.text)
    assert found, page.text
    return html.unescape(found[1])


class _ToTraefik(httpx.HTTPTransport):
    def __init__(self, port: int) -> None:
        super().__init__(verify=False)
        self.port = port

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        here = request.url.copy_with(host="127.0.0.1", port=self.port)
        content = request.read()
        return super().handle_request(httpx.Request(request.method, here, headers=request.headers, content=content))


def xsrf_of(page: httpx.Response) -> str:
    found = re.search(r'name="_xsrf" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


ANYBODY = """
[hub]
authenticator = "dummy"
[hub.traits.DummyAuthenticator]
allow_all = true
admin_users = ["boss"]
"""
SHARED = "people_share_one_host_name = true\n" + ANYBODY


def as_chosen(data: DataFolder, chosen: Addresses) -> Addresses:
    return chosen


@contextmanager
def hub_bench(
    folder: Path, lines: str = "", arranged: Callable[[DataFolder, Addresses], Addresses] = as_chosen
) -> Iterator[HubBench]:
    data = DataFolder(folder)
    data.make()
    data.settings.write_text(f'[bench]\nowner = "ada"\nport = {free_port()}\n{lines}')
    in_force = settings.load(data)
    chosen = bench_addresses.choose(in_force, data)
    if in_force.bench.address:
        chosen = replace(chosen, public=f"{in_force.bench.address}:{chosen.port}")
        chosen.save(data.bench)
    chosen = arranged(data, chosen)
    write_proxy_files(data, chosen, in_force, secret(data, "proxy_password"))
    bench = HubBench(data, chosen, StandInPortal(data, chosen.portal_port), secret(data, "portal_token"))
    try:
        bench.start_proxy()
        bench.start_hub()
        bench.wait_until_up()
        yield bench
    finally:
        bench.close()
