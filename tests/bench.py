"""A real bench in a temporary data directory: one for the whole test run, and more for tests that kill theirs."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from drybench import python_environment
from drybench.addresses import Addresses
from drybench.data_folder import DataFolder
from drybench.engines import docker_connection, docker_network
from drybench.hub import tickets
from drybench.up.child_processes import Children
from drybench_client.bench import Bench as Client
from tests.free_ports import free_port
from tests.waiting import PATIENCE, wait_for

DRYBENCH = Path(sys.executable).parent / "drybench"
SHARED = DataFolder(Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "drybench-tests")
PARTS = ("hub", "portal", "proxy")
A_WHOLE_BENCH = 3 * PATIENCE  # seconds: it takes a machine by itself several, and others begin theirs in that moment


class Bench:
    """`drybench up` as a process of its own. What it says is in `said`."""

    def __init__(self, folder: Path, lines: str = "", containers: bool = False, ahead: bool = False) -> None:
        self.data = DataFolder(folder / "data")
        self.home = folder / "home"
        self.home.mkdir()
        self.data.make()
        (self.data.environments / "python").symlink_to(python_environment.current(SHARED).parent)
        self._port = free_port()
        self._environ = _environ(containers, ahead)
        lines = lines.replace("PORT", str(self._port))
        self.data.settings.write_text(f'{lines}\n[folders]\nhome = "{self.home}"\n')
        self.data.settings.chmod(0o600)
        self.up: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self.addresses.public

    @property
    def addresses(self) -> Addresses:
        return Addresses.load(self.data.bench)

    @property
    def said(self) -> str:
        return self._output.read_text()

    @property
    def link(self) -> str:
        """The one that `up` printed last, if it became ready."""
        return ["", *re.findall(r"^Drybench is ready: (\S+)$", self.said, re.MULTILINE)][-1]

    def start(self, *words: str, by: Sequence[str] = ()) -> None:
        """Bring it up, without waiting; `by` is what logs in to the machine where it is to be.

        The first time on a port that no other test run, brought up at the same moment, will choose too.
        """
        if not self.data.bench.exists() and "--port" not in words:
            words = ("--port", str(self._port), *words)
        if self.up:
            self.up.wait(PATIENCE)  # `drybench down` may just have ended it
        with self._output.open("wb") as output:
            self.up = subprocess.Popen(
                [*by, DRYBENCH, "up", "--data", self.data.path, *words],
                env=self._environ,
                stdout=output,
                stderr=output,
            )

    def wait_until_ready(self, seconds: float = A_WHOLE_BENCH) -> None:
        assert self.up
        wait_for(lambda: self.link or (self.up and self.up.poll() is not None), seconds)
        assert self.link, self.said + self.logs()

    def stop(self) -> float:
        """As Ctrl-C does; the seconds it took."""
        began = time.monotonic()
        if self.up:
            self.up.terminate()
            self.up.wait(PATIENCE)
        return time.monotonic() - began

    def end(self) -> None:
        """At once: nobody is there any more who would want it to end well."""
        if self.up:
            self.up.kill()
            self.up.wait(PATIENCE)
        left = Children(self.data.children).alive().values()
        for part in left:
            part.signal(signal.SIGKILL)
        wait_for(lambda: not any(part.is_alive for part in left))

    def kill(self, *parts: str) -> None:
        """With -9: hub, portal, proxy, or `up` itself."""
        for part in parts:
            os.kill(self.up.pid if part == "up" and self.up else self.pids()[part], signal.SIGKILL)
        if "up" in parts and self.up:
            self.up.wait(PATIENCE)

    def pids(self) -> dict[str, int]:
        return {name: identity.pid for name, identity in Children(self.data.children).alive().items()}

    def answers(self) -> bool:
        """All three of its parts."""
        try:
            hub = self.get("/hub/api/health").status_code
            return hub == 200 == self.get("/health").status_code
        except httpx.HTTPError:
            return False

    def be_whole(self) -> None:
        """Whatever a test before killed, or took down and, having failed in its middle, never brought up again."""
        if self.up is None or self.up.poll() is not None:
            if self.pids():
                self.run("down")  # one that is up in the background
            self.start()
            self.wait_until_ready()
        wait_for(self.answers, A_WHOLE_BENCH)

    def run(self, *words: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
        """One of the keeper's or the person's commands on this bench."""
        command = [DRYBENCH, *words, "--data", self.data.path]
        return subprocess.run(command, env=self._environ, capture_output=True, text=True, timeout=A_WHOLE_BENCH, **more)

    def owner(self) -> Client:
        """The owner's hand, by the Unix socket."""
        return Client(data=self.data.path)

    def browser(self, door: str = "127.0.0.1") -> httpx.Client:
        """Cookies and redirects as a browser has them; whatever host is named, it goes to this bench's door."""
        transport = _ToTheDoor(door, self.addresses.port)
        return httpx.Client(
            base_url=self.url, transport=transport, follow_redirects=True, timeout=PATIENCE, trust_env=False
        )

    def get(self, path: str, **more: Any) -> httpx.Response:
        with self.browser() as browser:
            return browser.get(path, **more)

    def ticket(self) -> str:
        return tickets.new_ticket(self.data)

    def signed_in(self, ticket: str | None = None, door: str = "127.0.0.1") -> httpx.Client:
        """A browser in which the owner has used a ticket and come to Home."""
        signed_in = self.browser(door)
        with self.browser(door) as browser:
            form = browser.get("/hub/ticket", headers={"Accept": "text/html"})
            xsrf = re.search(r'name="_xsrf" value="([^"]+)"', form.text)
            assert xsrf, form.text
            browser.post(
                "/hub/ticket", data={"_xsrf": xsrf[1], "code": ticket or self.ticket()}, follow_redirects=False
            )
            home = browser.get("/", headers={"Accept": "text/html"}).raise_for_status()
            assert home.url == f"{self.url}/", home.url
            signed_in.cookies = browser.cookies
        return signed_in

    def token(self) -> str:
        """Made as a person makes one, on the Hub's page."""
        with self.signed_in() as browser:
            xsrf = re.search(r'xsrf_token: "([^"]+)"', browser.get("/hub/token").text)
            assert xsrf
            name = browser.get("/api/v1/me").json()["name"]
            made = browser.post(f"/hub/api/users/{name}/tokens?_xsrf={xsrf[1]}", json={"note": "a test's"})
            return made.raise_for_status().json()["token"]

    def api(self, token: str) -> httpx.Client:
        """The JSON API as a program uses it: with a token, without cookies."""
        client = self.browser()
        client.base_url = f"{self.url}/api/v1"
        client.headers["Authorization"] = f"token {token}"
        return client

    def logs(self) -> str:
        return "".join(f"── {log.name}\n{log.read_text(errors='replace')[-3000:]}" for log in self.data.logs.iterdir())

    @property
    def _output(self) -> Path:
        return self.data.path.parent / "said"


