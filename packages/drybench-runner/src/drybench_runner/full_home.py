"""A home with no room left: Jupyter and IPython then keep for this task elsewhere what they cannot begin without.

So its person can still open JupyterLab, and make room. What lies in the home already is read as ever.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

ROOM = 64 << 10  # bytes; what Jupyter and IPython write when they begin is less
JUPYTER, DATA = ".jupyter", ".local/share/jupyter"


def begin_elsewhere() -> None:
    """Where nothing can be written to the home, whatever the reason."""
    home, task = Path.home(), os.environ.get("DRYBENCH_TASK_DIR")
    if not task or _has_room(home):
        return
    print(
        f"Nothing can be written to {home}: settings and history of this task are kept until its end only.", flush=True
    )
    _look_here_too("JUPYTER_CONFIG_PATH", os.environ.get("JUPYTER_CONFIG_DIR") or home / JUPYTER)
    _look_here_too("JUPYTER_PATH", os.environ.get("JUPYTER_DATA_DIR") or home / DATA)
    instead = Path(task) / "instead-of-home"
    for name, folder in (
        ("JUPYTER_CONFIG_DIR", "config"),
        ("JUPYTER_DATA_DIR", "data"),
        ("JUPYTER_RUNTIME_DIR", "runtime"),
        ("IPYTHONDIR", "ipython"),
    ):
        (instead / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        os.environ[name] = str(instead / folder)


def _has_room(home: Path) -> bool:
    tried = home / f".drybench-room-{os.getpid()}"
    try:
        tried.write_bytes(bytes(ROOM))
    except OSError:
        return False
    finally:
        with suppress(OSError):
            tried.unlink()
    return True


def _look_here_too(name: str, folder: str | Path) -> None:
    os.environ[name] = os.pathsep.join(filter(None, (os.environ.get(name), str(folder))))
