"""Under which addresses a bench is reached, from the outside and from within."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit


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
