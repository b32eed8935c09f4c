"""Shared desktops as calm text. Times are this machine's own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from drybench_client.printing import plain, table
from drybench_client.sharing import Share


def show_share(share: Share) -> None:
    rights = "may work in" if share["control"] else "sees"
    print(f"{plain(share['with_name'])} {rights} {plain(share['session_name'])} until {_local(share['until'])}.")
    print(f"It is at {share['url']}, for nobody else. End it by: drybench unshare {share['id'][-8:]}")


def show_shares(shares: Sequence[Share]) -> None:
    rows = [
        (
            it["id"][-8:],
            it["session_name"],
            it["with_name"],
            "control" if it["control"] else "see",
            _local(it["until"]),
            ", ".join(dict.fromkeys(guest["name"] for guest in it["watching"])),
        )
        for it in shares
    ]
    nothing = "You share nothing: drybench share SESSION --with NAME"
    table(("ID", "SESSION", "WITH", "MAY", "UNTIL", "WATCHING"), rows, nothing)


def show_others(shares: Sequence[Share]) -> None:
    rows = [
        (it["person"], it["app"], "control" if it["control"] else "see", _local(it["until"]), it["standing"], it["url"])
        for it in shares
    ]
    table(("OF", "SCREEN", "YOU MAY", "UNTIL", "NOW", "ADDRESS"), rows, nothing="Nothing is shared with you.")


def _local(time: str) -> str:
    return f"{datetime.fromisoformat(time).astimezone():%a %Y-%m-%d %H:%M}"
