"""The apps of this session's environment, and which of them have a screen."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

DESKTOP = "desktop"
X_SERVER = "Xtigervnc"
_WITHOUT_A_SCREEN = ("lab", "terminal")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@dataclass(frozen=True)
class App:
    """With a command it is that program alone on its screen."""

    name: str
    title: str
    command: tuple[str, ...] = ()

    @property
    def has_a_screen(self) -> bool:
        return self.name not in _WITHOUT_A_SCREEN and (self.name == DESKTOP or bool(self.command))


def on_screens(environ: Mapping[str, str]) -> dict[str, App]:
    """By name. Where no bench says what there is, a desktop, if this machine can show one."""
    told = environ.get("DRYBENCH_APPS")
    apps = _read(told) if told else (App(DESKTOP, "Desktop"),) if _has_x_server(environ) else ()
    return {app.name: app for app in apps if app.has_a_screen}


def _has_x_server(environ: Mapping[str, str]) -> bool:
    return shutil.which(X_SERVER, path=environ.get("PATH")) is not None


def _read(told: str) -> tuple[App, ...]:
    """What is not as it should be is left out: a session without one of its apps is better than none."""
    try:
        listed: Any = json.loads(told)
    except ValueError:
        return ()
    if not isinstance(listed, list):
        return ()
    return tuple(app for one in cast("list[Any]", listed) if (app := _app(one)))


def _app(one: Any) -> App | None:
    match one:
        case {"name": str(name), "title": str(title)} if _NAME.fullmatch(name):
            command: Any = cast("dict[str, Any]", one).get("command") or []
            if isinstance(command, list) and all(isinstance(word, str) for word in cast("list[Any]", command)):
                return App(name, title, tuple(cast("list[str]", command)))
        case _:
            pass
    return None
