"""The sections of drybench.toml about what stays, and about the accounts that own it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import ClassVar, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from drybench.settings_sections import Section

Key = tuple[str, ...]

NAME = "{name}"
EVERYBODY = "everybody"
SOCKETS = ("/run/docker.sock", "/var/run/docker.sock", "/run/podman/podman.sock")
OF_THE_SYSTEM = re.compile(r"/|/(bin|boot|dev|drybench|etc|home|lib|lib64|opt|proc|run|sbin|sys|tmp|usr|var)")
AND_BELOW = re.compile(r"/(dev|drybench|etc/passwd|etc/group|opt/python|proc|sys)(/.*)?")
LEAST_UID = 1000  # below it are root and the machine's own services
NOBODY = frozenset((65534, 65535))
MOST_UID = 2**31 - 1


class Accounts(Section):
    """Who a person's tasks are in containers. Never root."""

    of: Literal["auto", "unix", "range", "shared"] = Field(
        default="auto",
        description="`unix`: the machine's own account of that name. `range`: a number for each person, kept for good. "
        "`shared`: one number for all. `auto`: on a bench for one person the account that started it, unless that is "
        "root; else the machine's account of that name where there is one, else a number from the range. Say `range` "
        "where people sign in with names that have nothing to do with the machine's.",
    )
    uid_range: str = Field(
        default="20000-59999", description="The numbers for people and groups that have none on this machine."
    )
    shared_uid: int = Field(default=0, ge=0, le=MOST_UID, description="The number of all tasks, with `shared`.")

    @property
    def numbers(self) -> range:
        first, last = map(int, self.uid_range.split("-"))
        return range(first, last + 1)

    @field_validator("uid_range")
    @classmethod
    def _is_a_range(cls, value: str) -> str:
        said = re.fullmatch(r"([0-9]{1,10})-([0-9]{1,10})", value)
        if not said or not LEAST_UID <= int(said[1]) <= int(said[2]) <= MOST_UID:
            raise ValueError(f"should be like 20000-59999, and begin at {LEAST_UID} or later")
        return value

    @model_validator(mode="after")
    def _is_never_root(self) -> Accounts:
        if self.of == "shared" and not self.shared_uid:
            raise ValueError("needs `shared_uid`, the number of an account that is not root")
        return self


