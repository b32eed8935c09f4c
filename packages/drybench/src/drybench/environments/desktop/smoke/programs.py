"""Each program, alone on a screen, draws a window of its own."""

from __future__ import annotations

import os
import signal
import subprocess

from rfb import keep, screen

PROGRAMS = {
    "thunar": ["thunar"],
    "mousepad": ["mousepad"],
    "xfce4-terminal": ["xfce4-terminal", "--disable-server"],
    "firefox-esr": ["firefox-esr", "--no-remote", "about:support"],
}

for name, command in PROGRAMS.items():
    with screen() as shown:
        program = subprocess.Popen(["dbus-run-session", "--", *command], start_new_session=True)
        try:
            keep(shown.drawn(colours=40), name)
        finally:
            os.killpg(program.pid, signal.SIGKILL)
            program.wait()