@contextmanager
def new_bench(
    lines: str = "", *words: str, start: bool = True, containers: bool = False, ahead: bool = False
) -> Generator[Bench]:
    """A bench of one's own. `lines` go before [folders] in its drybench.toml, `words` to `drybench up`.

    PORT in `lines` becomes a free port, for an address that names it.
    """
    make_environment()
    with tempfile.TemporaryDirectory(prefix="db", dir="/tmp", ignore_cleanup_errors=True) as folder:
        bench = Bench(Path(folder), lines, containers, ahead)
        try:
            if start:
                bench.start(*words)
                bench.wait_until_ready()
            yield bench
        finally:
            bench.stop() if containers else bench.end()
            tasks = any(bench.data.tasks.iterdir())
            if tasks or bench.pids():
                bench.run("down", *(["--tasks"] if tasks else []))
            if containers:
                with ThreadPoolExecutor(1) as elsewhere:  # a browser may have a loop in this thread
                    elsewhere.submit(asyncio.run, _clear_docker(bench.addresses.bench_id)).result()


@pytest.fixture(scope="session")
def bench() -> Iterator[Bench]:
    """The test run's own. Leave it as you found it; a test that kills or fills one makes its own."""
    with new_bench() as bench:
        yield bench


async def _clear_docker(bench_id: str) -> None:
    async with docker_connection.connect(str(docker_connection.found())) as docker:
        mine = {"label": [f"{docker_network.BENCH}={bench_id}"]}
        for container in await docker.containers.list(all=True, filters=mine):  # pyright: ignore[reportUnknownMemberType]
            await container.delete(force=True)
        await docker_network.remove(docker, bench_id)


def make_environment() -> None:
    """The Python environment of sessions and runs, once for all benches of all test runs; old ones go."""
    SHARED.environments.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = python_environment.make(SHARED, lambda line: print(line, flush=True))
    for old in made.parent.iterdir():
        with suppress(FileNotFoundError):  # another worker has just made its own the current one
            unused_for = time.time() - old.lstat().st_mtime
            if old.is_dir() and not old.is_symlink() and old != made and unused_for > 86400:
                shutil.rmtree(old, ignore_errors=True)


def _environ(containers: bool, ahead: bool) -> dict[str, str]:
    """Nothing of the bench, the SSH connection or the session in which the tests themselves may run.

    No session starts by itself, and nothing works in containers, unless a test is about that.
    """
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("DRYBENCH_", "SSH_"))}
    with_docker = {"DRYBENCH_ENGINES__DOCKER__USE": "always" if containers else "never"}
    return {**plain, **with_docker, "DRYBENCH_READY__SESSIONS": str(ahead).lower()}


class _ToTheDoor(httpx.HTTPTransport):
    def __init__(self, door: str, port: int) -> None:
        super().__init__(verify=False)
        self._door = {"host": door, "port": port}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        here = request.url.copy_with(**self._door)
        content = request.read()
        return super().handle_request(
            httpx.Request(request.method, here, headers=request.headers, content=content, extensions=request.extensions)
        )
