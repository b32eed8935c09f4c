"""The commands for sessions: start one, see them, stop one."""

from __future__ import annotations

from typing import Literal

from drybench_client.commands.said import HERE, Which, needed


def start(
    environment: str | None = None,
    *,
    name: str | None = None,
    app: str | None = None,
    size: str | None = None,
    gpu: list[str] | None = None,
    which: Which = HERE,
) -> None:
    """Start a session, such as JupyterLab.

    Parameters
    ----------
    environment
        The environment to start.
    name
        What the session is called; several live side by side.
    app
        What to open in it, where the environment has more than one.
    size
        How much of the machine it may have.
    gpu
        A GPU beside those of the size, with at least this memory: 8GiB, 24GB, any. More than one may be given.
    """
    from drybench_client import printing

    with which.open() as bench:
        found = bench.start_session(environment, name=name, app=app, size=size, gpus=gpu or ())
    which.show(found, printing.show_started)


def sessions(action: Literal["list", "remove"] = "list", name: str | None = None, *, which: Which = HERE) -> None:
    """Your sessions.

    Parameters
    ----------
    action
        `remove` takes one that has ended off the list.
    name
        Its name or id.
    """
    from drybench_client import printing

    with which.open() as bench:
        if action == "remove":
            bench.remove_session(needed(name))
            return
        found = list(bench.sessions())
    which.show_items(found, printing.show_sessions)


def stop(id: str, *, which: Which = HERE) -> None:
    """Stop a session; your files stay, and what was not saved is lost.

    Parameters
    ----------
    id
        The session's name or id.
    """
    from drybench_client import printing

    with which.open() as bench:
        found = bench.stop_session(id)
    which.show(found, printing.show_session_state)


COMMANDS = (start, sessions, stop)
