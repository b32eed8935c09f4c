"""The part of `Bench` that shares the desktop of a session with a colleague or a group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypedDict
from urllib.parse import quote

from drybench_client import errors
from drybench_client.answers import Session
from drybench_client.calling import Calling
from drybench_client.schedules import local_zone

_WHOLE_ID = 32


class Guest(TypedDict):
    name: str
    since: str


class Share(TypedDict):
    id: str
    session: str
    session_name: str
    app: str
    person: str  # whose session it is
    with_kind: str  # person, group, teachers
    with_name: str
    control: bool  # else they only see it
    created_at: str
    until: str
    standing: str  # open, not yet, stopped, ended
    url: str
    watching: list[Guest]  # told to the owner alone


class Sharing:
    _calling: Calling

    def _session_id(self, session: str | Session) -> str:
        raise NotImplementedError

    def share(
        self,
        session: str | Session,
        *,
        person: str = "",
        group: str = "",
        teachers: str = "",
        control: bool = False,
        length: str = "1 h",
        app: str = "",
    ) -> Share:
        """With one colleague, one group, or those who teach a group of yours.

        For `30 min`, `2 h`, `3 d`, until the end of `today`, or for a `week`.
        """
        asked = {"person": person, "group": group, "teachers": teachers}
        asked = {**asked, "control": control, "length": length, "app": app}
        there = f"/sessions/{self._session_id(session)}/shares"
        return self._calling.json("POST", there, json={**asked, "zone": local_zone()})

    def shares(self, whose: Literal["mine", "others"] = "mine") -> Iterator[Share]:
        """What one shares, or what others share with one; the newest first."""
        yield from self._calling.json("GET", "/shares", params={"whose": whose})["items"]

    def wall(self, group: str) -> Iterator[Share]:
        """The desktops that are shown to who teaches this group."""
        name = quote(group, safe="")
        yield from self._calling.json("GET", f"/walls/{name}")["items"]

    def unshare(self, share: str | Share) -> None:
        """Who looks is cut off at once."""
        id = share["id"] if not isinstance(share, str) else self._share_id(share)
        self._calling.bytes(f"/shares/{id}", "DELETE")

    def unshare_session(self, session: str | Session) -> None:
        """With nobody any more."""
        self._calling.bytes(f"/sessions/{self._session_id(session)}/shares", "DELETE")

    def _share_id(self, share: str) -> str:
        """A whole id, or the end of one."""
        if len(share) == _WHOLE_ID and share.isalnum():
            return share
        found = [one["id"] for one in self.shares() if share and one["id"].endswith(share)]
        if len(found) != 1:
            raise errors.NotFound("not_found", f"You share nothing as {share}.", "`drybench shares` lists what you do.")
        return found[0]
