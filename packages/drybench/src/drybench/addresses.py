"""Under which addresses a bench is reached, from the outside and from within."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import socket
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from urllib.parse import quote, urlsplit

from drybench import ports
from drybench.data_folder import DataFolder
from drybench.errors import CannotListen, PortInUse
from drybench.settings import Settings


@dataclass(frozen=True)
class Addresses:
    """`public` is what people type; the ports are loopback's and ours alone, chosen once."""

    public: str  # http://localhost:8000, without a slash at the end
    listen: str  # 127.0.0.1
    port: int
    hub_port: int
    portal_port: int
    proxy_api_port: int
    bench_id: str
    own_host_names: bool = False
    tasks_port: int = 0  # of the door, chosen once
    tasks_subnet: str = ""  # where tasks with a network of their own are: 172.18.0.0/16
    tasks_door: str = ""  # http://172.18.0.1:41234: the way from there to the two APIs; empty: there is none

    @property
    def host(self) -> str:
        """The main host without its port: localhost, bench.example."""
        return urlsplit(self.public).hostname or "localhost"

    @property
    def secure(self) -> bool:
        return self.public.startswith("https:")

    @property
    def hub_api(self) -> str:
        """The Hub's API, asked directly and not through the proxy."""
        return f"http://127.0.0.1:{self.hub_port}/hub/api"

    @property
    def portal(self) -> str:
        return f"http://127.0.0.1:{self.portal_port}"

    @property
    def proxy_api(self) -> str:
        return f"http://127.0.0.1:{self.proxy_api_port}"

    @property
    def behind_the_door(self) -> tuple[str, str]:
        """Hub and portal as the bench itself reaches them, and nobody in a network of their own."""
        return f"http://127.0.0.1:{self.hub_port}", self.portal

    def session(self, person: str, name: str) -> str:
        """A session's address; its person's own host name is made as JupyterHub makes it."""
        path = f"/user/{quote(person, safe='@~')}/{name}/"
        if not self.own_host_names:
            return self.public + path
        scheme, _, rest = self.public.partition("://")
        return f"{scheme}://{host_label(person)}.{rest}{path}"

    def save(self, file: Path) -> None:
        new = file.with_suffix(".new")
        new.write_text(json.dumps({"format": 1, **asdict(self)}, indent=1))
        new.replace(file)

    @classmethod
    def load(cls, file: Path) -> Addresses:
        saved = json.loads(file.read_text())
        saved.pop("format")
        return cls(**saved)


def host_label(person: str) -> str:
    """A person's part of a host name: their name where that is a plain label, else a digest of it.

    The Hub's `subdomain_hook` uses the same function; two names never share a label.
    """
    plain = re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?", person) and not person.startswith(("u-", "xn--"))
    return person if plain else f"u-{hashlib.sha256(person.encode()).hexdigest()[:20]}"


def choose(settings: Settings, data: DataFolder) -> Addresses:
    """The bench's addresses: what was chosen once stays, as far as the settings and other people's ports allow.

    Called with the bench down. A public port is what people know, so one that somebody else
    holds is an error; an inner one is quietly replaced.
    """
    bench = settings.bench
    before = Addresses.load(data.bench) if data.bench.exists() else None
    public_port = _public_port(bench.listen, bench.port or (before.port if before else 0), data)
    kept = (before.hub_port, before.portal_port, before.proxy_api_port) if before else (0, 0, 0)
    hub, portal, proxy_api = ports.inner(kept, taken=public_port)
    chosen = Addresses(
        public=_public(settings, public_port),
        listen=bench.listen,
        port=public_port,
        hub_port=hub,
        portal_port=portal,
        proxy_api_port=proxy_api,
        bench_id=before.bench_id if before else secrets.token_hex(8),
        own_host_names=bench.own_host_names,
        tasks_port=before.tasks_port if before else 0,
        tasks_subnet=before.tasks_subnet if before else "",
    )
    if chosen != before:
        chosen.save(data.bench)
    return chosen


def with_tasks_door(here: Addresses, gateway: str, subnet: str, data: DataFolder) -> Addresses:
    """The same bench with a door for tasks that have a network of their own.

    Sessions know the door's port and outlive the bench, so it stays as long as nobody else holds it.
    """
    port = ports.on(gateway, here.tasks_port, taken=here.port)
    chosen = replace(here, tasks_port=port, tasks_subnet=subnet, tasks_door=f"http://{gateway}:{port}")
    chosen.save(data.bench)
    return chosen


def _public_port(listen: str, wanted: int, data: DataFolder) -> int:
    try:
        if wanted and not ports.is_free(listen, wanted):
            raise PortInUse(port=wanted, listen=listen, settings=data.settings)
        return wanted or next(port for port in range(8000, 65536) if ports.is_free(listen, port))
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise CannotListen(listen=listen, port=wanted, why=why, settings=data.settings) from None


def _public(settings: Settings, port: int) -> str:
    """What people type. On every interface the machine's own name is the best guess; `address` says it better."""
    if settings.bench.address:
        return settings.bench.address
    named = {ports.LOOPBACK: "localhost", "0.0.0.0": socket.gethostname()}
    host = named.get(settings.bench.listen, settings.bench.listen)
    host = f"[{host}]" if ":" in host else host
    return f"{'https' if settings.tls.certificate else 'http'}://{host}:{port}"
