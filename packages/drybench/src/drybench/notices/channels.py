"""Say how one wants to be told: what page, API and command line call."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from drybench.asking import Desk
from drybench.errors import NoSuchChannel, RecordUnreadable, RequestWrong
from drybench.model import Person, Run
from drybench.notices import kinds as notice_kinds
from drybench.notices import messages as notices
from drybench.notices.book import CHANNEL, NoticeBook
from drybench.notices.messages import ON, Channel, Message, Notice, On
from drybench.notices.sending import Letter, Sending
from drybench.people import permissions
from drybench.vault import Vault


@dataclass(frozen=True)
class ChannelRequest:
    """As somebody typed it."""

    kind: str
    address: str
    name: str = ""
    on: On = "failure"


@dataclass(frozen=True)
class Made:
    """A new channel, and the secret of its signatures: shown this once."""

    channel: Channel
    secret: str


class Channels:
    """What only reads and writes is synchronous, for threads; what connects somewhere is not."""

    def __init__(self, desk: Desk, book: NoticeBook, vault: Vault, sending: Sending) -> None:
        self._desk = desk
        self._book = book
        self._vault = vault
        self._sending = sending

    async def add(self, person: Person, request: ChannelRequest, origin: str = "api") -> Made:
        permissions.needs(person)
        _known(request.on)
        address = notice_kinds.checked(request.kind, request.address)
        await self._sending.check(request.kind, address)
        return await asyncio.to_thread(self._keep, person, request, address, origin)

    def mine(self, person: Person) -> Sequence[Channel]:
        permissions.needs(person, permissions.RUNS)
        return self._book.of_person(person.id)

    def get(self, person: Person, id: str) -> Channel:
        permissions.needs(person, permissions.RUNS)
        return permissions.theirs(person, self._book.channel(id), NoSuchChannel)

    def hint(self, channel: Channel) -> str:
        """Or what is wrong: a list with one that no key opens any more still shows the others."""
        try:
            return notice_kinds.hint(channel.kind, self._opened(channel)[0])
        except RecordUnreadable as error:
            return error.sentence

    def tell_on(self, person: Person, id: str, on: On, origin: str = "api") -> Channel:
        """For all runs that do not say it themselves."""
        permissions.needs(person)
        _known(on)
        self.get(person, id)
        self._book.write(id, on=on)
        self._desk.done(person, f"tell on {on}", CHANNEL, id, origin)
        return self.get(person, id)

    def remove(self, person: Person, id: str, origin: str = "api") -> None:
        permissions.needs(person)
        self.get(person, id)
        self._book.remove(id, self._desk.now())
        self._desk.done(person, "removed", CHANNEL, id, origin)

    async def test(self, person: Person, id: str) -> None:
        """Send a message at once; what goes wrong is raised."""
        permissions.needs(person)
        channel = await asyncio.to_thread(self.get, person, id)
        said = notices.Message(self._desk.new_id(), "A test", "This is how a message from your bench looks.", {})
        await self.send(channel, said)
        await asyncio.to_thread(self._book.write, id, last_problem="")

    async def send(self, channel: Channel, message: Message) -> None:
        """NotTaken, or a refusal."""
        await self._sending.send(await asyncio.to_thread(self.letter, channel, message))

    def letter(self, channel: Channel, message: Message) -> Letter:
        address, secret = self._opened(channel)
        return Letter(channel.kind, address, message, secret)

    def of_run(self, run: Run) -> Sequence[Notice]:
        return self._book.of_run(run.id)

    def _keep(self, person: Person, request: ChannelRequest, address: str, origin: str) -> Made:
        id = self._desk.new_id()
        secret = secrets.token_urlsafe(32) if request.kind == notice_kinds.WEBHOOK else ""
        name = notices.plain(request.name, 60) or notice_kinds.KINDS[request.kind].title
        sealed = self._vault.seal(f"{CHANNEL} {id}", {"address": address, "secret": secret})
        channel = Channel(id, person.id, name, request.kind, sealed, request.on, self._desk.now())
        self._book.add(channel)
        self._desk.done(person, "added", CHANNEL, id, origin)
        return Made(channel, secret)

    def _opened(self, channel: Channel) -> tuple[str, str]:
        content = self._vault.open(f"{CHANNEL} {channel.id}", channel.sealed)
        return content["address"], content["secret"]


def _known(on: str) -> None:
    if on not in ON:
        raise RequestWrong(field="on", problem=f"it is one of {', '.join(ON)}")
