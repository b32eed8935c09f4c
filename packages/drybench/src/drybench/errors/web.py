"""What came to the bench's pages and its API, and who does not answer behind them."""

from __future__ import annotations

from drybench.errors.base import Conflict, DrybenchError, NotAllowed, NotFound, Refused


class RequestWrong(Refused):
    """What was asked cannot be understood: {field}: {problem}."""

    next_step = "The API describes every field at /api/v1/openapi.json."


class KeyUsedOtherwise(Conflict):
    """This Idempotency-Key came with another kind of request before."""

    next_step = "Send a new key with each new request."


class NoSuchPage(NotFound):
    """There is no such page."""

    next_step = "Home shows what there is."


class WrongAddress(NotAllowed):
    """This bench answers at {address} only."""

    status = 421
    next_step = "Open that address and do it there."


class ForeignPage(NotAllowed):
    """This was asked for by a page that is not the bench's own, so it was not done."""

    next_step = "Open the bench itself and ask from there."


class FormTooOld(NotAllowed):
    """This page is older than your sign-in, so nothing was done."""

    next_step = "Load the page again and press once more."


class HubAway(DrybenchError):
    """There is no word from JupyterHub, which knows who you are."""

    status = 503
    next_step = (
        "It is started again by itself; try again in a few seconds. On the bench's own machine its owner can go on at "
        "once, such as with `drybench stop NAME`."
    )


class HubBusy(HubAway):
    """The sign-in service is still busy with this session."""

    next_step = "It is asked again by itself; there is nothing to do."


class PortalAway(DrybenchError):
    """The bench's portal does not answer at the moment."""

    status = 503
    next_step = "It comes back by itself, usually within seconds: try again then. What runs goes on."


class DiskFull(DrybenchError):
    """The disk of this bench is full."""

    status = 507
    next_step = "Remove runs and files that nobody needs, then try it again."
