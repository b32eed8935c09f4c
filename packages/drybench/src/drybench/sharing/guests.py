"""Who looks at whose desktop at this moment: known while it lasts, by the one portal through which they all come."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from drybench.changes import Change, Changes
from drybench.sharing.rules import Share

SHARE = "share"  # as deeds and changes call it


@dataclass(frozen=True)
class Guest:
    share: Share
    name: str
    since: datetime


class Guests:
    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._guests: dict[object, Guest] = {}

    @contextmanager
    def here(self, guest: Guest) -> Generator[None]:
        """Within the block they are on the owner's list; one person in two windows is there twice."""
        seat = object()
        self._guests[seat] = guest
        self._tell(guest.share)
        try:
            yield
        finally:
            del self._guests[seat]
            self._tell(guest.share)

    def of_share(self, share_id: str) -> Sequence[Guest]:
        return [guest for guest in tuple(self._guests.values()) if guest.share.id == share_id]

    def _tell(self, share: Share) -> None:
        self._changes.tell(Change(SHARE, share.session_id, share.person_id))
