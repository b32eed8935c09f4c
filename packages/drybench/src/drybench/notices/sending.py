"""Take one message to one address: by mail, to a webhook, or to a service by apprise.

What goes wrong is said without the address: it may open something, and the sentence goes to pages and logs.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx

from drybench.errors import NoMailHere, NoSuchHost, NotTaken, Refused
from drybench.notices import kinds as notice_kinds
from drybench.notices.destinations import Destinations
from drybench.notices.messages import SIGNATURE, Message, harmless, signature
from drybench.settings import Settings

PATIENCE = 20.0  # seconds for the whole of it


@dataclass(frozen=True)
class Letter:
    """A message with its unsealed address; its repr goes to no log."""

    kind: str
    address: str
    message: Message
    secret: str = ""

    def __repr__(self) -> str:
        return f"<{self.kind} {self.message.id}>"


class Sending:
    def __init__(self, settings: Settings, destinations: Destinations, now: Callable[[], datetime]) -> None:
        self._mail = settings.mail
        self._destinations = destinations
        self._now = now

    async def check(self, kind: str, address: str) -> None:
        """Refuse what can never be sent to, before it is kept; `notice_kinds.checked` has looked at its form."""
        if kind == notice_kinds.MAIL:
            self._check_mail(address)
        elif kind == notice_kinds.WEBHOOK:
            await self._look_up(httpx.URL(address))

    async def send(self, letter: Letter) -> None:
        """NotTaken, or a refusal: what it says may be shown to the person."""
        ways = {notice_kinds.MAIL: self._by_mail, notice_kinds.WEBHOOK: self._to_webhook}
        try:
            async with asyncio.timeout(PATIENCE):
                await ways.get(letter.kind, self._to_service)(letter)
        except TimeoutError:
            raise NotTaken(where=notice_kinds.KINDS[letter.kind].title, why="it did not answer in time") from None

    async def _look_up(self, there: httpx.URL) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._checked(there)
        except TimeoutError:
            raise NoSuchHost(host=there.host[:200]) from None

    def _check_mail(self, address: str) -> None:
        if not self._mail.server:
            raise NoMailHere()
        domains = [domain.lower() for domain in self._mail.domains]
        if domains and address.rpartition("@")[2].lower() not in domains:
            raise Refused(
                sentence="This bench does not send mail to that domain.",
                next_step=f"Give an address at one of: {', '.join(domains)}.",
            )

    async def _by_mail(self, letter: Letter) -> None:
        self._check_mail(letter.address)
        await asyncio.to_thread(self._deliver, letter)

    def _deliver(self, letter: Letter) -> None:
        mail = self._mail
        try:
            with self._open_mail() as server:
                if mail.user:
                    server.login(mail.user, Path(mail.password_file).expanduser().read_text().strip())
                server.send_message(_as_mail(letter, mail.sender, self._now()), mail.sender, [letter.address])
        except smtplib.SMTPResponseException as error:
            raise NotTaken(where="The mail server", why=f"it answered {error.smtp_code}") from None
        except smtplib.SMTPRecipientsRefused as error:
            codes = ", ".join(str(code) for code, _ in error.recipients.values())
            raise NotTaken(where="The mail server", why=f"it refused the address ({codes})") from None
        except (OSError, smtplib.SMTPException) as error:
            raise NotTaken(where="The mail server", why=f"no connection ({type(error).__name__})") from None

    def _open_mail(self) -> smtplib.SMTP:
        mail, trusted = self._mail, ssl.create_default_context()
        name = self._destinations.own_host or "localhost"  # the system's own guess may take seconds
        if mail.tls == "tls":
            return smtplib.SMTP_SSL(mail.server, mail.port, name, timeout=PATIENCE, context=trusted)
        server = smtplib.SMTP(mail.server, mail.port, name, timeout=PATIENCE)
        if mail.tls == "starttls":
            server.starttls(context=trusted)
        return server

    async def _to_webhook(self, letter: Letter) -> None:
        """The connection goes to the address that was checked, whatever the name leads to a moment later.

        Redirects are not followed, no proxy stands between, and of the answer only its first line counts.
        """
        body, there = letter.message.as_json(self._now()), httpx.URL(letter.address)
        headers = {
            "Host": there.netloc.decode(),
            "Content-Type": "application/json",
            "User-Agent": "Drybench",
            SIGNATURE: signature(letter.secret, self._now(), body),
        }
        here = there.copy_with(host=await self._checked(there))
        named = {"sni_hostname": there.host}  # the certificate is the name's
        try:
            async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as client:
                asked = client.stream("POST", here, headers=headers, content=body, extensions=named)
                async with asked as answer:
                    status = answer.status_code
        except httpx.TransportError as error:
            raise NotTaken(where="The webhook", why=f"no connection ({type(error).__name__})") from None
        if 300 <= status < 400:
            raise NotTaken(where="The webhook", why=f"it answered HTTP {status}, and redirects are not followed")
        if not 200 <= status < 300:
            raise NotTaken(where="The webhook", why=f"it answered HTTP {status}")

    async def _checked(self, there: httpx.URL) -> str:
        port = there.port or (443 if there.scheme == "https" else 80)
        return await asyncio.to_thread(self._destinations.checked, there.host, port)

    async def _to_service(self, letter: Letter) -> None:
        await asyncio.to_thread(_by_apprise, letter)


def _as_mail(letter: Letter, sender: str, at: datetime) -> EmailMessage:
    """The library refuses a header of two lines; the message has none, as `notices.plain` made it."""
    mail = EmailMessage()
    mail["Subject"] = f"Drybench: {letter.message.title}"
    mail["From"], mail["To"], mail["Date"] = sender, letter.address, at
    mail["Message-ID"] = f"<{letter.message.id}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(letter.message.text)
    return mail


def _by_apprise(letter: Letter) -> None:
    """One plug-in by its name, which imports no other; it says only whether it went."""
    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # what it logs may hold a key of the address
    apprise: Any = importlib.import_module("apprise")
    service = notice_kinds.SERVICES[letter.kind]
    module, _, name = service.plug_in.partition(".")
    plug_in: Any = getattr(importlib.import_module(f"apprise.plugins.{module}"), name)
    asset = apprise.AppriseAsset(http_redirects=False, async_mode=False, app_id="Drybench", app_desc="Drybench")
    title, text = harmless(letter.message.title), harmless(letter.message.text)
    try:
        way = plug_in(**plug_in.parse_url(notice_kinds.for_apprise(letter.kind, letter.address)), asset=asset)
        went = way.notify(body=text, title=title, body_format=apprise.NotifyFormat.TEXT)
    except Exception as error:  # what it says may hold a key of the address
        raise NotTaken(where=service.title, why=f"it could not be asked ({type(error).__name__})") from None
    if not went:
        raise NotTaken(where=service.title, why="it refused it, or no connection could be made")
