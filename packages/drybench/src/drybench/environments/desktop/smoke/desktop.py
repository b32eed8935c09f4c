"""JupyterLab's server gives a browser the desktop, and what it shows is drawn: background, panel and icons."""

from __future__ import annotations

import asyncio

from PIL import Image
from rfb import colours_of, keep
from served import drawn, server

BACKGROUND = (0x16, 0x32, 0x4A)


def is_drawn(found: Image.Image) -> bool:
    colours = colours_of(found)
    return len(colours) > 200 and colours.get(BACKGROUND, 0) > found.width * found.height / 10


with server() as link:
    keep(asyncio.run(drawn(link, "desktop", is_drawn)), "desktop")
