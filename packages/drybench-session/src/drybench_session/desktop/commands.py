"""What makes a desktop of a bare screen: of what is installed, the first that serves."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

_XFCE = "xfce4-session"
_PLAIN = ("--compositor=off",)  # shadows and see-through frames would be drawn by the processor, at each move
_WINDOW_MANAGERS = (
    "xfwm4",
    "openbox",
    "marco",
    "metacity",
    "icewm",
    "fluxbox",
    "jwm",
    "matchbox-window-manager",
    "twm",
)
_TERMINALS = ("xfce4-terminal", "x-terminal-emulator", "mate-terminal", "lxterminal", "xterm")
_SECRETS = ("DRYBENCH_GUEST", "JUPYTERHUB_API_TOKEN", "JPY_API_TOKEN", "JUPYTER_TOKEN")
_ANOTHER_SCREENS = ("DISPLAY", "XAUTHORITY", "WAYLAND_DISPLAY", "SESSION_MANAGER", "DBUS_SESSION_BUS_ADDRESS")
_GPUS = ("/dev/nvidia0", "/dev/dri/renderD128")
_ALONE = Path(__file__).parents[1] / "alone"  # xfce's settings for a program without a desktop
_ROOM = 64 << 10  # bytes; what a desktop writes when it begins is less


def xfce(environ: Mapping[str, str]) -> tuple[str, ...]:
    return _first((_XFCE,), environ)


def window_manager(environ: Mapping[str, str]) -> tuple[str, ...]:
    found = _first(_WINDOW_MANAGERS, environ)
    return (*found, *_PLAIN) if found and found[0].endswith("/xfwm4") else found


def settings(environ: Mapping[str, str]) -> tuple[str, ...]:
    """What tells programs of fonts and of their size, where no desktop does."""
    found = _first(("xfsettingsd",), environ)
    return (*found, "--disable-wm-check") if found else ()


def terminal(environ: Mapping[str, str]) -> tuple[str, ...]:
    return _first(_TERMINALS, environ)


def with_gpu(command: tuple[str, ...], environ: Mapping[str, str], gpus: Iterable[str] = _GPUS) -> tuple[str, ...]:
    """By VirtualGL, where it and a device are there."""
    vglrun = shutil.which("vglrun", path=environ.get("PATH"))
    return (vglrun, "-d", "egl", "+wm", *command) if vglrun and any(map(os.path.exists, gpus)) else command


def environment(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The session's own, for programs on a screen; `folder` is that screen's. `drybench` works in its terminal."""
    runtime = folder / "run"
    runtime.mkdir(mode=0o700, exist_ok=True)
    own = {"XDG_SESSION_TYPE": "x11", "XDG_RUNTIME_DIR": str(runtime), "ICEAUTHORITY": str(folder / "ice")}
    return {**without_secrets(environ), **own, **_home(environ, folder)}


def without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name not in (*_SECRETS, *_ANOTHER_SCREENS)}


def for_xfce(environ: Mapping[str, str]) -> dict[str, str]:
    named = {"XDG_CURRENT_DESKTOP": "XFCE", "DESKTOP_SESSION": "xfce", "XDG_MENU_PREFIX": "xfce-"}
    return {**environ, **named}


def alone(environ: Mapping[str, str]) -> dict[str, str]:
    return {**environ, "XDG_CONFIG_DIRS": f"{_ALONE}:{environ.get('XDG_CONFIG_DIRS') or '/etc/xdg'}"}


def _home(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Where nothing can be written to the home, settings are kept until this screen's end, over those in the home."""
    home = Path(environ.get("HOME", "/"))
    if _has_room(home):
        return {}
    found: dict[str, str] = {}
    for kind, usual, above, default in (
        ("CONFIG", ".config", "XDG_CONFIG_DIRS", "/etc/xdg"),
        ("DATA", ".local/share", "XDG_DATA_DIRS", "/usr/local/share:/usr/share"),
        ("CACHE", ".cache", "", ""),
    ):
        instead = folder / kind.lower()
        instead.mkdir(mode=0o700, exist_ok=True)
        found[f"XDG_{kind}_HOME"] = str(instead)
        if above:
            own = environ.get(f"XDG_{kind}_HOME") or str(home / usual)
            found[above] = f"{own}:{environ.get(above) or default}"
    return found


def _has_room(home: Path) -> bool:
    tried = home / f".drybench-room-{os.getpid()}"
    try:
        tried.write_bytes(bytes(_ROOM))
        tried.unlink()
    except OSError:
        with suppress(OSError):  # a home that nothing can be written to says so here, too
            tried.unlink()
        return False
    return True


def _first(names: Iterable[str], environ: Mapping[str, str]) -> tuple[str, ...]:
    for name in names:
        if found := shutil.which(name, path=environ.get("PATH")):
            return (found,)
    return ()
