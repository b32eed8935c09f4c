"""What there is to choose from: environments, their kernels, and sizes."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from drybench.errors import NoSuchEnvironment, NoSuchSize
from drybench.model import App, Environment, Size

MOST_OF_A_KERNELSPEC = 1 << 20


class Catalogue:
    """Read once at the start; `pythons` says where on this machine an environment's Python lies."""

    def __init__(self, pythons: Mapping[str, Path], sizes: Iterable[Size], home: Path) -> None:
        self._environments = {name: _read(name, python) for name, python in pythons.items()}
        self._sizes = {size.name: size for size in sizes}
        self._home = home

    def environments(self) -> Sequence[Environment]:
        return tuple(self._environments.values())

    def environment(self, name: str) -> Environment:
        try:
            return self._environments[name]
        except KeyError:
            raise NoSuchEnvironment(name=name[:60], there=_listed(self._environments)) from None

    def sizes(self) -> Sequence[Size]:
        return tuple(self._sizes.values())

    def size(self, name: str | None, environment: Environment) -> Size:
        chosen = name or environment.size
        try:
            return self._sizes[chosen]
        except KeyError:
            raise NoSuchSize(name=chosen[:60], there=_listed(self._sizes)) from None

    def kernels(self, environment: Environment) -> Sequence[str]:
        """The environment's own and the person's, as a task in it would find them."""
        if environment.python is None:
            return ()
        places = (
            self._home / ".local/share/jupyter",
            environment.python / "share/jupyter",
            Path("/usr/local/share/jupyter"),
            Path("/usr/share/jupyter"),
        )
        found = {spec.parent.name for place in places for spec in place.glob("kernels/*/kernel.json") if _sane(spec)}
        return sorted(found)


def _read(name: str, python: Path) -> Environment:
    text = files("drybench").joinpath("environments", name, "environment.toml").read_text()
    said: dict[str, Any] = tomllib.loads(text)
    apps = tuple(App(name=app["name"], title=app["title"]) for app in said.pop("apps"))
    preload = tuple(said.pop("preload", ()))
    return Environment(name=name, python=python, apps=apps, preload=preload, **said)


def _sane(spec: Path) -> bool:
    """A person's own kernels are as good as anything that they put there: a pipe would be read for ever."""
    try:
        if not spec.is_file():
            return False
        with spec.open("rb") as file:
            return "argv" in json.loads(file.read(MOST_OF_A_KERNELSPEC))
    except (OSError, ValueError, TypeError, RecursionError):
        return False


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
