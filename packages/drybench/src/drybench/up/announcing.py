"""What `drybench up` says while it works: one line for each thing worth knowing."""

from __future__ import annotations

import contextlib
import getpass
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence

from drybench.addresses import Addresses
from drybench.catalogue import Offer
from drybench.data_folder import DataFolder
from drybench.errors import EnvironmentBroken, ImageNotBuilt, NoContainersHere
from drybench.ports import LOOPBACK

Say = Callable[[str], None]


def say(line: str) -> None:
    """To the terminal, if it is still there: a bench does not end because a window was closed."""
    with contextlib.suppress(OSError):
        print(line, flush=True)


def ready(link: str) -> str:
    return f"Drybench is ready: {link}"


def data(folder: DataFolder) -> str:
    return f"The data lie in {folder.path}"


def environments(offers: Sequence[Offer]) -> Iterator[str]:
    """What can be used where, and what is only a build away; the broken ones with their place."""
    titles = {
        "on this machine": [one.environment.title for one in offers if one.usable and one.environment.image is None],
        "in containers": [one.environment.title for one in offers if one.usable and one.environment.image],
    }
    yield "Environments: " + "; ".join(f"{', '.join(names)} {where}" for where, names in titles.items() if names)
    if unbuilt := [one.environment.name for one in offers if isinstance(one.why_not, ImageNotBuilt)]:
        yield f"Not built yet: {', '.join(unbuilt)} (on the Environments page, or: drybench images build NAME)"
    apart = [(one.environment.name, one.why_not) for one in offers if isinstance(one.why_not, NoContainersHere)]
    if apart:
        yield f"Only in containers: {', '.join(name for name, _ in apart)}. There are none: {apart[0][1].facts['why']}."
    yield from (str(one.why_not) for one in offers if isinstance(one.why_not, EnvironmentBroken))


def is_down(folder: DataFolder) -> str:
    return f"The bench on {folder.path} is down."


def how(code: int) -> str:
    """A negative code is the signal that ended it."""
    return f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def not_started(error: OSError) -> str:
    return f"could not be started ({error.strerror})"


def ended(part: str, how: str, delay: float) -> str:
    return f"The {part} {how}; starting it again" + (f" in {delay:.0f} s." if delay >= 1 else ".")


def left_over(part: str) -> str:
    return f"Ending the {part} of a bench that was killed."


def tunnel(addresses: Addresses, environ: Mapping[str, str]) -> str | None:
    """For somebody who is logged in by SSH: how their own browser gets here."""
    _, _, machine, door = (environ.get("SSH_CONNECTION", "").split() + [""] * 4)[:4]
    if not machine:
        return None
    port = "" if door == "22" else f" -p {door}"
    forward = f"{addresses.port}:{LOOPBACK}:{addresses.port}"
    return f"From your own computer: ssh -L {forward}{port} {getpass.getuser()}@{machine}"


def exposed(addresses: Addresses) -> str | None:
    if addresses.listen in (LOOPBACK, "::1", "localhost") or addresses.secure:
        return None
    return (
        f"Everybody on the network can reach {addresses.listen}:{addresses.port}, and there is no TLS: passwords and "
        "work travel in the open. Set `certificate` and `key` under [tls], or listen on 127.0.0.1 and tunnel by SSH."
    )
