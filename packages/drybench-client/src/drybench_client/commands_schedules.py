"""The commands around schedules, and around how one is told."""

from __future__ import annotations

from typing import Literal

from drybench_client.commands import DONE, Which

_HERE = Which()


def schedules(
    action: Literal["list", "pause", "resume", "run", "remove"] = "list",
    id: str | None = None,
    *,
    which: Which = _HERE,
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
            printing.show_json({"items": found}) if which.json else printing_schedules.show_schedules(found)
        elif action == "remove":
            bench.remove_schedule(_needed(id))
        elif action == "run":
            run = bench.run_schedule(_needed(id))
            printing.show_json(dict(run)) if which.json else printing.show_state("Run", run)
        else:
            change = bench.pause_schedule if action == "pause" else bench.resume_schedule
            changed = change(_needed(id))
            printing.show_json(dict(changed)) if which.json else printing_schedules.show_schedules([changed])
    return DONE


def channels(action: Literal["list", "test", "remove"] = "list", id: str | None = None, *, which: Which = _HERE) -> int:
    """How you are told of the end of your runs; the page “Tell me” and `Bench.add_channel` add a way.

    Parameters
    ----------
    action
        Send one a test, or remove it.
    id
        The channel's id, or the end of it, or its name.
    """
    from drybench_client import printing, printing_schedules

    with which.open() as bench:
        if action == "list":
            found = list(bench.channels())
            printing.show_json({"items": found}) if which.json else printing_schedules.show_channels(found)
        elif action == "test":
            bench.test_channel(_needed(id))
            printing.say("The test is sent.")
        else:
            bench.remove_channel(_needed(id))
    return DONE


COMMANDS = (schedules, channels)


def _needed(id: str | None) -> str:
    from drybench_client.errors import Refused

    if id is None:
        raise Refused("id_missing", "Which one is not said.", "Give its id, the end of it, or its name.")
    return id
