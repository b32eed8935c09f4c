"""Where the bench is: an address, or the Unix socket of the person's own bench on this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """`url` or `socket`. `here` when the bench sees the files that this program sees."""

    url: str | None = None
    token: str | None = None
    socket: Path | None = None
    here: bool = False

    def __str__(self) -> str:
        return self.url or str(self.socket)


def find(
    url: str | None = None,
    token: str | None = None,
    data: str | Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Place:
    """What is said counts before what the environment says, and an address before a data directory."""
    said = url or (None if data else environ.get("DRYBENCH_URL"))
    if said:
        in_session = url is None and bool(environ.get("DRYBENCH_TASK"))
        return Place(url=said.rstrip("/"), token=token or environ.get("DRYBENCH_TOKEN"), here=in_session)
    folder = Path(data).expanduser() if data else default_data(environ)
    return Place(socket=folder.absolute() / "portal.sock", here=True)


def default_data(environ: Mapping[str, str] = os.environ) -> Path:
    """Where `drybench up` keeps its things when nobody says otherwise."""
    if chosen := environ.get("DRYBENCH_DATA"):
        return Path(chosen)
    share = environ.get("XDG_DATA_HOME")
    return (Path(share) if share else Path.home() / ".local" / "share") / "drybench"
