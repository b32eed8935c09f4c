"""A browser is shown napari with a screen to itself, and no desktop around it."""

from __future__ import annotations

import asyncio
import sys

from PIL import Image

sys.path.insert(0, "/opt/drybench/smoke/desktop")
from rfb import colours_of, keep
from served import drawn, server


def is_drawn(found: Image.Image) -> bool:
    """Its buttons' signs and letters, on more than a frame around nothing."""
    colours = colours_of(found)
    return len(colours) > 150 and colours.get((0, 0, 0), 0) < 0.8 * found.width * found.height


with server({"name": "napari", "title": "napari", "command": ["napari"]}) as link:
    keep(asyncio.run(drawn(link, "napari", is_drawn, 240)), "napari-alone")
