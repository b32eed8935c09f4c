"""Where everything of one bench lies. Nothing of it is inside the clone."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DataFolder:
    """The data directory (0700): one object that knows every name in it."""

    path: Path

    @classmethod
    def default(cls) -> DataFolder:
        chosen = os.environ.get("DRYBENCH_DATA")
        share = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
        return cls(Path(chosen) if chosen else Path(share) / "drybench")

    @property
    def settings(self) -> Path:
        return self.path / "drybench.toml"

    @property
    def bench(self) -> Path:
        """The ports chosen once, and the bench's id (`addresses.py`)."""
        return self.path / "bench.json"

    @property
    def children(self) -> Path:
        """Pid, start time and boot id of the three children."""
        return self.path / "children.json"

    @property
    def supervisor_lock(self) -> Path:
        return self.path / "supervisor.lock"

    @property
    def portal_lock(self) -> Path:
        return self.path / "portal.lock"

    @property
    def ledger(self) -> Path:
        return self.path / "portal.sqlite"

    @property
    def socket(self) -> Path:
        """The portal's Unix socket, for the spawner and the owner's command line."""
        return self.path / "portal.sock"

    @property
    def secrets(self) -> Path:
        """One file each, 0600: cookie_secret, portal_token, proxy_password, cookie_key, guest_key, vault_key."""
        return self.path / "secrets"

    @property
    def hub(self) -> Path:
        return self.path / "hub"

    @property
    def hub_database(self) -> Path:
        return self.hub / "hub.sqlite"

    @property
    def proxy(self) -> Path:
        """traefik.toml, and rules/ with the Hub's routes and our own."""
        return self.path / "proxy"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def tickets(self) -> Path:
        return self.path / "tickets"

    @property
    def only_person(self) -> Path:
        """The name of the first who signed in, while the bench serves one person."""
        return self.path / "only_person"

    @property
    def tasks(self) -> Path:
        return self.path / "tasks"

    @property
    def runs(self) -> Path:
        return self.path / "runs"

    @property
    def sweeps(self) -> Path:
        """What was handed in for each sweep; its runs lie with the other runs."""
        return self.path / "sweeps"

    @property
    def schedules(self) -> Path:
        """What was handed in for each schedule; its runs lie with the other runs."""
        return self.path / "schedules"

    @property
    def handed_in(self) -> Path:
        """Notebooks that were chosen and not run yet: PERSON_ID/ID, for a day."""
        return self.path / "handed_in"

    @property
    def retention(self) -> Path:
        """Since when the keeper's rule about old runs is what it is."""
        return self.path / "retention.json"

    @property
    def overlays(self) -> Path:
        """What runs' requirements add to an environment: PERSON_ID/DIGEST/…, made again when it is missing."""
        return self.path / "overlays"

    @property
    def environments(self) -> Path:
        return self.path / "environments"

    @property
    def own_environments(self) -> Path:
        """The keeper's own, one folder each, and what people brought."""
        return self.environments / "own"

    @property
    def images(self) -> Path:
        """What is known of each build of an image: builds/ID."""
        return self.path / "images"

    @property
    def runner(self) -> Path:
        """The runner as it is carried into images that have none: one folder for each version."""
        return self.path / "runner"

    @property
    def homes(self) -> Path:
        """Of people whose tasks have accounts of their own, unless the keeper says where homes lie."""
        return self.path / "homes"

    @property
    def backups(self) -> Path:
        return self.path / "backups"

    def make(self) -> None:
        """Create what is missing, private to its owner."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.chmod(0o700)
        for folder in (
            self.secrets,
            self.hub,
            self.proxy,
            self.proxy / "rules",
            self.logs,
            self.tickets,
            self.tasks,
            self.runs,
            self.sweeps,
            self.schedules,
            self.handed_in,
            self.environments,
            self.own_environments,
            self.images,
            self.runner,
            self.homes,
            self.backups,
        ):
            folder.mkdir(mode=0o700, exist_ok=True)
