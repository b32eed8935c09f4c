"""Two pages of ours at the Hub: the one that takes a ticket, and the one that leads away."""

# pyright: standard

from __future__ import annotations

from typing import Any

from jupyterhub.handlers.base import BaseHandler
from tornado import web
from tornado.escape import url_escape

from drybench.errors import DrybenchError, ForeignPage, NotAllowed


class TicketPage(BaseHandler):
    """A GET burns nothing: the page itself sends the code that its address brought along."""

    authenticator: Any
    current_user: Any

    async def get(self) -> None:
        await self._show()

    async def post(self) -> None:
        only_from_here(self)
        code = self.get_body_argument("code", "")
        somebody_else = self.current_user and self.current_user.name != self._owner
        if somebody_else and self.get_body_argument("instead", "") != self._owner:
            await self._show(code=code, instead_of=self.current_user.name)
            return
        try:
            user = await self.login_user({"code": code, "username": self._owner})
        except DrybenchError as refusal:
            self.set_status(refusal.status)
            await self._show(refusal=refusal)
            return
        if user is None:
            raise said(NotAllowed())
        self._jupyterhub_user = user
        self.redirect(str(self.get_next_url(user)))

    @property
    def _owner(self) -> str:
        return self.authenticator.normalize_username(self.authenticator.bench_owner)

    async def _show(self, code: str = "", instead_of: str = "", refusal: DrybenchError | None = None) -> None:
        words: dict[str, Any] = {"owner": self._owner, "code": code, "instead_of": instead_of, "refusal": refusal}
        words["next"] = url_escape(self.get_argument("next", ""))
        self.finish(await self.render_template("ticket.html", **words))


class ToPortal(BaseHandler):
    """Sessions are started, seen and stopped on the portal's pages only."""

    authenticator: Any

    def get(self) -> None:
        self.redirect(f"{self.authenticator.bench_address}/")


def only_from_here(handler: BaseHandler) -> None:
    """A neighbouring host name can plant the cookie that goes with a form's token, but not say that it is us."""
    authenticator: Any = handler.authenticator
    origin = handler.request.headers.get("Origin")
    if origin and origin != authenticator.bench_address:
        raise said(ForeignPage())


def said(error: DrybenchError) -> web.HTTPError:
    """So that the Hub's own pages and API print our sentence."""
    answer = web.HTTPError(error.status, str(error).replace("%", "%%"))
    answer.jupyterhub_message = str(error)  # type: ignore[attr-defined] - JupyterHub reads it off any error
    return answer