class HostFolder(Section):
    """A folder of this machine that appears in containers, as it is."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True)

    source: str = Field(description="Where it lies on this machine. `{name}` stands for the person's name.")
    target: str = Field(description="Where tasks find it. It may have `{name}`, too.")
    read_only: bool = Field(default=False, description="Nobody can write to it.")
    whom: str = Field(
        default=EVERYBODY, alias="for", description="Who has it: `everybody`, `group:NAME` or `person:NAME`."
    )
    create: bool = Field(default=False, description="Make it where it is missing.")

    @field_validator("source", "target")
    @classmethod
    def _is_a_whole_path(cls, value: str) -> str:
        return _whole_path(value)

    @field_validator("target")
    @classmethod
    def _hides_nothing(cls, value: str) -> str:
        return _hiding_nothing(value)

    @field_validator("source")
    @classmethod
    def _is_not_the_socket(cls, value: str) -> str:
        path = PurePosixPath(value)
        if any(PurePosixPath(socket).is_relative_to(path) for socket in SOCKETS):
            raise ValueError("holds the socket of the container engine: whoever has that is root on this machine")
        return value

    @field_validator("whom")
    @classmethod
    def _is_somebody(cls, value: str) -> str:
        kind, _, name = value.partition(":")
        if value != EVERYBODY and not (kind in ("group", "person") and name.strip()):
            raise ValueError("should be everybody, group:NAME or person:NAME")
        return value


class SharedFolder(HostFolder):
    """A folder that people have together. One that Drybench makes belongs to the group that has it, and so does
    what is put into it."""

    create: bool = Field(default=True, description="Make it where it is missing.")


class Folders(Section):
    """What stays."""

    home: str = Field(
        default="", description="The home where tasks have the bench's own account. Empty: the owner's real home."
    )
    homes: str = Field(
        default="",
        description="Where people's homes lie on this machine, such as `/srv/homes/{name}`, for tasks in containers. "
        "Empty: on a bench for one person the real home, else `homes/` in the data directory.",
    )
    home_inside: str = Field(
        default="/home/{name}",
        description="Where a task in a container finds its person's home. A real home keeps its own path.",
    )
    runs_link: str = Field(
        default="drybench-runs", description="The name in that home of the link to one's run folders."
    )
    shown: list[str] = Field(
        default_factory=list[str],
        description="Folders that pages offer to choose files from, beside the home, such as `/data`. What a run may "
        "read is not changed by this.",
    )
    shared: list[SharedFolder] = Field(
        default_factory=list[SharedFolder],
        description="Folders that people have together in containers: `[[folders.shared]]` once for each.",
    )
    mounts: list[HostFolder] = Field(
        default_factory=list[HostFolder],
        description="Other folders of this machine that appear in containers: `[[folders.mounts]]` once for each.",
    )

    @field_validator("runs_link")
    @classmethod
    def _is_one_name(cls, value: str) -> str:
        if "/" in value or value in ("", ".", ".."):
            raise ValueError("should be one name, without a slash")
        return value

    @field_validator("shown")
    @classmethod
    def _are_whole_paths(cls, value: list[str]) -> list[str]:
        if any(not path.startswith("/") for path in value):
            raise ValueError("should be whole paths, such as /data")
        return value

    @field_validator("homes", "home_inside")
    @classmethod
    def _are_places_of_homes(cls, value: str) -> str:
        return value and _whole_path(value)

    @field_validator("homes")
    @classmethod
    def _is_one_for_each(cls, value: str) -> str:
        if value and NAME not in value:
            raise ValueError("needs `{name}`: each person has a home of their own")
        return value

    @property
    def above_homes(self) -> Path | None:
        """The one folder in which containers have their homes; None where it is not the same for everybody."""
        above, _, last = self.home_inside.rpartition("/")
        return Path(above) if above and last == NAME and NAME not in above else None

    @field_validator("home_inside")
    @classmethod
    def _is_somewhere(cls, value: str) -> str:
        return _hiding_nothing(value or "/")


def complaints(folders: Folders, data: Path) -> Iterator[tuple[Key, str]]:
    """What no single key can know: where one folder lies in another, or holds the bench's own data."""
    known: list[tuple[str, PurePosixPath]] = [("the home", PurePosixPath(folders.home_inside))]
    for kind, entries in (("shared", folders.shared), ("mounts", folders.mounts)):
        for place, entry in enumerate(entries):
            key, target = ("folders", kind, str(place)), PurePosixPath(entry.target)
            for what, other in known:
                if target.is_relative_to(other) or other.is_relative_to(target):
                    yield (*key, "target"), f"lies in {what} ({other}), or that in it; give each a path of its own"
            known.append((f"another folder's target, that of {entry.source}", target))
            if NAME not in entry.source and touches(Path(entry.source), data):
                yield (*key, "source"), f"would show the bench's own data in {data}"
    homes = folders.homes.partition(NAME)[0]
    if homes and lies_in(Path(homes), data) and not lies_in(Path(homes), data / "homes"):
        yield ("folders", "homes"), f"lies among the bench's own data in {data}"


def touches(folder: Path, data: Path) -> bool:
    """It is the data directory, lies in it, or holds it."""
    return lies_in(folder, data) or lies_in(data, folder)


def lies_in(folder: Path, other: Path) -> bool:
    return Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(other))


def _whole_path(value: str) -> str:
    parts = PurePosixPath(value).parts
    if not value.startswith("/") or value.startswith("//") or ".." in parts or "\0" in value:
        raise ValueError("should be a whole path, such as /data")
    if re.search(r"[{}]", value.replace(NAME, "")):
        raise ValueError("knows `{name}` and nothing else in braces")
    return str(PurePosixPath(value))


def _hiding_nothing(value: str) -> str:
    if OF_THE_SYSTEM.fullmatch(value) or AND_BELOW.fullmatch(value):
        raise ValueError("would hide what a container needs there")
    return value
