"""Another machine, as far as the network goes: a namespace with addresses of its own behind a cable to this one."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests.docker import CACHE
from tests.waiting import PATIENCE, wait_for

HERE = "10.231.7.1"  # this machine's end
THERE, ALSO_THERE = "10.231.7.2", "10.231.7.3"
METADATA = "169.254.169.254"
PORT = 8080
ANSWER = """
import socket, socketserver, sys
from http.server import BaseHTTPRequestHandler

class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_): ...

class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    address_family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET

Server((sys.argv[1], int(sys.argv[2])), Answer).serve_forever()
"""
ASK_FOR_NAMES = """
import socket, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((sys.argv[1], 53))
while True:
    _, who = server.recvfrom(512)
    server.sendto(b"a name", who)
"""


@dataclass(frozen=True)
class Outside:
    namespace: str


@contextmanager
def outside() -> Iterator[Outside]:
    """It answers at its two addresses and at the one where clouds tell their secrets. One at a time has these."""
    name = f"dbt{os.getpid()}"
    cable, end = f"{name}a", f"{name}b"
    with ExitStack() as stack:
        CACHE.mkdir(parents=True, exist_ok=True)
        fcntl.flock(stack.enter_context((CACHE / "outside.lock").open("w")), fcntl.LOCK_EX)
        _ip("netns", "add", name)
        stack.callback(_ip, "netns", "delete", name)
        _ip("link", "add", cable, "type", "veth", "peer", "name", end, "netns", name)
        _ip("address", "add", f"{HERE}/24", "dev", cable)
        _ip("link", "set", cable, "up")
        for address in (f"{THERE}/24", f"{ALSO_THERE}/24", f"{METADATA}/32"):
            _ip("-n", name, "address", "add", address, "dev", end)
        _ip("-n", name, "link", "set", end, "up")
        _ip("route", "add", METADATA, "dev", cable)
        inside = ("ip", "netns", "exec", name)
        stack.enter_context(running(ANSWER, "0.0.0.0", str(PORT), by=inside))
        stack.enter_context(running(ANSWER, METADATA, "80", by=inside))
        wait_for(lambda: code(THERE, PORT) == code(METADATA, 80) == "200")
        yield Outside(name)


@contextmanager
def running(program: str, *words: str, by: tuple[str, ...] = ()) -> Iterator[None]:
    process = subprocess.Popen([*by, sys.executable, "-c", program, *words])
    try:
        yield
    finally:
        process.kill()
        process.wait(PATIENCE)


def code(host: str, port: int, path: str = "/", by: tuple[str, ...] = ()) -> str:
    """What is answered there: a status of HTTP, or 000 for nothing. `by` is where it is asked from."""
    patience = ("--connect-timeout", "1", "--max-time", "60")  # who takes the call may be slow to answer
    ask = ("curl", "-s", "--noproxy", "*", "--path-as-is", *patience, "-o", "/dev/null", "-w", "%{http_code}")
    ran = subprocess.run([*by, *ask, f"http://{host}:{port}{path}"], capture_output=True, text=True, check=False)
    return ran.stdout


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)
