"""Behind an institute's proxy: programs in a container trust the certificates that the keeper has named."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from drybench import certificates
from drybench.engines.docker_container import CERTIFICATES
from drybench.model import Mount
from tests.certificate import certificate
from tests.contract.containers import Bench, clear, for_ada, new_bench

HOST = "packages.institute.test"
SERVES = f"""
import http.server, ssl, subprocess, threading, urllib.request
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/keys/certificate.pem", "/keys/key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = "https://{HOST}:%d/" % server.server_port
asked = subprocess.run(["curl", "-sS", "-o", "/dev/null", "--connect-to", "::127.0.0.1:", address])
print("curl", asked.returncode)
import socket
ask = socket.create_connection(("127.0.0.1", server.server_port))
print("python", ssl.create_default_context().wrap_socket(ask, server_hostname="{HOST}").version())
"""
NAMED = "for name in SSL_CERT_FILE REQUESTS_CA_BUNDLE PIP_CERT GIT_SSL_CAINFO; do printenv $name; done"


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    folder = for_ada(tmp_path)
    for file in certificate(folder, HOST):
        for_ada(file)
    return folder


@pytest.fixture
async def trusting(docker_url: str, python_image: str, keys: Path, tmp_path: Path) -> AsyncIterator[Bench]:
    trusted = certificates.bundle(keys / "certificate.pem", tmp_path / "bundle.pem")
    bench = new_bench(docker_url, python_image, tmp_path, certificates=trusted)
    yield bench
    await clear(bench)


async def test_they_are_trusted_inside(trusting: Bench, keys: Path) -> None:
    mounts = (Mount(keys, Path("/keys"), read_only=True),)
    said = await trusting.says("python3", "-c", SERVES, mounts=mounts)
    assert "curl 0\n" in said
    assert "python TLSv1.3\n" in said


async def test_programs_find_them_and_cannot_change_them(trusting: Bench) -> None:
    said = await trusting.says("sh", "-c", f"exec 2>&1; {NAMED}; echo mine > {CERTIFICATES} || wc -c < {CERTIFICATES}")
    assert said.split("\n")[:4] == [str(CERTIFICATES)] * 4
    assert "Read-only file system" in said
    assert int(said.split()[-1]) > 100_000  # with those that the machine trusts


async def test_a_variable_of_the_tasks_own_counts_more(trusting: Bench) -> None:
    assert await trusting.says("printenv", "PIP_CERT", env={"PIP_CERT": "/mine.pem"}) == "/mine.pem\n"


async def test_without_any_an_image_trusts_as_it_does(docker_url: str, python_image: str, tmp_path: Path) -> None:
    bench = new_bench(docker_url, python_image, tmp_path)
    try:
        assert await bench.says("sh", "-c", f"{NAMED}; ls {CERTIFICATES.parent}") == "runner\ntask\n"
    finally:
        await clear(bench)
