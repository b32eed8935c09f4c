"""The commands for shared desktops: share one, see them, end it."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from drybench_client.commands.said import HERE, Which


def share(
    name: str,
    *,
    colleague: Annotated[str, Parameter(name="--with")] = "",
    group: Annotated[str, Parameter(name="--with-group")] = "",
    teachers: Annotated[str, Parameter(name="--with-teachers")] = "",
    control: bool = False,
    length: Annotated[str, Parameter(name="--for")] = "1 h",
    app: str = "",
    which: Which = HERE,
) -> None:
    """Share the desktop of your running session: others see it, or work in it, on a page of the bench.

    Parameters
    ----------
    name
        The session's name or id.
    colleague
        Whom to share it with, by name.
    group
        All of this group, in place of one colleague.
    teachers
        Those who teach this group of yours.
    control
        They may work in it, too; else they only see it.
    length
        How long: 30min, 2h, 3d, today, week.
    app
        Whose screen, where the session has more than one: desktop, napari.
    """
    from drybench_client import printing_shares

    with which.open() as bench:
        whom = {"person": colleague, "group": group, "teachers": teachers}
        made = bench.share(name, **whom, control=control, length=length, app=app)
    which.show(made, printing_shares.show_share)


def shares(*, others: bool = False, wall: str = "", which: Which = HERE) -> None:
    """What you share, and who is watching.

    Parameters
    ----------
    others
        What others share with you instead.
    wall
        What is shown to you as a teacher of this group.
    """
    from drybench_client import printing_shares

    with which.open() as bench:
        found = list(bench.wall(wall) if wall else bench.shares("others" if others else "mine"))
    which.show_items(found, printing_shares.show_others if others or wall else printing_shares.show_shares)


def unshare(name: str, *, which: Which = HERE) -> None:
    """End a share. Who looks is cut off at once.

    Parameters
    ----------
    name
        The session's name, whose shares all end; or the id of one share, or the end of it.
    """
    with which.open() as bench:
        mine = {one["session_name"] for one in bench.shares()}
        (bench.unshare_session if name in mine else bench.unshare)(name)


COMMANDS = (share, shares, unshare)
