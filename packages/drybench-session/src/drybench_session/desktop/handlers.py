"""The addresses of screens below the session's own: the page, its files, what state a screen is in, its stream.

For the session's owner by jupyter_server's own sign-in. The stream alone is also for who shows the guest's key, which
only the portal can make: it lets in whom the owner shares the screen with, and says here what each may do.
"""

from __future__ import annotations

import asyncio
import hmac
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import APIHandler, FileFindHandler, JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from jupyter_server.utils import url_path_join
from tornado.web import Application, HTTPError, authenticated
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from drybench_session.apps import App
from drybench_session.desktop import page, video
from drybench_session.desktop.last_input import LastInput
from drybench_session.desktop.rfb import NotRfb
from drybench_session.desktop.screens import Screen, Screens, State
from drybench_session.desktop.stream import ASK, CONTROL, TAKE, WATCH, Bridge, Closed, Viewers
from drybench_session.desktop.video import VideoStream
from drybench_session.errors import AskWrong, SessionError
from drybench_session.owners import only_the_owner

GUEST, GUEST_NAME = "X-Drybench-Guest", "X-Drybench-Guest-Name"
_LONGEST_NAME = 100
_LARGEST_MESSAGE = 4 << 20  # bytes of a frame; a longer text comes in several
_MOST_UNREAD = 64  # events for a window that reads nothing
_POLICY = "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' blob: data:; frame-ancestors 'self'"


@dataclass(frozen=True)
class Desk:
    """What the handlers share."""

    screens: Screens
    viewers: dict[str, Viewers]
    last_input: LastInput
    owner: str
    guests_key: str
    base_url: str
    home: str  # the bench's first page, and the one where this session's screens are shared; empty where there is none
    share: str


def add_screens(app: Application, desk: Desk) -> None:
    names = "|".join(screen.app.name for screen in desk.screens)
    ours = url_path_join(desk.base_url, "drybench")
    told = {"desk": desk}
    app.settings.setdefault("static_immutable_cache", []).append(f"{ours}/{page.address()}")
    app.add_handlers(
        ".*$",
        [
            (f"{desk.base_url}({names})/?", Page, told),
            (f"{ours}/screens/({names})", ScreenState, told),
            (f"{ours}/screens/({names})/guests", Guests, told),
            (f"{ours}/screens/([^/]+)/stream", Stream, told),
            (f"{ours}/screens/({names})/video", VideoStream, {"environ": desk.screens.environ, "owner": desk.owner}),
            (rf"{ours}/screen/(?:[0-9a-f]{{16}}/)?(.*)", FileFindHandler, {"path": [str(page.FILES)]}),
        ],
    )


class _Owners(JupyterHandler):
    def initialize(self, desk: Desk) -> None:
        self.desk = desk

    def screen(self, name: str) -> Screen:
        return self.desk.screens[name]

    def check_owner(self) -> None:
        try:
            only_the_owner(self.current_user, self.desk.owner)
        except SessionError as error:
            raise HTTPError(error.status, error.sentence) from None


class Page(_Owners):
    """Opening it starts the screen, if it never was."""

    @property
    def content_security_policy(self) -> str:
        return _POLICY

    @authenticated
    async def get(self, name: str) -> None:
        self.check_owner()
        if not self.request.path.endswith("/"):
            self.redirect(f"{self.desk.base_url}{name}/")
            return
        screen = self.screen(name)
        if not screen.was_started:
            screen.start()
        self.set_header("Cache-Control", "no-store")
        _ = self.xsrf_token  # asking for it sets the cookie, which the page needs for what it sends
        self.finish(_page(self.desk, screen.app))  # pyright: ignore[reportUnknownMemberType]


class ScreenState(_Owners, APIHandler):
    @authenticated
    async def get(self, name: str) -> None:
        self.check_owner()
        self.finish(await _told(self.screen(name)))

    @authenticated
    async def post(self, name: str) -> None:
        self.check_owner()
        screen = self.screen(name)
        try:
            match self.get_json_body():
                case {"action": "start"}:
                    screen.start()
                case {"action": "scale", "scale": int() | float() as factor}:
                    await screen.scale(factor)
                case _:
                    raise AskWrong(problem="it asks for nothing that is known here")
        except SessionError as error:
            self.set_status(error.status)
            self.finish(error.as_json())
            return
        self.finish(await _told(screen))


