"""A session's server started ahead: all that it needs is imported, and it is nobody's yet.

It is claimed once (`claims.py`): with whose it is, and with what JupyterHub gives to their server. From then on it is
theirs like any other. What was imported ahead must not keep what it saw of a home: see `nobodys_home.py`.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from drybench_runner import nobodys_home
from drybench_runner.claims import Claim, Door

SESSION = ("python", "-m", "drybench_runner", "session", "--")
_ABANDONED = 24 * 3600.0  # seconds, for a bench that is down and ends nothing any more


def wait() -> int:
    """Until somebody comes, and then be their server."""
    os.environ["HOME"] = nobodys_home.NOBODYS
    serve = import_ahead()
    places = nobodys_home.kept()
    claim = asyncio.run(_claimed(Path(os.environ["DRYBENCH_TASK_DIR"])))
    if claim is None:
        return 0
    if claim.command[: len(SESSION)] != SESSION:
        print(f"not a session: {claim.command}", file=sys.stderr)
        return 2
    os.environ.update(claim.env)
    nobodys_home.move(places, Path(os.environ["HOME"]))
    return serve(list(claim.command[len(SESSION) :]))


def import_ahead() -> Callable[[list[str]], int]:
    """The server, what answers in it and its extensions, as far as they are the same for everybody."""
    from drybench_runner.quick_imports import ADDRESSES, without

    with without(ADDRESSES):
        from jupyter_core.paths import jupyter_config_path
        from jupyter_server.extension import utils
        from jupyter_server.extension.config import ExtensionConfigManager
        from jupyter_server.serverapp import JUPYTER_SERVICE_HANDLERS

        from drybench_runner.session import serve

        for modules in JUPYTER_SERVICE_HANDLERS.values():
            for module in modules or ():
                _safely(importlib.import_module, module)
        extensions: Any = utils
        enabled = ExtensionConfigManager(read_config_path=jupyter_config_path()).get_jpserver_extensions()
        for name in (name for name, is_on in enabled.items() if is_on):
            _safely(extensions.get_metadata, name)
    return serve


async def _claimed(place: Path) -> Claim | None:
    """None when it is not wanted any more."""
    itself = asyncio.current_task()
    assert itself is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, itself.cancel)
    try:
        async with asyncio.timeout(_ABANDONED):
            return await Door(place).claim()
    except (asyncio.CancelledError, TimeoutError):
        return None


def _safely(load: Callable[[str], Any], name: str) -> None:
    """The server itself says what is wrong with it, to the person whose it is."""
    try:
        load(name)
    except Exception:
        traceback.print_exc()
