"""Whose session this is."""

from __future__ import annotations

from typing import Any

from drybench_session.errors import NotTheOwner


def only_the_owner(user: Any, owner: str) -> None:
    """Whom the owner lets look in acts under their own name, and what is here has the owner's. NotTheOwner."""
    if owner and getattr(user, "username", None) != owner:
        raise NotTheOwner(owner=owner)
