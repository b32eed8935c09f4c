"""As the desktop starts it: the entry's own command, with a file to open."""

from __future__ import annotations

import configparser
import os
import signal
import subprocess
import sys

sys.path.insert(0, "/opt/drybench/smoke/desktop")
from rfb import keep, screen

entry = configparser.ConfigParser(interpolation=None)
entry.read("/opt/drybench/applications/napari.desktop")
said = entry["Desktop Entry"]
assert os.path.exists(said["Icon"]), said["Icon"]  # noqa: PTH110
command = said["Exec"].replace("%F", "/opt/drybench/samples/cells-2d.tif").split()

with screen() as shown:
    program = subprocess.Popen(["dbus-run-session", "--", *command], start_new_session=True)
    try:
        # Its grey window alone has few colours; the sample brings hundreds.
        keep(shown.drawn(colours=300, seconds=240), "napari")
    finally:
        os.killpg(program.pid, signal.SIGKILL)
        program.wait()
