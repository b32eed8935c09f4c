"""Share a desktop, see with whom, end it: what page, API and command line call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from drybench.asking import Desk
from drybench.changes import Change
from drybench.errors import (
    DrybenchError,
    NobodyOfThatName,
    NobodyTeaches,
    NoGroupOfThatName,
    NoSuchScreen,
    NoSuchShare,
    NoSuchWall,
    NothingToSee,
    NotRunningYet,
    SharedWithOneself,
    SharingOff,
    WithWhom,
)
from drybench.hub_client import HubPerson
from drybench.model import Person, Session
from drybench.people import permissions
from drybench.phases import Phase, Wanted
from drybench.sessions import Sessions
from drybench.sharing import rules
from drybench.sharing.book import ShareBook
from drybench.sharing.guests import SHARE, Guest, Guests
from drybench.sharing.rules import GROUP, PERSON, TEACHERS, Share, Standing
from drybench.sharing.teaching import Teaching


@dataclass(frozen=True)
class ShareRequest:
    """As somebody typed it: one of the first three."""

    person: str = ""
    group: str = ""
    teachers: str = ""  # of this group
    control: bool = False
    length: str = "1 h"
    zone: str = "UTC"  # of `today`
    app: str = ""  # the first one with a screen, when not given


@dataclass(frozen=True)
class Seen:
    """One share, and how it stands with it."""

    share: Share
    session: Session | None
    standing: Standing
    watching: Sequence[Guest]


class Shares:
    """Raises errors.* with a sentence. What is synchronous is called in a thread."""

    def __init__(
        self,
        desk: Desk,
        sessions: Sessions,
        book: ShareBook,
        guests: Guests,
        own_host_names: bool,
        at_the_hub: Callable[[], Awaitable[Sequence[HubPerson]]],
        teaching: Teaching,
    ) -> None:
        self._desk = desk
        self._sessions = sessions
        self._book = book
        self.guests = guests
        self.are_possible = own_host_names
        self._at_the_hub = at_the_hub
        self.teaching = teaching

    async def share(self, person: Person, session_id: str, request: ShareRequest, origin: str = "api") -> Seen:
        """With the same colleague or group once more: from now on as it is said now."""
        permissions.needs(person)
        session = await asyncio.to_thread(self._shareable, person, session_id)
        known = await self._known()
        return await asyncio.to_thread(self._share, person, session, request, known, origin)

    def of_session(self, person: Person, session_id: str) -> Sequence[Seen]:
        permissions.needs(person)
        session = self._sessions.get(person, session_id)
        return [self._seen(share) for share in self._book.of_session(session.id, self._desk.now())]

    def mine(self, person: Person) -> Sequence[Seen]:
        permissions.needs(person)
        return [self._seen(share) for share in self._book.of_person(person.id, self._desk.now())]

    def with_me(self, person: Person) -> Sequence[Seen]:
        """What others let them see, wherever that is possible at all."""
        permissions.needs(person)
        if not self.are_possible:
            return ()
        found = [self._seen(share) for share in self._book.with_person(person, self._desk.now())]
        return [seen for seen in found if seen.standing is not Standing.ENDED]

    def seen(self, person: Person, id: str) -> Seen:
        """By whom it is for, or whose it is; for all others there is no such thing."""
        permissions.needs(person)
        if not self.are_possible:
            raise SharingOff()
        share = self._book.get(id)
        if share is None or not (self._is_for(share, person) or share.person_id == person.id):
            raise NoSuchShare()
        return self._seen(share)

    def wall(self, person: Person, group: str) -> Sequence[Seen]:
        """The desktops that are shown to who teaches this group."""
        permissions.needs(person)
        if group not in self.teaching.by(person):
            raise NoSuchWall()
        if not self.are_possible:
            raise SharingOff()
        return [self._seen(share) for share in self._book.with_teachers(group, self._desk.now())]

    def end(self, person: Person, id: str, origin: str = "api") -> None:
        """Who looks is cut off at once. Once more is the same as once."""
        permissions.needs(person)
        share = permissions.theirs(person, self._book.get(id), NoSuchShare)
        if self._book.end(id, person.name, self._desk.now()):
            self._tell(person, "ended the share with", share, origin)

    def end_all(self, person: Person, session_id: str, origin: str = "api") -> None:
        """Of one session."""
        for seen in self.of_session(person, session_id):
            self.end(person, seen.share.id, origin)

    def came(self, person: Person, share: Share) -> None:
        """A guest, to whom the portal opens the way."""
        self._desk.done(person, f"came to see {share.app} of {share.person}", SHARE, share.id, "browser")

    def went(self, person: Person, share: Share) -> None:
        self._desk.done(person, f"no longer sees {share.app} of {share.person}", SHARE, share.id, "browser")

    def choices(self, person: Person) -> tuple[Sequence[str], Sequence[str]]:
        """Colleagues and groups to choose from."""
        people = self._desk.ledger.people()
        return sorted({one.name for one in people} - {person.name}), sorted(_groups(people))

    def why_not(self, session: Session) -> DrybenchError | None:
        """This session cannot be shared at all, or not now."""
        if not self.are_possible:
            return SharingOff()
        if session.task.phase is not Phase.RUNNING or session.task.wanted is Wanted.STOP:
            return NotRunningYet(name=session.name)
        return None if rules.screens(session) else NothingToSee(name=session.name)

    def _shareable(self, person: Person, session_id: str) -> Session:
        session = self._sessions.get(person, session_id)
        if problem := self.why_not(session):
            raise problem
        return session

    async def _known(self) -> Sequence[HubPerson]:
        """Also who has never signed in, where the Hub can say it."""
        try:
            return await self._at_the_hub()
        except DrybenchError:
            return ()

    def _share(
        self, person: Person, session: Session, request: ShareRequest, known: Sequence[HubPerson], origin: str
    ) -> Seen:
        now = self._desk.now()
        if sum(map(bool, (request.person, request.group, request.teachers))) != 1:
            raise WithWhom()
        colleague = self._colleague(person, request.person, known) if request.person else None
        share = self._book.put(
            Share(
                id=self._desk.new_id(),
                session_id=session.id,
                app=_screen(session, request.app),
                person_id=person.id,
                person=person.name,
                with_kind=PERSON if colleague else GROUP if request.group else TEACHERS,
                with_id=colleague and colleague.id,
                with_name=colleague.name if colleague else self._group(person, request, known),
                control=request.control and not request.teachers,
                created_at=now,
                until=rules.until(request.length, request.zone, now),
            )
        )
        self._tell(person, "shared, to control, with" if share.control else "shared, to see, with", share, origin)
        return self._seen(share)

    def _colleague(self, person: Person, name: str, known: Sequence[HubPerson]) -> Person:
        if name == person.name:
            raise SharedWithOneself()
        here = next((one for one in self._desk.ledger.people() if one.name == name), None)
        at_the_hub = next((one for one in known if one.name == name), None)
        if here is None and at_the_hub is None:
            raise NobodyOfThatName(name=name[:60])
        return here or self._desk.ledger.person_seen(name, at_the_hub and at_the_hub.groups)

    def _group(self, person: Person, request: ShareRequest, known: Sequence[HubPerson]) -> str:
        if request.teachers and request.teachers not in self.teaching.of(person):
            raise NobodyTeaches(name=request.teachers[:60])
        if request.group and request.group not in _groups(self._desk.ledger.people()) | _groups(known):
            raise NoGroupOfThatName(name=request.group[:60])
        return request.group or request.teachers

    def _is_for(self, share: Share, person: Person) -> bool:
        return rules.is_for(share, person, self.teaching.by(person))

    def _seen(self, share: Share) -> Seen:
        session = self._desk.ledger.session(share.session_id)
        standing = rules.standing(share, session, self._desk.now())
        return Seen(share, session, standing, self.guests.of_share(share.id))

    def _tell(self, person: Person, deed: str, share: Share, origin: str) -> None:
        """Its row, and word to the pages: the owner's, and those of whom it is for."""
        self._desk.done(person, f"{deed} {share.with_name}", SHARE, share.id, origin)
        self._desk.changes.tell(Change(SHARE, share.session_id, person.id))
        for one in self._desk.ledger.people():
            if self._is_for(share, one):
                self._desk.changes.tell(Change(SHARE, share.id, one.id))


def _screen(session: Session, wanted: str) -> str:
    there = rules.screens(session)
    if wanted and wanted not in there:
        raise NoSuchScreen(name=session.name, app=wanted[:60], there=", ".join(there))
    return wanted or there[0]


def _groups(people: Sequence[Person] | Sequence[HubPerson]) -> set[str]:
    return {group for one in people for group in one.groups}
