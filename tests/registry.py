"""A registry of images with one small image in it: real enough for Docker to pull from. Loopback only."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"

NOT_THERE = b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}'


@dataclass
class Registry:
    port: int = 0
    blobs: dict[str, tuple[bytes, str]] = field(default_factory=dict[str, tuple[bytes, str]])
    manifest: str = ""  # its digest
    held: str = ""  # the blob that is not given out
    let_go: threading.Event = field(default_factory=threading.Event)

    def image(self, name: str) -> str:
        return f"127.0.0.1:{self.port}/{name}"

    def put_image(self, layers: int) -> None:
        """The last layer waits for `let_go`."""
        plain = [_layer(number) for number in range(layers)]  # of no other registry's image: Docker would have them
        packed = [self._put(gzip.compress(layer), LAYER) for layer in plain]
        ids = [_digest(layer) for layer in plain]
        config = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": ids}}
        described = self._put(json.dumps(config).encode(), CONFIG)
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described, "layers": packed}
        self.manifest = self._put(json.dumps(manifest).encode(), MANIFEST)["digest"]
        self.held = packed[-1]["digest"]

    def _put(self, content: bytes, kind: str) -> dict[str, Any]:
        self.blobs[_digest(content)] = (content, kind)
        return {"mediaType": kind, "size": len(content), "digest": _digest(content)}


@contextmanager
def registry() -> Iterator[Registry]:
    made = Registry()

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            digest = self.path.rsplit("/", 1)[-1]
            if "/manifests/" in self.path:
                digest = made.manifest
            if digest == made.held:
                made.let_go.wait()
            content, kind = made.blobs.get(digest, (NOT_THERE, "application/json"))
            self.send_response(200 if digest in made.blobs or self.path == "/v2/" else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Docker-Content-Digest", digest)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        made.port = server.server_port
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield made
        finally:
            made.let_go.set()
            server.shutdown()
            thread.join()


def _layer(number: int) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        content = b"layer %d %s" % (number, os.urandom(16).hex().encode())
        entry = tarfile.TarInfo(f"file{number}")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return file.getvalue()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
