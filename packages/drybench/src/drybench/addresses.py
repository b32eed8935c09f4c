"""Under which addresses a bench is reached, from the outside and from within."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit


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

    def save(self, file: Path) -> None:
        new = file.with_suffix(".new")
        new.write_text(json.dumps({"format": 1, **asdict(self)}, indent=1))
        new.replace(file)

    @classmethod
    def load(cls, file: Path) -> Addresses:
        saved = json.loads(file.read_text())
        saved.pop("format")
        return cls(**saved)
