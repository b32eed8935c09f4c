"""Which process is meant, for certain: a pid alone comes back, and after a reboot a start time does."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from drybench.engines.local_watcher import boot_id, find, identity, open_process, send


@dataclass(frozen=True)
class Identity:
    pid: int
    start_time: int  # clock ticks since boot
    boot_id: str

    @classmethod
    def of(cls, pid: int) -> Identity | None:
        """None when there is no such process."""
        record = identity(pid)
        return cls.from_json(record) if record["start_time"] else None

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Identity | None:
        pid, start_time, boot = record.get("pid"), record.get("start_time"), record.get("boot_id")
        if isinstance(pid, int) and isinstance(start_time, int) and isinstance(boot, str):
            return cls(pid, start_time, boot)
        return None

    def as_json(self) -> dict[str, Any]:
        return {"pid": self.pid, "start_time": self.start_time, "boot_id": self.boot_id}

    @property
    def is_of_this_boot(self) -> bool:
        return self.boot_id == boot_id()

    @property
    def is_alive(self) -> bool:
        return find(self.as_json()) is not None

    def signal(self, number: int) -> None:
        """Never another process that has the pid by now; nothing when it has ended."""
        process = find(self.as_json())
        if process is not None and not send(process, number):
            raise PermissionError(f"process {self.pid} may not be signalled")

    def open(self) -> int | None:
        """A descriptor that is readable once this very process has ended; None when it already has."""
        try:
            descriptor = open_process(self.pid)
        except ProcessLookupError:
            return None
        if self.is_alive:
            return descriptor
        os.close(descriptor)
        return None
