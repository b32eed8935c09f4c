"""Who asks, as JupyterHub says it: OAuth for browsers, tokens for everything else."""

# pyright: standard

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from cryptography.fernet import Fernet, InvalidToken
from jupyterhub.httpclient import JupyterHubHTTPClient
from jupyterhub.services.auth import HubOAuth
from tornado.web import HTTPError

from drybench.addresses import Addresses
from drybench.errors import HubAway, SignInBroken

CLIENT = "service-portal"
FRESH = 5  # seconds that the Hub's word counts, so that a sign-out or a lost group is noticed
TOKEN = re.compile(r"[\x21-\x7e]{1,512}")

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Identified:
    name: str
    groups: frozenset[str]
    scopes: frozenset[str]


class Identity:
    def __init__(self, addresses: Addresses, portal_token: str, cookie_key: bytes) -> None:
        self._hub = HubOAuth(
            api_url=addresses.hub_api,
            api_token=portal_token,
            hub_host=addresses.public,
            oauth_client_id=CLIENT,
            oauth_redirect_uri=redirect_uri(addresses),
            cache_max_age=FRESH,
        )
        self._fernet = Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"cookie" + cookie_key).digest()))
        self._xsrf_key = hashlib.sha256(b"xsrf" + cookie_key).digest()

    async def of_token(self, token: str, fresh: bool = False) -> Identified | None:
        """The person whose token it is. A service's token is nobody's here. `fresh`: as the Hub says it now."""
        if not TOKEN.fullmatch(token):
            return None
        model: dict[str, Any] | None = await _asked(self._hub.user_for_token(token, use_cache=not fresh, sync=False))
        if model is None or model.get("kind") != "user":
            return None
        return Identified(model["name"], frozenset(model.get("groups", ())), frozenset(model.get("scopes", ())))

    def authorize_url(self, state: str) -> str:
        return f"{self._hub.login_url}&{urlencode({'state': state})}"

    async def exchange(self, code: str) -> str:
        """The token for what the Hub sent back by way of the browser."""
        return await _asked(self._hub.token_for_code(code, sync=False))

    def seal(self, token: str) -> str:
        """For a cookie: a restart then signs nobody out, and no token lies in a table."""
        return self._fernet.encrypt(token.encode()).decode()

    def unseal(self, cookie: str) -> str | None:
        try:
            return self._fernet.decrypt(cookie.encode()).decode()
        except (InvalidToken, UnicodeError):
            return None

    def xsrf(self, token: str) -> str:
        """Bound to this sign-in, so that a cookie planted by a neighbouring host name is worth nothing."""
        return hmac.new(self._xsrf_key, token.encode(), hashlib.sha256).hexdigest()

    async def close(self) -> None:
        await JupyterHubHTTPClient.loop_instance().close()


def redirect_uri(addresses: Addresses) -> str:
    return f"{addresses.public}/oauth_callback"


async def _asked(question: Awaitable[Answer]) -> Answer:
    """HubOAuth says 500 both for a Hub that is away and for a code that is no good."""
    try:
        return await question
    except HTTPError as problem:
        if (problem.log_message or "").startswith("Failed to check authorization:"):
            raise SignInBroken() from None
        raise HubAway() from None
