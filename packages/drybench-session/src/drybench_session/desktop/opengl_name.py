"""`python -m drybench_session.desktop.opengl_name`: who draws in three dimensions, by EGL, in the words of glxinfo.

For an environment without glxinfo. A process of its own, for a driver that falls over takes its process with it.
"""

from __future__ import annotations

import ctypes
import sys

LIBRARY = "libEGL.so.1"
RENDERER = "OpenGL renderer string: "
NO_OPENGL = "there is no OpenGL"
_OPENGL, _GL_RENDERER = 0x30A2, 0x1F01
_ANY_CONFIG = (ctypes.c_int * 1)(0x3038)
_POINTER = ctypes.c_void_p


def said(library: str = LIBRARY) -> str:
    """One line, whatever is there."""
    try:
        egl = ctypes.CDLL(library)
    except OSError:
        return NO_OPENGL
    name = _renderer(egl)
    return f"{RENDERER}{name.decode(errors='replace')}" if name else ""


def _renderer(egl: ctypes.CDLL) -> bytes | None:
    """Of a context that draws on nothing."""
    display = _call(egl.eglGetDisplay, _POINTER, _POINTER())
    if not display or not _call(egl.eglInitialize, ctypes.c_int, _POINTER(display), None, None):
        return None
    config, found = _POINTER(), ctypes.c_int()
    egl.eglBindAPI(_OPENGL)
    wanted = (_POINTER(display), _ANY_CONFIG, ctypes.byref(config), 1, ctypes.byref(found))
    _call(egl.eglChooseConfig, ctypes.c_int, *wanted)
    context = _call(egl.eglCreateContext, _POINTER, _POINTER(display), config, None, None)
    if not context or not _call(egl.eglMakeCurrent, ctypes.c_int, _POINTER(display), None, None, _POINTER(context)):
        return None
    get_string = _call(egl.eglGetProcAddress, _POINTER, b"glGetString")
    return ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.c_uint)(get_string)(_GL_RENDERER) if get_string else None


def _call(function: ctypes._NamedFuncPointer, answers: type, *given: object) -> int | None:  # pyright: ignore[reportPrivateUsage]
    function.restype = answers
    return function(*given)


if __name__ == "__main__":
    sys.stdout.write(f"{said()}\n")
