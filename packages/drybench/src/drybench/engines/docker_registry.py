"""Getting an image from where it is shared: how far it is, and who this account is there."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HAVE = ("Pull complete", "Already exists")
HUB = "https://index.docker.io/v1/"


@dataclass
class Pulling:
    """The tag is spoken of as if it were a layer."""

    layers: dict[str, str] = field(default_factory=dict[str, str])  # what was last said of each

    @property
    def have(self) -> int:
        return sum(said in HAVE for said in self.layers.values())

    @property
    def all(self) -> int:
        return len(self.layers)

    def hear(self, said: Mapping[str, Any]) -> Iterator[str]:
        """A line for each layer that has come, and for what is no layer's."""
        status, layer = said.get("status"), said.get("id")
        if not isinstance(status, str):
            return
        if not isinstance(layer, str) or status.startswith("Pulling from"):
            yield status
            return
        before, self.layers[layer] = self.have, status
        if self.have > before:
            yield f"{self.have} of {self.all} layers"


def signed_in(image: str) -> str | None:
    """What to send to it, as `docker login` has left it for this account; None where it is nobody there."""
    host = _host(image)
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    with suppress(OSError, ValueError, KeyError, TypeError):
        known: dict[str, Any] = json.loads((folder / "config.json").read_bytes())["auths"]
        name, _, password = base64.b64decode(known[host]["auth"]).partition(b":")
        said = {"username": name.decode(), "password": password.decode(), "serveraddress": host}
        return base64.urlsafe_b64encode(json.dumps(said).encode()).decode()
    return None


def _host(image: str) -> str:
    """As Docker understands a name: whom it leads to, a password must not be sent to another."""
    first, slash, _ = image.partition("/")
    is_host = slash and ("." in first or ":" in first or first == "localhost" or first != first.lower())
    return first if is_host else HUB
