"""The commands around schedules, and around how one is told."""

from __future__ import annotations

from typing import Literal

from drybench_client.commands.said import DONE, HERE, Which, needed


def schedules(
    action: Literal["list", "pause", "resume", "run", "remove"] = "list",
    id: str | None = None,
    *,
    which: Which = HERE,
) -> int:
    """Your schedules: what runs by itself, and when. `drybench run --at` and `--cron` make them.

    Parameters
    ----------
    action
        What to do with one; `run` begins a run of it now, `remove` keeps the runs that it began.
    id
        The schedule's id, or the end of it, or its name.
    """
    from drybench_client import printing, printing_schedules

    with which.open() as bench:
        if action == "list":
            found = [it for it in bench.schedules() if id in (None, it["name"]) or it["id"].endswith(str(id))]
            which.show_items(found, printing_schedules.show_schedules)
        elif action == "remove":
            bench.remove_schedule(needed(id))
        elif action == "run":
            run = bench.run_schedule(needed(id))
            which.show(run, printing.show_run_state)
        else:
            change = bench.pause_schedule if action == "pause" else bench.resume_schedule
            changed = change(needed(id))
            which.show(changed, lambda one: printing_schedules.show_schedules([one]))
    return DONE


def channels(
    action: Literal["list", "add", "on", "test", "remove"] = "list",
    id: str | None = None,
    *,
    on: Literal["failure", "success", "both", "never"] = "failure",
    name: str = "",
    which: Which = HERE,
) -> int:
    """How you are told of the end of your runs.

    Parameters
    ----------
    action
        Add one, say on what it tells you, send it a test, or remove it.
    id
        The channel's id, or the end of it, or its name. For `add` its kind: mail, slack, teams, webhook …; its
        address is asked for, or read from the standard input, as it is a secret.
    on
        When it tells you.
    name
        What a new one is called.
    """
    from drybench_client import printing, printing_schedules

    with which.open() as bench:
        if action == "add":
            added = bench.add_channel(needed(id), _secret("Its address: "), name=name, on=on)
            which.show(added, printing_schedules.show_new_channel)
        elif action == "test":
            bench.test_channel(needed(id))
            printing.say("The test is sent.")
        elif action == "remove":
            bench.remove_channel(needed(id))
        else:
            found = [bench.tell_on(needed(id), on)] if action == "on" else list(bench.channels())
            which.show_items(found, printing_schedules.show_channels)
    return DONE


COMMANDS = (schedules, channels)


def _secret(question: str) -> str:
    """Never a word of the command: those are seen by everybody on the machine."""
    import getpass
    import sys

    return (getpass.getpass(question) if sys.stdin.isatty() else sys.stdin.readline()).strip()
