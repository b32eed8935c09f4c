"""Schedules and channels as calm text. Times are in the schedule's own zone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from drybench_client.printing import plain, say_error, table
from drybench_client.schedules import Channel, NewChannel, Schedule


def show_schedule(schedule: Schedule) -> None:
    print(f"Schedule {schedule['id'][-8:]} ({plain(schedule['name'])}): {plain(schedule['words'])}")
    for time in schedule["next"]:
        print(f"  {_local(time, schedule['zone'])}")
    if schedule["problem"]:
        say_error(schedule["problem"])


def show_schedules(schedules: Sequence[Schedule]) -> None:
    rows = [(it["id"][-8:], it["name"], it["words"], _next(it), it["problem"]) for it in schedules]
    table(("ID", "NOTEBOOK", "WHEN", "NEXT", "PROBLEM"), rows, nothing='No schedules: drybench run NOTEBOOK --cron "…"')


def show_channels(channels: Sequence[Channel]) -> None:
    rows = [(it["id"][-8:], it["name"], it["kind"], it["hint"], it["on"], it["last_problem"]) for it in channels]
    table(("ID", "NAME", "KIND", "ADDRESS", "TELLS ON", "PROBLEM"), rows, nothing="You are not told anything yet.")


def show_new_channel(channel: NewChannel) -> None:
    show_channels([channel])
    if channel["secret"]:
        print(f"Its messages are signed with {channel['secret']}, which is told this once.")


def _next(schedule: Schedule) -> str:
    if schedule["paused"]:
        return "paused"
    return _local(schedule["next_at"], schedule["zone"]) if schedule["next_at"] else "over"


def _local(time: str, zone: str) -> str:
    """In UTC where this machine does not know the zone."""
    then = datetime.fromisoformat(time)
    try:
        return f"{then.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M}"
    except (ZoneInfoNotFoundError, ValueError):
        return f"{then:%a %Y-%m-%d %H:%M} UTC"
