"""Questions to servers of this machine, which nobody encrypts."""

from __future__ import annotations

from typing import Any

import httpx

from tests.waiting import PATIENCE


def ask(method: str, url: str, **more: Any) -> httpx.Response:
    """Without reading the machine's certificates, which takes longer than all the rest: one waits by asking again."""
    return httpx.request(method, url, verify=False, trust_env=False, timeout=PATIENCE, **more)