class Guests(_Owners, APIHandler):
    @authenticated
    async def post(self, name: str) -> None:
        """Whether those who may work here do so beside the owner, or only watch: {"work": true or false}."""
        self.check_owner()
        match self.get_json_body():
            case {"work": bool(work)}:
                self.desk.viewers[name].work_alone(not work)
                self.set_status(204)
            case _:
                raise HTTPError(400, "work is true or false")


class Stream(WebSocketMixin, WebSocketHandler, _Owners):  # pyright: ignore[reportIncompatibleMethodOverride] - as Jupyter's
    name = ""
    viewer = ""
    mode = CONTROL
    may_control = True
    is_guest = False
    _bridge: Bridge | None = None
    _viewers: Viewers | None = None
    _showing: asyncio.Task[None] | None = None
    _unread = 0

    @property
    def max_message_size(self) -> int:
        return _LARGEST_MESSAGE

    @allow_unauthenticated  # each is asked for what they have to show, below
    async def get(self, app: str) -> None:
        self.is_guest = GUEST in self.request.headers
        if self.is_guest:
            self._check_guest()
        else:
            self._check_signed_in()
        self.mode = self._one_of("mode", CONTROL, WATCH)
        self.may_control = self.mode == CONTROL
        self._one_of("taken", ASK, TAKE)
        self.viewer = self.get_query_argument("viewer", "")[:_LONGEST_NAME]
        await super().get(app)

    async def open(self, app: str) -> None:
        super().open()  # pyright: ignore[reportUnknownMemberType]
        self.set_nodelay(True)
        if app not in self.desk.viewers:
            self.close(Closed.NO_SUCH_APP)
            return
        screen, viewers = self.screen(app), self.desk.viewers[app]
        if not screen.was_started and not self.is_guest:
            screen.start()
        if not viewers.add(self, self._one_of("taken", ASK, TAKE)):
            self.close(Closed.IN_USE)
            return
        self._viewers = viewers
        self._bridge = Bridge(screen, self, self.desk.last_input, self._send)
        self._showing = asyncio.create_task(self._show(self._bridge))

    async def on_message(self, message: str | bytes) -> None:
        """Text is for what may come; nothing is known yet."""
        if isinstance(message, bytes) and self._bridge:
            try:
                await self._bridge.take(message)
            except NotRfb:
                self.close(Closed.NOT_RFB)

    def on_close(self) -> None:
        if self._viewers:
            self._viewers.remove(self)
        if self._bridge:
            self._bridge.close()
        if self._showing:
            self._showing.cancel()

    def say(self, event: dict[str, Any]) -> None:
        """Who reads nothing is cut off, and may come again."""
        if self._unread >= _MOST_UNREAD:
            self.close(Closed.CUT)
            return
        with suppress(WebSocketClosedError):
            said = self.write_message(event)
            self._unread += 1
            said.add_done_callback(self._was_read)

    async def _show(self, bridge: Bridge) -> None:
        with suppress(WebSocketClosedError):
            self.close(await bridge.show())

    async def _send(self, picture: bytes) -> None:
        await self.write_message(picture, binary=True)

    def _was_read(self, said: asyncio.Future[None]) -> None:
        self._unread -= 1
        said.exception()

    def _check_guest(self) -> None:
        key, shown = self.desk.guests_key, self.request.headers[GUEST]
        if not key or not hmac.compare_digest(key.encode(), shown.encode()):
            raise HTTPError(403)
        self.name = unquote(self.request.headers.get(GUEST_NAME, ""))[:_LONGEST_NAME]

    def _check_signed_in(self) -> None:
        if not self.current_user:
            raise HTTPError(403)
        self.check_owner()
        self.name = self.current_user.username

    def _one_of(self, argument: str, usual: str, other: str) -> str:
        value = self.get_query_argument(argument, usual)
        if value not in (usual, other):
            raise HTTPError(400, f"{argument} is {usual} or {other}")
        return value


async def _told(screen: Screen) -> dict[str, Any]:
    ending = screen.ending
    return {
        "state": screen.state,
        "cause": ending.cause if ending else None,
        "sentence": ending.sentence if ending else "",
        "next": ending.next if ending else _START if screen.state is State.ENDED else None,
        "programs": await screen.programs(),
        "opengl": screen.opengl.name,
        "size": await screen.size(),
        "shows": screen.shows,
        "video": video.is_here(),
    }


_START = {"action": "start", "title": "Start it"}


def _page(desk: Desk, app: App) -> str:
    return page.render(desk.base_url, app=app.name, title=app.title, home=desk.home, share=desk.share)
