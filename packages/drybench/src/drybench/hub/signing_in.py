"""Signing in: any of JupyterHub's authenticators with the one-time ticket added, and who is let in.

What a stock authenticator does at once may as well be done by and by; the Hub waits for either.
"""

# pyright: standard, reportIncompatibleMethodOverride=false

from __future__ import annotations

import asyncio
import secrets
import time
from contextlib import suppress
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from jupyterhub.auth import Authenticator
from jupyterhub.handlers.base import BaseHandler
from jupyterhub.handlers.login import LoginHandler
from traitlets import Bool, Unicode, import_item

from drybench.data_folder import DataFolder
from drybench.errors import PortalAway, SecondPerson, SessionsGoOn, SettingsWrong
from drybench.hub import tickets
from drybench.hub.portal_socket import PortalSocket
from drybench.hub.ticket_page import TicketPage, ToPortal, only_from_here, said

ONE_PERSON = "one-person"
TICKET = "drybench_ticket"
GROUP = "jupyterhub.authenticators"  # of entry points
SESSIONS_END_WITHIN = 30.0  # seconds; their grace is ten
PAUSE = 0.1
Model = dict[str, Any]


class Ticketed(Authenticator):
    """Goes around a stock authenticator: a ticket comes in by its own page only, everything else is as before."""

    bench_data = Unicode(help="The data directory").tag(config=True)
    bench_address = Unicode(help="The public address").tag(config=True)
    bench_owner = Unicode(help="Whom a ticket signs in").tag(config=True)
    bench_is_for_one = Bool(help="Without own host names a second person is refused").tag(config=True)
    by_ticket_only = False

    async def authenticate(self, handler: BaseHandler, data: Model) -> Model | str | None:
        if isinstance(handler, LoginHandler):
            only_from_here(handler)
        if not isinstance(handler, TicketPage):
            return await _finished(super().authenticate(handler, data))
        tickets.take(self.folder, data["code"])
        owner = handler.find_user(self.normalize_username(self.bench_owner))
        known = await owner.get_auth_state() if owner else None
        return {"name": self.bench_owner, "auth_state": known, "groups": None, TICKET: True}

    async def check_allowed(self, username: str, authentication: Model | None = None) -> bool:
        if authentication and authentication.get(TICKET):
            return True
        return bool(await _finished(super().check_allowed(username, authentication)))

    async def is_admin(self, handler: BaseHandler, authentication: Model) -> bool | None:
        """A stock authenticator would look for what only its own sign-in brings along."""
        if authentication.get(TICKET):
            return True if authentication["name"] in self.admin_users else None
        return await _finished(super().is_admin(handler, authentication))

    async def run_post_auth_hook(self, handler: BaseHandler, auth_model: Model) -> Model:
        if not self._may_come_in(auth_model["name"]):
            raise said(SecondPerson(first=self.folder.only_person.read_text()))
        return await super().run_post_auth_hook(handler, auth_model)

    async def refresh_user(self, user: Any, handler: BaseHandler | None = None) -> bool | Model | None:
        """Whoever signed in while several were let in is out once they are not."""
        if not self._may_come_in(user.name):
            return False
        return await _finished(super().refresh_user(user, handler))

    async def delete_user(self, user: Any) -> None:
        """Not without the portal: a name made again must find nothing of the one before it.

        The Hub itself would stop only a session without a name; the portal ends them all.
        """
        await self._tell_portal(user.name)
        await _until_without_sessions(user)
        if self.bench_is_for_one and self._first() == user.name:
            self.folder.only_person.unlink()
        await _finished(super().delete_user(user))

    def get_handlers(self, app: Any) -> list[tuple[str, type[BaseHandler]]]:
        """The first match wins, so these come before the Hub's own pages."""
        to_portal = r"/(?:home|spawn(?:-pending)?(?:/.*)?|user/.*|user-redirect/.*)"
        return [("/ticket", TicketPage), (to_portal, ToPortal), *super().get_handlers(app)]

    @property
    def folder(self) -> DataFolder:
        return DataFolder(Path(self.bench_data))

    def _may_come_in(self, name: str) -> bool:
        """The first one who comes is remembered from then on, whatever the settings say later."""
        if not self._first():
            self._remember(name)
        return not self.bench_is_for_one or self._first() == name

    def _remember(self, name: str) -> None:
        """Written aside and linked into place: a full disk or a kill leaves no empty name that nobody has."""
        first = self.folder.only_person
        new = first.with_name(f".{first.name}.{secrets.token_hex(4)}")
        new.write_text(name)
        with suppress(FileExistsError):
            first.hardlink_to(new)
        new.unlink()

    def _first(self) -> str:
        file = self.folder.only_person
        return file.read_text() if file.exists() else ""

    async def _tell_portal(self, name: str) -> None:
        portal = PortalSocket(self.folder.socket)
        try:
            await portal.person_gone(name)
        except PortalAway as away:
            raise said(away) from None
        finally:
            await portal.close()


class OnePerson(Authenticator):
    """Nobody has a password: the owner signs in by a ticket."""

    by_ticket_only = True

    async def authenticate(self, handler: BaseHandler, data: Model) -> None:
        return None


def ticketed(name: str) -> type[Ticketed]:
    """The authenticator of the settings, with the ticket around it."""
    base = OnePerson if name == ONE_PERSON else _stock(name)
    own = {"by_ticket_only": getattr(base, "by_ticket_only", False)}
    return type(f"Ticketed{base.__name__}", (Ticketed, base), own)


def _stock(name: str) -> type[Authenticator]:
    try:
        found = next((entry.load() for entry in entry_points(group=GROUP, name=name)), None) or import_item(name)
    except ImportError as problem:
        raise SettingsWrong(place="hub.authenticator", problem=f"{name} cannot be loaded ({problem})") from None
    if not (isinstance(found, type) and issubclass(found, Authenticator)):
        raise SettingsWrong(place="hub.authenticator", problem=f"{name} is none of JupyterHub's authenticators")
    return found


async def _until_without_sessions(user: Any) -> None:
    deadline = time.monotonic() + SESSIONS_END_WITHIN
    while any(session.active for session in user.spawners.values()):
        if time.monotonic() > deadline:
            raise said(SessionsGoOn(name=user.name))
        await asyncio.sleep(PAUSE)


async def _finished(answer: Any) -> Any:
    """Stock authenticators answer at once or by and by."""
    return await answer if hasattr(answer, "__await__") else answer
