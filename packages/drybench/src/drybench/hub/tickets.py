"""One-time tickets: whoever may write into the data directory may sign in as the bench's owner.

Only a ticket's digest is stored. It is good for minutes and once: taking it is one rename.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time

from drybench.data_folder import DataFolder
from drybench.errors import TicketExpired, TicketUnknown, TicketUsed

MINUTES = 15
KEPT_DAYS = 7  # used and expired ones, so that people are told which of the two it was


def new_ticket(data: DataFolder) -> str:
    """The secret of a new ticket; nobody can read it from the disk."""
    _clear(data)
    secret = secrets.token_urlsafe(24)
    (data.tickets / _digest(secret)).touch(mode=0o600)
    return secret


def link(public: str, secret: str) -> str:
    """The secret rides in the fragment, which no browser sends: it is in no log and no Referer."""
    return f"{public}/hub/ticket#{secret}"


def take(data: DataFolder, secret: str) -> None:
    """Good once; after that, and after its minutes, it is refused with a sentence."""
    ticket = data.tickets / _digest(secret.strip())
    used = ticket.with_suffix(".used")
    try:
        age = time.time() - ticket.stat().st_mtime
        if age > MINUTES * 60:
            raise TicketExpired(minutes=MINUTES)
        ticket.rename(used)
    except FileNotFoundError:
        raise TicketUsed() if used.exists() else TicketUnknown() from None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _clear(data: DataFolder) -> None:
    for old in data.tickets.iterdir():
        if re.match("[0-9a-f]{64}", old.name) and time.time() - old.stat().st_mtime > KEPT_DAYS * 86400:
            old.unlink(missing_ok=True)
