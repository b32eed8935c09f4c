"""Everything between the words `drybench up` and a bench that answers."""

from __future__ import annotations

import asyncio
import os
import sys
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from pwd import getpwuid
from typing import Any

from drybench import addresses, settings
from drybench.addresses import Addresses
from drybench.data_folder import DataFolder
from drybench.errors import NotReady, NotYourBench
from drybench.settings import Settings
from drybench.up import announcing, answering
from drybench.up.announcing import Say
from drybench.up.child_processes import Child, Children
from drybench.up.supervising import end_left_over, only_one, supervise

SECONDS_TO_BE_READY = 90


@dataclass(frozen=True)
class Wish:
    """What the command line says."""

    data: DataFolder
    settings: Path | None = None
    given: Mapping[str, Any] | None = None  # as the file would say it


def bring_up(wish: Wish, say: Say, on_ready: Callable[[], None] = lambda: None) -> None:
    """Back when the bench has ended. `on_ready` is called after its link was said."""
    os.umask(0o077)
    in_force = check(wish)
    wish.data.make()
    with only_one(wish.data):
        end_left_over(wish.data, say)
        here = _prepare(wish.data, in_force, addresses.choose(in_force, wish.data), say)
        asyncio.run(
            supervise(
                children(wish),
                Children(wish.data.children),
                _ready(answering.questions(here, tls=bool(in_force.tls.certificate))),
                say,
                lambda: _say_ready(wish.data, here, say, on_ready),
            )
        )


def check(wish: Wish) -> Settings:
    """What can be refused before anything is touched."""
    must_be_own(wish.data)
    return settings.load(wish.data, wish.settings, wish.given)


def must_be_own(data: DataFolder) -> None:
    """Also root makes no files in somebody else's bench: its owner could not read them."""
    owner = data.path.stat().st_uid if data.path.exists() else os.geteuid()
    if owner != os.geteuid():
        raise NotYourBench(data=data.path, owner=_account(owner))


def children(wish: Wish) -> Sequence[Child]:
    """In the order in which they are ended. Their patience together stays below five seconds."""
    data, python = wish.data, sys.executable
    env = {"DRYBENCH_DATA": str(data.path)} | ({"DRYBENCH_SETTINGS": str(wish.settings)} if wish.settings else {})
    hub_config = str(files("drybench") / "hub" / "jupyterhub_config.py")
    traefik = str(Path(sysconfig.get_path("scripts")) / "traefik")
    return (
        Child("hub", (python, "-m", "drybench.hub", "-f", hub_config), log(data, "hub"), data.hub, env, patience=1),
        Child(
            "portal",
            (python, "-m", "drybench.serving", "--data", str(data.path)),
            log(data, "portal"),
            data.path,
            env,
            2.6,
        ),
        Child(
            "proxy",
            (traefik, "--configfile", str(data.proxy / "traefik.toml")),
            log(data, "proxy"),
            data.proxy,
            {},
            1.2,
        ),
    )


def log(data: DataFolder, part: str) -> Path:
    return data.logs / f"{part}.log"


def _prepare(data: DataFolder, in_force: Settings, here: Addresses, say: Say) -> Addresses:
    """All that the children need; the addresses with the door for containers, where there is one.

    Imported here: refusing must not wait for what only a start needs.
    """
    from drybench import python_environment
    from drybench.containers import runner_to_carry
    from drybench.proxying import write_proxy_files
    from drybench.secret_files import secret
    from drybench.up.container_door import offered, with_containers

    say(announcing.data(data))
    here = with_containers(here, in_force, data, say)
    for name in ("portal_token", "cookie_secret", "cookie_key"):
        secret(data, name)
    python_environment.make(data, say)
    if here.tasks_door:
        runner_to_carry(data, say)
    offers = offered(here, in_force, data)
    in_force.refuse_a_pool_of_strangers([offer.environment.name for offer in offers])
    for line in announcing.environments(offers):
        say(line)
    write_proxy_files(data, here, in_force, secret(data, "proxy_password"))
    return here


async def _ready(questions: Sequence[answering.Question]) -> None:
    waiting = {asyncio.create_task(answering.until_it_answers(question)): question for question in questions}
    try:
        _, silent = await asyncio.wait(waiting, timeout=SECONDS_TO_BE_READY)
        if silent:
            raise NotReady(part=waiting[silent.pop()].part, seconds=SECONDS_TO_BE_READY)
    finally:
        for task in waiting:
            task.cancel()


def _say_ready(data: DataFolder, here: Addresses, say: Say, on_ready: Callable[[], None]) -> None:
    for line in (announcing.exposed(here), announcing.tunnel(here, os.environ)):
        if line:
            say(line)
    say(announcing.ready(new_link(data, here)))
    on_ready()


def new_link(data: DataFolder, here: Addresses) -> str:
    from drybench.hub.tickets import link, new_ticket

    return link(here.public, new_ticket(data))


def _account(uid: int) -> str:
    try:
        return getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
