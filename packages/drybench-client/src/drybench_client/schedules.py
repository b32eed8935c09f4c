"""The part of `Bench` that asks for schedules, and says how one wants to be told."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack
from uuid import uuid4

from drybench_client import errors
from drybench_client.answers import Run
from drybench_client.asking import Options
from drybench_client.calling import Calling

_LOCAL = Path("/etc/localtime")
_WHOLE_ID = 32


class Schedule(TypedDict):
    id: str
    name: str
    person: str
    words: str
    cron: str | None
    at: str | None
    zone: str
    missed: str
    notebook: str  # now, then
    paused: bool
    next_at: str | None
    next: list[str]
    last_at: str | None
    last_run: str | None
    problem: str
    created_at: str
    url: str


class Coming(TypedDict):
    words: str
    next: list[str]


class Channel(TypedDict):
    id: str
    name: str
    kind: str
    hint: str
    on: str
    last_problem: str
    created_at: str


class NewChannel(Channel):
    secret: str  # of a webhook's signatures, told this once


class Scheduling:
    """Times without an offset are meant in `zone`; without one, in this machine's own."""

    _calling: Calling

    def _request(
        self, notebook: str | Path, parameters: Mapping[str, Any] | None, **asked: Unpack[Options]
    ) -> dict[str, Any]:
        raise NotImplementedError

    def _send_notebook(self, path: str, file: Path, request: Mapping[str, Any], **fields: Mapping[str, Any]) -> Any:
        raise NotImplementedError

    def schedule(
        self,
        notebook: str | Path,
        parameters: Mapping[str, Any] | None = None,
        *,
        at: str | None = None,
        cron: str | None = None,
        zone: str | None = None,
        missed: Literal["once", "skip"] = "once",
        read_again: bool = False,
        **options: Unpack[Options],
    ) -> Schedule:
        """Run it once `at` a time or again and again by `cron`. The options are those of `submit`.

        With `read_again` the file is run as it is at each time, else as it is now.
        """
        when = {"at": at, "cron": cron, "zone": zone or local_zone(), "missed": missed}
        when["notebook"] = "then" if read_again else "now"
        request = self._request(notebook, parameters, **options)
        return self._send_notebook("/schedules", Path(notebook), request, schedule=when)

    def coming(self, *, at: str | None = None, cron: str | None = None, zone: str | None = None) -> Coming:
        """What a time or an expression means: in words, and the next five times. Nothing is kept."""
        return self._calling.json(
            "POST", "/schedules/preview", json={"at": at, "cron": cron, "zone": zone or local_zone()}
        )

    def schedules(self) -> Iterator[Schedule]:
        """One's own, the newest first."""
        yield from self._calling.json("GET", "/schedules")["items"]

    def get_schedule(self, schedule: str | Schedule) -> Schedule:
        return self._calling.json("GET", f"/schedules/{self._schedule_id(schedule)}")

    def pause_schedule(self, schedule: str | Schedule) -> Schedule:
        return self._calling.json("POST", f"/schedules/{self._schedule_id(schedule)}/pause")

    def resume_schedule(self, schedule: str | Schedule) -> Schedule:
        return self._calling.json("POST", f"/schedules/{self._schedule_id(schedule)}/resume")

    def run_schedule(self, schedule: str | Schedule) -> Run:
        """Once more than it comes by itself, now."""
        key = {"Idempotency-Key": uuid4().hex}
        return self._calling.json("POST", f"/schedules/{self._schedule_id(schedule)}/run-now", headers=key)

    def remove_schedule(self, schedule: str | Schedule) -> None:
        """The runs that it began stay."""
        self._calling.bytes(f"/schedules/{self._schedule_id(schedule)}", "DELETE")

    def channels(self) -> Iterator[Channel]:
        """The ways in which one is told."""
        yield from self._calling.json("GET", "/channels")["items"]

    def add_channel(self, kind: str, address: str, *, name: str = "", on: str = "failure") -> NewChannel:
        """mail, slack, teams, webhook and others; told on failure, success, both or never, unless a run says itself."""
        return self._calling.json("POST", "/channels", json={"kind": kind, "address": address, "name": name, "on": on})

    def tell_on(self, channel: str | Channel, on: Literal["failure", "success", "both", "never"]) -> Channel:
        """When it tells, unless a run says itself."""
        return self._calling.json("POST", f"/channels/{self._channel_id(channel)}/on", json={"on": on})

    def test_channel(self, channel: str | Channel) -> None:
        self._calling.bytes(f"/channels/{self._channel_id(channel)}/test", "POST")

    def remove_channel(self, channel: str | Channel) -> None:
        self._calling.bytes(f"/channels/{self._channel_id(channel)}", "DELETE")

    def _schedule_id(self, schedule: str | Schedule) -> str:
        return _id(schedule, "schedule", self.schedules)

    def _channel_id(self, channel: str | Channel) -> str:
        return _id(channel, "channel", self.channels)


def local_zone() -> str:
    """This machine's time zone by its name; UTC where it does not say one."""
    named = os.environ.get("TZ", "").lstrip(":")
    _, found, name = str(_LOCAL.resolve()).rpartition("/zoneinfo/")
    return named if "/" in named and not named.startswith("/") else name if found else "UTC"


def _id(thing: str | Schedule | Channel, what: str, those: Any) -> str:
    """A whole id, the end of one, or a name."""
    if not isinstance(thing, str):
        return thing["id"]
    if len(thing) == _WHOLE_ID and thing.isalnum():
        return thing
    found = [it["id"] for it in those() if thing and (it["id"].endswith(thing) or it["name"] == thing)]
    if len(found) == 1:
        return found[0]
    if found:
        step = "Give the end of its id: " + ", ".join(id[-8:] for id in found[:5])
        raise errors.Refused("not_unique", f"{len(found)} {what}s are called {thing}.", step)
    raise errors.NotFound("not_found", f"You have no {what} {thing}.", f"`drybench {what}s` lists them.")
