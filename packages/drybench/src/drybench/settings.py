"""drybench.toml, typed. Every key has a default, so a bench needs no file at all.

A value comes from the command line, else from a variable such as `DRYBENCH_BENCH__PORT`, else
from the file, else from here. An unknown key or a wrong value is refused with its place.
"""

from __future__ import annotations

import getpass
import json
import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, PrivateAttr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from drybench import settings_folders
from drybench.data_folder import DataFolder
from drybench.errors import SettingsWrong
from drybench.settings_folders import Accounts, Folders
from drybench.settings_sections import (
    Bench,
    Database,
    Desktop,
    Engines,
    Environments,
    Hub,
    Images,
    Mail,
    Notices,
    Ready,
    Runs,
    Sharing,
    SizeSettings,
    Tls,
)
from drybench.settings_sources import (
    Key,
    Source,
    from_command_line,
    from_environment,
    from_file,
    laid_over,
    leaves,
    wrong,
)


class Settings(BaseSettings):
    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix="DRYBENCH_", env_nested_delimiter="__"
    )

    bench: Bench = Bench()
    tls: Tls = Tls()
    database: Database = Database()
    hub: Hub = Hub()
    sizes: dict[str, SizeSettings] = Field(default_factory=lambda: {"default": SizeSettings()})
    engines: Engines = Engines()
    environments: Environments = Environments()
    images: Images = Images()
    desktop: Desktop = Desktop()
    runs: Runs = Runs()
    ready: Ready = Ready()
    folders: Folders = Folders()
    accounts: Accounts = Accounts()
    mail: Mail = Mail()
    notices: Notices = Notices()
    sharing: Sharing = Sharing()

    _places: Mapping[Key, str] = PrivateAttr(default_factory=dict[Key, str])

    @field_validator("sizes")
    @classmethod
    def _default_is_always_there(cls, sizes: dict[str, SizeSettings]) -> dict[str, SizeSettings]:
        return {"default": SizeSettings(), **sizes}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `of` gives: it asks the sources itself, for it keeps what came from where."""
        return (init_settings,)

    @classmethod
    def of(cls, sources: Sequence[Source]) -> Settings:
        try:
            settings = cls(**laid_over(sources))
        except ValidationError as error:
            raise wrong(error.errors()[0], sources, cls) from None
        settings._places = {key: place for source in sources for key, place in source.places.items()}
        return settings

    @property
    def owner(self) -> str:
        """The name of the person whose bench this is."""
        return self.bench.owner or getpass.getuser()

    def refuse_folders_that_touch(self, data: Path) -> None:
        """One another, or the bench's own: with the line where that is said."""
        for key, problem in settings_folders.complaints(self.folders, data):
            raise self._wrong(key, problem)

    def refuse_a_pool_that_cannot_be(self) -> None:
        """Nobody's sessions become somebody's by their home: all else about them must be the same for everybody."""
        if not any(self.ready.pool.values()):
            return
        if self.accounts.of != "shared":
            need = 'needs `[accounts] of = "shared"`: a session that stands ready cannot change its number'
            raise self._wrong(("ready", "pool"), need)
        if self.folders.above_homes is None:
            raise self._wrong(("folders", "home_inside"), "has to end in `/{name}` for `ready.pool`")

    def refuse_a_pool_of_strangers(self, environments: Collection[str]) -> None:
        for name in sorted(self.ready.pool.keys() - set(environments)):
            raise self._wrong(("ready", "pool", name), f"names no environment; there are {', '.join(environments)}")

    def _wrong(self, key: Key, problem: str) -> SettingsWrong:
        """With the line where that is said."""
        place = next((self._places[key[:end]] for end in range(len(key), 0, -1) if key[:end] in self._places), "")
        return SettingsWrong(place=place or "the settings", problem=f"`{'.'.join(key)}` {problem}.")

    def where_from(self) -> list[InForce]:
        return [
            InForce(".".join(key), _shown(key[-1], value), self._places.get(key, "default"))
            for key, value in leaves(self.model_dump(mode="json"))
        ]


@dataclass(frozen=True)
class InForce:
    """One value, and its place: default, a line of the file, the environment, the command line."""

    key: str
    value: str
    place: str


def load(data: DataFolder, file: Path | None = None, given: Mapping[str, Any] | None = None) -> Settings:
    """What is in force. `given` is what the command line says, in the shape of the file.

    The children of a bench started with another file learn it by DRYBENCH_SETTINGS.
    """
    named = os.environ.get("DRYBENCH_SETTINGS")
    file = file or (Path(named) if named else None)
    in_file = from_file(file or data.settings, must_exist=file is not None)
    settings = Settings.of((in_file, from_environment(Settings), from_command_line(given or {})))
    settings.refuse_folders_that_touch(data.path)
    settings.refuse_a_pool_that_cannot_be()
    return settings


def where_from(settings: Settings) -> list[InForce]:
    """Every value that is in force, in the order of the sections."""
    return settings.where_from()


def reference() -> str:
    """The page of the docs that lists every key, in MyST."""
    from drybench import settings_reference

    return settings_reference.reference(Settings)


def _shown(name: str, value: Any) -> str:
    """As the file would say it; what opens something is not for a screen that others look at."""
    if re.search("secret|password|token|key$", name) and value and not Path(str(value)).is_absolute():
        return '"…"'
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:…@", json.dumps(value, ensure_ascii=False))
