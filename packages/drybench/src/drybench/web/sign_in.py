"""Sign in by the Hub's OAuth, come back, sign out."""

from __future__ import annotations

import json
import secrets
import time
from typing import Any, cast

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from drybench.addresses import Addresses
from drybench.errors import SignInBroken
from drybench.web.door import ForAll, cookie_name, identified, own_path
from drybench.web.routing import PageRoute

STAYS = 14 * 86400  # seconds: as long as the Hub's own sign-in
MOST_FOR_A_SIGN_IN = 3600

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/sign-in")
async def sign_in(request: Request, next: str = "/") -> Response:
    """The state goes round by the Hub; a cookie shows that it is this browser that comes back with it.

    The cookie is kept when there is one, so that several tabs can sign in at the same time.
    """
    portal: Any = request.app.state.portal
    browser = request.cookies.get(_browser_cookie(portal.addresses)) or secrets.token_urlsafe(32)
    state = json.dumps({"browser": browser, "next": own_path(next), "at": int(time.time())})
    response = RedirectResponse(portal.identity.authorize_url(portal.identity.seal(state)), 303)
    _set(response, portal.addresses, _browser_cookie(portal.addresses), browser, MOST_FOR_A_SIGN_IN)
    return response


@router.get("/oauth_callback")
async def come_back(request: Request, state: str = "", code: str = "") -> Response:
    portal: Any = request.app.state.portal
    began = _opened(portal.identity.unseal(state) if state else None)
    browser = request.cookies.get(_browser_cookie(portal.addresses), "")
    same = secrets.compare_digest(began.get("browser", "").encode(), browser.encode())
    if not (code and browser and same) or time.time() - began["at"] > MOST_FOR_A_SIGN_IN:
        raise SignInBroken()
    token = await portal.identity.exchange(code)
    portal.signed_in(await identified(request, token))
    response = RedirectResponse(own_path(began["next"]), 303)
    _set(response, portal.addresses, cookie_name(portal.addresses), portal.identity.seal(token), STAYS)
    return response


@router.post("/sign-out")
async def sign_out(request: Request, asker: ForAll) -> Response:
    """Ours ends here; the Hub ends its own and with it the token."""
    addresses: Addresses = request.app.state.portal.addresses
    response = RedirectResponse("/hub/logout", 303)
    response.delete_cookie(cookie_name(addresses), secure=addresses.secure, httponly=True, samesite="lax")
    return response


def _browser_cookie(addresses: Addresses) -> str:
    return f"{cookie_name(addresses)}-browser"


def _set(response: Response, addresses: Addresses, name: str, value: str, seconds: int) -> None:
    """Lax, for Strict would not arrive after the way over the Hub."""
    response.set_cookie(name, value, seconds, path="/", secure=addresses.secure, httponly=True, samesite="lax")


def _opened(state: str | None) -> dict[str, Any]:
    """What we sealed ourselves, or nothing."""
    try:
        began: Any = json.loads(state or "{}")
    except ValueError:
        return {}
    return cast("dict[str, Any]", began) if isinstance(began, dict) else {}
