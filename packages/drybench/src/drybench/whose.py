"""Which bench a command of the keeper's is about."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import Parameter

if TYPE_CHECKING:
    from drybench.data_folder import DataFolder


@Parameter(name="*")
@dataclass(frozen=True)
class Whose:
    """Which bench on this machine.

    Parameters
    ----------
    data
        Its data directory.
    settings
        Its settings; without it drybench.toml in the data directory, if there is one.
    """

    data: Path | None = None
    settings: Path | None = None

    def folder(self) -> DataFolder:
        from drybench.data_folder import DataFolder

        return DataFolder(self.data.expanduser().absolute()) if self.data else DataFolder.default()

    def file(self) -> Path | None:
        return self.settings.expanduser().absolute() if self.settings else None


USUAL = Whose()
