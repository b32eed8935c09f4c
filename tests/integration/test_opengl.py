"""Who draws in three dimensions, asked on a real display without glxinfo."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

from drybench_session.desktop.opengl import MISSING, STARTING, UNKNOWN, OpenGL
from drybench_session.desktop.opengl_name import LIBRARY
from tests.browser.screens import x_server
from tests.waiting import eventually

pytestmark = pytest.mark.needs("TigerVNC")


async def test_where_glxinfo_is_not_there_it_is_known_by_egl(tmp_path: Path) -> None:
    with x_server(tmp_path) as x:
        opengl = OpenGL()
        opengl.ask({**x.environment, "PATH": str(tmp_path)})
        await eventually(lambda: opengl.name != STARTING)
    if opengl.name == UNKNOWN:
        pytest.skip("This machine has EGL, and no driver for it (Debian's libgl1-mesa-dri)")
    assert (opengl.name == MISSING) == (not is_there(LIBRARY))


def is_there(library: str) -> bool:
    try:
        return bool(ctypes.CDLL(library))
    except OSError:
        return False
