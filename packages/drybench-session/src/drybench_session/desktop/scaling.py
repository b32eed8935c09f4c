"""How large letters and buttons are: as large as ever, where somebody sees each pixel of a finer display.

By xfce's settings, which GTK and Qt follow while programs run. GTK's parts grow by whole steps and its letters by what
is left; Qt grows by any. It stays until another display needs another: what a person chose is touched only then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from subprocess import DEVNULL, PIPE

MOST = 4.0
_USUAL = 96  # dots an inch
_OURS = ("-c", "drybench", "-p", "/scale")
_WHOLE = ("-c", "xsettings", "-p", "/Gdk/WindowScalingFactor")
_LETTERS = ("-c", "xsettings", "-p", "/Gdk/UnscaledDPI")
_QT = ("-c", "xsettings", "-p", "/Xft/DPI")
_FRAMES = ("-c", "xfwm4", "-p", "/general/theme")


async def scale(environ: Mapping[str, str], factor: float) -> None:
    """By 1 it is as it would be without us. Without xfce nothing happens."""
    factor = round(min(max(1.0, factor), MOST), 2)  # in this order: of what is no number it makes 1
    if float(await _asked(environ, *_OURS) or 1) == factor:
        return
    whole = int(factor)
    frames = "Default-xhdpi" if factor >= 1.75 else "Default-hdpi"
    for place, kind, value in (
        (_WHOLE, "int", whole),
        (_LETTERS, "int", round(_USUAL * factor / whole * 1024)),
        (_QT, "int", round(_USUAL * factor)),
        (_FRAMES, "string", frames),
        (_OURS, "double", factor),
    ):
        said = ("-r",) if factor == 1 else ("-n", "-t", kind, "-s", str(value))
        await _asked(environ, *place, *said)


async def _asked(environ: Mapping[str, str], *words: str) -> str:
    """What is said; nothing where there is no such setting, or nobody to ask."""
    try:
        asking = await asyncio.create_subprocess_exec(
            "xfconf-query", *words, env=environ, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL
        )
    except OSError:
        return ""
    said, _ = await asking.communicate()
    return "" if asking.returncode else said.decode().strip()
